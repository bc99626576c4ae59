package admin

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"organizations-api/cmd/orgs/internal/backend"
	"organizations-api/cmd/orgs/internal/cli"
	"organizations-api/cmd/orgs/internal/term"
	"organizations-api/shared/organization"
)

// column is a property of an organization that a table or a CSV file can show, and by which a list can be sorted.
type column struct {
	name  string // as in the JSON
	title string // in a table
	text  func(organization.Organization) string
	less  func(a, b organization.Organization) int
	time  func(organization.Organization) *time.Time // nil: it is not a time
}

// columns returns all columns.
func columns() []column {
	type record = organization.Organization
	return []column{
		textColumn("organization_id", "ORGANIZATION", func(o record) string { return string(o.ID) }),
		textColumn("organization_name", "NAME", func(o record) string { return o.Name }),
		{"account_type", "TIER", func(o record) string { return string(o.Tier) }, func(a, b record) int {
			return cmp.Compare(slices.Index(organization.Tiers(), a.Tier), slices.Index(organization.Tiers(), b.Tier))
		}, nil},
		numberColumn("credit_count", "CREDITS", func(o record) int64 { return o.Credits }),
		numberColumn("current_month_usage", "USED", func(o record) int64 { return o.CurrentMonthUsage }),
		textColumn("auto_billing_enabled", "AUTO BILLING", func(o record) string { return strconv.FormatBool(o.AutoBilling) }),
		numberColumn("billing_cycle_start", "CYCLE", func(o record) int64 { return int64(o.BillingCycleStart) }),
		optionalColumn("billing_email", "BILLING EMAIL", func(o record) *string { return o.BillingEmail }),
		optionalColumn("notifications_email", "NOTIFICATIONS EMAIL", func(o record) *string { return o.NotificationsEmail }),
		optionalColumn("logo_url", "LOGO", func(o record) *string { return o.LogoURL }),
		optionalColumn("auth_provider_org_id", "PROVIDER ID", func(o record) *string { return o.AuthProviderOrgID }),
		optionalColumn("api_url", "API", func(o record) *string { return o.APIURL }),
		numberColumn("version", "VERSION", func(o record) int64 { return o.Version }),
		timeColumn("created_at", "CREATED", func(o record) *time.Time { return &o.CreatedAt }),
		timeColumn("updated_at", "UPDATED", func(o record) *time.Time { return &o.UpdatedAt }),
		timeColumn("deleted_at", "DELETED", func(o record) *time.Time { return o.DeletedAt }),
		textColumn("state", "STATE", organizationState),
	}
}

// defaultColumns are the columns of a table without --columns.
const defaultColumns = "organization_id,organization_name,account_type,credit_count,version,created_at,state"

func textColumn(name, title string, of func(organization.Organization) string) column {
	less := func(a, b organization.Organization) int { return cmp.Compare(of(a), of(b)) }
	return column{name, title, of, less, nil}
}

func numberColumn(name, title string, of func(organization.Organization) int64) column {
	text := func(o organization.Organization) string { return strconv.FormatInt(of(o), 10) }
	less := func(a, b organization.Organization) int { return cmp.Compare(of(a), of(b)) }
	return column{name, title, text, less, nil}
}

func optionalColumn(name, title string, of func(organization.Organization) *string) column {
	text := func(o organization.Organization) string {
		if of(o) == nil {
			return ""
		}
		return *of(o)
	}
	return textColumn(name, title, text)
}

// timeColumn returns a column of times. An organization without the time sorts before all others.
func timeColumn(name, title string, of func(organization.Organization) *time.Time) column {
	c := textColumn(name, title, func(o organization.Organization) string {
		if of(o) == nil {
			return ""
		}
		return organization.FormatTime(*of(o))
	})
	c.time = of
	return c
}

// cell returns the text for a table. Times are shorter there than in CSV.
func (c column) cell(o organization.Organization) string {
	if c.time != nil {
		return term.Time(c.time(o))
	}
	return cmp.Or(c.text(o), term.None)
}

// parseColumns reads names of columns, separated by commas.
func parseColumns(text string) ([]column, error) {
	var chosen []column
	for name := range strings.SplitSeq(text, ",") {
		c, err := parseColumn(name)
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, c)
	}
	return chosen, nil
}

func parseColumn(name string) (column, error) {
	var names []string
	for _, c := range columns() {
		if c.name == name {
			return c, nil
		}
		names = append(names, c.name)
	}
	return column{}, fmt.Errorf("%q is no column; these are: %s", name, strings.Join(names, ", "))
}

// order is how a list is sorted.
type order func(a, b organization.Organization) int

// parseOrder reads the name of a column, with a - before it for the largest first.
func parseOrder(text string) (order, error) {
	name, descending := strings.CutPrefix(text, "-")
	c, err := parseColumn(name)
	return func(a, b organization.Organization) int {
		sign := 1
		if descending {
			sign = -1
		}
		return cmp.Or(sign*c.less(a, b), cmp.Compare(a.ID, b.ID))
	}, err
}

