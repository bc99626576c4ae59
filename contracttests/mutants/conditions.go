package mutants

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// This file breaks ETag, If-Match and If-None-Match, and changes that are made at the same time.

// tagHeaderMutants leave the ETag out, or send one of the wrong form.
func tagHeaderMutants() []mutant {
	return []mutant{
		{"tag-missing", "sends no ETag with organizations", answerHeader(onStatus(200), "ETag")},
		{"tag-missing-with-412", "sends no ETag with 412", answerHeader(onStatus(412), "ETag")},
		{"tag-weak", "sends weak ETags", answerHeaderText(onAll, "ETag",
			func(text string) string { return "W/" + text })},
		{"tag-of-304-differs", "sends another ETag with 304", answerHeader(onStatus(304), "ETag", `"other"`)},
	}
}

// tagMutants send ETags of the right form that do not follow the record.
func tagMutants() []mutant {
	all := []mutant{
		{"tag-of-key", "gives the same version another tag for every key",
			retagging(func(c *call, _ rawObject, tag string) string {
				return hashTag(tag + c.token())
			})},
		{"tag-of-content-alone",
			"gives a record that was changed and changed back the tag of before, though updated_at moved",
			retagging(tagWithout("updated_at"))},
		{"tag-of-every-answer", "gives every answer a new tag", remembering(tagOfEveryAnswer)},
		{"tag-of-update-of-its-own", "tags a version otherwise in answers to updates than in those to reads",
			answers(func(c *call, out *judge.Response) {
				if tag := tagOf(*out); c.updates() && tag != "" {
					setHeader(out.Header, "ETag", hashTag(tag))
				}
			})},
	}
	for _, name := range declared().updates {
		if slices.Contains(declared().members, name) {
			all = append(all, mutant{"tag-without-" + short(name), "keeps the tag where " + name + " alone changes",
				retagging(tagWithout(name, "updated_at"))})
		}
	}
	return all
}

// conditionMutants read conditions wrongly, or do not do what follows from them.
func conditionMutants() []mutant {
	ignoredFor := func(name, method string) mutation {
		return rawCondition(name, func(c *call, values []string) []string {
			if _, ok := wellFormed(values); ok && c.Method == method {
				return nil
			}
			return values
		})
	}
	return []mutant{
		{"if-match-ignored", "makes changes whatever If-Match says", ignoredFor("If-Match", http.MethodPatch)},
		{"if-match-ignored-by-reads", "answers reads whatever If-Match says", ignoredFor("If-Match", http.MethodGet)},
		{"if-none-match-ignored", "answers reads whatever If-None-Match says",
			ignoredFor("If-None-Match", http.MethodGet)},
		{"if-none-match-ignored-by-updates", "makes changes whatever If-None-Match says",
			ignoredFor("If-None-Match", http.MethodPatch)},
		{"if-match-takes-weak-tags", "takes a weak tag in If-Match for a strong one",
			condition("If-Match", eachTag(func(tag string) string {
				return strings.TrimPrefix(tag, "W/")
			}))},
		{"if-none-match-refuses-weak-tags", "matches no weak tag in If-None-Match",
			condition("If-None-Match", eachTag(func(tag string) string {
				if strings.HasPrefix(tag, "W/") {
					return impossibleTag
				}
				return tag
			}))},
		{"if-match-star-refused", "takes * in If-Match for a tag", condition("If-Match", starImpossible)},
		{"if-none-match-star-ignored", "takes * in If-None-Match for a tag",
			condition("If-None-Match", starImpossible)},
		{"if-match-first-tag-alone", "sees the first tag alone of If-Match", condition("If-Match", firstTag)},
		{"if-none-match-first-tag-alone", "sees the first tag alone of If-None-Match",
			condition("If-None-Match", firstTag)},
		{"if-match-first-line-alone", "sees the first line alone of If-Match",
			rawCondition("If-Match", func(_ *call, values []string) []string {
				return values[:1]
			})},
		{"if-match-of-nothing-ignored", "makes changes under an If-Match that lists nothing",
			condition("If-Match", func(is harness.Condition, values []string) []string {
				if is.Given && !is.Any && len(is.Tags) == 0 {
					return nil
				}
				return values
			})},
		{"second-condition-ignored", "ignores If-None-Match where there is If-Match",
			rawCondition("If-None-Match", func(c *call, values []string) []string {
				if _, ok := wellFormed(values); ok && len(judge.Canonical(c.Header)["If-Match"]) > 0 {
					return nil
				}
				return values
			})},
		{"not-modified-by-old-tags", "answers 304 for every tag that the organization ever had",
			remembering(oldTagsMatch)},
		{"not-modified-for-updates", "answers 304 to an update that If-None-Match forbids",
			answers(func(c *call, out *judge.Response) {
				if c.updates() && out.Status == http.StatusPreconditionFailed &&
					len(judge.Canonical(c.Header)["If-None-Match"]) > 0 {
					out.Status = http.StatusNotModified
					dropBody(out)
				}
			})},
	}
}

