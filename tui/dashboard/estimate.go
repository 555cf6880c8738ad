package dashboard

import (
	"time"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/tui/paint"
)

// An estimate is how long a goal still takes, by the forecast.
type estimate struct {
	journal.Estimate
	known bool
}

// left estimates how long a row still takes; unknown without a forecast, and for
// what has come to an end.
func (s *Stream) left(r journal.Row, now time.Duration) (e estimate) {
	if b := s.timeline.Begin(); b != nil && b.Forecast != nil && r.State != phase.Done {
		e.Estimate, e.known = b.Forecast.ETA(r, now)
	}
	return e
}

// text is the estimate as a column has it; a plus says that it is overdue.
func (e estimate) text() string {
	switch {
	case !e.known:
		return ""
	case e.Overdue > 0 && e.Left == 0:
		return "late +" + paint.Clock(e.Overdue)
	case e.Overdue > 0:
		return "~" + paint.Clock(e.Left) + "+"
	}
	return "~" + paint.Clock(e.Left)
}
