package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newValidateCmd(io streams) *cobra.Command {
	var from source
	var quiet bool
	cmd := &cobra.Command{
		Use:   "validate [PATH]",
		Short: "Check every manifest and say all that is wrong",
		Long: `Check every manifest below PATH, a file or a directory, and what they ask
for together. All problems come in one run, each with file, line and column,
what was found, what is allowed and what to do next. Nothing is contacted.`,
		Example: `  vksync validate
  vksync validate fleet/payments
  vksync validate fleet --revision release-7`,
		Args: atMostOnePath,
		RunE: runE(func(cmd *cobra.Command, args []string) error {
			from.setArgs(args)
			d, err := from.load(cmd.Context())
			if err != nil {
				return err
			}
			kinds := d.kinds()
			if kinds == "" {
				return d.errNothing()
			}
			if quiet {
				return nil
			}
			_, err = fmt.Fprintf(io.out, "%s: valid\n", kinds)
			return err
		}),
	}
	from.addFlags(cmd)
	addQuiet(cmd, &quiet)
	return cmd
}

func addQuiet(cmd *cobra.Command, quiet *bool) {
	cmd.Flags().BoolVarP(quiet, "quiet", "q", false, "print only what is wrong")
}