// tagFunc returns the tag that a mutant shows for a record that has the given one.
type tagFunc func(c *call, record rawObject, tag string) string

// retagging shows other tags, and understands them in conditions.
func retagging(show tagFunc) mutation {
	return sends(func(c *call) (judge.Response, error) {
		if record, tag, ok := c.read(); ok {
			c.translate(show(c, record, tag), tag)
		}
		return c.answer(func(c *call, out *judge.Response) {
			tag := tagOf(*out)
			if tag == "" {
				return
			}
			record, ok := readRawObject(out.Body)
			if out.Status != http.StatusOK || !ok {
				record, _, _ = c.read()
			}
			setHeader(out.Header, "ETag", show(c, record, tag))
		})
	})
}

// translate replaces the tag that was shown by the real one in the call's conditions, and all others by impossible
// ones.
func (c *call) translate(shown, real string) {
	to := func(tag string) string {
		bare := strings.TrimPrefix(tag, "W/")
		if bare == shown {
			return strings.TrimSuffix(tag, bare) + real
		}
		return impossibleTag
	}
	for _, name := range []string{"If-Match", "If-None-Match"} {
		if values := judge.Canonical(c.Header)[name]; len(values) > 0 {
			if is, ok := wellFormed(values); ok {
				setHeader(c.Header, name, eachTag(to)(is, values)...)
			}
		}
	}
}

func tagWithout(names ...string) tagFunc {
	return func(_ *call, record rawObject, _ string) string {
		for _, name := range names {
			record.drop(name)
		}
		return hashTag(string(record.text()))
	}
}

func hashTag(text string) string {
	sum := sha256.Sum256([]byte(text))
	return `"` + hex.EncodeToString(sum[:8]) + `"`
}

// rawCondition changes the values of If-Match or If-None-Match. The header is left out if there are no values left.
func rawCondition(name string, change func(c *call, values []string) []string) mutation {
	return requests(func(c *call) {
		if values := judge.Canonical(c.Header)[name]; len(values) > 0 {
			setHeader(c.Header, name, change(c, values)...)
		}
	})
}

// condition changes the values of If-Match or If-None-Match that are well-formed.
func condition(name string, change func(is harness.Condition, values []string) []string) mutation {
	return rawCondition(name, func(_ *call, values []string) []string {
		if is, ok := wellFormed(values); ok {
			return change(is, values)
		}
		return values
	})
}

// wellFormed reads a condition. It returns false if the service refuses the condition.
func wellFormed(values []string) (harness.Condition, bool) {
	c, ok := harness.ReadCondition(values)
	return c, ok && len(strings.Join(values, ", ")) <= 4096
}

// eachTag returns a change of each tag of a condition.
func eachTag(change func(tag string) string) func(harness.Condition, []string) []string {
	return func(is harness.Condition, values []string) []string {
		if is.Any {
			return values
		}
		return []string{harness.ReplaceTags(strings.Join(values, ", "), change)}
	}
}

func starImpossible(is harness.Condition, values []string) []string {
	if is.Any {
		return []string{impossibleTag}
	}
	return values
}

func firstTag(is harness.Condition, values []string) []string {
	if len(is.Tags) > 1 {
		return is.Tags[:1]
	}
	return values
}

