package admin

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// mostFound is how many organizations find shows. If more match, the text is too short to identify one.
const mostFound = 20

func findCommand(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:   "find NAME|EMAIL|ORG|KEY_ID|-",
		Short: "Find an organization by a part of its name or email address, its identifier, or a key",
		Long: `Find an organization by a part of its name or of an email address, by its identifier, by the identifier of one of its
keys, or by a key. Capitals do not matter in names and addresses.

The argument - reads a key from standard input, so that it gets neither into the list of processes nor into the history
of the shell. A terminal does not show it.

Looking up an identifier of an organization or a key takes one read. Everything else reads the store until something is
found. The command shows up to 20 organizations; orgs list --match shows all.`,
		Example: `  orgs find northwind
  orgs find billing@northwind.example
  orgs find key_4mGq8TzLw2XbR
  orgs find -`,
		Args: cli.Arguments,
		RunE: a.RunWith(backend.OpenExisting, func(ctx context.Context, s *backend.Store, args []string) error {
			found, more, err := lookUp(ctx, a, s, args[0])
			if err != nil {
				return err
			}
			return printFound(a, found, more)
		}),
	}
}

// foundOrganization is an organization that was found. key is the key that identified it. It is nil if something else
// did.
type foundOrganization struct {
	organization organization.Organization
	key          *apikey.Record
}

// lookUp returns at most mostFound organizations, and whether there are more. The error is a NotFound failure if there
// is none.
func lookUp(ctx context.Context, a *cli.App, s *backend.Store, what string) (found []foundOrganization, more bool, err error) {
	id, notID := organization.ParseID(what)
	switch {
	case what == "-":
		found, err = findKey(ctx, a, s)
	case notID == nil:
		var t target
		t, err = find(ctx, s, id)
		found = []foundOrganization{{organization: t.organization}}
	case strings.HasPrefix(what, "key_"):
		found, err = findKeyID(ctx, s, what)
	case strings.TrimSpace(what) == "":
		err = term.Fail(term.Usage, "there is nothing to look for; orgs list shows all")
	default:
		found, more, err = findText(ctx, s, what)
	}
	if err == nil && len(found) == 0 {
		err = term.Fail(term.NotFound, "nothing has %s", term.Printable(what))
	}
	return found, more, err
}

// findKey reads a key and finds it by its hash. No error quotes what was read.
func findKey(ctx context.Context, a *cli.App, s *backend.Store) ([]foundOrganization, error) {
	text, err := a.ReadSecret(ctx, "Key: ")
	if err != nil {
		return nil, err
	}
	key, err := apikey.Parse(strings.TrimSpace(text))
	if err != nil {
		return nil, term.Fail(term.Usage, "what was read is no key: a part is missing or mistyped")
	}
	f, err := s.Find(ctx, key.Organization(), key.Hash())
	switch {
	case store.KindOf(err) == store.NotFound:
		return nil, term.Fail(term.NotFound, "the key is of %s, which is not in %s",
			key.Organization(), term.Printable(string(s.Choice)))
	case err != nil:
		return nil, err
	case f.Key == nil:
		return nil, term.Fail(term.NotFound, "the key names %s (%s), which has no such key",
			f.Organization.ID, term.Printable(f.Organization.Name))
	default:
		return []foundOrganization{{f.Organization, f.Key}}, nil
	}
}

// findKeyID reads the keys of all organizations until one has the identifier.
func findKeyID(ctx context.Context, s *backend.Store, id string) ([]foundOrganization, error) {
	for e, err := range s.Exports(ctx) {
		if err != nil {
			return nil, err
		}
		for _, k := range e.Keys {
			if k.ID == id {
				return []foundOrganization{{e.Organization, &k}}, nil
			}
		}
	}
	return nil, nil
}

func findText(ctx context.Context, s *backend.Store, text string) (found []foundOrganization, more bool, err error) {
	for o, err := range s.Organizations(ctx) {
		switch {
		case err != nil:
			return nil, false, err
		case !contains(text, o.Name, orEmpty(o.BillingEmail), orEmpty(o.NotificationsEmail)):
		case len(found) == mostFound:
			return found, true, nil
		default:
			found = append(found, foundOrganization{organization: o})
		}
	}
	return found, false, nil
}

// FoundJSON is an organization that was found.
type FoundJSON struct {
	Organization OrganizationJSON `json:"organization"`
	Key          *KeyJSON         `json:"key"` // by which it was found; null if it was found by something else
}

func printFound(a *cli.App, found []foundOrganization, more bool) error {
	out := make([]FoundJSON, 0, len(found))
	rows := make([][]string, 0, len(found))
	header := []string{"ORGANIZATION", "NAME", "TIER", "BILLING EMAIL", "STATE"}
	for _, f := range found {
		o := f.organization
		item := FoundJSON{Organization: OrganizationToJSON(o)}
		row := []string{string(o.ID), o.Name, string(o.Tier), orNone(o.BillingEmail), organizationState(o)}
		if f.key != nil {
			item.Key = new(keyToJSON(*f.key, a.Now()))
			header = append(header, "KEY", "LABEL", "PERMISSION", "STATUS")
			row = append(row, f.key.ID, orNone(nullIfEmpty(f.key.Label)), f.key.Permission.String(), item.Key.Status)
		}
		out, rows = append(out, item), append(rows, row)
	}
	text := a.Stdout.Table(header, rows, "BILLING EMAIL", "PERMISSION")
	if more {
		text += "\n\nMore organizations match. Give a longer text, or list all with: " + a.Choice().CommandLine("list --match TEXT")
	}
	return a.Print(struct {
		Found []FoundJSON `json:"found"`
		More  bool        `json:"more"`
	}{out, more}, text)
}
