package main

import (
	"fmt"

	"organizations-api/bench/measure"
)

// sections returns what is measured, and what cannot be measured here.
func (p *plan) sections() ([]measure.Section, []string) {
	all := []measure.Section{p.cold(), p.warm()}
	bundle, folders, count, err := p.roots()
	if err != nil {
		return all, []string{fmt.Sprintf("nothing over TLS: %v", err)}
	}
	notes := []string{fmt.Sprintf("over TLS, functions read a bundle of %d certificates", count)}
	shares := []int{0, 1024, 512, 128}
	if err := measure.QuotasWork(); err != nil {
		shares = shares[:1]
		notes = append(notes, fmt.Sprintf("nothing under a CPU quota: %v", err))
	}
	for _, share := range shares {
		all = append(all, p.secured(share, bundle, folders))
	}
	return all, notes
}

func (p *plan) cold() measure.Section {
	return measure.Section{
		Title:   "cold start",
		Metrics: []string{measure.Init, measure.InitCPU, measure.InitFirst, measure.Peak, measure.Size},
		Rounds:  40,
		Variants: []measure.Variant{
			p.variant(floor, floor, nil),
			p.variant(get, get, nil),
			p.variant(patch, patch, nil),
			p.variant(unprimed, unprimed, nil),
			p.variant(viaConfig, viaConfig, nil),
			p.variant(withRPC, withRPC, nil),
			p.variant(withSymbols, withSymbols, nil),
			p.variant("get, GOMAXPROCS not set", get, map[string]string{"GOMAXPROCS": ""}),
		},
	}
}

func (p *plan) warm() measure.Section {
	return measure.Section{
		Title:       "warm",
		Metrics:     []string{measure.P50, measure.P99, measure.CPU, measure.Peak},
		Rounds:      8,
		Invocations: 2000,
		Variants: []measure.Variant{
			p.variant(floor, floor, nil),
			p.variant("get, no rate limits", get, map[string]string{"RATE_LIMITS": "off"}),
			p.variant(get, get, nil),
			p.variant(patch, patch, nil),
			p.variant("floor, GOMAXPROCS not set", floor, map[string]string{"GOMAXPROCS": ""}),
			p.variant("get, GOMAXPROCS not set", get, map[string]string{"GOMAXPROCS": ""}),
		},
	}
}

// secured is the cold start over TLS. Its base is the function that opens no connection in advance.
func (p *plan) secured(share int, bundle, folders string) measure.Section {
	variant := func(name, binary, folders string) measure.Variant {
		v := p.variant(name, binary, map[string]string{
			"AWS_ENDPOINT_URL_DYNAMODB": p.secure.URL, "SSL_CERT_FILE": bundle, "SSL_CERT_DIR": folders,
		})
		v.Share = share
		return v
	}
	title := "over TLS, all CPU"
	if share != 0 {
		title = fmt.Sprintf("over TLS, CPU of %d MB after init", share)
	}
	const nowhere = "/nonexistent"
	return measure.Section{
		Title:   title,
		Metrics: []string{measure.Init, measure.First, measure.InitFirst},
		Rounds:  15,
		Variants: []measure.Variant{
			variant(unprimed, unprimed, nowhere),
			variant(get, get, nowhere),
			variant("get, not primed, certificate folders", unprimed, folders),
			variant("get, certificate folders", get, folders),
		},
	}
}
