package apply

import (
	"maps"
	"time"

	"github.com/vksync/vksync/reconcile/phase"
)

// DefaultDeadlines are how long the phases of a cluster may take before they are
// reported. They are what operators of such clusters wait for elsewhere: half an
// hour for what runs by itself, an hour for a whole control plane.
func DefaultDeadlines() map[phase.ID]time.Duration {
	return map[phase.ID]time.Duration{
		phase.Prerequisites:  30 * time.Minute,
		phase.Topology:       30 * time.Minute,
		phase.Infrastructure: 30 * time.Minute,
		phase.Bootstrap:      time.Hour,
		phase.Machine:        time.Hour,
		phase.Node:           time.Hour,
		phase.Workers:        30 * time.Minute,
	}
}

// perWorker is what the phase of the workers may take for each of them, when that
// is more than its deadline: changes roll through them one by one.
const perWorker = 10 * time.Minute

// betweenLooks bounds how often all goals are looked through for late phases.
const betweenLooks = time.Minute

func (o *Options) setDeadlines() {
	deadlines := DefaultDeadlines()
	maps.Copy(deadlines, o.Deadlines)
	o.Deadlines = deadlines
}

// reportOverdue reports each phase of a goal that takes longer than it may, once.
// The goal goes on: it fails only by a refusal, and is given up only when it
// stands still. The look is put off until the first phase that can be meant.
func (r *run) reportOverdue() {
	now := r.World.Now()
	if now.Before(r.nextDue) {
		return
	}
	r.nextDue = now.Add(r.shortest())
	for _, s := range r.sorted() {
		if s.state.settled() || s.awaits() {
			continue
		}
		id, since := r.Journal.Standing(s.goal.Addr, now)
		limit, limited := Allowed(r.Deadlines, s.goal.Workers, id)
		switch {
		case !limited || since < 0 || s.overdue == id:
		case since >= limit:
			s.overdue = id
			r.Journal.Record(now, Late(s.goal.Addr, id, limit, r.chain(s)))
		default:
			if at := now.Add(limit - since); at.Before(r.nextDue) {
				r.nextDue = at
			}
		}
	}
	if soonest := now.Add(betweenLooks); r.nextDue.Before(soonest) {
		r.nextDue = soonest
	}
}

// shortest is the shortest of the deadlines: no phase that begins from now on is
// late before that.
func (r *run) shortest() time.Duration {
	out := 24 * time.Hour
	for _, d := range r.Deadlines {
		if d >= 0 {
			out = min(out, d)
		}
	}
	return out
}
