package web

import (
	"bytes"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"organizations-api/cmd/orgs/internal/term"
)

// top is what the layout needs of a page.
type top struct {
	Title, Description string
	Path               string   // of the page, to mark it in the navigation
	Loopback           bool     // there is a console
	Styles             []string // beside site.css, without their ending
	Script             string   // without its ending; "": the page has none
}

// snippet is what the examples of a request are made from.
type snippet struct {
	URL       string // of this gateway
	Operation operation
	Body      *body // nil for a request without one
	Languages []string
}

// languages are those of the snippets in docs.html. The first is shown first.
var languages = []string{"curl", "Go", "TypeScript", "Python"}

func newSnippet(url string, o operation) snippet {
	s := snippet{URL: url, Operation: o, Languages: languages}
	if len(o.Bodies) > 0 {
		s.Body = &o.Bodies[0]
	}
	return s
}

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"number":   term.Grouped,
	"day":      func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") },
	"snippets": newSnippet,
}).ParseFS(embedded, "assets/*.html"))

// page is a page that is made for each request.
type page struct {
	name   string                  // of its template
	policy string                  // its Content-Security-Policy
	data   func(*http.Request) any // what the template gets
	logger *slog.Logger
}

func (p page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, err := execute(p.name, p.data(r))
	if err != nil {
		p.logger.ErrorContext(r.Context(), "making a page", "page", p.name, "error", err)
		refuse(w, r, http.StatusInternalServerError, "The page could not be made. The log says why.")
		return
	}
	w.Header().Set("Content-Security-Policy", p.policy)
	w.Header().Set("Content-Type", mediaTypes[".html"])
	w.Header().Set("Cache-Control", "no-store")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
}

func execute(name string, data any) ([]byte, error) {
	var out bytes.Buffer
	err := templates.ExecuteTemplate(&out, name, data)
	return out.Bytes(), err
}

// refuse answers with an error: with a page if a browser wants to show one, else with a line of text.
func refuse(w http.ResponseWriter, r *http.Request, status int, message string) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Add("Vary", "Accept")
	if !wantsPage(r) {
		http.Error(w, message, status)
		return
	}
	text, err := execute("problem.html", struct {
		top
		Status        int
		Name, Message string
	}{
		top{Title: http.StatusText(status) + " · Organizations API", Description: message, Loopback: isThisMachine(r.Host)},
		status, http.StatusText(status), message,
	})
	if err != nil {
		http.Error(w, message, status)
		return
	}
	w.Header().Set("Content-Type", mediaTypes[".html"])
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(text) // a client that is gone reads nothing
	}
}

// wantsPage reports whether a person is to see the answer: browsers ask for HTML by name when they open an address, and
// no client of the API does.
func wantsPage(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}
