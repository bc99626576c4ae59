package contracttests

import (
	"context"
	"net/http"
	"strconv"
)

// mutation is what a Mutant does.
type mutation = func(*World, Target) Target

// mutateSend returns a mutation that keeps nothing in mind.
func mutateSend(send func(ctx context.Context, w *World, next Target, r Request) (Response, error)) mutation {
	return func(w *World, next Target) Target {
		return TargetFunc(func(ctx context.Context, r Request) (Response, error) { return send(ctx, w, next, r) })
	}
}

// mutateRequest changes requests on their way in. The header is the change's own; a body must be replaced and not modified.
func mutateRequest(change func(ctx context.Context, w *World, r *Request)) mutation {
	return mutateSend(func(ctx context.Context, w *World, next Target, r Request) (Response, error) {
		r.Header = r.Header.Clone()
		if r.Header == nil {
			r.Header = http.Header{}
		}
		change(ctx, w, &r)
		return next.Send(ctx, r)
	})
}

// mutateAnswer changes answers on their way out. The header is the change's own.
func mutateAnswer(change func(w *World, r Request, out *Response)) mutation {
	return mutateSend(func(ctx context.Context, w *World, next Target, r Request) (Response, error) {
		out, err := next.Send(ctx, r)
		if err != nil {
			return out, err
		}
		out.Header = canonical(out.Header)
		change(w, r, &out)
		return out, nil
	})
}

// answerTest says which answers a change is about.
type answerTest func(r Request, out Response) bool

func onStatus(codes ...int) answerTest {
	return func(_ Request, out Response) bool {
		for _, code := range codes {
			if out.Status == code {
				return true
			}
		}
		return false
	}
}

// onErrors is about every answer whose body is an ErrorResponse.
func onErrors(_ Request, out Response) bool {
	return out.Status >= 400 && out.Status != http.StatusUnprocessableEntity
}

func onAll(Request, Response) bool { return true }

// onMethod narrows down to the answers to a method.
func onMethod(name string, which answerTest) answerTest {
	return func(r Request, out Response) bool { return r.Method == name && which(r, out) }
}

// mutateBody changes the text of bodies.
func mutateBody(which answerTest, change func(body []byte) []byte) mutation {
	return mutateAnswer(func(_ *World, r Request, out *Response) {
		if which(r, *out) && len(out.Body) > 0 {
			out.setBody(change(out.Body))
		}
	})
}

// mutateMembers changes the members of bodies.
func mutateMembers(which answerTest, edit func(o *rawObject)) mutation {
	return mutateBody(which, func(body []byte) []byte { return editRaw(body, edit) })
}

// mutateHeaders changes headers.
func mutateHeaders(which answerTest, change func(h http.Header)) mutation {
	return mutateAnswer(func(_ *World, r Request, out *Response) {
		if which(r, *out) {
			change(out.Header)
		}
	})
}

// setBody replaces the body, and the length where it is stated.
func (r *Response) setBody(body []byte) {
	r.Body = body
	if h := canonical(r.Header); len(h["Content-Length"]) > 0 {
		setHeader(r.Header, "Content-Length", strconv.Itoa(len(body)))
	}
}

// mutateUpdate changes the members of what updates ask for. Bodies that are no well-formed object pass as they are.
func mutateUpdate(edit func(o *rawObject)) mutation {
	return mutateRequest(func(_ context.Context, _ *World, r *Request) { r.editUpdate(edit) })
}

// editUpdate changes the members of an update. One that is too large stays as it is, and none becomes too large: that
// would be another departure.
func (r *Request) editUpdate(edit func(o *rawObject)) {
	if r.Method != http.MethodPatch || len(r.Body) > maxBodyBytes {
		return
	}
	if body := editRaw(r.Body, edit); len(body) <= maxBodyBytes {
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
