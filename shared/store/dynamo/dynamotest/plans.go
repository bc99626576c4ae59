package dynamotest

import (
	"hash/fnv"
	"math/rand/v2"
)

// Clean lets every call pass.
func Clean() Plan { return func(Call) Fault { return Pass() } }

// Always gives every call the fault.
func Always(f Fault) Plan { return func(Call) Fault { return f } }

// On gives every call of the operation the fault, and lets the others pass.
func On(operation string, f Fault) Plan {
	return func(c Call) Fault {
		if c.Operation != operation {
			return Pass()
		}
		return f
	}
}

// First gives the first calls of the operation a fault each, in this order, and lets all others pass.
func First(operation string, faults ...Fault) Plan {
	return func(c Call) Fault {
		if c.Operation != operation || c.Number > len(faults) {
			return Pass()
		}
		return faults[c.Number-1]
	}
}

// Mix gives so large a share of each operation's calls a fault, each time one of those that are listed for it. Which
// call meets which fault follows from the seed, the operation and the call's number.
func Mix(seed uint64, share float64, faults map[string][]Fault) Plan {
	return func(c Call) Fault {
		listed := faults[c.Operation]
		if len(listed) == 0 {
			return Pass()
		}
		name := fnv.New64a()
		_, _ = name.Write([]byte(c.Operation)) // never fails
		random := rand.New(rand.NewPCG(seed^name.Sum64(), uint64(c.Number)))
		if random.Float64() >= share {
			return Pass()
		}
		return listed[random.IntN(len(listed))]
	}
}
