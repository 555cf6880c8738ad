// Package apply runs a plan against a World: it takes the actions whose gates
// are open, waits until something observed has changed, and looks again, until
// every goal is reached or nothing moves any more. It hides retries, deadlines,
// bounded concurrency and cancellation.
//
// A run is level-triggered: it keeps no progress of its own that it could not
// read again. Run by one goroutine, it looks only at what changed, so a wake-up
// costs the same in a fleet of ten and of ten thousand.
package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
)

// Actor is what a run acts through and sees with.
type Actor interface {
	// Do takes one action. It returns when the API accepted or refused it, and
	// what it wrote is seen by Get from then on. A refusal is a *Failure.
	Do(ctx context.Context, a plan.Action) error
	// Changed is signalled when something watched has changed.
	Changed() <-chan struct{}
	// CatchUp waits until everything watched has been seen up to mark.
	CatchUp(ctx context.Context, mark string) error
	// Refresh reads again what cannot be watched (vSphere Namespaces). Nothing of
	// that is there before the first call. An API's error is a *Failure.
	Refresh(ctx context.Context) error
	// TakeChanged lists what changed since it was last asked, in order.
	TakeChanged() []resource.Addr
	// TakeRefused lists what an API refused, since it was last asked, of what Do
	// had accepted: an action may have a part that has to wait for another.
	TakeRefused() map[resource.Addr]*Failure
	// Get is the present state of a resource; false when it does not exist.
	Get(a resource.Addr) (resource.Object, bool)
	// Replan observes everything anew and plans again.
	Replan(ctx context.Context) (*plan.Plan, error)
}

// Failure is why an API did not take an action.
type Failure struct {
	// Reason is one word, as in a Kubernetes Status: Conflict, Invalid, Forbidden.
	Reason  string
	Message string
	// Transient says that the same may succeed later.
	Transient bool
}

// Error is the reason and the message.
func (f *Failure) Error() string { return f.Reason + ": " + f.Message }

// Options say how a plan is run.
type Options struct {
	// World is the time of the run; nil is RealTime.
	World World
	// Journal gets every event; nil makes one that nobody listens to.
	Journal *journal.Recorder
	// Client is what the run acts through.
	Client Actor
	// Settle is called before the last event, so that what others record of what has
	// happened until then comes before it. Nil does nothing.
	Settle func()
	// Begun is called after the first event, so that others record what there is
	// before anything happens. Nil does nothing.
	Begun func()
	// Begin is the template of the first event: Simulated, Seed and Revision.
	// Run fills in the rest.
	Begin journal.Begin
	// StallAfter is how long a goal may stand still, in world time, before it is
	// called blocked. Default 20 minutes.
	StallAfter time.Duration
	// Poll is how often what cannot be watched is read again. Default 10 s.
	Poll time.Duration
	// Deadlines are how long a phase may take, in world time; what is not in it
	// has that of DefaultDeadlines, and a negative one has no end. A goal that
	// takes longer is reported as blocked and goes on.
	Deadlines map[phase.ID]time.Duration
	// Concurrency is how many actions are under way at once. Default 8 in RealTime;
	// elsewhere 1, which also means that the run answers each before time goes on,
	// so that a simulation is the same each time.
	Concurrency int
	// RequestTimeout is how long one request may take, in real time. Default 1 minute.
	RequestTimeout time.Duration
	// Grace is how long requests that are under way are awaited after the end of
	// the run's context, in real time. Default 10 s.
	Grace time.Duration
	// CutOff ends what is under way at once, as when another may act from now on.
	// The run's context is to have ended before. Nil never ends.
	CutOff context.Context
}

func (o *Options) setDefaults() {
	if o.World == nil {
		o.World = RealTime{}
	}
	if o.Journal == nil {
		o.Journal = journal.NewRecorder(o.World.Now())
	}
	if o.StallAfter == 0 {
		o.StallAfter = DefaultStallAfter
	}
	if o.Poll == 0 {
		o.Poll = 10 * time.Second
	}
	if o.Concurrency == 0 {
		o.Concurrency = 1
		if _, real := o.World.(RealTime); real {
			o.Concurrency = 8
		}
	}
	o.setDeadlines()
	if o.RequestTimeout == 0 {
		o.RequestTimeout = time.Minute
	}
	if o.Grace == 0 {
		o.Grace = 10 * time.Second
	}
	if o.CutOff == nil {
		o.CutOff = context.Background()
	}
}

// rounds bounds how often a run plans anew after it has reached all its goals
// and found that more is to be done.
const rounds = 3

// Run runs the plan until every goal is reached or nothing moves any more. The
// End that it returns is also the last event of the journal, whatever happened;
// an error is a fault of the run itself, such as a failed read.
func Run(ctx context.Context, p *plan.Plan, o Options) (journal.End, error) {
	o.setDefaults()
	r := &run{Options: o}
	if err := r.begin(p); err != nil {
		return journal.End{}, err
	}
	if o.Begun != nil {
		o.Begun()
	}
	r.flight = newFlight(ctx, o)
	r.changed = r.flight.changes(o.Client.Changed())
	outcome, err := r.play(ctx, p)
	r.land()
	if ctx.Err() != nil {
		outcome = journal.Interrupted
	}
	if o.Settle != nil {
		o.Settle()
	}
	end := journal.End{Outcome: outcome, Reached: r.reachedOf(p.Goals), Goals: len(p.Goals)}
	o.Journal.Record(o.World.Now(), journal.Event{End: &end})
	return end, err
}

