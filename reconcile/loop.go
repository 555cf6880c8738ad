package reconcile

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/link"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/reconcile/supervisor"
	"github.com/vksync/vksync/schema"
)

// LoopConfig is what a Loop keeps equal to what.
type LoopConfig struct {
	// Source and Supervisor are names. Source is the value of the label that
	// marks what is owned.
	Source, Supervisor string
	Feed               *Feed
	// Part is what of a revision is for the Supervisor; nil is all of it.
	Part func(*schema.Desired) *resource.Set
	// Connect makes an Engine for the Source on the Supervisor.
	Connect func(context.Context) (*Engine, error)
	// Health is how the endpoints are that Connect last tried, for the time in which
	// there is no Engine; nil is not known.
	Health func() Health
	Policy schema.Policy
	// Shard says by its labels which resource is acted on; nil is every one.
	Shard func(labels map[string]string) bool
	// Namespace is where the loop's ConfigMap is.
	Namespace string
	// Lease makes one of several replicas the leader; nil does without.
	Lease *supervisor.LeaderOptions
	// Resync is how often everything is compared although nothing seems to have
	// changed; 0 is a minute.
	Resync time.Duration
	// Journal gets the events of every run, which begins with Seq 0; and, while there
	// is none, a journal that says that all is in sync, or which plan is held.
	Journal []func(journal.Event)
	Log     *slog.Logger
}

// Loop keeps one Supervisor equal to one source: the newest revision wins, what
// others change is seen and corrected, what fails is tried again. It keeps no
// progress: every turn observes and plans anew.
type Loop struct {
	LoopConfig
	log *slog.Logger

	mu     sync.Mutex // guards what is below
	status LoopStatus
	// recorder is of the run that is under way; nil between runs.
	recorder *journal.Recorder
	// shown is what the journal is about.
	shown string
	// engine is connected; nil when none is.
	engine *Engine
	// tries are those that failed in a row, although the endpoints could be asked.
	tries int
}

// How often a loop looks when there is no reason to.
const (
	resync       = time.Minute
	poll         = 3 * time.Second // of what cannot be watched, while a run waits for it
	approvalPoll = 3 * time.Second
	// settle is how long changes on the Supervisor collect before they are
	// compared, so that a rollout is not planned anew at each of its steps.
	settle = 2 * time.Second
)

// How soon a failed turn is tried again, and after how many of them the
// connections are made anew.
const (
	turnRetryFirst = 2 * time.Second
	turnRetryMost  = 30 * time.Second
	turnsUntilNew  = 3
)

