package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"organizations-api/cmd/orgs/web"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
)

const demoName = "Demo Organization"

// demo is what serve makes on an empty store.
type demo struct {
	organization organization.Organization
	admin, read  issued
}

// welcome tells the person who started serve what is there, and makes a demo organization where nothing is.
func (a *app) welcome(ctx context.Context, s *storage, addr net.Addr) error {
	existing, err := anyOrganization(ctx, s)
	if err != nil {
		return err
	}
	var d *demo
	if existing == nil {
		if d, err = a.makeDemo(ctx, s); err != nil {
			return err
		}
	}
	if a.json {
		return a.welcomeJSON(s, baseURL(addr), d)
	}
	lines := []string{
		"Organizations API  " + baseURL(addr) + "/v1/organizations",
		"Open in a browser  " + baseURL(addr) + web.WelcomePath,
		"Its contract       " + baseURL(addr) + web.ContractYAMLPath,
		"Its store          " + printable(s.choice),
	}
	if !isLoopback(addr) {
		lines = append(lines, "", "Warning: other machines can reach this address, and it has no TLS: keys cross the network in plain text.")
	}
	if d != nil {
		lines = append(lines, demoLines(d, baseURL(addr))...)
	} else {
		lines = append(lines, a.existingLines(existing)...)
	}
	return writeLine(a.stdout, strings.Join(lines, "\n"))
}

// anyOrganization returns an organization of the store, rather one that is not deleted; nil where there is none at all.
func anyOrganization(ctx context.Context, s *storage) (*organization.Organization, error) {
	var found *organization.Organization
	err := pages(ctx, s, func(o organization.Organization) bool {
		found = &o
		return o.DeletedAt != nil // go on
	})
	return found, err
}

func (a *app) makeDemo(ctx context.Context, s *storage) (*demo, error) {
	now := a.now()
	o := organization.New(demoName, organization.Pro, nil, now)
	admin, err := create(ctx, s, o, now)
	if err != nil {
		return nil, err
	}
	now = a.now() // later than the entry before, so that the audit trail has the two in their order
	read := newKey(o.ID, apikey.Live, apikey.Read, now, nil)
	if err := addKey(ctx, s, o, read, now); err != nil {
		return nil, err
	}
	return &demo{o, admin, read}, nil
}

func demoLines(d *demo, base string) []string {
	url := base + "/v1/organizations"
	return []string{
		"",
		fmt.Sprintf("The store was empty. Now it has %q (%s, tier %s) with two keys, shown only now:",
			d.organization.Name, d.organization.ID, d.organization.Tier),
		"",
		"  admin  " + d.admin.key.Reveal(),
		"  read   " + d.read.key.Reveal(),
		"",
		"Read it:",
		"",
		"  curl -sS " + url + " -H 'Authorization: Bearer " + d.read.key.Reveal() + "'",
		"",
		"Change it:",
		"",
		"  curl -sS -X PATCH " + url + " -H 'Authorization: Bearer " + d.admin.key.Reveal() + "'" +
			` -H 'Content-Type: application/json' -d '{"organization_name": "Renamed Organization"}'`,
	}
}

func (a *app) existingLines(o *organization.Organization) []string {
	id := string(o.ID)
	if o.DeletedAt != nil {
		id = "ORG"
	}
	return []string{
		"",
		"The store has organizations. To see them, and to issue a key:",
		"",
		"  " + a.commandLine("list"),
		"  " + a.commandLine("keys issue "+id+" --permission admin"),
	}
}

// commandLine returns a command for this store, to be pasted into a shell.
func (a *app) commandLine(command string) string { return commandLine(a.storeChoice(), command) }

func commandLine(choice, command string) string {
	if choice != defaultStore {
		command += " --store " + shellQuote(choice)
	}
	return program() + " " + command
}

// program returns how this command was called, where it can be called so again.
func program() string {
	const name = "orgs"
	if called := os.Args[0]; filepath.Base(called) == name && !filepath.IsAbs(called) { // go run has an absolute path, for a while
		return shellQuote(called)
	}
	return name
}

func shellQuote(s string) string {
	plain := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("_-./:", r)
	}
	if strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// welcomeJSON is the welcome for programs: one object, before the first request is answered.
func (a *app) welcomeJSON(s *storage, base string, d *demo) error {
	type wireDemo struct {
		Organization wireOrganization `json:"organization"`
		Keys         []wireIssued     `json:"keys"`
	}
	out := struct {
		URL   string    `json:"url"`
		Store string    `json:"store"`
		Demo  *wireDemo `json:"demo"`
	}{URL: base, Store: s.choice}
	if d != nil {
		out.Demo = &wireDemo{toWire(d.organization), []wireIssued{toWireIssued(d.admin), toWireIssued(d.read)}}
	}
	return writeJSON(a.stdout, out)
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

func isLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
