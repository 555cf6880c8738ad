package dashboard

import (
	"time"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
)

// An estimate is how long a goal still takes, by the forecast.
type estimate struct {
	d     time.Duration
	known bool
}

// left estimates how long a row still takes; unknown without a forecast, and for
// what is done or was forecast not to be.
func (s *Stream) left(r journal.Row, now time.Duration) estimate {
	b := s.timeline.Begin()
	if b == nil || b.Forecast == nil || r.State == phase.Done || r.State == phase.Failed {
		return estimate{}
	}
	for _, g := range b.Forecast.Goals {
		if g.Addr == r.Addr && g.End >= 0 {
			return estimate{max(0, g.EndAt()-now), true}
		}
	}
	return estimate{}
}
