package mutants

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"organizations-api/contracttests/harness"
	"organizations-api/contracttests/judge"
)

// This file breaks which record answers show, and what reading does.

// readMutants returns mutants whose answers differ from the stored record.
func readMutants() []mutant {
	created := func(o *rawObject) string { raw, _ := o.get("created_at"); return raw }
	return []mutant{
		{"read-stale-once", "answers the first read after a change with the record of before", remembering(staleOnce)},
		{"read-cached-by-key", "answers reads with what the key has seen before, until it changes something itself",
			remembering(cachedByKey)},
		{"read-of-last-caller",
			"answers a read with the record of the caller before, if that was another organization",
			remembering(lastCaller)},
		{"update-answers-record-before", "answers an update with the record of before",
			knowing(func(c *call, out *judge.Response) {
				if c.changed(out) {
					setBody(out, c.before.text())
				}
			})},
		{"update-answers-tag-before", "answers an update with the tag of before",
			knowing(func(c *call, out *judge.Response) {
				if c.changed(out) {
					setHeader(out.Header, "ETag", c.tagBefore)
				}
			})},
		{"update-time-frozen", "never moves updated_at",
			record(func(o *rawObject) { o.set("updated_at", created(o)) })},
		{"update-time-goes-back", "moves updated_at backwards", record(timeGoesBack)},
		{"creation-time-moves", "moves created_at with every change", record(func(o *rawObject) {
			updated, _ := o.get("updated_at")
			o.set("created_at", updated)
		})},
		{"contacts-exchanged", "answers reads with the two emails in each other's place",
			answerMembers(onMethod(http.MethodGet, onStatus(200)), func(o *rawObject) {
				billing, _ := o.get("billing_email")
				notifications, _ := o.get("notifications_email")
				o.set("billing_email", notifications)
				o.set("notifications_email", billing)
			})},
		{"limits-without-tier", "shows the limits of the override alone", remembering(limitsWithoutTier)},
	}
}

// timeGoesBack shows an earlier updated_at after each change, but none before created_at.
func timeGoesBack(o *rawObject) {
	created, _ := o.get("created_at")
	updated, _ := o.get("updated_at")
	from, err := time.Parse(`"`+time.RFC3339Nano+`"`, created)
	at, alsoErr := time.Parse(`"`+time.RFC3339Nano+`"`, updated)
	if err == nil && alsoErr == nil {
		const year = 365 * 24 * time.Hour
		o.set("updated_at", later(created, max(0, year-at.Sub(from))))
	}
}

// shown is a record as an answer showed it.
type shown struct {
	caller string
	body   []byte
	tag    string
}

// put makes an answer one with the record.
func (s *shown) put(out *judge.Response) {
	setHeader(out.Header, "ETag", s.tag)
	setBody(out, s.body)
}

// reads reports whether the answer is the record, to a read without conditions.
func (c *call) reads(out *judge.Response) bool {
	return c.Method == http.MethodGet && out.Status == http.StatusOK && c.unconditional()
}

func staleOnce() mutation {
	var stale memory[*shown]
	return knowing(func(c *call, out *judge.Response) {
		t, _, _ := c.caller()
		if c.changed(out) {
			stale.swap(t.ID, &shown{body: c.before.text(), tag: c.tagBefore})
		}
		if c.reads(out) {
			if old := stale.swap(t.ID, nil); old != nil {
				old.put(out)
			}
		}
	})
}

func cachedByKey() mutation {
	var seen memory[*shown]
	return answers(func(c *call, out *judge.Response) {
		if out.Status != http.StatusOK || !c.unconditional() {
			return
		}
		if old := seen.get(c.token()); old != nil && c.reads(out) {
			old.put(out)
			return
		}
		seen.swap(c.token(), &shown{body: out.Body, tag: tagOf(*out)})
	})
}

func lastCaller() mutation {
	var last memory[*shown]
	return answers(func(c *call, out *judge.Response) {
		if out.Status != http.StatusOK {
			return
		}
		t, _, _ := c.caller()
		before := last.swap("", &shown{caller: t.ID, body: out.Body, tag: tagOf(*out)})
		if before != nil && before.caller != t.ID && c.reads(out) {
			before.put(out)
		}
	})
}

func limitsWithoutTier() mutation {
	var overrides memory[rawObject]
	return answers(func(c *call, out *judge.Response) {
		if out.Status != http.StatusOK {
			return
		}
		t, _, _ := c.caller()
		if asked, ok := readRawObject(c.Body); ok && c.updates() {
			if raw, ok := asked.get("rate_limits"); ok {
				override, _ := readRawObject([]byte(raw))
				overrides.swap(t.ID, override)
			}
		}
		override := overrides.get(t.ID)
		editBody(out, func(o *rawObject) {
			o.nested("rate_limits", func(all *rawObject) {
				for _, name := range declared().limits {
					if _, ok := override.get(name); !ok && len(override) > 0 {
						all.drop(name)
					}
				}
			})
		})
	})
}

// effectMutants have requests change what only the operator may change, or what the request does not ask for.
func effectMutants() []mutant {
	return []mutant{
		{"read-changes-record", "takes every read for a change", sends(func(c *call) (judge.Response, error) {
			out, err := c.send()
			if err == nil && c.Method == http.MethodGet && out.Status == http.StatusOK {
				if t, _, ok := c.caller(); ok {
					c.as(t.Keys[harness.KeyAdmin]).touch()
				}
			}
			return out, err
		})},
		{"read-counts-usage", "counts a credit of usage for every read", remembering(func() mutation {
			return counting("current_month_usage", 1,
				func(c *call, _ *judge.Response) bool { return c.Method == http.MethodGet })
		})},
		{"update-costs-credits", "takes a credit away for every update", remembering(func() mutation {
			return counting("credit_count", -1, (*call).changed)
		})},
		{"undeclared-fields-taken", "lets updates set account_type and credit_count", remembering(undeclaredTaken)},
	}
}

// counting adds the number of answers of a test so far, times step, to an integer of the record.
func counting(name string, step int, which answerTest) mutation {
	var counts memory[int]
	return knowing(func(c *call, out *judge.Response) {
		if out.Status != http.StatusOK {
			return
		}
		t, _, _ := c.caller()
		more := 0
		if which(c, out) {
			more = step
		}
		sum := adding(&counts, t.ID, more)
		editBody(out, func(o *rawObject) {
			o.change(name, func(raw string) (string, bool) {
				value, err := strconv.Atoi(raw)
				return strconv.Itoa(value + sum), err == nil
			})
		})
	})
}

func undeclaredTaken() mutation {
	var taken memory[rawObject]
	return answers(func(c *call, out *judge.Response) {
		if out.Status != http.StatusOK {
			return
		}
		t, _, _ := c.caller()
		if asked, ok := readRawObject(c.Body); ok && c.updates() {
			taken.change(t.ID, func(all rawObject) rawObject { return undeclaredOf(asked, all) })
		}
		editBody(out, func(o *rawObject) {
			for _, m := range taken.get(t.ID) {
				o.set(m.name, m.raw)
			}
		})
	})
}

// undeclaredOf adds the tier and the credits of an update to those that were taken before.
func undeclaredOf(asked, taken rawObject) rawObject {
	if raw, _ := asked.get("account_type"); slices.Contains([]string{`"free"`, `"pro"`, `"team"`, `"enterprise"`},
		raw) {
		taken.set("account_type", raw)
	}
	if raw, _ := asked.get("credit_count"); judge.IsInteger(raw) {
		taken.set("credit_count", raw)
	}
	return taken
}
