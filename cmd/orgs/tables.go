package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"
)

func (a *app) tablesCommand() *cobra.Command {
	c := group(&cobra.Command{Use: "tables", Short: "Prepare DynamoDB", Example: "  orgs tables create --store dynamodb:dev"})
	c.AddCommand(&cobra.Command{
		Use:   "create",
		Short: "Create the DynamoDB tables where they are missing",
		Long: `Create the DynamoDB tables where they are missing, for a local endpoint ($` + endpointVariable + `). In AWS the
template creates them, with backups and protection against deletion that these do not have.`,
		Example: "  orgs tables create --store dynamodb:dev",
		Args:    cobra.NoArgs,
		PreRunE: func(*cobra.Command, []string) error {
			return a.needsDynamoDB("a SQLite file needs no tables created")
		},
		RunE: a.doesWithNewStore(func(ctx context.Context, s *storage, _ []string) error {
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
