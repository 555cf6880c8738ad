package simulate

import (
	"context"
	"sync"
	"time"

	"github.com/vksync/vksync/simulate/kubeapi"
)

// A pace ties model time to the wall clock. All functions of the clock run in one
// goroutine, World.run. When it is late, model time waits for it: time never
// passes a function that has not run.
type pace struct {
	speed       float64 // seconds of model time in a second
	wall, model time.Time
	wake        chan struct{} // holds at most one signal: there is something to do earlier
	calling     bool          // while a function runs, time stands still at its instant
}

func newPace(speed float64, model time.Time) *pace {
	return &pace{speed: speed, wall: time.Now(), model: model, wake: make(chan struct{}, 1)}
}

// at is the model time that the wall clock asks for.
func (p *pace) at() time.Time {
	return p.model.Add(time.Duration(float64(time.Since(p.wall)) * p.speed))
}

// until is how long the wall clock takes to model time t.
func (p *pace) until(t time.Time) time.Duration {
	return time.Duration(float64(t.Sub(p.model))/p.speed) - time.Since(p.wall)
}

func (p *pace) nudge() {
	select {
	case p.wake <- struct{}{}:
	default: // whoever gets the signal that is there looks again
	}
}

// follow moves time on with the wall clock, not past the first function that is
// to be called. The caller holds the lock.
func (c *clock) follow() {
	if c.pace == nil || c.pace.calling {
		return
	}
	at := c.pace.at()
	if len(c.queue) > 0 && c.queue[0].at.Before(at) {
		at = c.queue[0].at
	}
	if at.After(c.now) {
		c.now = at
	}
}

// due takes the first function out of the queue if its time has come; the caller
// calls it and then done. Else f is nil and the next one is due after wait.
func (c *clock) due() (f func(), wait time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.follow()
	if len(c.queue) == 0 {
		return nil, time.Hour // something new wakes who waits
	}
	if first := c.queue[0].at; first.After(c.now) {
		return nil, c.pace.until(first)
	}
	c.pace.calling = true
	return c.take(), 0
}

func (c *clock) done() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pace.calling = false
}

// halt stops time.
func (c *clock) halt() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.follow()
	c.pace = nil
}

// An inbox holds the changes that the controllers have not seen yet. In a served
// world anybody writes at any time, but the controllers run in one goroutine.
type inbox struct {
	wake    func()
	mu      sync.Mutex
	changes []kubeapi.Change
}

func (b *inbox) add(c kubeapi.Change) {
	b.mu.Lock()
	b.changes = append(b.changes, c)
	b.mu.Unlock()
	b.wake()
}

func (b *inbox) take() []kubeapi.Change {
	b.mu.Lock()
	defer b.mu.Unlock()
	changes := b.changes
	b.changes = nil
	return changes
}

// run is the life of a served world, until ctx ends: controllers are told what
// was written, called when it is their time, and sleep in between.
func (w *World) run(ctx context.Context) {
	defer w.clock.halt()
	wake := w.clock.pace.wake
	sleep := time.NewTimer(0)
	defer sleep.Stop()
	for ctx.Err() == nil {
		for _, change := range w.inbox.take() {
			w.controllers.Observe(change)
		}
		w.changes.drain()
		w.tellUsePaced()
		f, wait := w.clock.due()
		if f != nil {
			f()
			w.clock.done()
			continue
		}
		sleep.Reset(wait)
		select {
		case <-sleep.C:
		case <-wake:
		case <-ctx.Done():
		}
	}
}
