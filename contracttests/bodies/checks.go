package bodies

import (
	"net/http"
	"sync"

	"organizations-api/contracttests/harness"
)

// Generation says which bodies the checks send.
type Generation struct {
	Seed   uint64 // of the combinations
	First  int    // number of the first combination
	Bodies int    // combinations
	// Every sends every n-th case of the list of single keywords. 0 and 1 send all.
	Every int
}

const lookEvery = 10

// All sends these combinations.
const (
	GenerationSeed   = 20260105
	GenerationBodies = 500
)

// All returns the checks that send generated bodies and compare the answers with the schema of the request.
//
// On a live target they use the given organization and put back what they change. They leave out valid bodies whose
// members cannot be put back, and they wait when the target says that there are too many requests.
func All() []harness.Check {
	return Generation{Seed: GenerationSeed, Bodies: GenerationBodies}.Checks()
}

// Checks returns the checks, with the bodies of g.
func (g Generation) Checks() []harness.Check {
	return []harness.Check{
		{Name: "generated/each-keyword", Run: func(s *harness.Session) { g.run(s, UpdateGenerator, g.eachKeyword) }},
		{Name: "generated/combinations", Run: func(s *harness.Session) { g.run(s, UpdateGenerator, g.combinations) }},
		{Name: "generated/each-keyword-of-merge-patches", Run: func(s *harness.Session) { g.run(s, MergePatchGenerator, g.eachKeyword) }},
		{Name: "generated/combinations-of-merge-patches", Run: func(s *harness.Session) { g.run(s, MergePatchGenerator, g.combinations) }},
	}
}

// These are the generators of bodies for updates of an organization, one for each media type. Each is made once,
// because making its list takes longer than checking it.
var (
	UpdateGenerator     = sync.OnceValues(func() (*Generator, error) { return newUpdateGenerator(false) })
	MergePatchGenerator = sync.OnceValues(func() (*Generator, error) { return newUpdateGenerator(true) })
)

func newUpdateGenerator(merges bool) (*Generator, error) {
	return New(harness.Validator().Document.Operation(http.MethodPatch, harness.Path), organizationLimits(merges))
}

func (g Generation) run(s *harness.Session, make func() (*Generator, error), send func(*generatedRun)) {
	generator, err := make()
	if err != nil {
		s.Stop("%v", err)
	}
	for _, gap := range generator.Gaps() {
		s.Failf("the generator cannot show all of the document: %s", gap)
	}
	run := &generatedRun{session: s, generator: generator, lookEvery: lookEvery, oracle: s.Subject.Validator.WithRequest(harness.OrganizationRequestRules()...)}
	run.begin()
	defer run.end()
	send(run)
}

func (g Generation) eachKeyword(r *generatedRun) {
	for i, c := range r.generator.Cases() {
		if g.Every > 1 && i%g.Every != 0 {
			continue
		}
		if !r.goesOn() {
			return
		}
		if found := r.try(c); found != nil {
			r.report(found)
		}
	}
}

func (g Generation) combinations(r *generatedRun) {
	for number := g.First; number < g.First+g.Bodies; number++ {
		if !r.goesOn() {
			return
		}
		found := r.try(r.generator.Combination(g.Seed, number))
		if found == nil {
			continue
		}
		r.report(r.smallest(found, func(n *bodyNode) Case { return r.generator.combined(n, found.about.Name) }))
	}
}
