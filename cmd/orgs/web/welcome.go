package web

import (
	"bytes"
	"context"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/organization"
)

// State is what the welcome page shows of the gateway.
type State struct {
	Store      string // as in --store
	RateLimits bool   // they are enforced

	Organization *organization.Organization // nil: the page shows none
	IssueKey     string                     // the command that issues an admin key of the organization, or of any
	List         string                     // the command that lists the organizations
}

// welcome is the page at /.
type welcome struct {
	state    func(context.Context) (State, error)
	loopback bool
	logger   *slog.Logger
}

var welcomeTemplate = template.Must(template.New("welcome.html").Funcs(template.FuncMap{
	"number": term.Grouped,
	"day":    func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") },
}).ParseFS(embedded, "assets/welcome.html"))

// welcomeData is what the template gets.
type welcomeData struct {
	State
	URL       string
	Loopback  bool
	StoreDown bool

	Monthly int64 // the month's credits; 0 if they are agreed individually
	Used    int64 // of them; never more than Monthly
	Percent int64
}

func (p welcome) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data := welcomeData{URL: "http://" + r.Host, Loopback: p.loopback}
	state, err := p.state(r.Context())
	if err != nil {
		p.logger.ErrorContext(r.Context(), "reading what the welcome page tells", "error", err)
		data.StoreDown = true
	}
	data.State = state
	if !p.loopback {
		data.Organization = nil
	}
	if o := data.Organization; o != nil {
		if monthly, ok := o.Tier.MonthlyCredits(); ok {
			data.Monthly, data.Used = monthly, min(o.CurrentMonthUsage, monthly)
			data.Percent = data.Used * 100 / monthly
		}
	}
	var out bytes.Buffer
	if err := welcomeTemplate.Execute(&out, data); err != nil {
		p.logger.ErrorContext(r.Context(), "making the welcome page", "error", err)
		refuse(w, http.StatusInternalServerError, "The page could not be made; the log says why.")
		return
	}
	w.Header().Set("Content-Type", mediaTypes[".html"])
	w.Header().Set("Cache-Control", "no-store")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(out.Bytes()))
}
