package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/tui"
)

// What a forecast may cost: somebody waits for that of a live plan, and a run that is
// watched is to begin. Twelve clusters of 84 machines take half a second.
const (
	forecastGoals = 200
	forecastTime  = 20 * time.Second
	aheadTime     = 5 * time.Second
)

// An outlook is the forecast of a plan, or why there is none.
type outlook struct {
	// played is the session in which the plan was played; nil without a forecast.
	played *session
	end    journal.End
	meters *journal.Meters
	// basis says what the world was made of in which it was played.
	basis string
	// without are the parts of the plan that could not be played, and why.
	without []string
	// none is why there is no forecast; empty also where there is nothing to forecast.
	none string
}

// forecast is for the first event of a journal; nil when there is none.
func (o *outlook) forecast() *journal.Forecast {
	if o == nil || o.played == nil {
		return nil
	}
	return journal.ForecastOf(o.played.recorder.Timeline(), o.meters.Peaks(), o.basis)
}

// foresight is whether a plan for a live world is played on a copy of it.
type foresight struct{ none bool }

func (f *foresight) addFlags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.none, "no-forecast", false, "do not play the plan on a simulated copy of the live world")
}

// foresee plays the plan of a live session, unless that is not wanted. The events go
// to the file that is named.
func (f *foresight) foresee(ctx context.Context, s *session, file string) error {
	if f.none {
		s.ahead = &outlook{}
		return nil
	}
	return s.foresee(ctx, forecastTime, s.rehearse(file))
}

// foresee has the plan played on another world, within bounds. Why that was not
// possible is in the outlook and never an error; the end of ctx is one.
func (s *session) foresee(ctx context.Context, most time.Duration, play func(context.Context) (*outlook, error)) error {
	s.ahead = &outlook{}
	if !s.acts() {
		return nil
	}
	if sum := s.plan.Summary(); sum.Create+sum.Update+sum.Delete > forecastGoals {
		s.ahead.none = fmt.Sprintf("the plan changes %s, and a forecast is made of up to %d", counted(sum.Create+sum.Update+sum.Delete, "resource"), forecastGoals)
		return nil
	}
	within, end := context.WithTimeout(ctx, most)
	defer end()
	played, err := play(within)
	switch {
	case err == nil:
		s.ahead = played
	case ctx.Err() != nil:
		return ctx.Err()
	case within.Err() != nil:
		s.ahead.none = fmt.Sprintf("playing the plan takes longer than %s", most)
	default:
		s.ahead.none = err.Error()
	}
	return nil
}

// show prints the forecast, what is not in it, and what it is made of; or in a line
// why there is none.
func (o *outlook) show(out *os.File, title string) error {
	if o.played != nil {
		fmt.Fprintln(out)
		if err := tui.Forecast(out, o.played.recorder.Timeline(), displayOptions(out, title)); err != nil {
			return err
		}
	}
	var b strings.Builder
	switch {
	case o.played != nil:
		b.WriteString("\nThe plan is for the live world; the forecast is of a simulated copy:\n" + o.basis + ".\n")
	case o.none != "":
		b.WriteString("\nNo forecast: " + o.none + ".\n")
	}
	for _, text := range o.without {
		b.WriteString("Not in the forecast: " + text + "\n")
	}
	_, err := io.WriteString(out, shown(b.String()))
	return err
}

// verdict is the exit of a plan whose forecast does not reach its goals.
func (o *outlook) verdict(causes bool) error {
	if o.played == nil {
		return nil
	}
	return o.played.verdict(o.end, causes, false)
}

// play runs a plan to its end.
func (o *outlook) play(ctx context.Context, s *session) (err error) {
	o.played, o.meters = s, journal.NewMeters()
	o.end, err = s.run(ctx, o.meters.Apply)
	return errors.Join(err, ctx.Err())
}

// again plays the plan of a simulated session on a world of its own that at makes in
// the same way. The journal is that of the session and not of this.
func (s *session) again(at func(context.Context, desired) (*venue, error)) func(context.Context) (*outlook, error) {
	return func(ctx context.Context) (_ *outlook, err error) {
		v, err := at(ctx, s.desired)
		if err != nil {
			return nil, err
		}
		unrecorded := *s.job
		unrecorded.journal = ""
		played := &session{venue: v, job: &unrecorded, desired: s.desired}
		defer func() { err = errors.Join(err, played.close()) }()
		if err := played.connect(ctx); err != nil {
			return nil, err
		}
		o := &outlook{basis: "the same simulation, played ahead at full speed"}
		return o, o.play(ctx, played)
	}
}
