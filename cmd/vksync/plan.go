package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/vksync/vksync/tui"
)

// planOptions are the flags of plan.
type planOptions struct {
	source
	site
	output   string
	quiet    bool
	detailed bool
}

func newPlanCmd(io streams) *cobra.Command {
	var o planOptions
	cmd := &cobra.Command{
		Use:   "plan [PATH]",
		Short: "Show what would change, and forecast how it goes",
		Long: `Compare the manifests below PATH with a simulated vCenter and Supervisor,
and show the preflight findings, every change, and a forecast: the plan
played on a copy of that world, with the time at which each phase of each
cluster ends.

What vksync would change is computed by the shipping planner. What the
Supervisor then does, and how long it takes, is modelled.`,
		Example: `  vksync plan fleet
  vksync plan fleet --revision feature/scale --detailed-exitcode
  vksync plan fleet --inventory site.yaml -o json
  vksync plan fleet --from world --prune`,
		Args: atMostOnePath,
		RunE: runE(func(cmd *cobra.Command, args []string) error {
			o.setArgs(args)
			return o.run(cmd.Context(), io)
		}),
	}
	o.source.addFlags(cmd)
	o.site.addFlags(cmd)
	addChoice(cmd, &o.output, "output", "o", "form of the result", "text", "json")
	addQuiet(cmd, &o.quiet)
	cmd.MarkFlagsMutuallyExclusive("output", "quiet")
	cmd.Flags().BoolVar(&o.detailed, "detailed-exitcode", false, "exit with 2 when there are changes")
	return cmd
}

func (o *planOptions) run(ctx context.Context, io streams) (err error) {
	if err := o.check(); err != nil {
		return err
	}
	d, err := o.load(ctx)
	if err != nil {
		return err
	}
	s, err := o.begin(ctx, d)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	text := !o.quiet && o.output == "text"
	if text {
		if _, err := fmt.Fprint(io.out, shown(s.plan.Text())); err != nil {
			return err
		}
	}
	end, err := s.run(ctx)
	if err != nil {
		return err
	}
	switch {
	case text && s.acts():
		fmt.Fprintln(io.out)
		err = tui.Forecast(io.out, s.recorder.Timeline(), displayOptions(io.out, d.tree.Name))
	case o.output == "json":
		err = writeJSON(io.out, planDocument{Plan: s.plan, Forecast: runDocumentOf(s.recorder.Timeline())})
	}
	if err != nil {
		return err
	}
	if err := s.verdict(end, !text, !text); err != nil {
		return err
	}
	if o.detailed && s.changes() {
		return outcome{code: exitChanges}
	}
	return nil
}

// displayOptions fit results to what they are written to.
func displayOptions(out *os.File, title string) tui.Options {
	o := tui.Detect(out, os.Environ()).Options()
	o.Title = shown(title)
	return o
}
