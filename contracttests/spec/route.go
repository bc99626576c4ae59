package spec

import (
	"cmp"
	"net/http"
	neturl "net/url"
	"regexp"
	"slices"
	"strings"

	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
)

// route is one path of the document, below one of its servers.
type route struct {
	base       string // the path of the server
	template   string // base and path
	pattern    *regexp.Regexp
	variables  int
	operations []*Operation
}

var pathVariable = regexp.MustCompile(`\{[^/{}]+\}`)

// newRoutes returns the routes of all paths below all bases. Paths without variables come first, as OpenAPI wants it.
//
// A route matches exactly, unlike the library's: a trailing slash or a doubled one is another path.
func newRoutes(operations []*Operation, bases []string) []route {
	byPath := map[string][]*Operation{}
	for _, op := range operations {
		byPath[op.Path] = append(byPath[op.Path], op)
	}
	var routes []route
	for _, base := range bases {
		for path, ops := range byPath {
			routes = append(routes, route{
				base:       base,
				template:   base + path,
				pattern:    pathPattern(base, path),
				variables:  len(pathVariable.FindAllString(path, -1)),
				operations: ops,
			})
		}
	}
	slices.SortFunc(routes, func(a, b route) int {
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

// servers returns the base paths of the document's servers, sorted. Variables have their defaults.
func servers(doc *v3.Document) []string {
	bases := []string{}
	for _, server := range doc.Servers {
		url := server.URL
		for name, variable := range server.Variables.FromOldest() {
			url = strings.ReplaceAll(url, "{"+name+"}", variable.Default)
		}
		path := ""
		if u, err := neturl.Parse(url); err == nil {
			path = u.Path
		}
		bases = append(bases, strings.TrimRight(path, "/"))
	}
	if len(bases) == 0 {
		bases = append(bases, "")
	}
	slices.Sort(bases)
	return slices.Compact(bases)
}

// Operation returns the operation of a method and a path template, or nil.
func (d *Document) Operation(method, path string) *Operation {
	i := slices.IndexFunc(d.Operations, func(op *Operation) bool { return op.Method == method && op.Path == path })
	if i < 0 {
		return nil
	}
	return d.Operations[i]
}

func withMethod(operations []*Operation, method string) *Operation {
	i := slices.IndexFunc(operations, func(op *Operation) bool { return op.Method == method })
	if i < 0 {
		return nil
	}
	return operations[i]
}

// Find returns the operation of a request and the base path that it was found below, or nil. GET answers HEAD where
// HEAD is not declared itself.
func (d *Document) Find(method, path string) (*Operation, string) {
	for _, r := range d.routes {
		if !r.pattern.MatchString(path) {
			continue
		}
		op := withMethod(r.operations, method)
		if op == nil && method == http.MethodHead {
			op = withMethod(r.operations, http.MethodGet)
		}
		return op, r.base
	}
	return nil, ""
}
