package contracttests

import (
	"cmp"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// pathRoute is one path of the document and its operations.
type pathRoute struct {
	base       string // of a server
	template   string
	pattern    *regexp.Regexp
	variables  int
	operations map[string]*operationContract // by method
}

var pathVariable = regexp.MustCompile(`\{[^/{}]+\}`)

// newRoutes returns the routes below each base path, literal paths before templates as OpenAPI has it.
//
// Matching is exact, unlike that of the library: a trailing slash or a doubled one is another path.
func newRoutes(operations []*operationContract, bases []string) []pathRoute {
	byPath := map[string]map[string]*operationContract{}
	for _, op := range operations {
		if byPath[op.Path] == nil {
			byPath[op.Path] = map[string]*operationContract{}
		}
		byPath[op.Path][op.Method] = op
	}
	var routes []pathRoute
	for _, base := range bases {
		for path, ops := range byPath {
			routes = append(routes, pathRoute{
				base:       base,
				template:   base + path,
				pattern:    pathPattern(base, path),
				variables:  len(pathVariable.FindAllString(path, -1)),
				operations: ops,
			})
		}
	}
	slices.SortFunc(routes, func(a, b pathRoute) int {
		return cmp.Or(cmp.Compare(a.variables, b.variables), strings.Compare(a.template, b.template))
	})
	return routes
}

func pathPattern(base, path string) *regexp.Regexp {
	literals := pathVariable.Split(path, -1)
	for i, literal := range literals {
		literals[i] = regexp.QuoteMeta(literal)
	}
	return regexp.MustCompile("^" + regexp.QuoteMeta(base) + strings.Join(literals, "[^/]+") + "$")
}

// find returns the operation of a request and the base path that it was found below, or nil. HEAD is answered by GET
// where it is not declared itself.
func (c *contract) find(method, path string) (*operationContract, string) {
	for _, r := range c.routes {
		if !r.pattern.MatchString(path) {
			continue
		}
		op := r.operations[method]
		if op == nil && method == http.MethodHead {
			op = r.operations[http.MethodGet]
		}
		return op, r.base
	}
	return nil, ""
}
