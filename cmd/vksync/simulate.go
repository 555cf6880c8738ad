package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/tui"
)

// simulateOptions are the flags of simulate.
type simulateOptions struct {
	source
	site
	output   string
	progress string
	mode     tui.Mode // what progress comes to
	quiet    bool
	save     string
}

func newSimulateCmd(io streams) *cobra.Command {
	var o simulateOptions
	cmd := &cobra.Command{
		Use:   "simulate [PATH]",
		Short: "Play the change on a simulated site, and watch it",
		Long: `Make the plan for the manifests below PATH and play it on a simulated
vCenter and Supervisor: live on a terminal, as lines that are only appended
to anywhere else. At the end comes the summary.

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
	o.source.addFlags(cmd)
	o.site.addFlags(cmd)
	addChoice(cmd, &o.output, "output", "o", "form of the result", "text", "json")
	addChoice(cmd, &o.progress, "progress", "", "display while it runs", "auto", "tty", "plain", "quiet")
	addQuiet(cmd, &o.quiet)
	cmd.MarkFlagsMutuallyExclusive("output", "quiet")
	cmd.MarkFlagsMutuallyExclusive("progress", "quiet")
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
		if err := o.checkSave(); err != nil {
			return invalid(err)
		}
	}
	modes := map[string]tui.Mode{"auto": tui.Auto, "tty": tui.Live, "plain": tui.Plain, "quiet": tui.Quiet}
	var err error
	if o.mode, err = tui.Choose(tui.Detect(out, os.Environ()), modes[o.progress]); err != nil {
		return invalid(fmt.Errorf("--progress %s: %w", o.progress, err))
	}
	return o.site.check()
}

func (o *simulateOptions) checkSave() error {
	if _, err := os.Stat(o.save); errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("--save %s: %w", o.save, err)
	}
	if entries, err := os.ReadDir(o.save); err != nil || len(entries) > 0 {
		return fmt.Errorf("--save %s exists and is not an empty directory: a saved world is never overwritten, name a new one", o.save)
	}
	return nil
}

func (o *simulateOptions) run(ctx context.Context, io streams) (err error) {
	if err := o.check(io.out); err != nil {
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
	end, err := o.play(ctx, io, s, d.tree.Name)
	if err != nil {
		return err
	}
	if o.output == "json" {
		if err := writeJSON(io.out, runDocumentOf(s.recorder.Timeline())); err != nil {
			return err
		}
	}
	if o.save != "" && end.Outcome != journal.Interrupted {
		if err := s.world.Save(o.save); err != nil {
			return err
		}
	}
	return s.verdict(end, !o.displayed(), true)
}

// displayed says whether the run is shown in words, not only as a result.
func (o *simulateOptions) displayed() bool { return !o.quiet && o.output == "text" }

// play runs the plan with the display that was asked for, which ends with the
// summary.
func (o *simulateOptions) play(ctx context.Context, io streams, s *session, title string) (journal.End, error) {
	if !o.displayed() {
		return s.run(ctx)
	}
	options := displayOptions(io.out, title)
	options.Speed = o.speed
	ctx, interrupt := context.WithCancel(ctx)
	defer interrupt()
	display := tui.Start(ctx, o.mode, io.in, io.out, options, interrupt)
	end, err := s.run(ctx, display.Event)
	return end, errors.Join(err, display.Close())
}
