package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/plan"
)

// applyOptions are the flags of apply.
type applyOptions struct {
	job
	live
	display
	foresight
	yes     bool
	timeout time.Duration
	// saved is the plan in a file; nil when one is to be made.
	saved *plan.Saved
	file  string

	interactive func() bool
}

func newApplyCmd(io streams, to connector) *cobra.Command {
	return applyCmd(io, applyOptions{live: live{connector: to}, interactive: func() bool { return interactive(io.in) }})
}

func applyCmd(io streams, o applyOptions) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "apply [PATH|FILE]",
		Short: "Make the live clusters what the repository says",
		Long: `Make the plan for the manifests below PATH and the live Supervisor and
vCenter, show it, ask, and run it: live on a terminal, as lines anywhere
else, with --progress json as the events themselves. It ends when every
cluster is available, or when nothing moves any more, and says why.

On a terminal the plan is shown on the dashboard, with its checks and its
forecast, and approved there: the key a, and the word yes. The run goes on
in the same place. Leaving with q applies nothing.

FILE is a plan that plan --out has saved. It is applied as it was shown, or
refused with what has changed since: it is bound to the manifests, to the
Supervisor, and to everything it was computed from. It is used once.

The vCenter is found as govc finds it, the Supervisor as kubectl does, or
both in the file of run that --config names: of several Supervisors in it,
--supervisor chooses one, and what belongs there is applied. Sources and
policies of the file are for run; here flags say what may be done.

Ctrl-C ends the run and nothing else: what has begun goes on, and the next
run continues. Nothing is kept that could be lost.`,
		Example: `  vksync apply fleet
  vksync apply fleet --revision main --yes
  vksync apply fleet --prune --prune-limit 1
  vksync apply fleet --config vksync.yaml --supervisor lab
  vksync plan fleet --live --out friday.plan && vksync apply friday.plan`,
		Args: atMostOnePath,
		RunE: runE(func(cmd *cobra.Command, args []string) error {
			o.setArgs(args)
			if err := o.readPlan(cmd); err != nil {
				return err
			}
			return o.run(cmd.Context(), io)
		}),
	}
	f := cmd.Flags()
	o.job.addFlags(cmd)
	o.connector.addFlags(cmd)
	o.display.addFlags(cmd)
	o.foresight.addFlags(cmd)
	f.StringVar(&o.inventory, "inventory", "", "file with the Inventory, for checks and forecast; else that in PATH")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	f.BoolVar(&o.yes, "auto-approve", false, "the same as --yes")
	f.DurationVar(&o.timeout, "timeout", 0, "end the run after this long, such as 90m; 0: when nothing moves any more")
	return cmd
}

// readPlan takes everything from a saved plan, if there is one.
func (o *applyOptions) readPlan(cmd *cobra.Command) error {
	saved, err := readSaved(o.path)
	if saved == nil || err != nil {
		return err
	}
	for _, name := range append([]string{"revision", "inventory"}, policyFlags...) {
		if cmd.Flags().Changed(name) {
			return invalid(fmt.Errorf("--%s is part of the saved plan %s and cannot be changed: make a new plan", name, o.path))
		}
	}
	made, err := saved.Policy()
	if err != nil {
		return invalid(err)
	}
	o.policy.setFrom(made)
	o.saved, o.file = saved, o.path
	o.path, o.revision, o.inventory = saved.From.Path, saved.From.Revision, saved.From.Inventory
	return nil
}

// check refuses values that cannot be used.
func (o *applyOptions) check(out *os.File) error {
	if o.timeout < 0 {
		return invalid(fmt.Errorf("--timeout is %s: want a duration such as 90m, or 0 for none", o.timeout))
	}
	if err := o.display.check(out); err != nil {
		return err
	}
	return o.policy.check()
}

func (o *applyOptions) run(ctx context.Context, io streams) (err error) {
	if err := o.check(io.out); err != nil {
		return err
	}
	s, err := o.begin(ctx, o.venue)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if o.saved != nil {
		if err := s.holds(o.saved); err != nil {
			return err
		}
	}
	tells := o.shows() && !o.asksOnScreen(s)
	if tells {
		if err := showPlan(io.out, s); err != nil {
			return err
		}
	}
	if err := o.foresee(ctx, s, ""); err != nil {
		return err
	}
	if o.asksOnScreen(s) {
		return o.propose(ctx, io, s)
	}
	if tells {
		if err := s.ahead.show(io.out, s.desired.tree.Name); err != nil {
			return err
		}
	}
	if err := o.approve(ctx, io, s); err != nil {
		return err
	}
	return o.perform(ctx, s, func(ctx context.Context) (journal.End, error) { return o.play(ctx, io, s, 0) })
}

// approve sees to it that the plan is meant. Who saved one has said so.
func (o *applyOptions) approve(ctx context.Context, io streams, s *session) error {
	switch {
	case !s.acts():
		return nil
	case o.saved != nil:
		return use(o.file)
	case o.yes:
		return nil
	case !o.interactive():
		return invalid(errors.New("nobody can be asked, since standard input is no terminal: run with --yes to apply without asking, or apply a plan that plan --out has saved"))
	}
	if !o.shows() { // who is asked has to see what
		if err := showPlan(o.asks(io), s); err != nil {
			return err
		}
	}
	question := fmt.Sprintf("Apply this to %s?", strings.Join(s.names(), " and "))
	if err := confirm(ctx, io.in, io.errs, question); err != nil {
		return err
	}
	return s.stillHolds(ctx)
}

// errTimeout ends the context of a run that takes longer than --timeout.
var errTimeout = errors.New("the time is up")

// perform plays the plan, and says how that ended.
func (o *applyOptions) perform(ctx context.Context, s *session, play func(context.Context) (journal.End, error)) error {
	if o.timeout > 0 {
		var end context.CancelFunc
		ctx, end = context.WithTimeoutCause(ctx, o.timeout, errTimeout)
		defer end()
	}
	end, err := play(ctx)
	if err != nil {
		return err
	}
	err = s.verdict(end, !o.shows(), !o.shows())
	if err != nil && errors.Is(context.Cause(ctx), errTimeout) {
		return outcome{exitNotReached, fmt.Errorf("the --timeout of %s has passed: %w", o.timeout, err)}
	}
	return err
}
