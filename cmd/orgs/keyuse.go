package main

import (
	"context"
	"fmt"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
)

// keyUses is when the keys of an organization were last used, as store.KeyUses has it.
type keyUses map[string]time.Time

// keyUses reads it. Where it cannot be had, the keys are shown all the same: who is about to revoke one has no time.
func (a *app) keyUses(ctx context.Context, s *storage, id organization.ID) keyUses {
	uses, err := s.KeyUses(ctx, id)
	if err != nil {
		a.warn(failure{kindOf(err), fmt.Sprintf("when keys were last used is not known: %v", err)})
	}
	return uses
}

// What is shown in the place of a time.
const (
	neverUsed  = "never"
	unknownUse = "unknown" // issued before uses were noted, or restored, and not used since
)

// of returns when the key was last used, as format writes it.
func (u keyUses) of(keyID string, format func(time.Time) string) string {
	switch at, known := u[keyID]; {
	case !known:
		return unknownUse
	case at.IsZero():
		return neverUsed
	default:
		return format(at)
	}
}

// ofAny returns when any of the keys was last used.
func (u keyUses) ofAny(keys []apikey.Record, format func(time.Time) string) string {
	var latest time.Time
	unknown := false
	for _, k := range keys {
		at, known := u[k.ID]
		if at.After(latest) {
			latest = at
		}
		unknown = unknown || !known
	}
	switch {
	case !latest.IsZero():
		return format(latest)
	case unknown:
		return unknownUse
	default:
		return neverUsed
	}
}

// hour is how people are shown when a key was used: nothing below the hour is known.
func hour(t time.Time) string { return t.UTC().Format("2006-01-02 15:00Z") }