// A run is one execution. All of it belongs to the goroutine that called Run.
type run struct {
	Options
	flight  *flight
	ready   []*step // whose gates are open, and for which there was no room yet
	reading bool    // the vSphere Namespaces are being read
	// changed is signalled when there is a reason to look again.
	changed <-chan struct{}
	steps   map[resource.Addr]*step
	order   []*step // whose gates are to be looked at
	groups  map[string]*group
	reached int
	// unsettled counts the steps that may still reach their goal.
	unsettled int
	// polled are the steps whose resource cannot be watched and is not there yet.
	polled    int
	nextPoll  time.Time
	nextStall time.Time
	nextDue   time.Time // when a phase may have taken too long
	retries   []*step
	stirring  []*step // that look done before their controllers may have begun
}

// begin records the first event.
func (r *run) begin(p *plan.Plan) error {
	b, err := Begin(r.Begin, p, r.World.Now())
	if err != nil {
		return err
	}
	r.Journal.Record(b.Start, journal.Event{Begin: &b})
	return nil
}

// play runs p, and what is planned anew once p is done, if anything is left.
func (r *run) play(ctx context.Context, p *plan.Plan) (journal.Outcome, error) {
	for range rounds {
		if slices.ContainsFunc(p.Goals, func(g plan.Goal) bool { return unwatched(g.Addr) }) {
			// What was never read is not absent.
			if err := r.flight.within(ctx, r.Client.Refresh); err != nil {
				return journal.NotReached, fmt.Errorf("reading vSphere Namespaces: %w", err)
			}
		}
		r.adopt(p)
		if err := r.pursue(ctx); err != nil {
			return journal.NotReached, err
		}
		if r.reached < len(r.steps) {
			return journal.NotReached, nil
		}
		var err error
		if p, err = r.Client.Replan(ctx); err != nil {
			return journal.NotReached, fmt.Errorf("planning again after the run: %w", err)
		}
		if !due(p) {
			return journal.Reached, nil
		}
	}
	return journal.NotReached, fmt.Errorf("after %d rounds the plan is still not empty: something undoes what vksync does", rounds)
}

// due says whether a plan has anything to do or to wait for. What is skipped
// counts when a goal stays unreached by it, and not when it only is not deleted.
func due(p *plan.Plan) bool {
	return slices.ContainsFunc(p.Actions, func(a plan.Action) bool { return a.Skip == "" || a.Verb != plan.Delete })
}

// reachedOf counts the goals of the first plan that are reached. A later one is
// made only when all were, and lacks those that are gone.
func (r *run) reachedOf(goals []plan.Goal) int {
	n := 0
	for _, g := range goals {
		if s := r.steps[g.Addr]; r.steps != nil && (s == nil || s.state == reached) {
			n++
		}
	}
	return n
}

// pursue acts and waits until every step is settled.
func (r *run) pursue(ctx context.Context) error {
	r.nextPoll = r.World.Now().Add(r.Poll)
	for {
		if err := r.act(ctx); err != nil {
			return err
		}
		r.reportOverdue()
		if r.stalled(); r.unsettled == 0 {
			return nil
		}
		mark, err := r.World.Wait(ctx, r.deadline(), r.changed)
		if err != nil {
			return err
		}
		if err := r.Client.CatchUp(ctx, mark); err != nil {
			return fmt.Errorf("following the Supervisor: %w", err)
		}
		if err := r.poll(); err != nil {
			return err
		}
		for _, a := range r.Client.TakeChanged() {
			r.look(a)
		}
		r.lookAtCalm()
		r.refuse(r.Client.TakeRefused())
	}
}

// poll reads what cannot be watched, when it is time for that. One answer that
// does not come keeps the next question from being asked, and nothing else.
func (r *run) poll() error {
	if r.polled == 0 || r.World.Now().Before(r.nextPoll) {
		return nil
	}
	r.nextPoll = r.World.Now().Add(r.Poll)
	if r.reading {
		return nil
	}
	r.reading = true
	r.flight.begin(nil, r.Client.Refresh)
	if r.flight.alone {
		return r.judgeAll(r.flight.landed(), false)
	}
	return nil
}

// transient says whether what failed may succeed later. What was read before
// stays true until then, and goals that do not move are called blocked.
func transient(err error) bool {
	var failure *Failure
	return errors.As(err, &failure) && failure.Transient
}

// deadline is when the run has to look again although nothing has changed.
func (r *run) deadline() time.Time {
	at := r.nextStall
	if r.nextDue.Before(at) {
		at = r.nextDue
	}
	if r.polled > 0 && r.nextPoll.Before(at) {
		at = r.nextPoll
	}
	for _, s := range r.retries {
		if s.retryAt.Before(at) {
			at = s.retryAt
		}
	}
	for _, s := range r.stirring {
		if s.calmAt.Before(at) {
			at = s.calmAt
		}
	}
	return at
}
