package apply

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/plan"
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
// order, and then those whose gates that has opened. It fails only with ctx.
func (r *run) act(ctx context.Context) error {
	for {
		open := r.due()
		if len(open) == 0 {
			return nil
		}
		if err := r.take(ctx, open); err != nil {
			return err
		}
	}
}

// take takes actions side by side.
func (r *run) take(ctx context.Context, open []*step) error {
	errs := make([]error, len(open))
	begun := 0
	var group errgroup.Group
	group.SetLimit(r.Concurrency)
	for i, s := range open {
		if ctx.Err() != nil {
			break
		}
		// Recorded here, so that the order in the journal is the plan's.
		r.record(s, journal.ActionStarted, nil)
		begun++
		group.Go(func() error {
			errs[i] = r.Client.Do(ctx, *s.action)
			return nil
		})
	}
	// The functions report through errs: one refusal does not stop the others.
	_ = group.Wait()
	ended := ctx.Err()
	for i, s := range open[:begun] {
		if ended == nil || errs[i] == nil { // an error after the end of ctx says nothing of the action
			r.judge(s, errs[i])
		}
	}
	return ended
}

// enqueue has the gate of a step looked at before the run waits again.
func (r *run) enqueue(s *step) {
	if s.pending() && !s.queued && s.retryAt.IsZero() {
		s.queued = true
		r.order = append(r.order, s)
	}
}

// due takes the steps to act on now out of the queue. What is gated stays known
// by its namespace and comes back when that changes.
func (r *run) due() []*step {
	now := r.World.Now()
	r.retries = slices.DeleteFunc(r.retries, func(s *step) bool {
		if s.retryAt.After(now) {
			return false
		}
		s.retryAt = time.Time{}
		r.enqueue(s)
		return true
	})
	queue := r.order
	r.order = nil
	var open []*step
	for _, s := range queue {
		s.queued = false
		switch {
		case !s.pending():
		case s.action.Skip != "":
			r.skip(s)
		case r.open(s):
			r.resume(s)
			open = append(open, s)
		}
	}
	return open
}

func (r *run) skip(s *step) {
	r.Journal.Record(r.World.Now(), journal.Event{Action: &journal.Action{
		Addr: s.goal.Addr, Verb: string(s.action.Verb), Phase: s.action.Phase,
		State: journal.ActionSkipped, Reason: "Skipped", Message: s.action.Skip,
	}})
	r.fail(s)
}

// judge decides what follows from the result of an action.
func (r *run) judge(s *step, err error) {
	s.movedAt = r.World.Now()
	var refusal *Failure
	switch {
	case err == nil:
		r.record(s, journal.ActionDone, nil)
		s.taken, s.state = true, waiting
		r.check(s)
	case errors.As(err, &refusal) && refusal.Transient && s.attempts < maxAttempts:
		s.retryAt = s.movedAt.Add(min(firstRetry<<s.attempts, longestRetry))
		s.attempts++
		r.retries = append(r.retries, s)
	default:
		r.record(s, journal.ActionFailed, err)
		r.fail(s)
	}
}

// fail gives up a step, and what cannot happen without it: nothing in a
// namespace that did not come to be as desired, and not the deletion of a
// namespace in which something stays.
func (r *run) fail(s *step) {
	r.settle(s, failed)
	home := s.group.namespace
	switch {
	case home == nil:
	case home != s && home.goal.Verb == plan.Delete:
		r.failAfter(home, "StillInhabited", s.goal.Addr.String()+" stays in it")
	case home == s && s.goal.Verb != plan.Delete:
		for _, member := range s.group.members {
			r.failAfter(member, "NamespaceFailed", "its namespace failed: "+s.goal.Addr.String())
		}
	}
}

func (r *run) failAfter(s *step, reason, message string) {
	switch {
	case !s.pending():
	case s.action.Skip != "":
		r.skip(s)
	default:
		r.record(s, journal.ActionFailed, &Failure{Reason: reason, Message: message})
		r.fail(s)
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
