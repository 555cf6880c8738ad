package journal

import (
	"time"

	"github.com/vksync/vksync/reconcile/phase"
)

// An Estimate is when a goal will be reached, judged by its forecast and by how far
// it has come. Times are since the start of the run.
type Estimate struct {
	// Left is the time left. It is never negative, and 0 for a goal that is overdue
	// with nothing else to come.
	Left time.Duration
	// End is when the goal will be reached, or was.
	End time.Duration
	// Late is how much later than forecast that is; negative is earlier.
	Late time.Duration
	// Overdue is for how long what is to happen next has been late; 0 when it is
	// not. It is part of Late.
	Overdue time.Duration
}

// ETA estimates when a goal will be reached. It is false when nothing can be said:
// without a forecast of the goal, when the goal was not reached there either, and
// while it is blocked or failed. now is the time since the start of the run.
//
// What is left is taken to last as long as in the forecast. The forecast slides by
// how late (or early) the last phase began or ended, and goes on sliding while the
// next one that should begin or end does not.
func (f *Forecast) ETA(row Row, now time.Duration) (Estimate, bool) {
	g, ok := f.Goal(row.Addr)
	if !ok || g.End < 0 {
		return Estimate{}, false
	}
	switch {
	case row.State == phase.Blocked || row.State == phase.Failed:
		return Estimate{}, false
	case row.State == phase.Done && row.End != phase.NotYet:
		return Estimate{End: row.End, Late: row.End - g.EndAt()}, true
	case row.State == phase.Done:
		return Estimate{}, false
	}
	slide, overdue := g.slide(row, now)
	end := max(now, g.last(row, now, slide)+slide)
	return Estimate{Left: end - now, End: end, Late: end - g.EndAt(), Overdue: overdue}, true
}

// Expected is when a phase of a goal will begin and end, or did: what has happened
// is as it was, and what is to come is as in the forecast, as late as ETA takes it
// to be. It is false when ETA is, and for a phase with nothing to do.
func (f *Forecast) Expected(row Row, id phase.ID, now time.Duration) (start, end time.Duration, ok bool) {
	if _, ok := f.ETA(row, now); !ok {
		return 0, 0, false
	}
	g, _ := f.Goal(row.Addr)
	is := row.Step(id)
	step, forecast := g.Step(id)
	if !forecast {
		return is.Start, is.End, is.ID != "" && is.Start != phase.NotYet && is.End != phase.NotYet
	}
	slide, _ := g.slide(row, now)
	if start, end = is.Start, is.End; start == phase.NotYet {
		if over(is, step, now, slide) {
			return 0, 0, false
		}
		start, end = max(now, step.StartAt()+slide), phase.NotYet
	}
	if end == phase.NotYet {
		end = max(now, start, step.EndAt()+slide)
	}
	return start, end, true
}

// slide is how much later than forecast everything is that is to come, and for how
// long what is to come next has been awaited.
func (g GoalForecast) slide(row Row, now time.Duration) (slide, overdue time.Duration) {
	latest := phase.NotYet
	happened := func(actual, forecast time.Duration) {
		if actual >= latest && forecast != phase.NotYet {
			latest, slide = actual, actual-forecast
		}
	}
	for _, s := range g.Steps {
		if is := row.Step(s.ID); is.Start != phase.NotYet {
			happened(is.Start, s.StartAt())
			if is.End != phase.NotYet {
				happened(is.End, s.EndAt())
			}
		}
	}
	for _, s := range g.Steps {
		is := row.Step(s.ID)
		if over(is, s, now, slide) {
			continue
		}
		next := s.StartAt()
		if is.Start != phase.NotYet {
			next = s.EndAt()
		}
		overdue = max(overdue, now-(next+slide))
	}
	return slide + overdue, overdue
}

// last is when the last phase that is not over yet was to end. A goal of which all
// phases are over is reached as soon as its last phase was to end.
func (g GoalForecast) last(row Row, now, slide time.Duration) time.Duration {
	end := phase.NotYet
	for _, s := range g.Steps {
		if !over(row.Step(s.ID), s, now, slide) {
			end = max(end, s.EndAt())
		}
	}
	if end == phase.NotYet {
		return g.EndAt()
	}
	return end
}

// over says whether nothing more is to come of a phase. One that is done and never
// began is over once the time has passed at which it was to begin: a cluster that
// exists has all its phases behind it, until a change reaches them.
func over(is phase.Step, s StepForecast, now, slide time.Duration) bool {
	return is.State == phase.Done && (is.Start != phase.NotYet || s.StartAt()+slide < now)
}
