// Package storetest checks that an engine does what package store promises. An engine that passes all checks can take
// the place of any other engine.
//
// It is for tests only. It must import no engine.
package storetest

import (
	"testing"

	"organizations-api/shared/store"
)

// Engine is all that an engine of package store implements.
type Engine interface {
	store.Records
	store.Counters
	store.UseNotes
	store.Operator
}

// All runs every check on an engine but ManyAtOnce, all of them in parallel. It calls open twice and uses the two
// results as two processes, so each call must return a new handle on the same store. open registers with t.Cleanup how
// to close a handle. Others may use the store at the same time: every check creates its own organizations, removes them
// at its end, and does not expect the store to be empty.
func All(t *testing.T, open func(t *testing.T) Engine) {
	s := suite{a: open(t), b: open(t)}
	for _, c := range checks() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(s, t)
		})
	}
}

// ManyAtOnce is the one check that must have the store for itself: with its thousand callers a server on this machine
// answers nobody else in time. A test that calls it must not be parallel.
func ManyAtOnce(t *testing.T, open func(t *testing.T) Engine) {
	suite{a: open(t), b: open(t)}.reviseSum(t)
}

// suite holds two handles on one store, like those of two processes. Most checks write through one and read through the
// other.
type suite struct{ a, b Engine }

// handle returns the first handle for an even number, and the second for an odd one.
func (s suite) handle(i int) Engine {
	if i%2 == 0 {
		return s.a
	}
	return s.b
}

type check struct {
	name string
	run  func(suite, *testing.T)
}

// checks lists the checks of All. To add one, write a method of suite in the file of its subject, and name it here.
func checks() []check {
	return []check{
		{"Create/every property set", suite.createFull},
		{"Create/nothing set", suite.createBare},
		{"Create/numbers at their bounds", suite.createBounds},
		{"Create/text comes back as it was", suite.createTexts},
		{"Create/objects come back byte for byte", suite.createObjects},
		{"Create/taken identifier", suite.createTaken},
		{"Create/one of many at once", suite.createRace},
		{"Find/every kind of key", suite.findKeys},
		{"Find/no such key", suite.findUnknownKey},
		{"Find/a hash that is nearly a key's", suite.findNearKey},
		{"Find/no such organization", suite.unknownOrganization},
		{"Get/keys the oldest first", suite.getKeys},
		{"List/each exactly once", suite.listOnce},
		{"List/after any organization", suite.listAfter},
		{"List/while others come and go", suite.listMoving},
		{"Delete/once, and back", suite.deleteAndBack},
		{"Delete/refuses changes", suite.deletedRefuses},
		{"Delete/many at once", suite.deleteRace},
		{"Delete/time to the microsecond", suite.deleteTime},
		{"Purge/nothing stays, and nothing can change", suite.purge},
		{"Purge/nothing there", suite.purgeNothing},
		{"Purge/while it is in use", suite.purgeInUse},
		{"Purge/while it is restored", suite.purgeWhileRestored},
		{"Update/each property", suite.updateEach},
		{"Update/cleared and set again", suite.updateClears},
		{"Update/texts and objects", suite.updateTexts},
		{"Update/stale version", suite.updateStale},
		{"Update/eight writers lose nothing", suite.updateRace},
		{"Update/only by a key that still allows it", suite.updateByWhom},
		{"Update/none after a revocation", suite.updateRevokeRace},
		{"StoreRevision/each property", suite.reviseEach},
		{"StoreRevision/refuses what Update refuses", suite.reviseRefuses},
		{"StoreRevision/once", suite.reviseOnce},
		{"StoreRevision/nothing changes", suite.reviseNothing},
		{"StoreRevision/once of many at once", suite.reviseOnceRace},
		{"StoreRevision/goes with the trail", suite.reviseGoesWithTrail},
		{"Revise/never below 0", suite.reviseDown},
		{"AddKey/found from then on", suite.addKey},
		{"AddKey/taken hash", suite.addKeyTwice},
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
		{"Keys/never conflict with updates", suite.keysBesideUpdates},
		{"KeyUses/of each key alone", suite.keyUses},
		{"KeyUses/never back", suite.keyUsesForward},
		{"KeyUses/many at once", suite.keyUsesRace},
		{"KeyUses/after a purge", suite.keyUsesPurged},
		{"KeyUses/of an older version", suite.keyUsesOld},
		{"KeyUses/of a restored key", suite.keyUsesRestored},
		{"Audit/pages, the newest first", suite.auditPages},
		{"Audit/large changes", suite.auditLarge},
		{"Audit/changes at their bounds", suite.auditAtBounds},
		{"Audit/nothing there", suite.auditNothing},
		{"ExportPage/each exactly once", suite.exportPages},
		{"Export/all there is", suite.exportWhole},
		{"Export/changed while it is read", suite.exportChanged},
		{"Restore/as it was", suite.restoreExactly},
		{"Restore/again, and what differs stays", suite.restoreAgain},
		{"Restore/interrupted and repeated", suite.restoreInterrupted},
		{"Restore/many at once", suite.restoreRace},
		{"Restore/a large batch", suite.restoreLarge},
		{"KeySecrets/made once, and added to", suite.keySecrets},
		{"Count/no number twice", suite.countRace},
		{"Count/each window, category and organization alone", suite.countApart},
		{"Tenants/see nothing of each other", suite.tenants},
		{"Context/cancelled", suite.cancelled},
		{"Context/deadline over", suite.expired},
	}
}
