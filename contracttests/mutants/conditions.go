package mutants

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// conditionMutants are wrong about tags and about what depends on them.
func conditionMutants() []Mutant {
	return []Mutant{
		{"tag-constant", GroupBehaviour, "gives every version the same tag", retagging(func(*World, judge.Request, rawObject, string) string { return `"constant"` })},
		{"tag-of-organization", GroupBehaviour, "gives all versions of an organization the same tag", retagging(func(_ *World, _ judge.Request, record rawObject, _ string) string {
			id, _ := record.get("organization_id")
			return hashTag(id)
		})},
		{"tag-of-key", GroupBehaviour, "gives the same version another tag for every key", retagging(func(_ *World, r judge.Request, _ rawObject, etag string) string {
			return hashTag(etag + token(r))
		})},
		{"tag-without-metadata", GroupBehaviour, "keeps the tag where metadata alone changes", retagging(tagWithout("metadata", "updated_at"))},
		{"tag-without-credentials", GroupBehaviour, "keeps the tag where credentials alone change", retagging(tagWithout("default_llm_credentials", "updated_at"))},
		{"tag-without-limits", GroupBehaviour, "keeps the tag where limits alone change", retagging(tagWithout("rate_limits", "updated_at"))},
		{"tag-of-content-alone", GroupBehaviour, "gives a record that was changed and changed back the tag of before, though updated_at moved", retagging(tagWithout("updated_at"))},
		{"tag-of-every-answer", GroupBehaviour, "gives every answer a new tag", remembering(tagOfEveryAnswer)},
		{"tag-of-update-of-its-own", GroupBehaviour, "tags a version otherwise in answers to updates than in those to reads", mutateAnswer(func(_ *World, r judge.Request, out *judge.Response) {
			if r.Method == http.MethodPatch && etagOf(*out) != "" {
				setHeader(out.Header, "ETag", hashTag(etagOf(*out)))
			}
		})},
		{"if-match-ignored", GroupBehaviour, "makes changes whatever If-Match says", mutateCondition("If-Match", ignoreFor(http.MethodPatch))},
		{"if-match-ignored-by-reads", GroupBehaviour, "answers reads whatever If-Match says", mutateCondition("If-Match", ignoreFor(http.MethodGet))},
		{"if-none-match-ignored", GroupBehaviour, "answers reads whatever If-None-Match says", mutateCondition("If-None-Match", ignoreFor(http.MethodGet))},
		{"if-none-match-ignored-by-updates", GroupBehaviour, "makes changes whatever If-None-Match says", mutateCondition("If-None-Match", ignoreFor(http.MethodPatch))},
		{"if-match-takes-weak-tags", GroupBehaviour, "takes a weak tag in If-Match for a strong one", mutateCondition("If-Match", retyping("W/", ""))},
		{"if-none-match-refuses-weak-tags", GroupBehaviour, "matches no weak tag in If-None-Match", mutateCondition("If-None-Match", rewritingTags(func(tag string) string {
			if strings.HasPrefix(tag, "W/") {
				return impossibleTag
			}
			return tag
		}))},
		{"if-match-star-refused", GroupBehaviour, "takes * in If-Match for a tag", mutateCondition("If-Match", retyping("*", impossibleTag))},
		{"if-none-match-star-ignored", GroupBehaviour, "takes * in If-None-Match for a tag", mutateCondition("If-None-Match", retyping("*", impossibleTag))},
		{"if-match-first-tag-alone", GroupBehaviour, "sees the first tag alone of If-Match", mutateCondition("If-Match", firstTag)},
		{"if-none-match-first-tag-alone", GroupBehaviour, "sees the first tag alone of If-None-Match", mutateCondition("If-None-Match", firstTag)},
		{"second-condition-ignored", GroupBehaviour, "ignores If-None-Match where there is If-Match", mutateCondition("If-None-Match", func(r *judge.Request, values []string) []string {
			if _, ok := wellFormed(values); ok && len(judge.Canonical(r.Header)["If-Match"]) > 0 {
				return nil
			}
			return values
		})},
		{"not-modified-by-old-tags", GroupBehaviour, "answers 304 for every tag that the organization ever had", remembering(oldTagsMatch)},
		{"not-modified-for-updates", GroupBehaviour, "answers 304 to an update that If-None-Match forbids", mutateAnswer(func(_ *World, r judge.Request, out *judge.Response) {
			if r.Method == http.MethodPatch && out.Status == http.StatusPreconditionFailed && len(judge.Canonical(r.Header)["If-None-Match"]) > 0 {
				out.Status, out.Body = http.StatusNotModified, nil
				dropHeader(out.Header, "Content-Type")
				dropHeader(out.Header, "Content-Length")
			}
		})},
	}
}

