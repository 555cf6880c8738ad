package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/tui"
)

// display is how a run and its result are shown.
type display struct {
	output   string
	progress string
	mode     tui.Mode // what progress comes to
	quiet    bool
}

func (d *display) addFlags(cmd *cobra.Command) {
	addChoice(cmd, &d.output, "output", "o", "form of the result", "text", "json")
	addChoice(cmd, &d.progress, "progress", "", "display while it runs", "auto", "tty", "plain", "json", "quiet")
	addQuiet(cmd, &d.quiet)
	cmd.MarkFlagsMutuallyExclusive("output", "quiet")
	cmd.MarkFlagsMutuallyExclusive("progress", "quiet")
}

// check refuses a display that out cannot show.
func (d *display) check(out *os.File) (err error) {
	if d.output == "json" && d.progress == "json" {
		return invalid(errors.New("--progress json and -o json both write JSON to standard output: use one of them, the events as they happen or the result"))
	}
	modes := map[string]tui.Mode{"auto": tui.Auto, "tty": tui.Live, "plain": tui.Plain, "json": tui.JSON, "quiet": tui.Quiet}
	if d.mode, err = tui.Choose(tui.Detect(out, os.Environ()), modes[d.progress]); err != nil {
		return invalid(fmt.Errorf("--progress %s: %w", d.progress, err))
	}
	return nil
}

// shows says whether the run is shown in words, not only as a result.
func (d *display) shows() bool { return !d.quiet && d.output == "text" && d.mode != tui.JSON }

// asks is where the plan is shown to somebody who is asked: on standard output,
// unless programs read that.
func (d *display) asks(io streams) io.Writer {
	if d.output == "json" || d.mode == tui.JSON {
		return io.errs
	}
	return io.out
}

// play runs the plan with the display that was asked for, which ends with the
// summary, or ends with the result as JSON.
func (d *display) play(ctx context.Context, io streams, s *session, speed float64) (journal.End, error) {
	if !d.shows() && d.mode != tui.JSON {
		end, err := s.run(ctx)
		if err == nil && d.output == "json" {
			err = writeJSON(io.out, runDocumentOf(s.recorder.Timeline()))
		}
		return end, err
	}
	ctx, interrupt := context.WithCancel(ctx)
	defer interrupt()
	options := displayOptions(io.out, s.desired.tree.Name)
	options.Speed = speed
	return playOn(ctx, s, tui.Start(ctx, d.mode, io.in, io.out, options, interrupt))
}

// playOn runs the plan on a display that has begun.
func playOn(ctx context.Context, s *session, shown tui.Display) (journal.End, error) {
	end, err := s.run(ctx, shown.Event)
	return end, errors.Join(err, shown.Close())
}

// displayOptions fit results to what they are written to.
func displayOptions(out *os.File, title string) tui.Options {
	o := tui.Detect(out, os.Environ()).Options()
	o.Title = shown(title)
	return o
}
