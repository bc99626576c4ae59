package mutants

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// readMutants answer with another record than the one that is there.
func readMutants() []Mutant {
	return []Mutant{
		{"read-stale-once", GroupBehaviour, "answers the first read after a change with the record of before", remembering(staleOnce)},
		{"read-cached-by-key", GroupBehaviour, "answers reads with what the key has seen before, until it changes something itself", remembering(cachedByKey)},
		{"read-of-last-caller", GroupBehaviour, "answers a read with the record of the caller before, if that was another organization", remembering(lastCaller)},
		{"read-changes-record", GroupBehaviour, "takes every read for a change", mutateSend(readTouches)},
		{"read-counts-usage", GroupBehaviour, "counts a credit of usage for every read", remembering(readsCount)},
		{"update-costs-credits", GroupBehaviour, "takes a credit away for every update", remembering(updatesCost)},
		{"update-answers-record-before", GroupBehaviour, "answers an update with the record of before", mutateSend(func(ctx context.Context, w *World, next harness.Target, r judge.Request) (judge.Response, error) {
			record, before, _ := w.read(ctx, r)
			out, err := next.Send(ctx, r)
			if err == nil && changed(out, r, before) {
				out.Header = judge.Canonical(out.Header)
				setBody(&out, record.text())
			}
			return out, err
		})},
		{"update-answers-tag-before", GroupBehaviour, "answers an update with the tag of before", mutateSend(func(ctx context.Context, w *World, next harness.Target, r judge.Request) (judge.Response, error) {
			_, before, _ := w.read(ctx, r)
			out, err := next.Send(ctx, r)
			if err == nil && changed(out, r, before) {
				out.Header = judge.Canonical(out.Header)
				setHeader(out.Header, "ETag", before)
			}
			return out, err
		})},
		{"update-time-frozen", GroupBehaviour, "never moves updated_at", mutateRecord(func(o *rawObject) {
			created, _ := o.get("created_at")
			o.set("updated_at", created)
		})},
		{"update-time-goes-back", GroupBehaviour, "moves updated_at backwards", mutateRecord(timeGoesBack)},
		{"creation-time-moves", GroupBehaviour, "moves created_at with every change", mutateRecord(func(o *rawObject) {
			updated, _ := o.get("updated_at")
			o.set("created_at", updated)
		})},
		{"undeclared-fields-taken", GroupBehaviour, "lets updates set account_type and credit_count", remembering(undeclaredTaken)},
		{"limits-without-tier", GroupBehaviour, "shows the limits of the override alone", remembering(limitsWithoutTier)},
		{"limits-in-wrong-categories", GroupBehaviour, "takes the limits of upload and compute for each other", mutateUpdate(func(o *rawObject) {
			o.nested("rate_limits", exchangeLimits)
		})},
		{"contacts-exchanged", GroupBehaviour, "answers reads with the two emails in each other's place", mutateMembers(onMethod(http.MethodGet, onStatus(200)), func(o *rawObject) {
			billing, _ := o.get("billing_email")
			notifications, _ := o.get("notifications_email")
			o.set("billing_email", notifications)
			o.set("notifications_email", billing)
		})},
	}
}

// exchangeLimits puts upload in the place of compute, and the other way round, where both can be read.
func exchangeLimits(limits *rawObject) {
	upload, hasUpload := limits.get("upload")
	compute, hasCompute := limits.get("compute")
	if hasUpload && !judge.IntegerText.MatchString(upload) || hasCompute && !judge.IntegerText.MatchString(compute) {
		return
	}
	if len(upload) > 6 || len(compute) > 6 || upload == "0" || compute == "0" { // may be refused, at its own place
		return
	}
	limits.drop("upload")
	limits.drop("compute")
	if hasUpload {
		limits.set("compute", upload)
	}
	if hasCompute {
		limits.set("upload", compute)
	}
}

// answerOf is an answer with a record, without the headers that belong to one request.
type answerOf struct {
	caller string
	body   []byte
	etag   string
}

// put makes an answer one with the record.
func (a *answerOf) put(out *judge.Response) {
	out.Header = judge.Canonical(out.Header)
	setHeader(out.Header, "ETag", a.etag)
	setBody(out, a.body)
}

func staleOnce() mutantSend {
	var stale mutantMemory[*answerOf]
	return func(ctx context.Context, w *World, next harness.Target, r judge.Request) (judge.Response, error) {
		t, _, _ := w.caller(r)
		record, before, ok := w.read(ctx, r)
		out, err := next.Send(ctx, r)
		if err != nil || !ok || out.Status != http.StatusOK {
			return out, err
		}
		if changed(out, r, before) {
			stale.set(t.ID, &answerOf{body: record.text(), etag: before})
		}
		if r.Method == http.MethodGet && unconditional(r) {
			if old := stale.take(t.ID); old != nil {
				old.put(&out)
			}
		}
		return out, nil
	}
}

func cachedByKey() mutantSend {
	var seen mutantMemory[*answerOf]
	return func(ctx context.Context, _ *World, next harness.Target, r judge.Request) (judge.Response, error) {
		out, err := next.Send(ctx, r)
		if err != nil || out.Status != http.StatusOK || !unconditional(r) {
			return out, err
		}
		if old := seen.get(token(r)); old != nil && r.Method == http.MethodGet {
			old.put(&out)
			return out, nil
		}
		seen.set(token(r), &answerOf{body: out.Body, etag: etagOf(out)})
		return out, nil
	}
}

