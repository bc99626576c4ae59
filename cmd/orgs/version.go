package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// build is what Go put into the binary.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision"` // the commit; "" where it was not built from one
	Modified bool   `json:"modified"` // whether files differed from that commit
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func thisBuild() build {
	b := build{Version: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Version = info.Main.Version
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			b.Revision = setting.Value
		case "vcs.modified":
			b.Modified = setting.Value == "true"
		}
	}
	return b
}

func (b build) String() string {
	commit := "no commit known"
	if b.Revision != "" {
		commit = "commit " + b.Revision
		if b.Modified {
			commit += " with changes"
		}
	}
	return fmt.Sprintf("%s (%s), %s, %s", b.Version, commit, b.Go, b.Platform)
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version of this command, its commit, and the Go that built it",
		Example: "  orgs version\n  orgs version --json",
		Args:    cobra.NoArgs,
		RunE: a.does(func(context.Context, []string) error {
			b := thisBuild()
			if a.json {
				return writeJSON(a.stdout, b)
			}
			return writeLine(a.stdout, "orgs "+b.String())
		}),
	}
}
