package reconcile

import (
	"context"
	"time"

	"github.com/vksync/vksync/reconcile/apply"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/plan"
)

// What the journal of a loop is about. A loop that has nothing to do, or may not
// do it, has one as well, so that who looks at it sees something.
const (
	showsRun   = "run"
	showsIdle  = "idle " // with how that came to its end
	showsAPlan = "plan " // with the digest of the plan that is held
)

// showIdle records, unless the last run is still what there is to be seen, that
// nothing is to be done now: all is in sync, or what is not cannot be.
func (k *keeper) showIdle(ctx context.Context, p *plan.Plan, r *Revision, outcome journal.Outcome) error {
	if k.shows(showsRun) || !k.nowShows(showsIdle+string(outcome)) {
		return nil
	}
	b, err := k.beginOf(ctx, p, r)
	if err != nil {
		return err
	}
	end := journal.End{Outcome: outcome, Goals: len(b.Goals)}
	for i := range b.Goals {
		if outcome == journal.Reached { // drift that is only observed is none of the loop's
			b.Goals[i].Verb = verbNone
			end.Reached++
		}
	}
	recorder := journal.NewRecorder(b.Start, k.Journal...)
	recorder.Record(b.Start, journal.Event{Begin: b})
	recorder.Record(b.Start, journal.Event{End: &end})
	return nil
}

// showHeld records a plan that is held. Nothing of it runs.
func (k *keeper) showHeld(ctx context.Context, p *plan.Plan, r *Revision) error {
	if !k.nowShows(showsAPlan + p.Digest()) {
		return nil
	}
	b, err := k.beginOf(ctx, p, r)
	if err != nil {
		return err
	}
	b.Proposed = true
	journal.NewRecorder(b.Start, k.Journal...).Record(b.Start, journal.Event{Begin: b})
	return nil
}

func (k *keeper) beginOf(ctx context.Context, p *plan.Plan, r *Revision) (*journal.Begin, error) {
	b, err := apply.Begin(journal.Begin{Revision: r.Commit.Hash, World: k.world(), Site: k.engine.site(ctx)}, p, time.Now())
	return &b, err
}

// world is what people call the Supervisor.
func (l *Loop) world() string { return "Supervisor " + l.Supervisor }

// shows says whether the journal is about something.
func (l *Loop) shows(what string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.shown == what
}

// nowShows notes what the journal is about from now on, and says whether that is news.
func (l *Loop) nowShows(what string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.shown
	l.shown = what
	return was != what
}
