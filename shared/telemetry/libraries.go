package telemetry

import (
	"context"
	"io"
	"log/slog"
)

// Libraries returns a writer for the loggers of libraries, such as Go's standard one, with which net/http quotes
// answers that it did not ask for. Their texts may have secrets in them, so the writer drops them, and logs that there
// was a text and how long it was.
func Libraries(log *slog.Logger) io.Writer { return libraries{log} }

type libraries struct{ log *slog.Logger }

func (l libraries) Write(text []byte) (int, error) {
	l.log.LogAttrs(context.Background(), slog.LevelWarn, "a library logged a text, which is dropped as it may have secrets",
		slog.Int("bytes", len(text)))
	return len(text), nil
}
