package apply

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
)

// firstRetry and longestRetry bound the back-off after transient failures.
const (
	firstRetry   = 2 * time.Second
	longestRetry = 2 * time.Minute
)

// maxAttempts is how often an action is tried before a transient failure is
// taken for a lasting one.
const maxAttempts = 8

// act takes every action that is due and whose gate is open, in the plan's
// order. It fails only with ctx.
func (r *run) act(ctx context.Context) error {
	open := r.due()
	errs := make([]error, len(open))
	var group errgroup.Group
	group.SetLimit(r.Concurrency)
	for i, s := range open {
		group.Go(func() error {
			r.record(s, journal.ActionStarted, nil)
			errs[i] = r.Client.Do(ctx, *s.action)
			return nil
		})
	}
	// The functions report through errs: one refusal does not stop the others.
	_ = group.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	for i, s := range open {
		r.judge(s, errs[i])
	}
	return nil
}

// due takes the steps to act on now out of the queue. What is gated stays known
// by its namespace and comes back when that changes.
func (r *run) due() []*step {
	now := r.World.Now()
	queue := r.order
	r.order = nil
	r.retries = slices.DeleteFunc(r.retries, func(s *step) bool {
		if s.retryAt.After(now) {
			return false
		}
		s.retryAt = time.Time{}
		queue = append(queue, s)
		return true
	})
	var open []*step
	for _, s := range queue {
		switch {
		case s.state != gated || slices.Contains(open, s):
		case s.action.Skip != "":
			r.skip(s)
		case r.open(s):
			open = append(open, s)
		}
	}
	return open
}

func (r *run) skip(s *step) {
	r.settle(s, failed)
	r.Journal.Record(r.World.Now(), journal.Event{Action: &journal.Action{
		Addr: s.goal.Addr, Verb: string(s.action.Verb), Phase: s.action.Phase,
		State: journal.ActionSkipped, Reason: "Skipped", Message: s.action.Skip,
	}})
}

// judge decides what follows from the result of an action.
func (r *run) judge(s *step, err error) {
	s.movedAt = r.World.Now()
	var refusal *Failure
	switch {
	case err == nil:
		r.record(s, journal.ActionDone, nil)
		s.state = waiting
		r.check(s)
	case errors.As(err, &refusal) && refusal.Transient && s.attempts < maxAttempts:
		s.retryAt = s.movedAt.Add(min(firstRetry<<s.attempts, longestRetry))
		s.attempts++
		r.retries = append(r.retries, s)
	default:
		r.record(s, journal.ActionFailed, err)
		r.settle(s, failed)
		r.failDependents(s)
	}
}

// failDependents gives up what cannot happen without a namespace.
func (r *run) failDependents(s *step) {
	if !unwatched(s.goal.Addr) || s.goal.Verb == plan.Delete {
		return
	}
	for _, other := range r.closed[namespaceOf(s.goal.Addr)] {
		if other != s && other.state == gated {
			r.record(other, journal.ActionFailed, &Failure{Reason: "NamespaceFailed", Message: "its namespace failed: " + s.goal.Addr.String()})
			r.settle(other, failed)
		}
	}
}

func (r *run) record(s *step, as journal.ActionState, err error) {
	a := &journal.Action{Addr: s.goal.Addr, Verb: string(s.action.Verb), Phase: s.action.Phase, State: as}
	var refusal *Failure
	switch {
	case errors.As(err, &refusal):
		a.Reason, a.Message = refusal.Reason, refusal.Message
	case err != nil:
		a.Reason, a.Message = "Error", err.Error()
	}
	r.Journal.Record(r.World.Now(), journal.Event{Action: a})
}

// sorted are all steps in the order of their addresses.
func (r *run) sorted() []*step {
	out := make([]*step, 0, len(r.steps))
	for _, s := range r.steps {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b *step) int { return resource.Addr.Compare(a.goal.Addr, b.goal.Addr) })
	return out
}
