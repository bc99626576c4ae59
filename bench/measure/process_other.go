//go:build !linux

package measure

import (
	"errors"
	"time"
)

func cpuTime(int) (time.Duration, error) { return 0, errors.New("the benchmarks run on Linux only") }