// again is how long to wait after a failure: until an endpoint that is down may be
// asked again, which its Link paces, or else longer each time.
func (l *Loop) again() time.Duration {
	until := time.Duration(0)
	for _, e := range l.Status().Endpoints {
		if e.State == link.Open {
			until = max(until, time.Until(e.Retry))
		}
	}
	if until > 0 {
		return until
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tries++
	return min(turnRetryFirst<<min(l.tries-1, 10), turnRetryMost)
}

// Why a run was ended before its time.
var (
	errNewer = errors.New("a newer revision")
	errDrift = errors.New("something else is to be done")
)

// NewLoop makes a loop; Run drives it.
func NewLoop(c LoopConfig) *Loop {
	if c.Resync == 0 {
		c.Resync = resync
	}
	if c.Part == nil {
		c.Part = func(d *schema.Desired) *resource.Set { return &d.Resources }
	}
	return &Loop{
		LoopConfig: c, log: c.Log.With("source", c.Source, "supervisor", c.Supervisor),
		status: LoopStatus{Source: c.Source, Supervisor: c.Supervisor, State: Connecting, Since: time.Now(), Leader: c.Lease == nil},
	}
}

// Run keeps the Supervisor equal until ctx ends. No failure ends it.
func (l *Loop) Run(ctx context.Context) {
	for ctx.Err() == nil {
		if err := l.session(ctx); ctx.Err() == nil && err != nil {
			pause(ctx, l.fails(err))
		}
	}
}

// session connects and keeps the Supervisor equal until that fails so often that
// a new connection may be the remedy.
func (l *Loop) session(ctx context.Context) (err error) {
	l.become(Connecting)
	e, err := l.Connect(ctx)
	if err != nil {
		return err
	}
	l.connected(e)
	defer func() {
		l.connected(nil)
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if closed := e.Close(closing); err == nil {
			err = closed // whatever failed before it says more
		}
	}()
	if l.Lease == nil {
		return l.keep(ctx, e)
	}
	l.become(Standby)
	lease := *l.Lease
	lease.Observed = func(leader string) { l.log.Info("a replica leads", "identity", leader) }
	return e.kube.Lead(ctx, lease, func(ctx context.Context) error {
		l.leads(true)
		defer l.leads(false)
		err := l.keep(ctx, e)
		if ctx.Err() != nil {
			l.become(Standby) // the Lease is lost, and competed for
		}
		return err
	})
}

// keep takes one turn after the other.
func (l *Loop) keep(ctx context.Context, e *Engine) error {
	k := &keeper{Loop: l, engine: e, watched: e.cache.Subscribe(), ledger: newLedger(e, l.Namespace, l.Source, l.Policy.Mode), retries: backoff{}}
	defer k.watched.Close()
	for failures := 0; ; {
		revision, newer := l.Feed.Latest()
		next := k.Resync
		if revision == nil {
			l.become(Waiting)
		} else if err := k.turn(ctx, revision, newer); ctx.Err() != nil {
			return ctx.Err()
		} else if err != nil {
			if failures++; failures >= turnsUntilNew {
				return err
			}
			next = l.fails(err)
		} else {
			failures, next = 0, k.nextTurn()
		}
		if err := k.await(ctx, newer, next); err != nil {
			return err
		}
	}
}

// A keeper is a loop that is connected and leads.
type keeper struct {
	*Loop
	engine   *Engine // the Loop's, which is guarded
	watched  *supervisor.Subscription
	ledger   *ledger
	recalled bool // whether the ledger was read
	// ledgerless says that there can be none, which was said.
	ledgerless bool
	planned    string        // the revision of the last turn
	part       *resource.Set // what is for the Supervisor of it
	// applied is what the last revision asked for that was done by this keeper; nil
	// before one was.
	applied *resource.Set
	retries backoff
	// pending is the digest of the plan that is held, empty when none is; told is what
	// was last said of it.
	pending, told string
	// lacking says that the plan leaves a goal out that the revision asks for.
	lacking  bool
	watching time.Time // when drift is looked for next
}

// turn observes, plans, and runs what may be run.
func (k *keeper) turn(ctx context.Context, r *Revision, newer <-chan struct{}) error {
	if err := k.recall(ctx); err != nil {
		return err
	}
	if r.Commit.Hash != k.planned {
		clear(k.retries)
		k.planned, k.part = r.Commit.Hash, k.Part(r.Desired)
	}
	p, err := k.plan(ctx, r)
	if err != nil {
		return err
	}
	if k.ledger.settled == r.Commit.Hash { // before, what differs may not have come yet
		k.observeDrift(ctx, changes(p))
	}
	p = p.Only(k.mine())
	k.lacking = slices.ContainsFunc(p.Actions, func(a plan.Action) bool { return a.Skip != "" && a.Verb != plan.Delete })
	todo := p.Only(k.allow(r))
	if !acts(todo) {
		return k.idle(ctx, p, r)
	}
	if changes(todo) {
		if why, err := k.held(ctx, todo, r); err != nil {
			return err
		} else if why != "" {
			return k.hold(ctx, todo, r, why)
		}
	}
	k.pending = ""
	return k.run(ctx, todo, r, newer)
}

func (k *keeper) plan(ctx context.Context, r *Revision) (*plan.Plan, error) {
	k.become(Planning)
	began := time.Now()
	p, err := k.engine.Plan(ctx, k.part, k.options(r))
	k.mu.Lock()
	defer k.mu.Unlock()
	k.status.Plans.add(time.Since(began))
	if err != nil {
		return nil, err
	}
	k.works()
	k.status.Revision = r.Commit.Hash
	k.status.Digest, k.status.Summary, k.status.Findings = p.Digest(), p.Summary(), p.Findings
	return p, nil
}

func (k *keeper) options(r *Revision) Options {
	o := Options{
		Revision: r.Commit.Hash,
		Prune:    k.Policy.Prune, PruneLimit: k.Policy.PruneLimit,
		Adopt: k.Policy.Adopt, ForceConflicts: k.Policy.ForceConflicts,
	}
	switch {
	case k.Policy.Drift == schema.DriftObserve:
	case k.ledger.settled == r.Commit.Hash:
		o.Reclaim = k.part
	default:
		o.Reclaim = k.applied
	}
	return o
}

// allow lets through the actions that are this loop's, are not tried again too
// early, and correct no drift that is to be observed only.
func (k *keeper) allow(r *Revision) func(plan.Action) bool {
	retries, now := maps.Clone(k.retries), time.Now()
	observeOnly := k.Policy.Drift == schema.DriftObserve && k.ledger.settled == r.Commit.Hash
	mine := k.mine()
	return func(a plan.Action) bool {
		switch {
		case a.Skip != "":
			return false
		case retries.holds(a.Addr, now), observeOnly && a.Verb != plan.None:
			return false
		}
		return mine(a)
	}
}

// mine lets through the actions on resources of the loop's shard.
func (k *keeper) mine() func(plan.Action) bool {
	return func(a plan.Action) bool { return k.Shard == nil || k.Shard(k.engine.labels(a.Addr, k.part)) }
}

// idle notes that nothing is to be done now, or nothing at all.
func (k *keeper) idle(ctx context.Context, p *plan.Plan, r *Revision) error {
	k.pending = ""
	done := !k.lacking && !changes(p)
	if k.retrying() || !done && k.ledger.settled != r.Commit.Hash {
		k.become(Degraded) // the findings say why what is left is skipped
		return k.showIdle(ctx, p, r, journal.NotReached)
	}
	if err := k.settle(ctx, r); err != nil {
		return err
	}
	return k.showIdle(ctx, p, r, journal.Reached)
}

// settle notes that a revision is done.
func (k *keeper) settle(ctx context.Context, r *Revision) error {
	revision := r.Commit.Hash
	news := k.ledger.settled != revision || k.applied == nil // or this process has not said so
	k.applied = k.part
	k.ledger.settle(revision)
	if err := k.remember(ctx, nil); err != nil {
		return err
	}
	k.become(InSync)
	k.mu.Lock()
	k.status.Synced = revision
	k.mu.Unlock()
	if news {
		k.log.Info("in sync", "revision", short(revision))
	}
	return nil
}

// hold shows a plan that may not be run now.
func (k *keeper) hold(ctx context.Context, p *plan.Plan, r *Revision, why string) error {
	if err := k.showHeld(ctx, p, r); err != nil {
		return err
	}
	k.pending = p.Digest()
	if err := k.remember(ctx, p); err != nil {
		return err
	}
	k.become(Held)
	k.mu.Lock()
	k.status.Hold = why
	if k.ledger.approves {
		k.status.Pending, k.status.Approve = p.Digest(), k.ledger.command(p.Digest())
	}
	k.mu.Unlock()
	if news := why + p.Digest(); news != k.told {
		k.told = news
		about := []any{"why", why, "plan", short(p.Digest())}
		if k.ledger.approves {
			about = append(about, "approve", k.ledger.command(p.Digest()))
		}
		k.log.Info("a plan is held", about...)
	}
	return nil
}

// await waits for a reason to take the next turn.
func (k *keeper) await(ctx context.Context, newer <-chan struct{}, next time.Duration) error {
	timer := time.NewTimer(next)
	defer timer.Stop()
	look := time.NewTicker(approvalPoll)
	defer look.Stop()
	for soon := false; ; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-newer:
			return nil
		case <-timer.C:
			return nil
		case <-look.C:
			if k.granted(ctx) {
				return nil
			}
		case <-k.watched.Changed():
			if !soon { // what changes all the time does not put it off for ever
				soon = true
				timer.Reset(min(next, settle))
			}
		}
	}
}