// tagFunc returns the tag that a mutant shows for a record that has the given one.
type tagFunc func(w *World, r judge.Request, record rawObject, etag string) string

// retagging shows other tags, and understands those in conditions.
func retagging(tag tagFunc) mutation {
	return mutateSend(func(ctx context.Context, w *World, next harness.Target, r judge.Request) (judge.Response, error) {
		if record, etag, ok := w.read(ctx, r); ok {
			shown := tag(w, r, record, etag)
			r.Header = r.Header.Clone()
			for _, name := range []string{"If-Match", "If-None-Match"} {
				if values := judge.Canonical(r.Header)[name]; len(values) > 0 {
					setHeader(r.Header, name, translated(&r, values, shown, etag)...)
				}
			}
		}
		out, err := next.Send(ctx, r)
		if err != nil || etagOf(out) == "" {
			return out, err
		}
		out.Header = judge.Canonical(out.Header)
		record, ok := readRawObject(out.Body)
		if out.Status != http.StatusOK || !ok {
			record, _, _ = w.read(ctx, r)
		}
		setHeader(out.Header, "ETag", tag(w, r, record, etagOf(out)))
		return out, nil
	})
}

func translated(r *judge.Request, values []string, shown, real string) []string {
	return rewritingTags(func(tag string) string {
		weak := ""
		if strings.HasPrefix(tag, "W/") {
			weak = "W/"
		}
		if strings.TrimPrefix(tag, "W/") == shown {
			return weak + real
		}
		return impossibleTag
	})(r, values)
}

// rewritingTags returns a change of each tag of conditions that are well-formed.
func rewritingTags(change func(tag string) string) func(*judge.Request, []string) []string {
	return func(_ *judge.Request, values []string) []string {
		if c, ok := wellFormed(values); !ok || c.Any {
			return values
		}
		return []string{harness.OneTag.ReplaceAllStringFunc(strings.Join(values, ", "), change)}
	}
}

// retyping returns a change of a piece of text in conditions that are well-formed.
func retyping(old, text string) func(*judge.Request, []string) []string {
	return func(_ *judge.Request, values []string) []string {
		if c, ok := wellFormed(values); !ok || old == "*" && !c.Any {
			return values
		}
		return []string{strings.ReplaceAll(strings.Join(values, ", "), old, text)}
	}
}

func ignoreFor(method string) func(*judge.Request, []string) []string {
	return func(r *judge.Request, values []string) []string {
		if _, ok := wellFormed(values); ok && r.Method == method {
			return nil
		}
		return values
	}
}

func firstTag(_ *judge.Request, values []string) []string {
	if c, ok := wellFormed(values); ok && len(c.Tags) > 1 {
		return c.Tags[:1]
	}
	return values
}

func tagWithout(names ...string) tagFunc {
	return func(_ *World, _ judge.Request, record rawObject, _ string) string {
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

func tagOfEveryAnswer() mutantSend {
	suffix := regexp.MustCompile(`-[0-9]+"`)
	var answers atomic.Int64
	return func(ctx context.Context, _ *World, next harness.Target, r judge.Request) (judge.Response, error) {
		r.Header = r.Header.Clone()
		for _, name := range []string{"If-Match", "If-None-Match"} {
			if values := judge.Canonical(r.Header)[name]; len(values) > 0 {
				setHeader(r.Header, name, suffix.ReplaceAllString(strings.Join(values, ", "), `"`))
			}
		}
		out, err := next.Send(ctx, r)
		if err == nil && etagOf(out) != "" {
			out.Header = judge.Canonical(out.Header)
			setHeader(out.Header, "ETag", strings.TrimSuffix(etagOf(out), `"`)+"-"+strconv.FormatInt(answers.Add(1), 10)+`"`)
		}
		return out, err
	}
}

func oldTagsMatch() mutantSend {
	var old mutantMemory[string] // all tags in one text
	return func(ctx context.Context, w *World, next harness.Target, r judge.Request) (judge.Response, error) {
		t, _, _ := w.caller(r)
		out, err := next.Send(ctx, r)
		if err != nil || out.Status != http.StatusOK {
			return out, err
		}
		asked := strings.Join(judge.Canonical(r.Header)["If-None-Match"], "")
		if r.Method == http.MethodGet && len(asked) > 4 && strings.Contains(old.get(t.ID), strings.TrimPrefix(asked, "W/")) {
			out.Header = judge.Canonical(out.Header)
			dropHeader(out.Header, "Content-Type")
			dropHeader(out.Header, "Content-Length")
			setHeader(out.Header, "ETag", strings.TrimPrefix(asked, "W/"))
			out.Status, out.Body = http.StatusNotModified, nil
			return out, nil
		}
		etag := etagOf(out)
		old.with(t.ID, func(all string) string { return all + etag })
		return out, nil
	}
}
