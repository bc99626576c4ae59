package mutants

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// mutation is what a mutant does to a target.
type mutation = func(*World, harness.Target) harness.Target

// call is one request on its way through a mutant. Its header may be changed; its body must be replaced as a whole.
type call struct {
	judge.Request
	ctx   context.Context
	world *World
	next  harness.Target

	before    rawObject // the record before the request, in a mutation of knowing
	tagBefore string
}

// send passes the request on.
func (c *call) send() (judge.Response, error) { return c.next.Send(c.ctx, c.Request) }

// as returns the call with another key.
func (c *call) as(key string) *call {
	other := *c
	other.Header = c.Header.Clone()
	setHeader(other.Header, "Authorization", "Bearer "+key)
	return &other
}

// direct has the right service answer another request of the same caller.
func (c *call) direct(method string, body []byte) (judge.Response, error) {
	h := http.Header{}
	if values := judge.Canonical(c.Header)["Authorization"]; len(values) > 0 {
		h["Authorization"] = slices.Clone(values)
	}
	if method == http.MethodPatch {
		h.Set("Content-Type", "application/json")
	}
	return c.world.Direct.Send(c.ctx, judge.Request{Method: method, URL: harness.Path, Header: h, Body: body})
}

// read returns the caller's record as it is now, and its tag.
func (c *call) read() (rawObject, string, bool) {
	out, err := c.direct(http.MethodGet, nil)
	if err != nil || out.Status != http.StatusOK {
		return nil, "", false
	}
	record, ok := readRawObject(out.Body)
	return record, tagOf(out), ok
}

// write changes the caller's record behind the back of the checks.
func (c *call) write(body []byte) { _, _ = c.direct(http.MethodPatch, body) }

// merge applies a merge patch to the caller's record behind the back of the checks.
func (c *call) merge(patch string) {
	h := http.Header{"Content-Type": {harness.MergePatchType}}
	if values := judge.Canonical(c.Header)["Authorization"]; len(values) > 0 {
		h["Authorization"] = slices.Clone(values)
	}
	_, _ = c.world.Direct.Send(c.ctx, judge.Request{Method: http.MethodPatch, URL: harness.Path, Header: h,
		Body: []byte(patch)})
}

// merges reports whether the call is a merge patch.
func (c *call) merges() bool { return c.updates() && harness.IsMergePatch(c.Request) }

// mergeMembers changes the members of merge patches.
func mergeMembers(edit func(o *rawObject)) mutation {
	return requests(func(c *call) {
		if c.merges() {
			c.edit(edit)
		}
	})
}

// touch makes changes that cancel each other out, so that only the version and its time are new.
func (c *call) touch() {
	record, _, ok := c.read()
	if !ok {
		return
	}
	name, _ := record.get("organization_name")
	for _, value := range []string{`"touched"`, `"touched again"`, name} {
		c.write(rawObject{{"organization_name", value}}.text())
	}
}

// valid reports whether the service would make the change that the call asks for, whatever its conditions.
func (c *call) valid() bool {
	probe := c.Request
	probe.Header = c.Header.Clone()
	dropHeader(probe.Header, "If-None-Match")
	setHeader(probe.Header, "If-Match", impossibleTag)
	out, err := c.world.Direct.Send(c.ctx, probe)
	return err == nil && out.Status == http.StatusPreconditionFailed
}

// impossibleTag is the tag of no record. The service judges a body before the conditions, so a change under the
// condition that this is the tag shows whether the body is valid, and changes nothing.
const impossibleTag = `"never"`

// updates reports whether the call is an update.
func (c *call) updates() bool { return c.Method == http.MethodPatch }

// changed reports whether the answer is that of an update that changed the record. It is for mutations of knowing.
func (c *call) changed(out *judge.Response) bool {
	return c.updates() && out.Status == http.StatusOK && tagOf(*out) != c.tagBefore
}

// unconditional reports whether the call has no conditions.
func (c *call) unconditional() bool {
	h := judge.Canonical(c.Header)
	return len(h["If-Match"]) == 0 && len(h["If-None-Match"]) == 0
}

// sends returns a mutation that does with requests whatever send does.
func sends(send func(c *call) (judge.Response, error)) mutation {
	return func(w *World, next harness.Target) harness.Target {
		return harness.TargetFunc(func(ctx context.Context, r judge.Request) (judge.Response, error) {
			if r.Header = r.Header.Clone(); r.Header == nil {
				r.Header = http.Header{}
			}
			return send(&call{Request: r, ctx: ctx, world: w, next: next})
		})
	}
}