// The formats of a list.
const (
	formatTable  = "table"
	formatJSON   = "json"
	formatNDJSON = "ndjson"
	formatCSV    = "csv"
)

func parseFormat(s string) (string, error) {
	if !slices.Contains([]string{formatTable, formatJSON, formatNDJSON, formatCSV}, s) {
		return "", errors.New("a format is one of table, json, ndjson and csv")
	}
	return s, nil
}

func parseState(s string) (string, error) {
	if s != stateActive && s != stateDeleted {
		return "", errors.New("a state is active or deleted")
	}
	return s, nil
}

// listFlags are the flags of list.
type listFlags struct {
	tier    *cli.Flag[organization.Tier]
	state   *cli.Flag[string]
	match   string
	order   *cli.Flag[order]
	limit   *cli.Flag[int64]
	after   *cli.Flag[organization.ID]
	columns *cli.Flag[[]column]
	format  *cli.Flag[string]
}

func listCommand(a *cli.App) *cobra.Command { return newListFlags().command(a) }

func newListFlags() *listFlags {
	return &listFlags{
		tier:    cli.NewFlag("free|pro|team|enterprise", "", organization.ParseTier),
		state:   cli.NewFlag("active|deleted", "", parseState),
		order:   cli.NewFlag("column", "", parseOrder),
		limit:   cli.NewNumber("", 1, 1<<53, "a limit is a whole number, 1 or more"),
		after:   cli.NewFlag("org", "", organization.ParseID),
		columns: cli.NewFlag("column,…", defaultColumns, parseColumns),
		format:  cli.NewFlag("table|json|ndjson|csv", formatTable, parseFormat),
	}
}

// command returns the command list with the flags.
func (f *listFlags) command(a *cli.App) *cobra.Command {
	c := &cobra.Command{
		Use:   "list",
		Short: "List organizations",
		Long: `List organizations, in the order of the store. The command prints them page by page while it reads. So the first ones
come at once, and it needs little memory, however many there are.

--sort reads all organizations before it prints the first. It keeps them all in memory, or with --limit only that many.

If there are more organizations than the limit, a table ends with the flag that shows the next ones. In JSON, next is the
organization to go on after. It is null at the end.

--json is short for --format json. In NDJSON each organization is one line. JSON and NDJSON have all properties. CSV has
those of --columns, and values that begin with = or + are not changed: have a spreadsheet read them as text.`,
		Example: `  orgs list --tier enterprise --sort -credit_count --limit 10
  orgs list --match northwind
  orgs list --columns organization_id,billing_email,updated_at --format csv
  orgs --store dynamodb:organizations-api list --format ndjson`,
		Args: func(c *cobra.Command, args []string) error {
			return cmp.Or(cli.Arguments(c, args), f.check(a))
		},
		RunE: a.RunWith(backend.OpenExisting, func(ctx context.Context, s *backend.Store, _ []string) error {
			return list(ctx, a, s, f)
		}),
	}
	c.Flags().Var(f.tier, "tier", "only those of the tier")
	c.Flags().Var(f.state, "state", "only those in the state")
	c.Flags().StringVar(&f.match, "match", "",
		"only those with the `TEXT` in their name, identifier or an email address; capitals do not matter")
	c.Flags().Var(f.order, "sort", "sort by a column; -COLUMN for the largest first")
	c.Flags().Var(f.limit, "limit", "how many at most")
	c.Flags().Var(f.after, "after", "only those that come after this organization")
	c.Flags().Var(f.columns, "columns", "which columns a table or CSV has")
	c.Flags().Var(f.format, "format", "how to print them")
	c.MarkFlagsMutuallyExclusive("sort", "after")
	return c
}

// check refuses flags that contradict each other.
func (f *listFlags) check(a *cli.App) error {
	if a.JSON {
		if f.format.Given && f.format.Value != formatJSON {
			return errors.New("--json is short for --format json, so give one of the two")
		}
		f.format.Value = formatJSON
	}
	if f.columns.Given && f.format.Value != formatTable && f.format.Value != formatCSV {
		return errors.New("--columns is for tables and CSV; JSON has all properties")
	}
	return nil
}

// matches reports whether the flags ask for the organization.
func (f *listFlags) matches(o organization.Organization) bool {
	return (!f.tier.Given || o.Tier == f.tier.Value) &&
		(!f.state.Given || organizationState(o) == f.state.Value) &&
		(f.match == "" || contains(f.match, o.Name, string(o.ID), orEmpty(o.BillingEmail), orEmpty(o.NotificationsEmail)))
}

