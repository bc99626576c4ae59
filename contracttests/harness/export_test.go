package harness

// For the tests that need package local, which imports this package.
const (
	RestoreTime  = restoreTime
	RestorePause = restorePause
)
