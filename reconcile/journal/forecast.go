package journal

import (
	"time"

	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
)

// Forecast is what is left of the journal of a plan that was played on a
// simulated copy of the world: how long each phase of each goal took there. Times
// are since the start of the run; all are estimates.
type Forecast struct {
	// Goals are those with anything to do, by address, which is the order of plans.
	Goals []GoalForecast `json:"goals"`
	// Peak is the most that was in use of each meter.
	Peak []Meter `json:"peak,omitempty"`
	// Basis says what the copy was made of, for people.
	Basis string `json:"basis,omitempty"`
}

// GoalForecast is how one goal went.
type GoalForecast struct {
	Addr  resource.Addr  `json:"addr"`
	State phase.State    `json:"state"`
	Steps []StepForecast `json:"steps"`
	// End is when the goal was reached, in milliseconds; -1 when it was not.
	End int64 `json:"end_ms"`
	// Cause is why it was not reached.
	Cause string `json:"cause,omitempty"`
}

// StepForecast is how one phase of a goal went. A time is -1 when it has not come.
type StepForecast struct {
	ID    phase.ID `json:"phase"`
	Start int64    `json:"start_ms"`
	End   int64    `json:"end_ms"`
}

// EndAt is End as a duration, phase.NotYet when the goal was not reached.
func (g GoalForecast) EndAt() time.Duration { return since(g.End) }

// StartAt and EndAt are the times of a phase, phase.NotYet when they have not come.
func (s StepForecast) StartAt() time.Duration { return since(s.Start) }

// EndAt is the end of the phase.
func (s StepForecast) EndAt() time.Duration { return since(s.End) }

func since(ms int64) time.Duration {
	if ms < 0 {
		return phase.NotYet
	}
	return time.Duration(ms) * time.Millisecond
}
