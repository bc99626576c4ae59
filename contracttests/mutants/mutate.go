package mutants

import (
	"context"
	"net/http"
	"strconv"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// mutation is what a Mutant does.
type mutation = func(*World, harness.Target) harness.Target

// mutateSend returns a mutation that keeps nothing in mind.
func mutateSend(send func(ctx context.Context, w *World, next harness.Target, r judge.Request) (judge.Response, error)) mutation {
	return func(w *World, next harness.Target) harness.Target {
		return harness.TargetFunc(func(ctx context.Context, r judge.Request) (judge.Response, error) { return send(ctx, w, next, r) })
	}
}

// mutateRequest changes requests on their way in. The header is the change's own; a body must be replaced and not modified.
func mutateRequest(change func(ctx context.Context, w *World, r *judge.Request)) mutation {
	return mutateSend(func(ctx context.Context, w *World, next harness.Target, r judge.Request) (judge.Response, error) {
		r.Header = r.Header.Clone()
		if r.Header == nil {
			r.Header = http.Header{}
		}
		change(ctx, w, &r)
		return next.Send(ctx, r)
	})
}

// mutateAnswer changes answers on their way out. The header is the change's own.
func mutateAnswer(change func(w *World, r judge.Request, out *judge.Response)) mutation {
	return mutateSend(func(ctx context.Context, w *World, next harness.Target, r judge.Request) (judge.Response, error) {
		out, err := next.Send(ctx, r)
		if err != nil {
			return out, err
		}
		out.Header = judge.Canonical(out.Header)
		change(w, r, &out)
		return out, nil
	})
}

// answerTest says which answers a change is about.
type answerTest func(r judge.Request, out judge.Response) bool

func onStatus(codes ...int) answerTest {
	return func(_ judge.Request, out judge.Response) bool {
		for _, code := range codes {
			if out.Status == code {
				return true
			}
		}
		return false
	}
}

// onErrors is about every answer whose body is an ErrorResponse.
func onErrors(_ judge.Request, out judge.Response) bool {
	return out.Status >= 400 && out.Status != http.StatusUnprocessableEntity
}

func onAll(judge.Request, judge.Response) bool { return true }

// onMethod narrows down to the answers to a method.
func onMethod(name string, which answerTest) answerTest {
	return func(r judge.Request, out judge.Response) bool { return r.Method == name && which(r, out) }
}

// mutateBody changes the text of bodies.
func mutateBody(which answerTest, change func(body []byte) []byte) mutation {
	return mutateAnswer(func(_ *World, r judge.Request, out *judge.Response) {
		if which(r, *out) && len(out.Body) > 0 {
			setBody(out, change(out.Body))
		}
	})
}

// mutateMembers changes the members of bodies.
func mutateMembers(which answerTest, edit func(o *rawObject)) mutation {
	return mutateBody(which, func(body []byte) []byte { return editRaw(body, edit) })
}

// mutateHeaders changes headers.
func mutateHeaders(which answerTest, change func(h http.Header)) mutation {
	return mutateAnswer(func(_ *World, r judge.Request, out *judge.Response) {
		if which(r, *out) {
			change(out.Header)
		}
	})
}

// setBody replaces the body, and the length where it is stated.
func setBody(r *judge.Response, body []byte) {
	r.Body = body
	if h := judge.Canonical(r.Header); len(h["Content-Length"]) > 0 {
		setHeader(r.Header, "Content-Length", strconv.Itoa(len(body)))
	}
}

// mutateUpdate changes the members of what updates ask for. Bodies that are no well-formed object pass as they are.
func mutateUpdate(edit func(o *rawObject)) mutation {
	return mutateRequest(func(_ context.Context, _ *World, r *judge.Request) { editUpdate(r, edit) })
}

// editUpdate changes the members of an update. One that is too large stays as it is, and none becomes too large: that
// would be another departure.
func editUpdate(r *judge.Request, edit func(o *rawObject)) {
	if r.Method != http.MethodPatch || len(r.Body) > harness.MaxBodyBytes {
		return
	}
	if body := editRaw(r.Body, edit); len(body) <= harness.MaxBodyBytes {
		r.Body = body
	}
}

// mutateField changes the text of one member of what updates ask for; change returns false where it has nothing to change.
func mutateField(name string, change func(raw string) (string, bool)) mutation {
	return mutateUpdate(func(o *rawObject) { o.change(name, change) })
}

// mutateFields is mutateField of several members.
func mutateFields(names []string, change func(raw string) (string, bool)) mutation {
	return mutateUpdate(func(o *rawObject) {
		for _, name := range names {
			o.change(name, change)
		}
	})
}

// mutateLimits changes the texts of the limits that updates ask for.
func mutateLimits(change func(raw string) (string, bool)) mutation {
	return mutateUpdate(func(o *rawObject) {
		o.nested("rate_limits", func(limits *rawObject) {
			for _, name := range limitNames {
				limits.change(name, change)
			}
		})
	})
}

var limitNames = []string{"metadata", "data", "search", "upload", "compute"}

// replaceText returns a change into a fixed text, of texts that are one of those given.
func replaceText(text string, from ...string) func(string) (string, bool) {
	return func(raw string) (string, bool) {
		for _, one := range from {
			if raw == one {
				return text, true
			}
		}
		return "", false
	}
}