// requests changes requests on their way in.
func requests(change func(c *call)) mutation {
	return sends(func(c *call) (judge.Response, error) {
		change(c)
		return c.send()
	})
}

// answers changes answers on their way out.
func answers(change func(c *call, out *judge.Response)) mutation {
	return sends(func(c *call) (judge.Response, error) { return c.answer(change) })
}

// knowing is like answers, and reads the record before each request.
func knowing(change func(c *call, out *judge.Response)) mutation {
	return sends(func(c *call) (judge.Response, error) {
		c.before, c.tagBefore, _ = c.read()
		return c.answer(change)
	})
}

func (c *call) answer(change func(c *call, out *judge.Response)) (judge.Response, error) {
	out, err := c.send()
	if err == nil {
		out.Header = judge.Canonical(out.Header).Clone()
		change(c, &out)
	}
	return out, err
}

// remembering returns a mutation with a state. start makes a new state for every target.
func remembering(start func() mutation) mutation {
	return func(w *World, next harness.Target) harness.Target { return start()(w, next) }
}

// memory is the state of a mutant: a value for each name. The zero memory is ready for use, by several goroutines.
type memory[T any] struct {
	mu     sync.Mutex
	values map[string]T
}

// change replaces the value of a name and returns the new one.
func (m *memory[T]) change(name string, change func(T) T) T {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.values == nil {
		m.values = map[string]T{}
	}
	m.values[name] = change(m.values[name])
	return m.values[name]
}

func (m *memory[T]) get(name string) T { return m.change(name, func(value T) T { return value }) }

// swap replaces the value of a name and returns the old one.
func (m *memory[T]) swap(name string, value T) (old T) {
	m.change(name, func(was T) T { old = was; return value })
	return old
}

// adding adds to the number of a name and returns the sum.
func adding(m *memory[int], name string, n int) int {
	return m.change(name, func(value int) int { return value + n })
}

// answerTest says which answers a mutant is about.
type answerTest func(c *call, out *judge.Response) bool

func onAll(*call, *judge.Response) bool { return true }

func onStatus(codes ...int) answerTest {
	return func(_ *call, out *judge.Response) bool { return slices.Contains(codes, out.Status) }
}

// onErrors is about every answer whose body is an ErrorResponse.
func onErrors(_ *call, out *judge.Response) bool {
	return out.Status >= 400 && out.Status != http.StatusUnprocessableEntity
}

// onMethod is about the answers to a method, among those of another test.
func onMethod(name string, which answerTest) answerTest {
	return func(c *call, out *judge.Response) bool { return c.Method == name && which(c, out) }
}

// answerText changes the text of bodies.
func answerText(which answerTest, change func(body []byte) []byte) mutation {
	return answers(func(c *call, out *judge.Response) {
		if which(c, out) && len(out.Body) > 0 {
			setBody(out, change(out.Body))
		}
	})
}

// answerMembers changes the members of bodies.
func answerMembers(which answerTest, edit func(o *rawObject)) mutation {
	return answerText(which, func(body []byte) []byte { return editRaw(body, edit) })
}

// answerStatus changes the status, and the status in the body with it.
func answerStatus(which answerTest, code int) mutation {
	return answers(func(c *call, out *judge.Response) {
		if which(c, out) {
			out.Status = code
			editBody(out, func(o *rawObject) { o.change("status", becoming(strconv.Itoa(code))) })
		}
	})
}

// answerHeaders changes headers.
func answerHeaders(which answerTest, change func(h http.Header)) mutation {
	return answers(func(c *call, out *judge.Response) {
		if which(c, out) {
			change(out.Header)
		}
	})
}

// answerHeader replaces a header. Without values it removes the header.
func answerHeader(which answerTest, name string, values ...string) mutation {
	return answerHeaders(which, func(h http.Header) { setHeader(h, name, values...) })
}

// answerHeaderText changes the text of a header that is there.
func answerHeaderText(which answerTest, name string, change func(text string) string) mutation {
	return answerHeaders(which, func(h http.Header) {
		if text := h.Get(name); text != "" {
			setHeader(h, name, change(text))
		}
	})
}

