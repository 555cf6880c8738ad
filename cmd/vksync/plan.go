package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/vksync/vksync/tui"
)

// planOptions are the flags of plan.
type planOptions struct {
	job
	site
	connector
	live     bool
	out      string
	output   string
	quiet    bool
	detailed bool
	foresight
}

func newPlanCmd(io streams, to connector) *cobra.Command {
	o := planOptions{connector: to}
	cmd := &cobra.Command{
		Use:   "plan [PATH]",
		Short: "Show what would change, and forecast how it goes",
		Long: `Compare the manifests below PATH with a simulated vCenter and Supervisor,
and show the preflight findings, every change, and a forecast: the plan
played on a copy of that world, with the time at which each phase of each
cluster ends.

What vksync would change is computed by the shipping planner. What the
Supervisor then does, and how long it takes, is modelled.

With --live, or a flag that names a Supervisor, the plan is for the live
one and its vCenter, which are only read. The forecast is then played on a
simulated copy: the site of the Inventory (of --inventory, or in PATH), on
which first what was observed is made. --out saves the plan, for apply.
The vCenter is found as govc finds it, the Supervisor as kubectl does, or
both in the file of run that --config names: of several Supervisors in it,
--supervisor chooses one, and the plan is for what belongs there.`,
		Example: `  vksync plan fleet
  vksync plan fleet --revision feature/scale --detailed-exitcode
  vksync plan fleet --inventory site.yaml -o json
  vksync plan fleet --from world --prune
  vksync plan fleet --live --revision main --out friday.plan
  vksync plan fleet --config vksync.yaml --supervisor lab`,
		Args: atMostOnePath,
		RunE: runE(func(cmd *cobra.Command, args []string) error {
			o.setArgs(args)
			o.live = wantsLive(cmd, o.live)
			for _, name := range []string{"from", "seed"} {
				if o.live && cmd.Flags().Changed(name) {
					return invalid(fmt.Errorf("--%s is for a simulated world, and the plan is for a live one", name))
				}
			}
			return o.run(cmd.Context(), io)
		}),
	}
	o.job.addFlags(cmd)
	o.site.addFlags(cmd)
	o.connector.addFlags(cmd)
	addChoice(cmd, &o.output, "output", "o", "form of the result", "text", "json")
	addQuiet(cmd, &o.quiet)
	cmd.MarkFlagsMutuallyExclusive("output", "quiet")
	o.foresight.addFlags(cmd)
	cmd.Flags().BoolVar(&o.live, "live", false, "plan for the live Supervisor and vCenter")
	cmd.Flags().StringVar(&o.out, "out", "", "file to save the plan to, for apply; only with --live")
	cmd.Flags().BoolVar(&o.detailed, "detailed-exitcode", false, "exit with 2 when there are changes")
	return cmd
}

// check refuses values that cannot be used.
func (o *planOptions) check() error {
	switch {
	case o.out != "" && !o.live:
		return invalid(errors.New("--out needs --live: a plan for a simulated world can be applied nowhere"))
	case o.journal != "" && o.none:
		return invalid(errors.New("--journal is of the forecast, and --no-forecast asks for none"))
	case o.none && !o.live:
		return invalid(errors.New("--no-forecast needs --live: a simulated world is there to play the plan on"))
	}
	if err := o.policy.check(); err != nil {
		return err
	}
	return o.site.check()
}

func (o *planOptions) run(ctx context.Context, io streams) (err error) {
	if err := o.check(); err != nil {
		return err
	}
	at := o.site.venue
	if o.live {
		at = (&live{connector: o.connector, inventory: o.inventory}).venue
	}
	s, err := o.begin(ctx, at)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := o.show(io, s); err != nil {
		return err
	}
	if o.live {
		err = o.conclude(ctx, io, s)
	} else {
		err = o.forecast(ctx, io, s)
	}
	if err == nil && o.detailed && s.changes() {
		return outcome{code: exitChanges}
	}
	return err
}

// text says whether the plan is shown in words.
func (o *planOptions) text() bool { return !o.quiet && o.output == "text" }

func (o *planOptions) show(io streams, s *session) error {
	if !o.text() {
		return nil
	}
	return showPlan(io.out, s)
}

// showPlan shows the plan, and for a live world which one that is.
func showPlan(w io.Writer, s *session) error {
	heading := ""
	if s.world == nil {
		heading = fmt.Sprintf("LIVE: %s, %s\n\n", s.names()[0], s.names()[1])
	}
	_, err := fmt.Fprint(w, shown(heading+s.plan.Text()))
	return err
}

// forecast plays the plan.
func (o *planOptions) forecast(ctx context.Context, io streams, s *session) error {
	end, err := s.run(ctx)
	if err != nil {
		return err
	}
	forecast := runDocumentOf(s.recorder.Timeline())
	switch {
	case o.text() && s.acts():
		fmt.Fprintln(io.out)
		err = tui.Forecast(io.out, s.recorder.Timeline(), displayOptions(io.out, s.desired.tree.Name))
	case o.output == "json":
		err = writeJSON(io.out, planDocument{Plan: s.plan, Forecast: &forecast})
	}
	if err != nil {
		return err
	}
	return s.verdict(end, !o.text(), !o.text())
}

// conclude ends a plan for a live world: with its forecast, if one can be made.
func (o *planOptions) conclude(ctx context.Context, io streams, s *session) error {
	if err := o.foresee(ctx, s, o.journal); err != nil {
		return err
	}
	switch {
	case o.output == "json":
		if err := writeJSON(io.out, planDocumentOf(s)); err != nil {
			return err
		}
	case o.text():
		if err := s.ahead.show(io.out, s.desired.tree.Name); err != nil {
			return err
		}
	}
	if o.out != "" {
		if err := o.savePlan(s); err != nil {
			return err
		}
		if o.text() {
			fmt.Fprintf(io.out, "\nSaved to %s. To apply exactly this: vksync apply %[1]s\n", shown(o.out))
		}
	}
	if s.plan.Failed() {
		return s.errCheckFailed(!o.text())
	}
	return s.ahead.verdict(!o.text())
}
