package reconcile

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/vksync/vksync/reconcile/apply"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/reconcile/supervisor"
)

// run runs a plan until it is done, fails, or there is something better to do.
func (k *keeper) run(ctx context.Context, p *plan.Plan, r *Revision, newer <-chan struct{}) error {
	k.become(Running)
	running, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	done := &doneActions{at: map[resource.Addr]bool{}}
	announcer := k.engine.announce(ctx, k.log)
	defer announcer.close()
	recorder := journal.NewRecorder(time.Now(), append([]func(journal.Event){done.add, k.tally, announcer.event}, k.Journal...)...)
	k.reports(recorder)
	k.nowShows(showsRun)

	cutOff, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	defer context.AfterFunc(ctx, func() {
		if errors.Is(context.Cause(ctx), supervisor.ErrLost) {
			cut()
		}
	})()

	made := k.options(r)
	made.Allow = k.allow(r)
	var overseer sync.WaitGroup
	overseer.Go(func() { k.oversee(running, p, r, newer, done, stop) })
	end, err := k.engine.RunAs(running, p, made, apply.Options{
		Journal: recorder,
		Begin:   journal.Begin{Revision: r.Commit.Hash, World: k.world()},
		Poll:    min(poll, k.Resync),
		CutOff:  cutOff,
	})
	cause := context.Cause(running)
	stop(nil)
	overseer.Wait()
	k.conclude(recorder.Timeline(), end, err)
	switch {
	case errors.Is(cause, errNewer), errors.Is(cause, errDrift):
		k.log.Info("the run was ended", "why", cause.Error(), "revision", short(r.Commit.Hash))
		return nil
	case err != nil:
		return err
	case end.Outcome == journal.Reached && !k.retrying() && !k.lacking:
		return k.settle(ctx, r)
	}
	return nil
}

// oversee ends a run when a newer revision is there, and when there is something
// to do that the run does not do: what somebody else has changed since.
func (k *keeper) oversee(ctx context.Context, p *plan.Plan, r *Revision, newer <-chan struct{}, done *doneActions, stop context.CancelCauseFunc) {
	ticker := time.NewTicker(k.Resync)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-newer:
			stop(errNewer)
			return
		case <-ticker.C:
		}
		before := done.known()
		fresh, err := k.engine.Plan(ctx, k.part, k.options(r))
		if err != nil {
			continue // the run meets the same trouble and deals with it
		}
		if surpassed(p, before, fresh.Only(k.allow(r))) {
			stop(errDrift)
			return
		}
	}
}

// doneActions are those that a run has done.
type doneActions struct {
	mu sync.Mutex
	at map[resource.Addr]bool
}

func (d *doneActions) add(e journal.Event) {
	if e.Action == nil || e.Action.State != journal.ActionDone {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at[e.Action.Addr] = true
}

// known are those done so far.
func (d *doneActions) known() map[resource.Addr]bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.at)
}

// surpassed says whether a fresh plan has an action that the running one lacks,
// or had done before the fresh one was made.
func surpassed(running *plan.Plan, done map[resource.Addr]bool, fresh *plan.Plan) bool {
	verbs := map[resource.Addr]plan.Verb{}
	for _, a := range running.Actions {
		verbs[a.Addr] = a.Verb
	}
	return slices.ContainsFunc(fresh.Actions, func(a plan.Action) bool {
		verb, pursued := verbs[a.Addr]
		switch {
		case a.Verb == plan.None:
			return false
		case pursued && a.Addr.Kind == resource.KindVSphereNamespace:
			return false // it is made in several steps, which the run takes
		}
		return verb != a.Verb || done[a.Addr]
	})
}

// conclude takes the end of a run into the status, and notes what failed.
func (k *keeper) conclude(t *journal.Timeline, end journal.End, err error) {
	now := time.Now()
	goals := goalsOf(t)
	for i, g := range goals {
		if g.State == phase.Failed && g.Why != "" {
			k.retries.failed(g.Addr, now)
			goals[i].RetryAt = k.retries[g.Addr].at
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.status.Goals, k.recorder = goals, nil
	switch {
	case end.Outcome == journal.Reached:
		k.status.Runs.Reached++
	case end.Outcome == journal.Interrupted:
		k.status.Runs.Interrupted++
	case err != nil:
		k.status.Runs.Failed++
	default:
		k.status.Runs.NotReached++
	}
}

// goalsOf is how the goals of a run stand.
func goalsOf(t *journal.Timeline) []GoalStatus {
	var goals []GoalStatus
	for _, row := range t.Rows() {
		g := GoalStatus{Addr: row.Addr, State: row.State, Phase: row.Current}
		switch {
		case row.Refused != nil:
			g.Why = row.Refused.Reason + ": " + row.Refused.Message
		case row.Delayed != nil:
			g.Why = row.Delayed.Reason + ": " + row.Delayed.Message
		case row.Blocked != nil:
			g.Why = row.Blocked.Cause
		}
		goals = append(goals, g)
	}
	return goals
}

// tally counts actions as they end, for the status.
func (k *keeper) tally(e journal.Event) {
	if e.Action == nil || e.Action.State == journal.ActionStarted {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for i, c := range k.status.Actions {
		if c.Verb == e.Action.Verb && c.Result == e.Action.State {
			k.status.Actions[i].Count++
			return
		}
	}
	k.status.Actions = append(k.status.Actions, ActionCount{e.Action.Verb, e.Action.State, 1})
}

// retrying says whether something failed and is to be tried again.
func (k *keeper) retrying() bool {
	_, is := k.retries.next(time.Now())
	return is
}
