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
	// namespaces are the vSphere Namespaces as last read, by name. They are read
	// when a run asks for it: vCenter has no watch for them.
	namespaces map[string]resource.Object
	changed    map[resource.Addr]bool
	// unmarked are the vSphere Namespaces that this run made and whose Kubernetes
	// Namespaces do not carry the source's label yet.
	mu       sync.Mutex // guards unmarked
	unmarked map[string]bool
}

var _ apply.Actor = (*actor)(nil)

func newActor(e *Engine) *actor {
	return &actor{engine: e, namespaces: map[string]resource.Object{}, changed: map[resource.Addr]bool{}, unmarked: map[string]bool{}}
}

func (a *actor) Changed() <-chan struct{} { return a.engine.cache.Changed() }

func (a *actor) CatchUp(ctx context.Context, mark string) error {
	return a.engine.cache.CatchUp(ctx, mark)
}

func (a *actor) TakeChanged() []resource.Addr {
	out := a.engine.cache.TakeChanged()
	for addr := range a.changed {
		out = append(out, addr)
	}
	clear(a.changed)
	slices.SortFunc(out, resource.Addr.Compare)
	return out
}

func (a *actor) Get(addr resource.Addr) (resource.Object, bool) {
	if addr.Kind == resource.KindVSphereNamespace {
		o, ok := a.namespaces[addr.Name]
		return o, ok
	}
	return a.engine.cache.Get(addr)
}

// Refresh reads the vSphere Namespaces and notes which of them changed.
func (a *actor) Refresh(ctx context.Context) error {
	list, err := a.engine.vcenter.Namespaces(ctx)
	if err != nil {
		return err
	}
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
	return a.mark(ctx)
}

// mark labels the Kubernetes Namespaces of the vSphere Namespaces that this run
// made, once they are there: vCenter has no place for a label.
func (a *actor) mark(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(a.unmarked)) {
		o := resource.NewObject(map[string]any{
			"apiVersion": "v1", "kind": "Namespace",
			"metadata": map[string]any{"name": name, "labels": map[string]any{resource.LabelSource: a.engine.source}},
		})
		if _, exists := a.engine.cache.Get(o.Addr()); !exists {
			continue
		}
		if err := a.apply(ctx, o, false); err != nil {
			return err
		}
		delete(a.unmarked, name)
	}
	return nil
}

func (a *actor) Replan(ctx context.Context) (*plan.Plan, error) {
	return a.engine.Plan(ctx, a.engine.desired, a.engine.options)
}

// Do takes one action and maps a refusal to a Failure.
func (a *actor) Do(ctx context.Context, action plan.Action) error {
	var err error
	if action.Addr.Kind == resource.KindVSphereNamespace {
		err = a.doNamespace(ctx, action)
	} else {
		err = a.doCluster(ctx, action)
	}
	return failure(err)
}

func (a *actor) doCluster(ctx context.Context, action plan.Action) error {
	if action.Verb == plan.Delete {
		err := a.engine.kube.Delete(ctx, action.Addr, action.UID)
		if supervisor.ClassOf(err) == supervisor.NotFound {
			return nil // it is gone already
		}
		return err
	}
	return a.apply(ctx, action.Object, action.Force)
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
	switch action.Verb {
	case plan.Create:
		a.mu.Lock()
		a.unmarked[action.Addr.Name] = true
		a.mu.Unlock()
		return a.engine.vcenter.CreateNamespace(ctx, action.Object)
	case plan.Update:
		return a.engine.vcenter.UpdateNamespace(ctx, action.Object)
	case plan.Delete:
		return a.engine.vcenter.DeleteNamespace(ctx, action.Addr.Name)
	}
	return fmt.Errorf("no way to %s %s", action.Verb, action.Addr)
}

// failure maps the errors of the two clients to what a run decides by.
func failure(err error) error {
	var kube *supervisor.Error
	var vcenter *vsphere.Error
	switch {
	case errors.As(err, &kube):
		return &apply.Failure{Reason: kube.Reason(), Message: kube.Text(), Transient: kube.Transient()}
	case errors.As(err, &vcenter):
		return &apply.Failure{Reason: string(vcenter.Kind), Message: vcenter.Detail, Transient: vcenter.Kind == vsphere.Transient}
	}
	return err
}
