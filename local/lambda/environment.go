package lambda

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// reserved are the variables that a function's configuration cannot set: "Reserved environment variables" in "Working
// with Lambda environment variables". The list has AWS_EXECUTION_ENV and _X_AMZN_TRACE_ID, but a process with a runtime
// of the provided family does not get these two, as the same page says.
var reserved = []string{
	"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME",
	"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE",
	"AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID",
	"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
}

var variableName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]+$`)

// checkVariables checks a function's own variables by Lambda's rules. The error names each variable that breaks one.
func checkVariables(variables map[string]string) error {
	var problems []error
	size := 0
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		size += len(name) + len(variables[name])
		switch {
		case slices.Contains(reserved, name):
			problems = append(problems, fmt.Errorf("the variable %s is reserved by Lambda", name))
		case !variableName.MatchString(name):
			problems = append(problems, fmt.Errorf("%q is no name of a variable", name))
		}
	}
	if size > maxVariables {
		problems = append(problems, fmt.Errorf("the variables have %d bytes, more than %d", size, maxVariables))
	}
	return errors.Join(problems...)
}

// version is the version of a function that was never published.
const version = "$LATEST"

// environment returns all variables of a process.
func (s Settings) environment(runtimeAPI, logStream string) []string {
	all := map[string]string{ // a function may set these otherwise
		"LANG": "en_US.UTF-8",
		"PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"TZ":   ":UTC",
	}
	maps.Copy(all, s.Variables)
	maps.Copy(all, map[string]string{
		"_HANDLER":                        "bootstrap",
		"AWS_DEFAULT_REGION":              s.Region,
		"AWS_REGION":                      s.Region,
		"AWS_LAMBDA_FUNCTION_NAME":        s.Name,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(s.Memory),
		"AWS_LAMBDA_FUNCTION_VERSION":     version,
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/" + s.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME":      logStream,
		"AWS_LAMBDA_RUNTIME_API":          runtimeAPI,
		"LAMBDA_TASK_ROOT":                filepath.Dir(s.Bootstrap),
		"LAMBDA_RUNTIME_DIR":              "/var/runtime",
	})
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID":     s.Credentials.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY": s.Credentials.SecretAccessKey,
		"AWS_SESSION_TOKEN":     s.Credentials.SessionToken,
	} {
		if value != "" {
			all[name] = value
		}
	}
	lines := make([]string, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		lines = append(lines, name+"="+all[name])
	}
	return lines
}
