package serve

import (
	"context"
	"fmt"
	"net"
	"strings"

	"organizations-api/cmd/orgs/internal/admin"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/cmd/orgs/web"
	"organizations-api/shared/organization"
)

// welcomeJSON is what welcome prints with --json.
type welcomeJSON struct {
	URL    string    `json:"url"`
	Store  string    `json:"store"`
	SignIn *string   `json:"sign_in"` // a link; null if there is none
	Demo   *demoJSON `json:"demo"`    // null if the store has no demo organization whose keys are known
}

// welcome tells the person who started serve what is there. On an empty store it makes the demo organization. It returns
// the address to open in a browser.
func (g *gateway) welcome(ctx context.Context) (address string, err error) {
	existing, err := g.anyOrganization(ctx)
	if err != nil {
		return "", err
	}
	if err := g.findDemo(ctx, existing == nil); err != nil {
		return "", err
	}
	base := baseURL(g.addr)
	address = base + web.WelcomePath
	out := welcomeJSON{URL: base, Store: string(g.store.Choice)}
	lines := g.addressLines(base)
	if g.demo == nil {
		lines = append(append(lines, g.existingLines(*existing)...), g.lastLines(base)...)
		return address, g.app.Print(out, strings.Join(lines, "\n"))
	}
	if isLoopback(g.addr) {
		g.signIn = newSignIn(g.demo.admin.Key.Reveal(), g.app.Now)
		address = g.signIn.link(base)
		out.SignIn = &address
		lines = append(lines,
			"", "Sign in to the console. This link works once, on this machine, within 10 minutes:", "", "  "+address)
	}
	out.Demo = g.demo.toJSON()
	lines = append(append(lines, g.demoLines(base+"/v1/organizations", existing == nil)...), g.lastLines(base)...)
	done := "the keys of the demo organization could not be shown"
	goOn := "show them with: " + g.store.Choice.CommandLine(showKeys)
	if id := g.demo.organization.ID; !g.kept {
		done = fmt.Sprintf("the store was empty, and now has the organization %s, but its keys could not be shown", id)
		goOn = admin.LostKeys(g.store, id, g.demo.admin, g.demo.read)
	}
	return address, g.app.PrintSecret(out, strings.Join(lines, "\n"), done, goOn)
}

// findDemo sets the demo organization, if its keys are known. It makes it if the store is empty.
func (g *gateway) findDemo(ctx context.Context, empty bool) error {
	if !empty {
		d, err := keptDemo(ctx, g.store, g.app.Now())
		g.demo, g.kept = d, d != nil
		return err
	}
	d, err := makeDemo(ctx, g.app, g.store)
	if err != nil {
		return err
	}
	if g.kept, err = d.keep(g.store); err != nil {
		message := err.Error() + ", so they are shown only now"
		g.app.Stderr.Warn(&term.Failure{Kind: term.Failed, Message: message}, g.app.JSON)
	}
	g.demo = &d
	return nil
}

func (g *gateway) addressLines(base string) []string {
	lines := []string{
		"Organizations API  " + base + "/v1/organizations",
		"Open in a browser  " + base + web.WelcomePath,
		"Its contract       " + base + web.ContractYAMLPath,
		"Its store          " + term.Printable(string(g.store.Choice)),
	}
	if !isLoopback(g.addr) {
		lines = append(lines, "",
			"Warning: other machines can reach this address, and it has no TLS: keys cross the network in plain text.")
	}
	return lines
}

// anyOrganization returns an organization that is not deleted, or a deleted one if there are no others. It returns nil
// if the store is empty.
func (g *gateway) anyOrganization(ctx context.Context) (*organization.Organization, error) {
	var found *organization.Organization
	for o, err := range g.store.Organizations(ctx) {
		if err != nil {
			return nil, err
		}
		if found = &o; o.DeletedAt == nil {
			break
		}
	}
	return found, nil
}

// demoLines shows the keys of the demo organization and what to do with them.
func (g *gateway) demoLines(url string, isNew bool) []string {
	d := g.demo
	first := fmt.Sprintf("The store has %q (%s) with two keys:", term.Printable(d.organization.Name), d.organization.ID)
	if isNew {
		first = fmt.Sprintf("The store was empty. Now it has %q (%s, tier %s) with two keys:",
			d.organization.Name, d.organization.ID, d.organization.Tier)
	}
	lines := append([]string{"", first, ""}, d.keyLines()...)
	if g.kept {
		lines = append(lines, "", "This shows them again: "+g.store.Choice.CommandLine(showKeys))
	}
	read := "  curl -sS " + url + " -H 'Authorization: Bearer " + d.read.Key.Reveal() + "'"
	change := "  curl -sS -X PATCH " + url + " -H 'Authorization: Bearer " + d.admin.Key.Reveal() + "'" +
		` -H 'Content-Type: application/json' -d '{"organization_name": "Renamed Organization"}'`
	width := g.app.Stdout.Width
	return append(lines, "", "Read it:", "", wrapped(read, width), "", "Change it:", "", wrapped(change, width))
}

// wrapped breaks a curl line before its headers where a terminal of that width would break it in the middle of a key. The
// width 0 stands for unlimited.
func wrapped(line string, width int) string {
	if width == 0 || len(line) <= width {
		return line
	}
	const indent = " \\\n    "
	return strings.NewReplacer(" -H ", indent+"-H ", " -d ", indent+"-d ").Replace(line)
}

// lastLines tells what to try next, and how to end.
func (g *gateway) lastLines(base string) []string {
	return []string{
		"",
		"Next: " + base + web.DocsPath + " has every field and error. This lists the store: " +
			g.store.Choice.CommandLine("list"),
		"Ctrl-C stops.",
	}
}

func (g *gateway) existingLines(o organization.Organization) []string {
	id := string(o.ID)
	if o.DeletedAt != nil {
		id = "ORG"
	}
	return []string{
		"",
		"The store has organizations. These commands list them, and issue a key:",
		"",
		"  " + g.store.Choice.CommandLine("list"),
		"  " + g.issueCommand(id),
	}
}

func (g *gateway) issueCommand(id string) string {
	return g.store.Choice.CommandLine("keys issue " + id + " --permission admin")
}

// pageState returns what the welcome page shows. It shows an organization only if the store is on this machine and has
// no other: that is the demo organization, whatever it was renamed to.
func (g *gateway) pageState(ctx context.Context) (web.State, error) {
	state := web.State{
		Store:      string(g.store.Choice),
		RateLimits: g.options.limits,
		IssueKey:   g.issueCommand("ORG"),
		List:       g.store.Choice.CommandLine("list"),
	}
	if !g.store.Local {
		return state, nil
	}
	first, _, err := g.store.List(ctx, "", 2)
	if err != nil {
		return state, err
	}
	if g.kept {
		state.ShowKeys = g.store.Choice.CommandLine(showKeys)
	}
	if len(first) == 1 && first[0].DeletedAt == nil {
		state.Organization = &first[0]
		state.IssueKey = g.issueCommand(string(first[0].ID))
	}
	return state, nil
}

// baseURL returns the URL at which this machine reaches the address.
func baseURL(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return "http://" + addr.String()
	}
	ip := tcp.IP
	if ip.IsUnspecified() {
		ip = net.IPv4(127, 0, 0, 1)
	}
	return "http://" + net.JoinHostPort(ip.String(), fmt.Sprint(tcp.Port))
}
