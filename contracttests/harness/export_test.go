package harness

// For the tests that need package local, which imports this package.
const (
	RestoreTime  = restoreTime
	RestorePause = restorePause
)

// URLTargetWith returns a target that reads with one client and changes with another.
var URLTargetWith = urlTarget
