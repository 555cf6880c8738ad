// Package reconcile makes what exists equal to what a revision asks for, once or
// for good. It wires the clients of the two APIs, the planner and the executor
// together, and hides that a plan needs both APIs and a dry run.
//
// An Engine plans and runs against one Supervisor and its vCenter, says what others
// changed (drift.go), and tells of a world in which others act (watch.go). Once is a plan and a run of it. For good is a Daemon:
//
//	repository -> Feed (newest valid revision) -> Loop, one for each Supervisor -> Engine
//
// A Loop takes turns (loop.go): observe, plan, leave out what its policy, its shard
// and its back-off forbid, run the rest (turn.go), wait for a reason to look again.
// A newer revision, or a plan that holds something else, ends a run early, which
// costs nothing: a turn keeps no progress. What must outlive a process is in one
// ConfigMap (ledger.go): the revision that was done, since what differs from it is
// drift, and what an operator has approved (approval.go).
package reconcile

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/rest"

	"github.com/vksync/vksync/reconcile/apply"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/link"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/reconcile/supervisor"
	"github.com/vksync/vksync/reconcile/vsphere"
)

// Endpoints say where a Supervisor and its vCenter are.
type Endpoints struct {
	// Kube reaches the Supervisor's Kubernetes API, and KubeLink knows how it is and
	// repeats reads that failed; nil is none.
	Kube     *rest.Config
	KubeLink *link.Link
	// VSphere reaches the vCenter; its Link does the same there.
	VSphere vsphere.Config
	// World is the time; nil is the real one.
	World apply.World
	// Source is the value of the label that marks what this repository owns.
	Source string
}

// Options say what a plan may do.
type Options struct {
	Revision   string
	Prune      bool
	PruneLimit int
	Adopt      bool
	// Reclaim is what was applied before: fields of it that other field managers own
	// now are taken back. Nil is nothing.
	Reclaim *resource.Set
	// Allow lets through the actions that are this plan's; nil is all.
	Allow func(plan.Action) bool
	// ForceConflicts takes over fields that other field managers own.
	ForceConflicts bool
	// Inventory, when known, lets the plan check addresses and capacity.
	Inventory *resource.Object
}

// dryRuns bounds how many dry runs are asked for at once.
const dryRuns = 8

// Engine plans and runs against one Supervisor and its vCenter. It is safe for
// concurrent use: several plans can be run side by side.
type Engine struct {
	kube    *supervisor.Client
	cache   *supervisor.Cache
	vcenter *vsphere.Client
	world   apply.World
	source  string

	// The Links may be nil.
	kubeLink, vcenterLink *link.Link
	// history is nil when the world itself tells what happens.
	history *history
	// use is what is in use of a live site.
	use  siteUse
	mu   sync.Mutex // guards last
	last *planned   // nil before the first plan
}

// planned is what a plan was made of, for planning again.
type planned struct {
	desired *resource.Set
	options Options
}

// Connect logs in to both APIs, at the same time, and begins to follow the
// Supervisor.
func Connect(ctx context.Context, e Endpoints) (*Engine, error) {
	engine := &Engine{world: e.World, source: e.Source, kubeLink: e.KubeLink, vcenterLink: e.VSphere.Link}
	if engine.world == nil {
		engine.world = apply.RealTime{}
		engine.history = newHistory(engine)
	}
	group, unlessDenied := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		// A login that is broken off may leave a session behind, so this one goes on.
		engine.vcenter, err = vsphere.Dial(ctx, e.VSphere)
		return err
	})
	group.Go(func() (err error) {
		if engine.kube, err = supervisor.ConnectThrough(unlessDenied, e.Kube, e.KubeLink); err == nil {
			engine.cache, err = engine.kube.Watch(unlessDenied, followed...)
		}
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, errors.Join(err, engine.Close(ctx))
	}
	return engine, nil
}

// Close stops following and logs out.
func (e *Engine) Close(ctx context.Context) error {
	if e.history != nil {
		e.history.close()
	}
	if e.cache != nil {
		e.cache.Close()
	}
	if e.vcenter == nil {
		return nil // it was never reached
	}
	return e.vcenter.Close(ctx)
}

// Plan observes, asks the API server for dry runs where only it can tell, and
// plans. What cannot be read is an error, or unknown in the plan; never absent.
func (e *Engine) Plan(ctx context.Context, desired *resource.Set, o Options) (*plan.Plan, error) {
	e.mu.Lock()
	e.last = &planned{desired, o}
	e.mu.Unlock()
	policy := plan.Policy{Source: e.source, Prune: o.Prune, PruneLimit: o.PruneLimit, Adopt: o.Adopt, ForceConflicts: o.ForceConflicts}
	observed, err := e.observe(ctx, o.Prune)
	if err != nil {
		return nil, err
	}
	if o.Inventory != nil {
		observed.Live.Put(*o.Inventory)
	}
	if err := e.predict(ctx, desired, observed, policy, o.Reclaim); err != nil {
		return nil, err
	}
	p := plan.Make(desired, observed, policy)
	p.Revision, p.Inventory = o.Revision, o.Inventory
	if o.Allow != nil {
		p = p.Only(o.Allow)
	}
	return p, nil
}

