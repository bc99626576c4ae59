package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"organizations-api/cmd/orgs/internal/cli"
)

func manCommand(a *cli.App) *cobra.Command {
	var c *cobra.Command
	c = &cobra.Command{
		Use:     "man FOLDER",
		Short:   "Write a manual page for each command into a folder",
		Long:    "Write a manual page for each command into a folder. If the folder is missing, it is made. To read a page: man -l FOLDER/orgs.1",
		Example: "  orgs man build/man",
		Args:    cli.Arguments,
		RunE: a.Run(func(_ context.Context, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			c.Root().DisableAutoGenTag = true // without it, the pages are the same on every day
			header := doc.GenManHeader{Title: "ORGS", Section: "1", Source: "orgs", Manual: "Organizations API"}
			return doc.GenManTree(c.Root(), &header, args[0])
		}),
	}
	return c
}
