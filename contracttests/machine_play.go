package contracttests

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// player runs a sequence against a model of each organization.
type player struct {
	s      *Session
	who    []caller
	models []*model
	script []string
}

// begin makes the organizations and reads them.
func (p *player) begin() {
	tiers := []string{"team", "enterprise"}
	if p.s.live() {
		tiers = tiers[:1]
	}
	for _, tier := range tiers {
		c := p.s.caller(TenantSpec{Tier: tier, Keys: []KeyKind{KeyRead, KeyWrite, KeyDelete}})
		p.who = append(p.who, c)
		p.models = append(p.models, newModel(p.s.snapshot(p.send(len(p.who)-1, KeyAdmin, http.MethodGet, nil))))
	}
}

// send sends a request and writes it down.
func (p *player) send(who int, key KeyKind, method string, body []byte, headers ...string) Exchange {
	r := NewRequest(method, p.who[who].Keys[key], body, headers...)
	name := fmt.Sprintf("$KEY_%d_%s", who+1, strings.ToUpper(string(key)))
	p.script = append(p.script, strings.Replace(Curl(r), "$KEY", name, 1))
	return p.s.Send(r)
}

// step sends one request, holds the answer against the model, and reads a change back.
func (p *player) step(one step) {
	m := p.models[one.who]
	var headers []string
	if value := m.header(one.match); value != "" {
		headers = append(headers, "If-Match", value)
	}
	if value := m.header(one.none); value != "" {
		headers = append(headers, "If-None-Match", value)
	}
	var body []byte
	if one.method == http.MethodPatch {
		body = []byte(one.body())
	}
	x := p.send(one.who, one.key, one.method, body, headers...)
	status := m.status(one)
	if !p.s.wantStatus(x, status) {
		return
	}
	if status == http.StatusOK {
		what := changesNothing
		if one.method == http.MethodPatch {
			what = m.apply(one)
		}
		p.compare(m, p.s.snapshot(x), what)
	}
	if one.method == http.MethodPatch {
		p.compare(m, p.s.snapshot(p.send(one.who, KeyAdmin, http.MethodGet, nil)), changesNothing)
	}
}

// compare holds an answer against the model, which takes over from it what it could not know: the new time and ETag.
func (p *player) compare(m *model, now snapshot, what verdict) {
	for _, name := range sortedKeys(m.members) {
		same := sameJSON(m.members[name], now.members[name])
		if name == "rate_limits" {
			same = sameLimits(m.members[name], now.members[name])
		}
		if name != "updated_at" && !same {
			p.s.FailExchange(now.x, "%s is not what it must be", name)
		}
	}
	for _, name := range m.shown.differences(now) {
		if _, modelled := m.members[name]; !modelled {
			p.s.FailExchange(now.x, "%s was not there before", name)
		}
	}
	p.compareVersion(m, now, what)
	m.shown = now
	if now.etag != m.etag() {
		m.etags = append(m.etags, now.etag)
	}
}

func (p *player) compareVersion(m *model, now snapshot, what verdict) {
	moved := now.updated().Compare(m.shown.updated())
	if what == mayChange {
		what = changesNothing
		if moved > 0 {
			what = changes
		}
	}
	switch {
	case what == changes && moved <= 0:
		p.s.FailExchange(now.x, "the record changed, and updated_at went from %s to %s", m.shown.text("updated_at"), now.text("updated_at"))
	case what == changesNothing && moved != 0:
		p.s.FailExchange(now.x, "nothing changed, and updated_at went from %s to %s", m.shown.text("updated_at"), now.text("updated_at"))
	case what == changes && slices.Contains(m.etags, now.etag):
		p.s.FailExchange(now.x, "the record changed, and its ETag %s is that of an earlier version", now.etag)
	case what == changesNothing && now.etag != m.etag():
		p.s.FailExchange(now.x, "nothing changed, and the ETag went from %s to %s", m.etag(), now.etag)
	}
}
