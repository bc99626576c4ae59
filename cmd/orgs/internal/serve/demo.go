package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"organizations-api/cmd/orgs/internal/admin"
	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/plainjson"
)

// DemoName is the name of the organization that serve makes on an empty store.
const DemoName = "Demo Organization"

// demo is that organization, with the plain text of its keys.
type demo struct {
	organization organization.Organization
	admin, read  admin.IssuedKey
}

// makeDemo creates the demo organization.
func makeDemo(ctx context.Context, a *cli.App, s *backend.Store) (demo, error) {
	secret, err := admin.KeySecret(ctx, s)
	if err != nil {
		return demo{}, err
	}
	now := a.Now()
	o := organization.New(DemoName, organization.Pro, nil, now)
	adminKey, err := admin.Create(ctx, s, o, "demo admin", now)
	if err != nil {
		return demo{}, err
	}
	now = a.Now() // later than the first entry, so that the audit trail has the two in their order
	readKey := admin.NewKey(secret, o.ID, apikey.Live, apikey.Read, now, nil)
	readKey.Record.Label = "demo read"
	if err := admin.AddKey(ctx, s, o, readKey, now); err != nil {
		return demo{}, fmt.Errorf("the store was empty, and now has the organization %s, but no read key: %w; %s",
			o.ID, err, admin.LostKeys(s, o.ID, adminKey))
	}
	return demo{o, adminKey, readKey}, nil
}

// keptKeys is the JSON of the file with the demo organization's keys.
type keptKeys struct {
	Admin string `json:"admin"`
	Read  string `json:"read"`
}

// keysPath returns the file that holds the keys of a store's demo organization. It returns "" for a store that is not a
// file of this machine. Who can read the file can also change the store beside it, so it gives away nothing more.
func keysPath(s *backend.Store) string {
	path, ok := strings.CutPrefix(s.Place, "sqlite:")
	if !ok {
		return ""
	}
	return path + ".demo-keys"
}

// keep writes the keys beside the store, for its owner alone. It reports whether it did: some stores have no place for
// them.
func (d demo) keep(s *backend.Store) (bool, error) {
	path := keysPath(s)
	if path == "" {
		return false, nil
	}
	text, err := plainjson.Marshal(keptKeys{d.admin.Key.Reveal(), d.read.Key.Reveal()})
	if err == nil {
		err = os.Remove(path) // of a store that was here before
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("keeping the demo keys: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return false, fmt.Errorf("keeping the demo keys: %w", err)
	}
	_, err = file.Write(append(text, '\n'))
	if err = errors.Join(err, file.Close()); err != nil {
		return false, fmt.Errorf("keeping the demo keys: %w", err)
	}
	return true, nil
}

// keptDemo returns the demo organization whose keys were kept beside the store. It returns nil if there is none, or if one
// of its keys is no longer valid.
func keptDemo(ctx context.Context, s *backend.Store, now time.Time) (*demo, error) {
	path := keysPath(s)
	if path == "" {
		return nil, nil
	}
	text, err := cli.ReadRegular(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the demo keys: %w", err)
	}
	var kept keptKeys
	if json.Unmarshal(text, &kept) != nil {
		return nil, nil
	}
	adminKey, errAdmin := apikey.Parse(kept.Admin)
	readKey, errRead := apikey.Parse(kept.Read)
	if errAdmin != nil || errRead != nil {
		return nil, nil
	}
	o, records, err := s.Get(ctx, adminKey.Organization())
	if backend.KindOf(err) == term.NotFound || err == nil && o.DeletedAt != nil {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	d := demo{organization: o}
	for _, r := range records {
		switch {
		case r.Check(now) != nil:
		case r.Hash == adminKey.Hash():
			d.admin = admin.IssuedKey{Key: adminKey, Record: r}
		case r.Hash == readKey.Hash():
			d.read = admin.IssuedKey{Key: readKey, Record: r}
		}
	}
	if d.admin.Record.ID == "" || d.read.Record.ID == "" {
		return nil, nil
	}
	return &d, nil
}

// demoJSON is a demo with the plain text of its keys.
type demoJSON struct {
	Organization admin.OrganizationJSON `json:"organization"`
	Keys         []admin.IssuedKeyJSON  `json:"keys"`
}

func (d demo) toJSON() *demoJSON {
	return &demoJSON{admin.OrganizationToJSON(d.organization), []admin.IssuedKeyJSON{d.admin.ToJSON(), d.read.ToJSON()}}
}

func (d demo) keyLines() []string {
	return []string{"  admin  " + d.admin.Key.Reveal(), "  read   " + d.read.Key.Reveal()}
}

// showKeys is the command line after the program's name that shows the keys of the demo organization again.
const showKeys = "serve keys"

func keysCommand(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:   "keys",
		Short: "Show the keys of the demo organization again",
		Long: `Show the keys of the demo organization again. orgs serve keeps them in a file beside the SQLite store that it
filled. Only you can read that file. No other keys can be shown again.`,
		Example: "  orgs serve keys",
		Args:    cli.Arguments,
		RunE: a.RunWith(backend.OpenExisting, func(ctx context.Context, s *backend.Store, _ []string) error {
			d, err := keptDemo(ctx, s, a.Now())
			if err != nil {
				return err
			}
			if d == nil {
				return term.Fail(term.NotFound, "this store has no demo organization whose keys are known; issue a key with: %s",
					s.Choice.CommandLine("keys issue ORG --permission admin"))
			}
			return a.PrintSecret(d.toJSON(), strings.Join(d.keyLines(), "\n"),
				"the keys could not be shown", "they are still in "+keysPath(s))
		}),
	}
}
