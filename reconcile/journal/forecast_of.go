package journal

import (
	"slices"
	"time"

	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
)

// ForecastOf is what is left of the journal of a plan that was played on a copy of
// the world: t is its timeline, peak the most that was in use of each meter, and
// basis says what the copy was made of. Goals that nothing is done for are left out.
func ForecastOf(t *Timeline, peak []Meter, basis string) *Forecast {
	f := &Forecast{Goals: []GoalForecast{}, Peak: peak, Basis: basis}
	for _, row := range t.Rows() {
		if row.Verb == "none" && row.Start == phase.NotYet {
			continue
		}
		goal := GoalForecast{Addr: row.Addr, State: row.State, End: milliseconds(row.End)}
		for _, s := range row.Steps {
			if s.Start != phase.NotYet {
				goal.Steps = append(goal.Steps, StepForecast{ID: s.ID, Start: milliseconds(s.Start), End: milliseconds(s.End)})
			}
		}
		if goal.End < 0 {
			goal.Cause = causeOf(t, row)
		}
		f.Goals = append(f.Goals, goal)
	}
	slices.SortFunc(f.Goals, func(a, b GoalForecast) int { return a.Addr.Compare(b.Addr) })
	return f
}

// causeOf says in a line why a goal was not reached; "" when nothing is known.
func causeOf(t *Timeline, row Row) string {
	switch {
	case row.Blocked != nil:
		return row.Blocked.Cause
	case row.Refused != nil && row.Refused.Reason != "":
		return row.Refused.Reason + ": " + row.Refused.Message
	case row.Refused != nil:
		return row.Refused.Message
	}
	return phase.Cause(t.Why(row.Addr))
}

func milliseconds(d time.Duration) int64 {
	if d < 0 {
		return -1
	}
	return d.Milliseconds()
}

// Goal is how one goal went; false for one of which nothing was forecast. It is a
// search in sorted Goals and may be called for each row of each frame. A nil
// Forecast has no goals.
func (f *Forecast) Goal(a resource.Addr) (GoalForecast, bool) {
	if f == nil {
		return GoalForecast{}, false
	}
	i, found := slices.BinarySearchFunc(f.Goals, a, func(g GoalForecast, a resource.Addr) int { return g.Addr.Compare(a) })
	if !found {
		return GoalForecast{}, false
	}
	return f.Goals[i], true
}

// Step is how one phase went; false for one that had nothing to do.
func (g GoalForecast) Step(id phase.ID) (StepForecast, bool) {
	for _, s := range g.Steps {
		if s.ID == id {
			return s, true
		}
	}
	return StepForecast{}, false
}

// End is when the last of the goals was reached, phase.NotYet when one was not.
func (f *Forecast) End() time.Duration {
	var end time.Duration
	for _, g := range f.Goals {
		if g.End < 0 {
			return phase.NotYet
		}
		end = max(end, g.EndAt())
	}
	return end
}
