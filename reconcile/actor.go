package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"

	"github.com/vksync/vksync/reconcile/apply"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/reconcile/supervisor"
	"github.com/vksync/vksync/reconcile/vsphere"
)

// An actor is how a run acts and sees: Clusters through the Supervisor, vSphere
// Namespaces through vCenter. It belongs to the goroutine of the run, except Do.
type actor struct {
	engine *Engine
	// watched is this run's own: several may go on side by side.
	watched *supervisor.Subscription
	// desired and options are those of the plan that is run, for planning again.
	desired *resource.Set
	options Options

	mu sync.Mutex // guards what is below
	// namespaces are the vSphere Namespaces as last read, by name. They are read
	// when a run asks for it: vCenter has no watch for them.
	namespaces map[string]resource.Object
	changed    map[resource.Addr]bool
	// unmarked are the vSphere Namespaces that this run made or took over and
	// whose Kubernetes Namespaces do not carry the source's label yet; false for
	// those whose label was refused.
	unmarked map[string]bool
	refused  map[resource.Addr]*apply.Failure
	deleted  int
}

var _ apply.Actor = (*actor)(nil)

func newActor(e *Engine, p *plan.Plan, made Options) *actor {
	return &actor{
		engine: e, watched: e.cache.Subscribe(), desired: p.Desired, options: made,
		namespaces: map[string]resource.Object{}, changed: map[resource.Addr]bool{}, unmarked: map[string]bool{},
	}
}

func (a *actor) Changed() <-chan struct{} { return a.watched.Changed() }

func (a *actor) CatchUp(ctx context.Context, mark string) error {
	return a.engine.cache.CatchUp(ctx, mark)
}

func (a *actor) TakeChanged() []resource.Addr {
	out := a.watched.TakeChanged()
	a.mu.Lock()
	defer a.mu.Unlock()
	for addr := range a.changed {
		out = append(out, addr)
	}
	clear(a.changed)
	slices.SortFunc(out, resource.Addr.Compare)
	return out
}

// TakeRefused lists the vSphere Namespaces whose label was refused.
func (a *actor) TakeRefused() map[resource.Addr]*apply.Failure {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := a.refused
	a.refused = nil
	return out
}

