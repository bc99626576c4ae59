package main

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

func (a *app) tablesCommand() *cobra.Command {
	c := group(&cobra.Command{Use: "tables", Short: "Prepare DynamoDB"})
	c.AddCommand(&cobra.Command{
		Use:   "create",
		Short: "Create the DynamoDB tables where they are missing",
		Long: `Create the DynamoDB tables where they are missing, for a local endpoint ($` + endpointVariable + `). In AWS the
template creates them, with backups and protection against deletion that these do not have.`,
		Args: cobra.NoArgs,
		RunE: a.doesWithStore(func(ctx context.Context, s *storage, _ []string) error {
			if s.createTables == nil {
				return usageError("the store %s needs no tables created; --store dynamodb:PREFIX does", s.choice)
			}
			if err := s.createTables(ctx); err != nil {
				return err
			}
			if a.json {
				return writeJSON(a.stdout, struct {
					Tables []string `json:"tables"`
				}{s.tables})
			}
			return writeLine(a.stdout, "The tables "+strings.Join(s.tables, " and ")+" are there.")
		}),
	})
	return c
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of this command",
		Args:  cobra.NoArgs,
		RunE: a.does(func(context.Context, []string) error {
			version, revision := buildVersion()
			if a.json {
				return writeJSON(a.stdout, struct {
					Version  string `json:"version"`
					Revision string `json:"revision"`
				}{version, revision})
			}
			return writeLine(a.stdout, strings.TrimSpace(fmt.Sprintf("orgs %s %s", version, revision)))
		}),
	}
}

// buildVersion returns what Go put into the binary: the module's version, and the commit where it was built from one.
func buildVersion() (version, revision string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown", ""
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			revision = setting.Value
		}
	}
	return info.Main.Version, revision
}
