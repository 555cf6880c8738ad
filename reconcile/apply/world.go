package apply

import (
	"context"
	"time"
)

// World is what time is in a run. Everything else a run needs of the world it
// gets through clients, whose dialers decide whether they reach a live or a
// simulated one.
type World interface {
	// Now is the time in the world.
	Now() time.Time
	// Wait returns when something observed may have changed, or at deadline.
	// changed is signalled by the observer. The result is the mark (a
	// resourceVersion) that observers must have reached before the run looks
	// again; empty where nobody can know it. Wait fails only with ctx.
	Wait(ctx context.Context, deadline time.Time, changed <-chan struct{}) (mark string, err error)
}

// RealTime is the World of a live run.
type RealTime struct{}

var _ World = RealTime{}

// Now is the time of day.
func (RealTime) Now() time.Time { return time.Now() }

// Wait returns at deadline, on a signal on changed, or when ctx ends.
func (RealTime) Wait(ctx context.Context, deadline time.Time, changed <-chan struct{}) (string, error) {
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	return "", nil
}
