package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func newRootCmd(io streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "vksync",
		Short: "Keep vSphere Kubernetes Service clusters equal to a Git repository",
		Long: `Keep vSphere Kubernetes Service clusters equal to what a Git repository
says, and see beforehand what a change will do: validate it, plan it, play
it on a simulated vCenter and Supervisor, and then apply it to the live ones,
once or with every push.

Exit codes:
    0  done, or nothing to do
    1  error
    2  there are changes (plan --detailed-exitcode)
    3  invalid input
    4  the run, live or simulated, did not reach its goals
  130  interrupted`,
		Example: `  vksync validate fleet
  vksync plan fleet --revision main
  vksync simulate fleet
  vksync apply fleet
  vksync run /srv/git/fleet.git
  vksync dashboard --replay run.jsonl`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return invalid(fmt.Errorf("%w\nRun '%s --help' to see what is possible", err, cmd.CommandPath()))
	})
	root.AddCommand(
		newValidateCmd(io),
		newPlanCmd(io, &connection{stderr: io.errs}),
		newSimulateCmd(io),
		newEvaluateCmd(io),
		newApplyCmd(io, &connection{stderr: io.errs}),
		newSandboxCmd(io),
		newRunCmd(),
		newDashboardCmd(io, &connection{stderr: io.errs}),
		newReportCmd(io),
		newVersionCmd(io),
	)
	root.InitDefaultCompletionCmd()
	if c, _, err := root.Find([]string{"completion"}); err == nil {
		c.Short = "Print the completion script of a shell"
	}
	return root
}

// choice is a flag with a few values.
type choice struct {
	value   *string
	allowed []string
}

// addChoice adds a flag whose value is one of allowed; the first is the default.
func addChoice(cmd *cobra.Command, value *string, name, short, usage string, allowed ...string) {
	*value = allowed[0]
	cmd.Flags().VarP(choice{value, allowed}, name, short, usage+": "+strings.Join(allowed, ", "))
	complete := cobra.FixedCompletions(allowed, cobra.ShellCompDirectiveNoFileComp)
	if err := cmd.RegisterFlagCompletionFunc(name, complete); err != nil {
		panic(err) // only when the flag does not exist
	}
}

func (c choice) String() string { return *c.value }
func (c choice) Type() string   { return "string" }

// Set takes one of the allowed values.
func (c choice) Set(value string) error {
	if !slices.Contains(c.allowed, value) {
		return fmt.Errorf("want one of %s", strings.Join(c.allowed, ", "))
	}
	*c.value = value
	return nil
}

// atMostOnePath is the argument of every command that reads manifests.
func atMostOnePath(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return invalid(fmt.Errorf("%s takes one PATH, not %d: %s\nRun '%s --help' to see what is possible",
			cmd.CommandPath(), len(args), strings.Join(args, " "), cmd.CommandPath()))
	}
	return nil
}
