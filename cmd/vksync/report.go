package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/tui"
	"github.com/vksync/vksync/tui/dashboard"
	"github.com/vksync/vksync/tui/paint"
	reports "github.com/vksync/vksync/tui/report"
)

// reportOptions are the flags of report.
type reportOptions struct {
	journal string
	out     string
	format  string
	title   string
	light   bool
	at      time.Duration
}

func newReportCmd(io streams) *cobra.Command {
	var o reportOptions
	cmd := &cobra.Command{
		Use:   "report JOURNAL",
		Short: "Make a page, a picture or a text of a past run",
		Long: `Make of a journal, as --journal writes it, one HTML file with the timeline
of every cluster, why what was not reached was not, the plan with its
findings, warnings, and the use of the site. It opens without a network;
a part behind "#" in its address filters it: report.html#state=blocked&q=shop.

JOURNAL - reads standard input. A journal that was cut in the middle of a
line, as by a crash, is reported on up to there, and the report says so.
--out is written whole or not at all.`,
		Example: `  vksync simulate fleet --journal run.jsonl
  vksync report run.jsonl --out run.html
  vksync report run.jsonl --format svg > run.svg
  zcat old.jsonl.gz | vksync report - --format text`,
		Args: oneJournal,
		RunE: runE(func(cmd *cobra.Command, args []string) error {
			o.journal = args[0]
			return o.run(cmd.Context(), io)
		}),
	}
	addChoice(cmd, &o.format, "format", "", "form of the report", "html", "svg", "text")
	cmd.Flags().StringVar(&o.out, "out", "", "file to write to, or replace; standard output without it")
	cmd.Flags().StringVar(&o.title, "title", "", "heading of the report")
	cmd.Flags().DurationVar(&o.at, "at", 0, "how long after its start to look at the run; 0: at its end")
	cmd.Flags().BoolVar(&o.light, "light", false, "draw the picture for a light background")
	return cmd
}

func oneJournal(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return invalid(fmt.Errorf("%s takes one JOURNAL, the file that --journal wrote or - for standard input, not %d\nRun '%s --help' to see what is possible",
			cmd.CommandPath(), len(args), cmd.CommandPath()))
	}
	return nil
}

func (o *reportOptions) run(ctx context.Context, io streams) error {
	if o.at < 0 {
		return invalid(fmt.Errorf("--at is %s: want 0 (the end of the journal) or more", o.at))
	}
	in, err := o.open(ctx, io.in)
	if err != nil {
		return invalid(err)
	}
	defer in.Close() // which was only read
	out, err := createOutput(o.out, in.file)
	if err != nil {
		return err
	}
	board := dashboard.NewBoard()
	run, err := o.read(in, io.errs, o.follow(board))
	if err != nil {
		return errors.Join(err, out.drop())
	}
	if err := o.write(out.to(io.out), run, board, io.out); err != nil {
		return errors.Join(fmt.Errorf("writing the report: %w", err), out.drop())
	}
	return out.keep()
}

// read takes in the journal, and says where that ends too early.
func (o *reportOptions) read(in *input, errs io.Writer, sink func(journal.Event)) (*reports.Run, error) {
	run, err := reports.Read(in, o.at, sink)
	switch {
	case err != nil && in.err != nil: // it could not be read, whatever it holds
		return nil, fmt.Errorf("reading %s: %w", in.name, in.err)
	case err != nil:
		return nil, invalid(fmt.Errorf("%s: %w", in.name, err))
	case run.Cut():
		_, err := fmt.Fprintf(errs, "vksync: %s ends in the middle of a line; the report is of what is before it, up to %s\n",
			shown(in.name), paint.Clock(run.Timeline().Elapsed()))
		return run, err
	}
	return run, nil
}

// write writes the report; terminal is what standard output is.
func (o *reportOptions) write(w io.Writer, run *reports.Run, board *dashboard.Board, terminal *os.File) error {
	switch o.format {
	case "svg":
		return o.picture(w, run, board)
	case "text":
		return o.text(w, run, terminal)
	}
	return reports.HTML(w, run, reports.Options{Title: o.title})
}

// text is the summary that the run itself would have ended with.
func (o *reportOptions) text(w io.Writer, run *reports.Run, terminal *os.File) error {
	options := tui.Options{Width: 100, Title: shown(o.title)}
	if o.out == "" {
		options = displayOptions(terminal, o.title)
	}
	if run.Cut() {
		if _, err := fmt.Fprintf(w, "The journal ends in the middle of a line; this is what is before it.\n\n"); err != nil {
			return err
		}
	}
	return tui.Summary(w, run.Timeline(), options)
}
