package apply

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

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
// order and as far as there is room, and then those whose gates that has opened.
// It fails with ctx, and when the vSphere Namespaces could not be read.
func (r *run) act(ctx context.Context) error {
	for {
		r.ready = append(r.ready, r.due()...)
		for len(r.ready) > 0 && r.room() && ctx.Err() == nil {
			s := r.ready[0]
			r.ready = r.ready[1:]
			r.start(s)
		}
		landed := r.flight.landed()
		if err := r.judgeAll(landed, ctx.Err() != nil); err != nil {
			return err
		}
		if ctx.Err() != nil || len(landed) == 0 {
			return ctx.Err()
		}
	}
}

func (r *run) room() bool { return r.flight.alone || r.flight.count < r.Concurrency }

func (r *run) start(s *step) {
	// Recorded here, so that the order in the journal is the plan's.
	r.record(s, journal.ActionStarted, nil)
	r.flight.begin(s, func(ctx context.Context) error { return r.Client.Do(ctx, *s.action) })
}

// judgeAll decides what follows from what was answered. Once the run has ended,
// an error says nothing of the action.
func (r *run) judgeAll(landed []result, ended bool) error {
	for _, l := range landed {
		switch {
		case l.step == nil:
			r.reading = false
			if l.err != nil && !ended && !transient(l.err) {
				return fmt.Errorf("reading vSphere Namespaces: %w", l.err)
			}
			continue
		case ended && l.err != nil:
			continue
		}
		l.step.busy = false
		r.judge(l.step, l.err)
	}
	return nil
}

// land awaits what is under way when a run ends. What is still not answered after
// the grace period is cut off, and is for the next run to find out.
func (r *run) land() {
	if r.flight.count > 0 {
		r.flight.endAfter(r.Grace)
	}
	for r.flight.count > 0 {
		<-r.flight.arrived
		_ = r.judgeAll(r.flight.landed(), true) // which does not fail then
	}
	r.flight.stop()
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
			s.busy = true
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
		if stirs(s.action) {
			s.calmAt = s.movedAt.Add(stirTime)
		}
		r.check(s)
	case errors.As(err, &refusal) && refusal.Transient && s.attempts < maxAttempts:
		s.retryAt = s.movedAt.Add(min(firstRetry<<s.attempts, longestRetry))
		s.attempts++
		r.retries = append(r.retries, s)
		r.record(s, journal.ActionDelayed, &Failure{
			Reason: refusal.Reason, Message: fmt.Sprintf("%s; it is tried again in %s", refusal.Message, s.retryAt.Sub(s.movedAt)),
		})
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

// refuse fails the steps of which a later part was refused.
func (r *run) refuse(refused map[resource.Addr]*Failure) {
	for _, a := range slices.SortedFunc(maps.Keys(refused), resource.Addr.Compare) {
		if s := r.steps[a]; s != nil && s.action != nil && !s.state.settled() {
			r.record(s, journal.ActionFailed, refused[a])
			r.fail(s)
		}
	}
}
