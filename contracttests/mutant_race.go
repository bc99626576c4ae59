package contracttests

import (
	"context"
	"net/http"
	"slices"
	"time"
)

// raceWindow is how long the mutants of this file dither between looking and changing. It is long enough for requests
// that are sent at once to overlap.
const raceWindow = 3 * time.Millisecond

// concurrencyMutants are right until two updates of one organization overlap.
func concurrencyMutants() []Mutant {
	return []Mutant{
		{"if-match-not-atomic", GroupBehaviour, "checks If-Match some time before it makes the change", mutateSend(func(ctx context.Context, w *World, next Target, r Request) (Response, error) {
			values := canonical(r.Header)["If-Match"]
			match, ok := readCondition(values)
			_, etag, found := w.read(ctx, r)
			if r.Method == http.MethodPatch && ok && found && match.given && match.matches(etag, false) {
				r.Header = r.Header.Clone()
				dropHeader(r.Header, "If-Match")
				dither(ctx)
			}
			return next.Send(ctx, r)
		})},
		{"update-writes-whole-record", GroupBehaviour, "writes the fields that an update leaves out as they were when it began", mutateSend(func(ctx context.Context, w *World, next Target, r Request) (Response, error) {
			before, _, ok := w.read(ctx, r)
			if r.Method != http.MethodPatch || !ok {
				return next.Send(ctx, r)
			}
			dither(ctx)
			now, _, _ := w.read(ctx, r)
			r.Body = editRaw(r.Body, func(o *rawObject) { writeBack(o, before, now) })
			return next.Send(ctx, r)
		})},
	}
}

// writeBack adds to an update what has changed meanwhile, as it was before.
func writeBack(update *rawObject, before, now rawObject) {
	asked := slices.Clone(*update)
	for _, name := range updateFields {
		was, _ := before.get(name)
		is, _ := now.get(name)
		if _, named := asked.get(name); !named && was != is {
			update.set(name, was)
		}
	}
}

func dither(ctx context.Context) {
	timer := time.NewTimer(raceWindow)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
