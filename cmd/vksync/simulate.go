package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/vksync/vksync/reconcile/journal"
)

// simulateOptions are the flags of simulate.
type simulateOptions struct {
	job
	site
	display
	save string
}

func newSimulateCmd(io streams) *cobra.Command {
	var o simulateOptions
	cmd := &cobra.Command{
		Use:   "simulate [PATH]",
		Short: "Play the change on a simulated site, and watch it",
		Long: `Make the plan for the manifests below PATH and play it on a simulated
vCenter and Supervisor: live on a terminal, as lines that are only appended
to anywhere else. At the end comes the summary. With --progress json every
event is a line of JSON on standard output as it happens, and nothing else is.

Time is the model's: hours pass in milliseconds unless --speed slows them
down. A run that is over at once shows only the summary. Ctrl-C ends the
run and shows what was reached.`,
		Example: `  vksync simulate fleet
  vksync simulate fleet --speed 60
  vksync simulate fleet --save world
  vksync simulate changed --from world
  vksync simulate fleet --journal run.jsonl -o json`,
		Args: atMostOnePath,
		RunE: runE(func(cmd *cobra.Command, args []string) error {
			o.setArgs(args)
			return o.run(cmd.Context(), io)
		}),
	}
	o.job.addFlags(cmd)
	o.site.addFlags(cmd)
	o.display.addFlags(cmd)
	cmd.Flags().Float64Var(&o.speed, "speed", 0, "seconds of model time per second; 0: as fast as it can")
	cmd.Flags().StringVar(&o.save, "save", "", "new directory to save the world to at the end")
	return cmd
}

// check refuses values that cannot be used, before anything has run for long.
func (o *simulateOptions) check(out *os.File) error {
	if !(o.speed >= 0) {
		return invalid(fmt.Errorf("--speed is %g: want 0 (as fast as possible) or more", o.speed))
	}
	if o.save != "" {
		if err := checkSave(o.save); err != nil {
			return invalid(err)
		}
	}
	if err := o.display.check(out); err != nil {
		return err
	}
	if err := o.policy.check(); err != nil {
		return err
	}
	return o.site.check()
}

// checkSave refuses a directory that a world cannot be saved to.
func checkSave(dir string) error {
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("--save %s: %w", dir, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		return fmt.Errorf("--save %s exists and is not an empty directory: a saved world is never overwritten, name a new one", dir)
	}
	return nil
}

func (o *simulateOptions) run(ctx context.Context, io streams) (err error) {
	if err := o.check(io.out); err != nil {
		return err
	}
	s, err := o.begin(ctx, o.venue)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if o.speed > 0 && !o.quiet && o.output == "text" { // somebody watches, and wants to know how long still
		fast := o.site
		fast.speed = 0
		if err := s.foresee(ctx, aheadTime, s.again(fast.venue)); err != nil {
			return err
		}
	}
	end, err := o.play(ctx, io, s, o.speed)
	if err != nil {
		return err
	}
	if o.save != "" && end.Outcome != journal.Interrupted {
		if err := s.world.Save(o.save); err != nil {
			return err
		}
	}
	return s.verdict(end, !o.shows(), true)
}
