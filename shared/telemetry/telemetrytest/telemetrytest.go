// Package telemetrytest reads the lines that requests leave and holds them to CloudWatch's embedded metric format. It is
// for tests only.
package telemetrytest

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

//go:embed emf.schema.json
var schemaText []byte

// Line is one request's line.
type Line map[string]any

// Lines returns the lines of requests among all that was logged. Every line must be JSON.
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

// CheckMetrics returns an error where CloudWatch would not take the line's metrics, or would miss the value of one.
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

// checkTargets looks for the members that a directive refers to: dimensions are strings, metrics numbers.
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
