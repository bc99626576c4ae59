// Package telemetrytest reads the log lines of requests and checks that CloudWatch accepts the metrics in them.
//
// It is for tests only.
package telemetrytest

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

//go:embed emf.schema.json
var schemaText []byte

// Log keeps all text that is written to it. It is safe for concurrent use.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer. The error is always nil.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns the text that was written since the last Take.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Take returns the same text as String, and removes it from the Log.
func (l *Log) Take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := l.text.String()
	l.text.Reset()
	return text
}

// Line is the log line of one request.
type Line map[string]any

// Lines returns the lines of requests among all logged lines. It returns an error if a line is not JSON.
func Lines(logs string) ([]Line, error) {
	var lines []Line
	for text := range strings.Lines(logs) {
		var line Line
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			return nil, fmt.Errorf("the line %q is not JSON: %w", text, err)
		}
		if line["msg"] == "request" {
			lines = append(lines, line)
		}
	}
	return lines, nil
}

// CheckMetrics returns an error if CloudWatch would not accept the metrics of the line, or if a value is missing.
func CheckMetrics(line Line) error {
	schema, err := compile()
	if err != nil {
		return err
	}
	if err := schema.Validate(map[string]any(line)); err != nil {
		return err
	}
	directives := line["_aws"].(map[string]any)["CloudWatchMetrics"].([]any)
	for _, d := range directives {
		if err := checkTargets(line, d.(map[string]any)); err != nil {
			return err
		}
	}
	return nil
}

func compile() (*jsonschema.Schema, error) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemaText))
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("emf.schema.json", document); err != nil {
		return nil, err
	}
	return compiler.Compile("emf.schema.json")
}

// checkTargets checks the members that a directive refers to. Each dimension must be a string, and each metric a
// number.
func checkTargets(line Line, directive map[string]any) error {
	for _, set := range directive["Dimensions"].([]any) {
		for _, name := range set.([]any) {
			if _, ok := line[name.(string)].(string); !ok {
				return fmt.Errorf("the dimension %v is not a string: %v", name, line[name.(string)])
			}
		}
	}
	for _, m := range directive["Metrics"].([]any) {
		name := m.(map[string]any)["Name"].(string)
		if _, ok := line[name].(float64); !ok {
			return fmt.Errorf("the metric %s is not a number: %v", name, line[name])
		}
	}
	return nil
}