// nextTurn is how soon to look again although nothing has changed.
func (k *keeper) nextTurn() time.Duration {
	next := k.Resync
	if at, any := k.retries.next(time.Now()); any {
		next = min(next, max(time.Until(at), time.Second))
	}
	return next
}

// acts says whether a plan does or awaits anything, changes whether it does.
func acts(p *plan.Plan) bool    { return changes(p) || p.Summary().Wait > 0 }
func changes(p *plan.Plan) bool { s := p.Summary(); return s.Create+s.Update+s.Delete > 0 }

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// become notes what the loop does. One that fails does so until it works again:
// each try is no news.
func (l *Loop) become(s State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.status.State == Failing && (s == Connecting || s == Planning) {
		return
	}
	if l.status.State != s {
		l.status.State, l.status.Since = s, time.Now()
	}
	if s != Held {
		l.status.Hold = ""
	}
	if s != Held && s != Planning { // which looks whether it is still the same that waits
		l.status.Pending, l.status.Approve = "", ""
	}
	if s == Standby {
		l.status.Error, l.status.Retry = "", time.Time{} // others act
	}
}

func (l *Loop) leads(is bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status.Leader = is
	l.log.Info("leadership", "leads", is)
}

// connected has the status follow an engine.
func (l *Loop) connected(e *Engine) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.engine = e
}

// reports has the status follow a run.
func (l *Loop) reports(r *journal.Recorder) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.recorder = r
}

// fails notes why nothing can be done now, and says how long to wait before it is
// tried again.
func (l *Loop) fails(err error) (again time.Duration) {
	again = l.again()
	l.become(Failing)
	l.log.Error("the turn failed and is tried again", "error", err, "in", again.Round(time.Millisecond))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status.Error, l.status.Retry = err.Error(), time.Now().Add(again)
	return again
}

// works notes that what had failed is over. It is called with mu held.
func (l *Loop) works() {
	if l.status.State == Failing {
		l.log.Info("it works again", "failed", time.Since(l.status.Since).Round(time.Millisecond))
		l.status.State, l.status.Since = Planning, time.Now()
	}
	l.status.Error, l.status.Retry, l.tries = "", time.Time{}, 0
}

// Status is how the loop stands.
func (l *Loop) Status() LoopStatus {
	l.mu.Lock()
	s, recorder, engine := l.status, l.recorder, l.engine
	s.Actions, s.Drifted = slices.Clone(s.Actions), maps.Clone(s.Drifted)
	l.mu.Unlock() // the recorder's sinks take it
	switch {
	case engine != nil:
		s.connects(engine.Health())
	case l.Health != nil:
		s.connects(l.Health())
	}
	if recorder != nil {
		recorder.Read(func(t *journal.Timeline) { s.Goals = goalsOf(t) })
	}
	return s
}