// observe reads everything a plan needs, at the same time: a list per kind, however
// many clusters there are.
func (e *Engine) observe(ctx context.Context, prune bool) (*plan.Observed, error) {
	observed := &plan.Observed{Predicted: map[resource.Addr]resource.Object{}, Refused: map[resource.Addr]string{}, Reclaimed: map[resource.Addr]bool{}}
	answers := make([]listed, len(reads))
	group, reading := errgroup.WithContext(ctx)
	var namespaces, followed []resource.Object
	group.Go(func() (err error) {
		namespaces, err = e.vcenter.Namespaces(reading)
		return err
	})
	group.Go(func() (err error) {
		followed, err = e.followed(reading, prune)
		return err
	})
	for i, read := range reads {
		group.Go(func() error {
			answers[i] = read.list(reading, e.kube)
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for _, o := range append(namespaces, followed...) {
		observed.Live.Put(o)
	}
	for i, read := range reads {
		put(observed, read.Kind, answers[i])
	}
	return observed, nil
}

// put notes what is there of a kind, or why that is not known.
func put(observed *plan.Observed, kind string, l listed) {
	if l.err != nil {
		observed.Unread = append(observed.Unread, plan.Unread{Kind: kind, Reason: reasonUnread(l.err)})
	}
	for _, o := range l.objects {
		observed.Live.Put(o)
	}
}

// followed are the objects of the kinds that are followed. A watch may be behind,
// which does no harm until something is deleted for it: then they are listed.
func (e *Engine) followed(ctx context.Context, prune bool) ([]resource.Object, error) {
	if err := e.cache.Retry(ctx); err != nil || !prune {
		return e.cache.Objects(), err
	}
	var out []resource.Object
	for _, kind := range followed {
		list, err := e.kube.List(ctx, kind)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

// predict asks for the dry runs that the plan needs. A refusal is an answer; a
// failure to get one is an error.
func (e *Engine) predict(ctx context.Context, desired *resource.Set, observed *plan.Observed, policy plan.Policy, applied *resource.Set) error {
	var mu sync.Mutex // guards observed
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(dryRuns)
	ask, same := plan.NeedsDryRun(desired, observed, policy)
	observed.Same = same
	machines := make([]listed, len(parts))
	if plan.NeedsMachines(desired, observed) {
		for i, kind := range parts {
			group.Go(func() error {
				machines[i] = kind.list(ctx, e.kube)
				return ctx.Err()
			})
		}
	}
	for _, a := range ask {
		want, _ := desired.Get(a)
		group.Go(func() error {
			want = plan.Prepared(want, policy)
			predicted, err := e.kube.DryRunApply(ctx, want, policy.ForceConflicts)
			var refusal *supervisor.Error
			reclaimed := errors.As(err, &refusal) && refusal.Class == supervisor.Conflict && reclaims(applied, a, refusal.Fields)
			if reclaimed {
				predicted, err = e.kube.DryRunApply(ctx, want, true)
			}
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				observed.Predicted[a], observed.Reclaimed[a] = predicted, reclaimed
			case errors.As(err, &refusal) && !refusal.Transient():
				observed.Refused[a] = refusal.Text()
			default:
				return err
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, kind := range parts {
		put(observed, kind.Kind, machines[i])
	}
	return nil
}

// Run runs a plan made by Plan.
func (e *Engine) Run(ctx context.Context, p *plan.Plan, o apply.Options) (journal.End, error) {
	return e.RunAs(ctx, p, Options{
		Revision: p.Revision, Prune: p.Policy.Prune, PruneLimit: p.Policy.PruneLimit, Adopt: p.Policy.Adopt,
		ForceConflicts: p.Policy.ForceConflicts, Inventory: p.Inventory,
	}, o)
}

// RunAs runs a plan that was made with options, by which the run plans anew at its
// end. The plan may have less in it than Options.Allow let through since.
func (e *Engine) RunAs(ctx context.Context, p *plan.Plan, made Options, o apply.Options) (journal.End, error) {
	if p.Desired == nil {
		return journal.End{}, fmt.Errorf("running a plan: it was not made by Plan")
	}
	actor := newActor(e, p, made)
	defer actor.watched.Close()
	o.Client = actor
	if o.World == nil {
		o.World = e.world
	}
	end, err := e.recorded(ctx, p, &o)
	if err != nil {
		return journal.End{}, err
	}
	defer end()
	defer e.reported(ctx, &o)()
	return apply.Run(ctx, p, o)
}
