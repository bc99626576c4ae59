package serve

import (
	"context"
	"fmt"
	"net"
	"strings"

	"organizations-api/cmd/orgs/internal/admin"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/cmd/orgs/web"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
)

// DemoName is the name of the organization that serve makes on an empty store.
const DemoName = "Demo Organization"

// demo is that organization, with the plain text of its keys.
type demo struct {
	organization organization.Organization
	admin, read  admin.IssuedKey
}

// welcome tells the person who started serve what is there. On an empty store it makes the demo organization.
func (g *gateway) welcome(ctx context.Context) error {
	existing, err := g.anyOrganization(ctx)
	if err != nil {
		return err
	}
	base := baseURL(g.addr)
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
	type demoJSON struct {
		Organization admin.OrganizationJSON `json:"organization"`
		Keys         []admin.IssuedKeyJSON  `json:"keys"`
	}
	out := struct {
		URL   string    `json:"url"`
		Store string    `json:"store"`
		Demo  *demoJSON `json:"demo"`
	}{URL: base, Store: string(g.store.Choice)}
	if existing != nil {
		lines = append(lines, g.existingLines(*existing)...)
		return g.app.Print(out, strings.Join(lines, "\n"))
	}
	d, err := g.makeDemo(ctx)
	if err != nil {
		return err
	}
	lines = append(lines, demoLines(d, base+"/v1/organizations")...)
	keys := []admin.IssuedKeyJSON{d.admin.ToJSON(), d.read.ToJSON()}
	out.Demo = &demoJSON{admin.OrganizationToJSON(d.organization), keys}
	return g.app.PrintSecret(out, strings.Join(lines, "\n"),
		fmt.Sprintf("the store was empty, and now has the organization %s, but its keys could not be shown", d.organization.ID),
		admin.LostKeys(g.store, d.organization.ID, d.admin, d.read))
}

// anyOrganization returns one organization of the store. It prefers one that is not deleted. It returns nil if the store
// is empty.
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

func (g *gateway) makeDemo(ctx context.Context) (demo, error) {
	secret, err := admin.KeySecret(ctx, g.store)
	if err != nil {
		return demo{}, err
	}
	now := g.app.Now()
	o := organization.New(DemoName, organization.Pro, nil, now)
	adminKey, err := admin.Create(ctx, g.store, o, "", now)
	if err != nil {
		return demo{}, err
	}
	now = g.app.Now() // later than the first entry, so that the audit trail has the two in their order
	readKey := admin.NewKey(secret, o.ID, apikey.Live, apikey.Read, now, nil)
	if err := admin.AddKey(ctx, g.store, o, readKey, now); err != nil {
		return demo{}, fmt.Errorf("the store was empty, and now has the organization %s, but no read key: %w; %s",
			o.ID, err, admin.LostKeys(g.store, o.ID, adminKey))
	}
	return demo{o, adminKey, readKey}, nil
}

func demoLines(d demo, url string) []string {
	return []string{
		"",
		fmt.Sprintf("The store was empty. Now it has %q (%s, tier %s) with two keys, shown only now:",
			d.organization.Name, d.organization.ID, d.organization.Tier),
		"",
		"  admin  " + d.admin.Key.Reveal(),
		"  read   " + d.read.Key.Reveal(),
		"",
		"Read it:",
		"",
		"  curl -sS " + url + " -H 'Authorization: Bearer " + d.read.Key.Reveal() + "'",
		"",
		"Change it:",
		"",
		"  curl -sS -X PATCH " + url + " -H 'Authorization: Bearer " + d.admin.Key.Reveal() + "'" +
			` -H 'Content-Type: application/json' -d '{"organization_name": "Renamed Organization"}'`,
	}
}

func (g *gateway) existingLines(o organization.Organization) []string {
	id := string(o.ID)
	if o.DeletedAt != nil {
		id = "ORG"
	}
	return []string{
		"",
		"The store has organizations. To see them, and to issue a key:",
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
