package serve

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"organizations-api/cmd/orgs/internal/term"
)

// The values of --log.
const (
	logAuto   = "auto"
	logPretty = "pretty"
	logJSON   = "json"
)

func parseLog(s string) (string, error) {
	if s == logAuto || s == logPretty || s == logJSON {
		return s, nil
	}
	return "", errors.New("it is auto, pretty or json")
}

// newLog returns what whole log lines in JSON are written to. It passes them on to the screen, or makes short lines of
// them for a person.
func newLog(screen *term.Screen, format string) io.Writer {
	if format == logPretty || format == logAuto && screen.Terminal {
		return prettyLog{screen}
	}
	return screen.JSONLines()
}

// prettyLog makes a short line of each log line in JSON. Built functions write JSON too, so it reads text and not slog's
// records. It is safe for concurrent use.
type prettyLog struct{ screen *term.Screen }

// Write takes whole lines. It returns the error of the screen.
func (p prettyLog) Write(text []byte) (int, error) {
	var out strings.Builder
	for line := range bytes.Lines(text) {
		out.WriteString(p.pretty(bytes.TrimSuffix(line, []byte("\n"))) + "\n")
	}
	if _, err := io.WriteString(p.screen, out.String()); err != nil {
		return 0, err
	}
	return len(text), nil
}

// entry is what a log line can have.
type entry struct {
	Time         time.Time `json:"time"`
	Level        string    `json:"level"`
	Message      string    `json:"msg"`
	Route        string    `json:"route"`
	Status       int       `json:"status"`
	Milliseconds float64   `json:"duration_ms"`
	Organization string    `json:"organization_id"`
	Code         string    `json:"code"`
	Error        string    `json:"error"`
}

// pretty returns a line for a person. A line that is not JSON stays as it is.
func (p prettyLog) pretty(text []byte) string {
	var e entry
	var all map[string]any
	if json.Unmarshal(text, &e) != nil || json.Unmarshal(text, &all) != nil || e.Message == "" {
		return term.Printable(string(text))
	}
	at := e.Time.Local().Format(time.TimeOnly)
	if e.Message == "request" {
		method, path, _ := strings.Cut(e.Route, " ")
		words := []string{
			at, fmt.Sprintf("%-5s", method), term.Printable(path), p.status(e.Status), fmt.Sprintf("%6.1f ms", e.Milliseconds),
		}
		for _, more := range []string{e.Organization, e.Code, e.Error} {
			if more != "" {
				words = append(words, term.Printable(more))
			}
		}
		return strings.Join(words, "  ")
	}
	words := []string{at}
	if e.Level != "INFO" {
		words = append(words, e.Level)
	}
	words = append(words, e.Message)
	for _, known := range []string{"time", "level", "msg"} {
		delete(all, known)
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		words = append(words, fmt.Sprintf("%s=%v", name, all[name]))
	}
	return term.Printable(strings.Join(words, "  "))
}

// The statuses from which the client, and then the service, is at fault.
const (
	clientError = 400
	serverError = 500
)

// status returns a status: yellow for an error of the client, red for one of the service.
func (p prettyLog) status(n int) string {
	switch {
	case !p.screen.Colours || n < clientError:
		return fmt.Sprint(n)
	case n < serverError:
		return fmt.Sprintf("\x1b[33m%d\x1b[0m", n)
	default:
		return fmt.Sprintf("\x1b[31m%d\x1b[0m", n)
	}
}