// Get does not show a vSphere Namespace that lacks its label: until then the
// next plan would take it for somebody else's, so the run goes on.
func (a *actor) Get(addr resource.Addr) (resource.Object, bool) {
	if addr.Kind != resource.KindVSphereNamespace {
		return a.engine.cache.Get(addr)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	o, ok := a.namespaces[addr.Name]
	_, unmarked := a.unmarked[addr.Name]
	return o, ok && !unmarked
}

// Refresh reads the vSphere Namespaces and notes which of them changed.
func (a *actor) Refresh(ctx context.Context) error {
	list, err := a.engine.vcenter.Namespaces(ctx)
	if err != nil {
		return failure(err)
	}
	for _, name := range a.see(list) {
		if err := a.mark(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// see notes what was read, and returns which Kubernetes Namespaces are to be labelled.
func (a *actor) see(list []resource.Object) (unmarked []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	present := map[string]resource.Object{}
	for _, o := range list {
		present[o.GetName()] = o
		if old, known := a.namespaces[o.GetName()]; !known || !reflect.DeepEqual(old.Object, o.Object) {
			a.changed[o.Addr()] = true
		}
	}
	for name, o := range a.namespaces {
		if _, still := present[name]; !still {
			a.changed[o.Addr()] = true
		}
	}
	a.namespaces = present
	for _, name := range slices.Sorted(maps.Keys(a.unmarked)) {
		if a.unmarked[name] {
			unmarked = append(unmarked, name)
		}
	}
	return unmarked
}

// mark labels a Kubernetes Namespace once it is there. A refusal concerns this
// one vSphere Namespace; what may pass is tried again at the next Refresh.
func (a *actor) mark(ctx context.Context, name string) error {
	err := failure(a.label(ctx, name))
	var refusal *apply.Failure
	if !errors.As(err, &refusal) || refusal.Transient {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.unmarked[name] = false
	if a.refused == nil {
		a.refused = map[resource.Addr]*apply.Failure{}
	}
	a.refused[resource.Addr{Group: resource.GroupVksync, Kind: resource.KindVSphereNamespace, Name: name}] = &apply.Failure{
		Reason: refusal.Reason, Message: "labelling its Kubernetes Namespace: " + refusal.Message,
	}
	return nil
}

// label labels the Kubernetes Namespace of a vSphere Namespace, if it is there:
// vCenter has no place for a label.
func (a *actor) label(ctx context.Context, name string) error {
	o := resource.NewObject(map[string]any{
		"apiVersion": "v1", "kind": "Namespace",
		"metadata": map[string]any{"name": name, "labels": map[string]any{resource.LabelSource: a.engine.source}},
	})
	if _, exists := a.engine.cache.Get(o.Addr()); !exists {
		return nil // applying would make one
	}
	if err := a.apply(ctx, o, a.options.Adopt || a.options.ForceConflicts); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.unmarked, name)
	if live, exists := a.namespaces[name]; exists {
		a.changed[live.Addr()] = true
	}
	return nil
}

// Replan plans for the revision of the run once more.
func (a *actor) Replan(ctx context.Context) (*plan.Plan, error) {
	return a.engine.Plan(ctx, a.desired, a.options.after(a.deleted))
}

// after are the options for the rest of a run that has deleted so many: the
// limit is for the run and not for each of its plans.
func (o Options) after(deleted int) Options {
	if o.PruneLimit > 0 {
		o.PruneLimit -= deleted
		o.Prune = o.Prune && o.PruneLimit > 0
	}
	return o
}

// Do takes one action and maps a refusal to a Failure.
func (a *actor) Do(ctx context.Context, action plan.Action) error {
	if action.Addr.Kind == resource.KindVSphereNamespace {
		return failure(a.doNamespace(ctx, action))
	}
	return failure(a.doCluster(ctx, action))
}

func (a *actor) doCluster(ctx context.Context, action plan.Action) error {
	if action.Verb != plan.Delete {
		return a.apply(ctx, action.Object, action.Force)
	}
	leaving, err := a.mayDelete(ctx, action.Addr)
	if leaving || err != nil {
		return err
	}
	err = a.engine.kube.Delete(ctx, action.Addr, action.UID)
	if supervisor.ClassOf(err) == supervisor.NotFound {
		return nil // it is gone already
	}
	if err == nil {
		a.countDeletion()
	}
	return err
}

// apply returns when the result is seen by Get.
func (a *actor) apply(ctx context.Context, o resource.Object, force bool) error {
	stored, err := a.engine.kube.Apply(ctx, o, force)
	if err != nil {
		return err
	}
	return a.engine.cache.AwaitWrite(ctx, stored)
}

func (a *actor) doNamespace(ctx context.Context, action plan.Action) error {
	name := action.Addr.Name
	switch action.Verb {
	case plan.Create:
		if err := a.create(ctx, action.Object); err != nil {
			return err
		}
		a.written(name, a.engine.source != "")
		return nil
	case plan.Update:
		takesOver := slices.ContainsFunc(action.Changes, isLabel)
		if !takesOver || len(action.Changes) > 1 {
			if err := a.engine.vcenter.UpdateNamespace(ctx, action.Object); err != nil {
				return err
			}
		}
		a.written(name, takesOver)
		if !takesOver {
			return nil
		}
		return a.label(ctx, name)
	case plan.Delete:
		if _, err := a.mayDelete(ctx, resource.Addr{Kind: "Namespace", Name: name}); err != nil {
			return err
		}
		if err := a.uninhabited(ctx, name); err != nil {
			return err
		}
		if err := a.remove(ctx, name); err != nil {
			return err
		}
		a.countDeletion()
		return nil
	}
	return fmt.Errorf("no way to %s %s", action.Verb, action.Addr)
}

// create makes a vSphere Namespace. One that exists already and carries the mark
// of this source is its own: an earlier request took effect, and its answer was lost.
func (a *actor) create(ctx context.Context, o resource.Object) error {
	err := a.engine.vcenter.CreateNamespace(ctx, o)
	if a.engine.source == "" || vsphere.KindOf(err) != vsphere.Conflict {
		return err
	}
	list, unread := a.engine.vcenter.Namespaces(ctx)
	if unread != nil {
		return unread
	}
	own := func(live resource.Object) bool {
		return live.GetName() == o.GetName() && live.GetLabels()[resource.LabelSource] == a.engine.source
	}
	if slices.ContainsFunc(list, own) {
		return nil
	}
	return err
}

// mayDelete fails when an object was protected from deletion after the plan, and
// says whether it is leaving already. It is read anew, since a watch may be behind.
func (a *actor) mayDelete(ctx context.Context, carrier resource.Addr) (leaving bool, err error) {
	o, err := a.engine.kube.Get(ctx, carrier)
	switch {
	case supervisor.ClassOf(err) == supervisor.NotFound:
		return true, nil
	case err != nil:
		return false, err
	case o.GetDeletionTimestamp() != nil:
		return true, nil
	case plan.Protected(o):
		return false, &apply.Failure{Reason: "Protected", Message: carrier.String() + " has the annotation " + resource.AnnotationProtection}
	}
	return false, nil
}

// remove deletes a vSphere Namespace. One that is gone, or on its way out, was
// deleted by an earlier request.
func (a *actor) remove(ctx context.Context, name string) error {
	known, there := a.Get(resource.Addr{Group: resource.GroupVksync, Kind: resource.KindVSphereNamespace, Name: name})
	if there && removing(known) {
		return nil
	}
	err := a.engine.vcenter.DeleteNamespace(ctx, name)
	switch kind := vsphere.KindOf(err); {
	case err == nil || kind == vsphere.NotFound:
		return nil
	case kind != vsphere.Conflict && kind != vsphere.Invalid: // vCenter has more than one word for it
		return err
	}
	list, unread := a.engine.vcenter.Namespaces(ctx)
	if unread != nil {
		return unread
	}
	stays := func(o resource.Object) bool {
		return o.GetName() == name && !removing(o)
	}
	if slices.ContainsFunc(list, stays) {
		return err
	}
	return nil
}

func removing(namespace resource.Object) bool {
	return resource.Text(namespace.Object, "status", "configStatus") == "REMOVING"
}

// uninhabited fails when there is a Cluster in a namespace, which would go with
// it: one that came after the plan, or that a watch has not seen.
func (a *actor) uninhabited(ctx context.Context, namespace string) error {
	clusters, err := a.engine.kube.List(ctx, kindCluster)
	if err != nil {
		return err
	}
	for _, o := range clusters {
		if o.GetNamespace() == namespace {
			return &apply.Failure{Reason: "StillInhabited", Message: o.Addr().String() + " is in it"}
		}
	}
	return nil
}

// isLabel says whether a change is about the label of the source, which is on
// the Kubernetes Namespace and not in vCenter.
func isLabel(c plan.Change) bool { return c.Path == plan.LabelChange }

// written forgets what was read of a vSphere Namespace before it was written.
func (a *actor) written(name string, unmarked bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.namespaces, name)
	if unmarked {
		a.unmarked[name] = true
	}
}

func (a *actor) countDeletion() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.deleted++
}

// failure maps the errors of the two clients to what a run decides by; others,
// and nil, it leaves as they are.
func failure(err error) error {
	var kube *supervisor.Error
	var vcenter *vsphere.Error
	switch {
	case errors.Is(err, supervisor.ErrLost): // the run is about to end
		return &apply.Failure{Reason: "LeaseLost", Message: supervisor.ErrLost.Error(), Transient: true}
	case errors.As(err, &kube):
		return &apply.Failure{Reason: kube.Reason(), Message: kube.Text(), Transient: kube.Transient()}
	case errors.As(err, &vcenter):
		return &apply.Failure{Reason: string(vcenter.Kind), Message: vcenter.Detail, Transient: vcenter.Kind == vsphere.Transient}
	}
	return err
}
