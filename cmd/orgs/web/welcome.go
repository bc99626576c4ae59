package web

import "net/http"

// welcomeData is what the page at / gets.
type welcomeData struct {
	top
	State
	URL       string
	StoreDown bool

	Monthly int64 // the month's credits; 0 if they are agreed individually
	Used    int64 // of them; never more than Monthly
	Percent int64
}

// welcome returns what the page at / shows.
func (o Options) welcome(r *http.Request) any {
	data := welcomeData{
		top: top{
			Title: "Organizations API", Path: WelcomePath, Loopback: o.Loopback, Styles: []string{"welcome"}, Script: "welcome",
			Description: "The organizations API that runs on this machine: its state, and what to try next.",
		},
		URL: "http://" + r.Host,
	}
	state, err := o.State(r.Context())
	if err != nil {
		o.Logger.ErrorContext(r.Context(), "reading what the welcome page tells", "error", err)
		data.StoreDown = true
	}
	data.State = state
	if !o.Loopback {
		data.Organization = nil
	}
	if o := data.Organization; o != nil {
		if monthly, ok := o.Tier.MonthlyCredits(); ok {
			data.Monthly, data.Used = monthly, min(o.CurrentMonthUsage, monthly)
			data.Percent = data.Used * 100 / monthly
		}
	}
	return data
}
