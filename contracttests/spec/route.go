package spec

import (
	"cmp"
	"net/http"
	neturl "net/url"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

func pathUnescape(text string) (string, error) { return neturl.PathUnescape(text) }

// base is the path of a server, which may have variables.
type base []segment

// route is one operation below one of its servers.
type route struct {
	base      base
	path      []segment
	literals  int // the number of characters that are no variable's
	variables int
	operation *Operation
}

// segment is the text of a path between two slashes.
type segment struct {
	literal string         // where pattern is nil
	pattern *regexp.Regexp // matches the decoded segment; each group is a variable
	names   []string       // of the variables
}

var pathVariable = regexp.MustCompile(`\{[^/{}]+\}`)

// newRoutes returns the routes of all operations. Routes with fewer variables come first, as OpenAPI demands, and then
// routes with more literal text: /{id}:clone comes before /{id}.
//
// A route matches exactly: a path with a trailing slash or a doubled slash is another path.
func newRoutes(operations []*Operation) []route {
	var routes []route
	for _, op := range operations {
		path, literals, variables := segments(op.Path, nil)
		for _, b := range op.bases {
			routes = append(routes, route{b, path, literals, variables, op})
		}
	}
	slices.SortStableFunc(routes, func(a, b route) int {
		return cmp.Or(cmp.Compare(a.variables, b.variables), cmp.Compare(b.literals, a.literals),
			cmp.Compare(len(b.base), len(a.base)))
	})
	return routes
}

// segments reads a path template. values are patterns of variables that cannot have any value.
func segments(template string, values map[string]string) (all []segment, literals, variables int) {
	for part := range strings.SplitSeq(strings.TrimPrefix(template, "/"), "/") {
		found := pathVariable.FindAllString(part, -1)
		texts := pathVariable.Split(part, -1)
		variables += len(found)
		literals += len(strings.Join(texts, ""))
		if len(found) == 0 {
			all = append(all, segment{literal: part})
			continue
		}
		s := segment{}
		expression := "(?s)^" + regexp.QuoteMeta(texts[0])
		for i, name := range found {
			name = strings.Trim(name, "{}")
			s.names = append(s.names, name)
			value := cmp.Or(values[name], ".+")
			expression += "(" + value + ")" + regexp.QuoteMeta(texts[i+1])
		}
		s.pattern = regexp.MustCompile(expression + "$")
		all = append(all, s)
	}
	return all, literals, variables
}

// newBases returns the base paths of servers.
func newBases(servers *yaml.Node) []base {
	var all []base
	for _, server := range items(servers) {
		url, values := text(server, "url"), map[string]string{}
		for name, variable := range Fields(Field(server, "variables")) {
			var allowed []string
			for _, value := range items(Field(variable, "enum")) {
				allowed = append(allowed, regexp.QuoteMeta(value.Value))
			}
			values[name] = strings.Join(allowed, "|")
			if len(allowed) == 0 && strings.Contains(text(variable, "default"), "/") {
				url = strings.ReplaceAll(url, "{"+name+"}", text(variable, "default"))
			}
		}
		all = append(all, newBase(serverPath(url), values))
	}
	return all
}

// serverPath returns the path of a server's URL.
func serverPath(url string) string {
	if _, rest, ok := strings.Cut(url, "://"); ok {
		_, path, found := strings.Cut(rest, "/")
		if !found {
			return ""
		}
		url = path
	}
	url, _, _ = strings.Cut(url, "?")
	url, _, _ = strings.Cut(url, "#")
	return strings.Trim(strings.TrimPrefix(url, "."), "/")
}

func newBase(path string, values map[string]string) base {
	if path == "" {
		return nil
	}
	all, _, _ := segments(path, values)
	return all
}

// literalBase returns a base path without variables.
func literalBase(path string) base {
	if path = strings.Trim(path, "/"); path == "" {
		return nil
	}
	var all base
	for part := range strings.SplitSeq(path, "/") {
		all = append(all, segment{literal: part})
	}
	return all
}

// Operation returns the operation of a method and a path template, or nil.
func (d *Document) Operation(method, path string) *Operation {
	i := slices.IndexFunc(d.Operations, func(op *Operation) bool { return op.Method == method && op.Path == path })
	if i < 0 {
		return nil
	}
	return d.Operations[i]
}

// MountedAt returns the document for a service whose paths begin with base. It ignores the servers of the document. The
// base may be "".
func (d *Document) MountedAt(path string) *Document {
	out := *d
	out.routes = slices.Clone(d.routes)
	for i := range out.routes {
		out.routes[i].base = literalBase(path)
	}
	return &out
}

// Find returns the operation of a request, or nil. It also returns the values of the variables in the path, not
// decoded. A HEAD request finds the GET operation if HEAD is not declared. The path is encoded as in a URL, so that %2F
// is not a slash.
func (d *Document) Find(method, path string) (*Operation, map[string]string) {
	if path == "" {
		path = "/" // what HTTP sends for it
	}
	parts, decoded := splitPath(path)
	for _, wanted := range []string{method, http.MethodGet} {
		for _, r := range d.routes {
			if r.operation.Method != wanted || len(parts) != len(r.base)+len(r.path) {
				continue
			}
			if values, ok := r.match(parts, decoded); ok {
				return r.operation, values
			}
		}
		if method != http.MethodHead {
			break
		}
	}
	return nil, nil
}

func splitPath(path string) (parts, decoded []string) {
	parts = strings.Split(strings.TrimPrefix(path, "/"), "/")
	if !strings.Contains(path, "%") {
		return parts, parts
	}
	decoded = make([]string, len(parts))
	for i, part := range parts {
		text, err := neturl.PathUnescape(part)
		if err != nil {
			text = part
		}
		decoded[i] = text
	}
	return parts, decoded
}

func (r route) match(parts, decoded []string) (map[string]string, bool) {
	var values map[string]string
	for i := range parts {
		s := segment{}
		if i < len(r.base) {
			s = r.base[i]
		} else {
			s = r.path[i-len(r.base)]
		}
		if s.pattern == nil {
			if s.literal != decoded[i] {
				return nil, false
			}
			continue
		}
		if !s.pattern.MatchString(decoded[i]) {
			return nil, false
		}
		if values == nil {
			values = map[string]string{}
		}
		groups := s.pattern.FindStringSubmatch(decoded[i])
		if raw := s.pattern.FindStringSubmatch(parts[i]); raw != nil {
			groups = raw // not decoded, so that a comma that is data differs from one that separates
		}
		for j, name := range s.names {
			values[name] = groups[j+1]
		}
	}
	return values, true
}