func tagOfEveryAnswer() mutation {
	suffix := regexp.MustCompile(`-[0-9]+"`)
	var count atomic.Int64
	return sends(func(c *call) (judge.Response, error) {
		for _, name := range []string{"If-Match", "If-None-Match"} {
			if values := judge.Canonical(c.Header)[name]; len(values) > 0 {
				setHeader(c.Header, name, suffix.ReplaceAllString(strings.Join(values, ", "), `"`))
			}
		}
		return c.answer(func(_ *call, out *judge.Response) {
			if tag := tagOf(*out); tag != "" {
				setHeader(out.Header, "ETag", strings.TrimSuffix(tag, `"`)+"-"+strconv.FormatInt(count.Add(1), 10)+`"`)
			}
		})
	})
}

func oldTagsMatch() mutation {
	var old memory[string] // all tags in one text
	return answers(func(c *call, out *judge.Response) {
		if out.Status != http.StatusOK {
			return
		}
		t, _, _ := c.caller()
		asked := strings.TrimPrefix(strings.Join(judge.Canonical(c.Header)["If-None-Match"], ""), "W/")
		if c.Method == http.MethodGet && len(asked) > 2 && strings.Contains(old.get(t.ID), asked) {
			dropBody(out)
			setHeader(out.Header, "ETag", asked)
			out.Status = http.StatusNotModified
			return
		}
		old.change(t.ID, func(all string) string { return all + tagOf(*out) })
	})
}

// raceMutants are right until two updates of one organization overlap.
func raceMutants() []mutant {
	return []mutant{
		{"if-match-not-atomic", "checks If-Match some time before it makes the change", remembering(checkEarly)},
		{"update-writes-whole-record", "writes the fields that an update leaves out as they were when it began",
			remembering(writeWhole)},
	}
}

func checkEarly() mutation {
	checked := meeting{patience: 150 * time.Millisecond} // few updates have an If-Match that holds
	return requests(func(c *call) {
		match, ok := wellFormed(judge.Canonical(c.Header)["If-Match"])
		t, kind, _ := c.caller()
		_, tag, found := c.read()
		if c.updates() && ok && found && kind == harness.KeyAdmin && match.Given && match.Matches(tag, false) {
			dropHeader(c.Header, "If-Match")
			checked.wait(c.ctx, t.ID)
		}
	})
}

func writeWhole() mutation {
	looked := meeting{patience: 20 * time.Millisecond} // every update waits
	var writing sync.Mutex
	return sends(func(c *call) (judge.Response, error) {
		t, kind, _ := c.caller()
		before, _, ok := c.read()
		if !c.updates() || !ok || kind != harness.KeyAdmin {
			return c.send()
		}
		looked.wait(c.ctx, t.ID)
		writing.Lock()
		defer writing.Unlock()
		now, _, _ := c.read()
		c.edit(func(o *rawObject) { writeBack(o, before, now) })
		return c.send()
	})
}

// writeBack adds to an update the old values of what has changed meanwhile.
func writeBack(update *rawObject, before, now rawObject) {
	asked := slices.Clone(*update)
	for _, name := range declared().updates {
		was, _ := before.get(name)
		is, _ := now.get(name)
		if _, named := asked.get(name); !named && was != is {
			update.set(name, was)
		}
	}
}

// meeting has two requests wait for each other, so that they overlap however busy the machine is. A request that is
// alone goes on after a while.
type meeting struct {
	patience time.Duration // how long a request waits for another one
	mu       sync.Mutex
	waiting  map[string]chan struct{}
}

func (m *meeting) wait(ctx context.Context, name string) {
	m.mu.Lock()
	if other, ok := m.waiting[name]; ok {
		delete(m.waiting, name)
		close(other)
		m.mu.Unlock()
		return
	}
	if m.waiting == nil {
		m.waiting = map[string]chan struct{}{}
	}
	met := make(chan struct{})
	m.waiting[name] = met
	m.mu.Unlock()
	timer := time.NewTimer(m.patience)
	defer timer.Stop()
	select {
	case <-met:
		return
	case <-timer.C:
	case <-ctx.Done():
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.waiting[name] == met {
		delete(m.waiting, name)
	}
}