// updateText changes the bodies of updates as texts.
func updateText(change func(body []byte) []byte) mutation {
	return requests(func(c *call) {
		if c.updates() {
			c.Body = change(c.Body)
		}
	})
}

// updateMembers changes the members of updates. It leaves bodies alone that are not well-formed objects.
func updateMembers(edit func(o *rawObject)) mutation { return requests(func(c *call) { c.edit(edit) }) }

// edit changes the members of an update. It leaves bodies alone that are too large or would become so: that would be
// another departure.
func (c *call) edit(edit func(o *rawObject)) {
	if !c.updates() || len(c.Body) > harness.MaxBodyBytes {
		return
	}
	if body := editRaw(c.Body, edit); len(body) <= harness.MaxBodyBytes {
		c.Body = body
	}
}

// updateField changes the text of one member of updates.
func updateField(name string, change textChange) mutation {
	return updateFields([]string{name}, change)
}

// updateFields changes the texts of several members of updates.
func updateFields(names []string, change textChange) mutation {
	return updateMembers(func(o *rawObject) {
		for _, name := range names {
			o.change(name, change)
		}
	})
}

// updateNested changes the texts of all members of an object in updates.
func updateNested(name string, change textChange) mutation {
	return updateMembers(func(o *rawObject) {
		o.nested(name, func(inner *rawObject) {
			for _, m := range slices.Clone(*inner) {
				inner.change(m.name, change)
			}
		})
	})
}

// afterUpdate does something after an update was answered with the status.
func afterUpdate(code int, do func(c *call)) mutation {
	return sends(func(c *call) (judge.Response, error) {
		out, err := c.send()
		if err == nil && c.updates() && out.Status == code {
			do(c)
		}
		return out, err
	})
}

// setHeader replaces a header, however its name is written. Without values it removes the header.
func setHeader(h http.Header, name string, values ...string) {
	dropHeader(h, name)
	if len(values) > 0 {
		h[http.CanonicalHeaderKey(name)] = values
	}
}

func dropHeader(h http.Header, name string) {
	for key := range h {
		if strings.EqualFold(key, name) {
			delete(h, key)
		}
	}
}

// setBody replaces the body, and the length if it is stated.
func setBody(r *judge.Response, body []byte) {
	r.Body = body
	if len(r.Header["Content-Length"]) > 0 {
		setHeader(r.Header, "Content-Length", strconv.Itoa(len(body)))
	}
}

// dropBody takes the body away, with the headers that describe it.
func dropBody(r *judge.Response) {
	r.Body = nil
	dropHeader(r.Header, "Content-Type")
	dropHeader(r.Header, "Content-Length")
}

// editBody changes the members of the body.
func editBody(r *judge.Response, edit func(o *rawObject)) { setBody(r, editRaw(r.Body, edit)) }

// answerError turns answers into errors of another kind, with the headers that such an error has.
func answerError(which answerTest, status int, code string) mutation {
	return answers(func(c *call, out *judge.Response) {
		if !which(c, out) {
			return
		}
		for _, name := range []string{"ETag", "WWW-Authenticate", "Retry-After"} {
			dropHeader(out.Header, name)
		}
		switch status {
		case http.StatusUnauthorized:
			setHeader(out.Header, "WWW-Authenticate", "Bearer")
		case http.StatusTooManyRequests:
			setHeader(out.Header, "Retry-After", "5")
		}
		out.Status = status
		setHeader(out.Header, "Content-Type", "application/json")
		setBody(out, errorText(status, code))
	})
}

// errorText returns an ErrorResponse.
func errorText(status int, code string) []byte {
	details := "null"
	if status == http.StatusTooManyRequests {
		details = `{"window":"1m","retry_after":5}` // as the Retry-After of answerError
	}
	return fmt.Appendf(nil,
		`{"success":false,"status":%d,"error":{"message":"The request was refused.","type":%q,"code":%q,"details":%s}}`,
		status, harness.ErrorMeanings()[status].Type, code, details)
}

// tagOf returns the ETag of an answer.
func tagOf(r judge.Response) string { return judge.Canonical(r.Header).Get("ETag") }

// later returns a JSON time that is later by d.
func later(raw string, d time.Duration) string {
	at, err := time.Parse(time.RFC3339Nano, strings.Trim(raw, `"`))
	if err != nil {
		return raw
	}
	return at.Add(d).UTC().Format(`"2006-01-02T15:04:05.000000Z"`)
}
