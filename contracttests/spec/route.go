package spec

import (
	"cmp"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// Operation returns the operation of a method and a path template, or nil.
func (c *Document) Operation(method, path string) *DeclaredOperation {
	for _, r := range c.Routes {
		if op := r.Operations[method]; op != nil && op.Path == path {
			return op
		}
	}
	return nil
}

// pathRoute is one path of the document and its operations.
type pathRoute struct {
	base       string // of a server
	template   string
	pattern    *regexp.Regexp
	variables  int
	Operations map[string]*DeclaredOperation // by method
}

var pathVariable = regexp.MustCompile(`\{[^/{}]+\}`)

// newRoutes returns the routes below each base path, literal paths before templates as OpenAPI has it.
//
// Matching is exact, unlike that of the library: a trailing slash or a doubled one is another path.
func newRoutes(operations []*DeclaredOperation, bases []string) []pathRoute {
	byPath := map[string]map[string]*DeclaredOperation{}
	for _, op := range operations {
		if byPath[op.Path] == nil {
			byPath[op.Path] = map[string]*DeclaredOperation{}
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
				Operations: ops,
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

// Find returns the operation of a request and the base path that it was found below, or nil. HEAD is answered by GET
// where it is not declared itself.
func (c *Document) Find(method, path string) (*DeclaredOperation, string) {
	for _, r := range c.Routes {
		if !r.pattern.MatchString(path) {
			continue
		}
		op := r.Operations[method]
		if op == nil && method == http.MethodHead {
			op = r.Operations[http.MethodGet]
		}
		return op, r.base
	}
	return nil, ""
}
