// Package storetest is the conformance suite of the engines: what package store promises, as tests. An engine that passes
// it can take the place of any other.
//
// It is for tests only. It must import no engine, and knows of none.
package storetest

import (
	"testing"

	"organizations-api/shared/store"
)

// Engine is all that an engine of package store offers.
type Engine interface {
	store.Records
	store.Counters
	store.UseNotes
	store.Operator
}

// Run holds an engine to what package store promises. Run calls open twice and takes the two results for two processes, so
// each call must return a new handle on the same store; open registers with t.Cleanup what closing it takes. The store
// may be in use by others all the while: every test makes organizations of its own, removes them at the end, and
// never takes the store for empty. The tests run in parallel.
func Run(t *testing.T, open func(t *testing.T) Engine) {
	s := suite{a: open(t), b: open(t)}
	for _, test := range tests() {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(s, t)
		})
	}
}

// suite holds two handles on one store, as two processes would. A test writes through one and reads through the other
// where it has no reason to do otherwise.
type suite struct{ a, b Engine }

// handle returns the two handles in turn.
func (s suite) handle(i int) Engine {
	if i%2 == 0 {
		return s.a
	}
	return s.b
}

type test struct {
	name string
	run  func(suite, *testing.T)
}

func tests() []test {
	return []test{
		{"Create/every property set", suite.createFull},
		{"Create/nothing set", suite.createBare},
		{"Create/numbers at their bounds", suite.createBounds},
		{"Create/text comes back as it was", suite.createTexts},
		{"Create/objects come back byte for byte", suite.createObjects},
		{"Create/taken identifier", suite.createTaken},
		{"Create/one of many at once", suite.createRace},
		{"Find/every kind of key", suite.findKeys},
		{"Find/no such key", suite.findUnknownKey},
		{"Find/no such organization", suite.unknownOrganization},
		{"Get/keys the oldest first", suite.getKeys},
		{"Update/each property", suite.updateEach},
		{"Update/cleared and set again", suite.updateClears},
		{"Update/texts and objects", suite.updateTexts},
		{"Update/stale version", suite.updateStale},
		{"Update/deleted", suite.updateDeleted},
		{"Update/gone", suite.updateGone},
		{"Update/eight writers lose nothing", suite.updateRace},
		{"AddKey/found from then on", suite.addKey},
		{"AddKey/taken hash", suite.addKeyTwice},
		{"AddKey/deleted organization", suite.addKeyDeleted},
		{"AddKey/full", suite.addKeyFull},
		{"RevokeKey/once", suite.revokeKey},
		{"RevokeKey/many at once", suite.revokeKeyRace},
		{"RevokeKey/no such key", suite.revokeUnknownKey},
		{"RevokeKey/deleted organization", suite.revokeKeyDeleted},
		{"ChangeKey/rotated", suite.rotateKey},
		{"ChangeKey/expiry set, moved and taken away", suite.expireKey},
		{"ChangeKey/stale", suite.changeStaleKey},
		{"ChangeKey/one of many at once", suite.rotateRace},
		{"ChangeKey/not over a revocation", suite.changeRevokeRace},
		{"ChangeKey/full", suite.rotateFull},
		{"ChangeKey/no such key", suite.changeUnknownKey},
		{"ChangeKey/taken hash", suite.rotateToTaken},
		{"ChangeKey/deleted organization", suite.changeKeyDeleted},
		{"Keys/never conflict with updates", suite.keysBesideUpdates},
		{"KeyUses/of each key alone", suite.keyUses},
		{"KeyUses/never back", suite.keyUsesForward},
		{"KeyUses/many at once", suite.keyUsesRace},
		{"KeyUses/of what is gone", suite.keyUsesGone},
		{"KeyUses/of what was restored", suite.keyUsesRestored},
		{"Delete/once, and back", suite.deleteAndBack},
		{"Delete/many at once", suite.deleteRace},
		{"Delete/time to the microsecond", suite.deleteTime},
		{"Purge/nothing stays", suite.purge},
		{"Purge/nothing there", suite.purgeNothing},
		{"List/each exactly once", suite.listOnce},
		{"List/while others come and go", suite.listMoving},
		{"Audit/pages, the newest first", suite.auditPages},
		{"Audit/large changes", suite.auditLarge},
		{"Audit/changes at their bounds", suite.auditAtBounds},
		{"Audit/nothing there", suite.auditNothing},
		{"ExportPage/each exactly once", suite.exportsOnce},
		{"Export/all there is", suite.exportWhole},
		{"Export/as the record was read", suite.exportOfOneMoment},
		{"Export/nothing there", suite.exportNothing},
		{"Restore/as it was", suite.restoreExactly},
		{"Restore/again, and what differs stays", suite.restoreAgain},
		{"Restore/interrupted and repeated", suite.restoreInterrupted},
		{"Restore/two at once", suite.restoreRace},
		{"Restore/a large batch", suite.restoreLarge},
		{"Count/no sum twice", suite.countRace},
		{"Count/each window, category and organization alone", suite.countApart},
		{"Tenants/see nothing of each other", suite.tenants},
		{"Context/cancelled", suite.cancelled},
		{"Context/deadline over", suite.expired},
	}
}
