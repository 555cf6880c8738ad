package reconcile

import (
	"cmp"
	"context"
	"time"

	"github.com/vksync/vksync/reconcile/apply"
	"github.com/vksync/vksync/reconcile/journal"
)

const (
	// reportEvery is how many times longer than the poll of what cannot be watched a
	// reading of the site's use waits for the next: 30 s by default. It costs more,
	// and what a machine takes it takes for minutes.
	reportEvery = 3
	// patience is how long a run waits at its end for a last reading, and a journal
	// of which there is only a Begin for one.
	patience = 10 * time.Second
	// notYet is how long a reporter waits that was quicker than the journal.
	notYet = 100 * time.Millisecond
)

// A reporter tells a journal of a live world now and then how much of the site is in
// use: of all at first, and then of what changed since it last did.
type reporter struct {
	engine   *Engine
	recorder *journal.Recorder
	every    time.Duration
	told     []journal.Meter // belongs to the goroutine, until that has ended
	stop     context.CancelFunc
	stopped  chan struct{}
}

// report begins to tell, until end is called; told is what the Begin of the journal
// says or will say. Nobody waits for a reading: the first is told when it is there.
func (e *Engine) report(ctx context.Context, recorder *journal.Recorder, every time.Duration, told []journal.Meter) *reporter {
	r := &reporter{engine: e, recorder: recorder, every: every, told: told, stopped: make(chan struct{})}
	ctx, r.stop = context.WithCancel(ctx)
	go func() {
		defer close(r.stopped)
		next := time.NewTimer(0)
		defer next.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-next.C:
			}
			if r.tell(ctx, r.every/2) {
				next.Reset(r.every)
			} else {
				next.Reset(notYet)
			}
		}
	}()
	return r
}

// settle tells how it is at the end, unless that is no more wanted. A run that was
// short takes what was read at its beginning for that.
func (r *reporter) settle(ctx context.Context) {
	r.end()
	if ctx.Err() != nil {
		return
	}
	ctx, done := context.WithTimeout(ctx, patience)
	defer done()
	r.tell(ctx, r.every/2)
}

// end waits until nothing is told any more. It may be called more than once.
func (r *reporter) end() {
	r.stop()
	<-r.stopped
}

// tell records what is not as it was told last. A reading that is no older than age
// is good enough: several runs may go on side by side. It is false when the journal
// has not begun.
func (r *reporter) tell(ctx context.Context, age time.Duration) (begun bool) {
	now := r.engine.metersSince(ctx, age)
	r.recorder.Read(func(t *journal.Timeline) { begun = t.Begin() != nil })
	if ctx.Err() != nil || !begun {
		return begun
	}
	if changed := journal.ChangedMeters(r.told, now); len(changed) > 0 {
		r.recorder.Record(r.engine.world.Now(), journal.Event{Usage: &journal.Usage{Meters: changed}})
	}
	r.told = now
	return true
}

// reported is o with a journal that is told of what is in use.
func (e *Engine) reported(ctx context.Context, o *apply.Options) (end func()) {
	if e.history == nil {
		return func() {}
	}
	every := reportEvery * cmp.Or(o.Poll, pollVCenter)
	if o.Begin.Site == nil {
		o.Begin.Site = e.use.recent(every)
	}
	r := e.report(ctx, o.Journal, every, o.Begin.Site)
	settle := o.Settle
	o.Settle = func() {
		settle()
		r.settle(ctx)
	}
	return r.end
}

// site is what is in use, for a journal in which nothing is going to happen; nil where
// it is not a live one or cannot be read.
func (e *Engine) site(ctx context.Context) []journal.Meter {
	if e.history == nil {
		return nil
	}
	ctx, done := context.WithTimeout(ctx, patience)
	defer done()
	return e.metersSince(ctx, reportEvery*pollVCenter)
}