func lastCaller() mutantSend {
	var last mutantMemory[*answerOf]
	return func(ctx context.Context, w *World, next harness.Target, r judge.Request) (judge.Response, error) {
		t, _, _ := w.caller(r)
		out, err := next.Send(ctx, r)
		if err != nil || out.Status != http.StatusOK {
			return out, err
		}
		mine := &answerOf{caller: t.ID, body: out.Body, etag: etagOf(out)}
		var before *answerOf
		last.with("", func(was *answerOf) *answerOf { before = was; return mine })
		if before != nil && before.caller != t.ID && r.Method == http.MethodGet && unconditional(r) {
			before.put(&out)
		}
		return out, nil
	}
}

func readTouches(ctx context.Context, w *World, next harness.Target, r judge.Request) (judge.Response, error) {
	out, err := next.Send(ctx, r)
	if err == nil && r.Method == http.MethodGet && out.Status == http.StatusOK {
		if t, _, ok := w.caller(r); ok {
			w.touch(ctx, as(t.Keys[harness.KeyAdmin], r))
		}
	}
	return out, err
}

func readsCount() mutantSend {
	var reads mutantMemory[int]
	return func(ctx context.Context, w *World, next harness.Target, r judge.Request) (judge.Response, error) {
		t, _, _ := w.caller(r)
		out, err := next.Send(ctx, r)
		if err != nil || out.Status != http.StatusOK {
			return out, err
		}
		more := 0
		if r.Method == http.MethodGet {
			more = 1
		}
		out.Header = judge.Canonical(out.Header)
		addTo(&out, "current_month_usage", adding(&reads, t.ID, more))
		return out, nil
	}
}

func updatesCost() mutantSend {
	var updates mutantMemory[int]
	return func(ctx context.Context, w *World, next harness.Target, r judge.Request) (judge.Response, error) {
		t, _, _ := w.caller(r)
		_, before, _ := w.read(ctx, r)
		out, err := next.Send(ctx, r)
		if err != nil || out.Status != http.StatusOK {
			return out, err
		}
		more := 0
		if changed(out, r, before) {
			more = 1
		}
		out.Header = judge.Canonical(out.Header)
		addTo(&out, "credit_count", -adding(&updates, t.ID, more))
		return out, nil
	}
}

// addTo adds to an integer of the body.
func addTo(out *judge.Response, name string, n int) {
	editBody(out, func(o *rawObject) {
		o.change(name, func(raw string) (string, bool) {
			value, err := strconv.Atoi(raw)
			return strconv.Itoa(value + n), err == nil
		})
	})
}

// timeGoesBack mirrors updated_at, so that what is later becomes earlier and yet never earlier than the creation.
func timeGoesBack(o *rawObject) {
	created, _ := o.get("created_at")
	updated, _ := o.get("updated_at")
	from, err := time.Parse(`"`+time.RFC3339Nano+`"`, created)
	at, alsoErr := time.Parse(`"`+time.RFC3339Nano+`"`, updated)
	if err == nil && alsoErr == nil {
		const day = 24 * time.Hour
		o.set("updated_at", rawLater(created, max(0, 365*day-at.Sub(from))))
	}
}

func undeclaredTaken() mutantSend {
	var taken mutantMemory[rawObject]
	return func(ctx context.Context, w *World, next harness.Target, r judge.Request) (judge.Response, error) {
		t, _, _ := w.caller(r)
		out, err := next.Send(ctx, r)
		if err != nil || out.Status != http.StatusOK {
			return out, err
		}
		if asked, ok := readRawObject(r.Body); ok && r.Method == http.MethodPatch {
			taken.with(t.ID, func(all rawObject) rawObject { return undeclaredOf(asked, all) })
		}
		out.Header = judge.Canonical(out.Header)
		editBody(&out, func(o *rawObject) {
			for _, m := range taken.get(t.ID) {
				o.set(m.name, m.raw)
			}
		})
		return out, nil
	}
}

func undeclaredOf(asked, taken rawObject) rawObject {
	for _, name := range []string{"account_type", "credit_count"} {
		raw, _ := asked.get(name)
		switch raw {
		case `"free"`, `"pro"`, `"team"`, `"enterprise"`:
			taken.set("account_type", raw)
		default:
			if judge.IntegerText.MatchString(raw) {
				taken.set("credit_count", raw)
			}
		}
	}
	return taken
}

func limitsWithoutTier() mutantSend {
	var overrides mutantMemory[rawObject]
	return func(ctx context.Context, w *World, next harness.Target, r judge.Request) (judge.Response, error) {
		t, _, _ := w.caller(r)
		out, err := next.Send(ctx, r)
		if err != nil || out.Status != http.StatusOK {
			return out, err
		}
		if asked, ok := readRawObject(r.Body); ok && r.Method == http.MethodPatch {
			if raw, ok := asked.get("rate_limits"); ok {
				override, _ := readRawObject([]byte(raw))
				overrides.set(t.ID, override)
			}
		}
		out.Header = judge.Canonical(out.Header)
		editBody(&out, func(o *rawObject) {
			o.nested("rate_limits", func(all *rawObject) { keepNamed(all, overrides.get(t.ID)) })
		})
		return out, nil
	}
}

// keepNamed drops the limits that an override does not name; where there is no override, none.
func keepNamed(all *rawObject, override rawObject) {
	if len(override) == 0 {
		return
	}
	for _, name := range limitNames {
		if _, ok := override.get(name); !ok {
			all.drop(name)
		}
	}
}
