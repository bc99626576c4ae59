package backend

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const configuration = `
[profile plain]
region = eu-west-1

[profile global]
region = eu-west-1
endpoint_url = http://global.example:1

[profile services]
region = eu-west-1
endpoint_url = http://global.example:1
services = mine

[profile ignoring]
region = eu-west-1
endpoint_url = http://global.example:1
ignore_configured_endpoint_urls = true

[profile wrong]
region = eu-west-1
endpoint_url = 127.0.0.1:8000

[services mine]
dynamodb =
  endpoint_url = http://services.example:2
`

// TestEndpointSources: the endpoint comes from the sources in "Service-specific endpoints" of the AWS SDKs and Tools
// Reference Guide, and an error names the source that is wrong.
func TestEndpointSources(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	const own, all = "http://own.example:3", "http://127.0.0.1:4"
	for name, test := range map[string]struct {
		variables map[string]string
		want, err string // one of the two
	}{
		"none":                       {map[string]string{"AWS_PROFILE": "plain"}, "", ""},
		"of DynamoDB":                {map[string]string{EndpointVariable: own}, own, ""},
		"of all services":            {map[string]string{allEndpoints: all}, all, ""},
		"both":                       {map[string]string{EndpointVariable: own, allEndpoints: all}, own, ""},
		"a profile":                  {map[string]string{"AWS_PROFILE": "global"}, "http://global.example:1", ""},
		"a profile's services":       {map[string]string{"AWS_PROFILE": "services"}, "http://services.example:2", ""},
		"a profile and a variable":   {map[string]string{"AWS_PROFILE": "services", EndpointVariable: own}, own, ""},
		"a profile and all services": {map[string]string{"AWS_PROFILE": "services", allEndpoints: all}, all, ""},
		"ignored by the profile":     {map[string]string{"AWS_PROFILE": "ignoring"}, "", ""},
		"ignored, of a profile": {
			map[string]string{"AWS_PROFILE": "services", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, "", ""},
		"ignored, of variables": {
			map[string]string{EndpointVariable: own, allEndpoints: all, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, "", ""},
		"not ignored":        {map[string]string{EndpointVariable: own, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false"}, own, ""},
		"ignored, perhaps":   {map[string]string{EndpointVariable: own, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "1"}, "", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"},
		"no scheme":          {map[string]string{EndpointVariable: "127.0.0.1:8000"}, "", EndpointVariable + " is wrong"},
		"a blank":            {map[string]string{EndpointVariable: own + " "}, "", EndpointVariable + " is wrong: it has blanks"},
		"no scheme, of all":  {map[string]string{allEndpoints: "localhost:8000"}, "", allEndpoints + " is wrong"},
		"wrong in a profile": {map[string]string{"AWS_PROFILE": "wrong"}, "", "endpoint_url in the AWS configuration file is wrong"},
		"no such profile":    {map[string]string{"AWS_PROFILE": "nobody's"}, "", "the AWS configuration cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			variables := map[string]string{
				"AWS_CONFIG_FILE": file, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_PROFILE": "plain",
				"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s",
				EndpointVariable: "", allEndpoints: "", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "", "AWS_REGION": "eu-west-1",
			}
			maps.Copy(variables, test.variables)
			for name, value := range variables {
				t.Setenv(name, value)
				if value == "" {
					os.Unsetenv(name)
				}
			}
			s, err := openDynamoDB(t.Context(), "dynamodb:p", "p", os.Getenv)
			switch {
			case test.err != "":
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("opening = %v, want an error that says %q", err, test.err)
				}
			case err != nil:
				t.Errorf("opening = %v, want no error", err)
			case s.DynamoDB.Endpoint != test.want || s.Local != (test.want == all):
				t.Errorf("the endpoint is %q, on this machine: %t; want %q", s.DynamoDB.Endpoint, s.Local, test.want)
			}
		})
	}
}
