package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newVersionCmd(io streams) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version, its commit, and Go's version",
		Example: "  vksync version",
		Args:    cobra.NoArgs,
		RunE: runE(func(*cobra.Command, []string) error {
			b := build()
			_, err := fmt.Fprintf(io.out, "vksync %s\ncommit %s\n%s %s/%s\n", b.Version, b.Commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		}),
	}
}

// buildInfo is what the binary says of itself.
type buildInfo struct{ Version, Commit string }

// build reads what the Go tool wrote into the binary.
func build() buildInfo {
	b := buildInfo{Version: "devel", Commit: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		b.Version = v
	}
	changed := ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			b.Commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = " with changes"
		}
	}
	b.Commit += changed
	return b
}
