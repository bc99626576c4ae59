package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"organizations-api/cmd/orgs/internal/cli"
)

// build is the information that Go puts into the binary.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision"` // the commit, or "" if it was built from none
	Modified bool   `json:"modified"` // files differed from that commit
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

// addVersion gives the root the flag --version.
func addVersion(a *cli.App, root *cobra.Command) {
	wanted := root.Flags().Bool("version", false, "print the version of this command, its commit, and the Go that built it")
	help := root.RunE
	root.RunE = func(c *cobra.Command, args []string) error {
		if !*wanted || len(args) > 0 {
			return help(c, args)
		}
		b := thisBuild()
		return a.Print(b, "orgs "+b.String())
	}
}