// contains reports whether any of the texts contains the part. It takes capitals and small letters for the same.
func contains(part string, texts ...string) bool {
	part = strings.ToLower(part)
	return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(strings.ToLower(text), part) })
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// list prints the organizations that the flags ask for.
func list(ctx context.Context, a *cli.App, s *backend.Store, f *listFlags) error {
	out := newPrinter(a, f)
	all := s.OrganizationsAfter(ctx, f.after.Value)
	if f.order.Given {
		sorted, err := f.sorted(all)
		if err != nil {
			return err
		}
		for _, o := range sorted {
			if err := out.add(o); err != nil {
				return err
			}
		}
		return out.end("")
	}
	read, printed := 0, int64(0)
	var last organization.ID
	for o, err := range all {
		switch {
		case err != nil:
			return errors.Join(out.flush(), err)
		case f.limit.Given && printed == f.limit.Value:
			return out.end(last)
		case f.matches(o):
			if err := out.add(o); err != nil {
				return err
			}
			printed, last = printed+1, o.ID
		}
		if read++; read%backend.PageSize == 0 { // a page is printed before the next one is read
			if err := out.flush(); err != nil {
				return err
			}
		}
	}
	return out.end("")
}

// sorted returns the organizations that the flags ask for, in their order. It keeps up to twice the limit in memory.
func (f *listFlags) sorted(all iter.Seq2[organization.Organization, error]) ([]organization.Organization, error) {
	var kept []organization.Organization
	limit := int(f.limit.Value) // 0 if there is none
	cut := func() {
		slices.SortFunc(kept, f.order.Value)
		if limit > 0 && len(kept) > limit {
			clear(kept[limit:]) // they need no memory any more
			kept = kept[:limit]
		}
	}
	for o, err := range all {
		if err != nil {
			return nil, err
		}
		if f.matches(o) {
			kept = append(kept, o)
		}
		if limit > 0 && len(kept) >= 2*limit {
			cut()
		}
	}
	cut()
	return kept, nil
}

// printer prints organizations one after the other.
type printer struct {
	app     *cli.App
	flags   *listFlags
	table   *term.TableWriter // of the format table
	rows    [][]string        // that are not printed yet
	csv     *csv.Writer
	json    *term.ListWriter // of the format json
	printed bool
}

func newPrinter(a *cli.App, f *listFlags) *printer {
	p := &printer{app: a, flags: f}
	switch f.format.Value {
	case formatTable:
		var spare []string
		if !f.columns.Given {
			spare = []string{"VERSION", "CREATED", "CREDITS"}
		}
		p.table = a.Stdout.NewTableWriter(titles(f.columns.Value), spare...)
	case formatCSV:
		p.csv = csv.NewWriter(a.Stdout)
	case formatJSON:
		p.json = a.Stdout.NewListWriter("organizations")
	}
	return p
}

func titles(columns []column) []string {
	all := make([]string, 0, len(columns))
	for _, c := range columns {
		all = append(all, c.title)
	}
	return all
}

func (p *printer) add(o organization.Organization) error {
	switch p.flags.format.Value {
	case formatJSON:
		return p.json.Add(OrganizationToJSON(o))
	case formatNDJSON:
		return p.app.Stdout.WriteJSONLine(OrganizationToJSON(o))
	case formatCSV:
		return p.addCSV(o)
	}
	row := make([]string, 0, len(p.flags.columns.Value))
	for _, c := range p.flags.columns.Value {
		row = append(row, c.cell(o))
	}
	p.rows = append(p.rows, row)
	return nil
}

// addCSV writes a row of CSV (RFC 4180), after the header if it is the first.
func (p *printer) addCSV(o organization.Organization) error {
	if !p.printed {
		p.csvHeader()
	}
	row := make([]string, 0, len(p.flags.columns.Value))
	for _, c := range p.flags.columns.Value {
		text := c.text(o)
		if p.app.Stdout.Terminal {
			text = term.Printable(text) // a terminal obeys the escape sequences that it is sent
		}
		row = append(row, text)
	}
	_ = p.csv.Write(row) // Error has its error
	p.csv.Flush()
	return p.csv.Error()
}

func (p *printer) csvHeader() {
	p.printed = true
	names := make([]string, 0, len(p.flags.columns.Value))
	for _, c := range p.flags.columns.Value {
		names = append(names, c.name)
	}
	_ = p.csv.Write(names) // Error has its error
}

// flush prints what was collected.
func (p *printer) flush() error {
	if p.table == nil || len(p.rows) == 0 {
		return nil
	}
	rows := p.rows
	p.rows = nil
	return p.table.Write(rows)
}

// end completes the list. If there are more organizations, last is the one to go on after. Otherwise it is "".
func (p *printer) end(last organization.ID) error {
	switch p.flags.format.Value {
	case formatJSON:
		return p.json.End("next", nullIfEmpty(string(last)))
	case formatNDJSON:
		return nil
	case formatCSV:
		if !p.printed {
			p.csvHeader()
		}
		p.csv.Flush()
		return p.csv.Error()
	}
	err := cmp.Or(p.flush(), p.table.End())
	if err == nil && last != "" {
		_, err = fmt.Fprintf(p.app.Stdout, "\nThe limit is reached; to go on, add: --after %s\n", last)
	}
	return err
}
