package reconcile

import (
	"context"
	"fmt"

	"github.com/vksync/vksync/reconcile/apply"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
)

// RunOnly runs a part of a plan: what allow lets through, also when the run plans
// anew at its end.
func (e *Engine) RunOnly(ctx context.Context, p *plan.Plan, allow func(plan.Action) bool, o apply.Options) (journal.End, error) {
	if p.Desired == nil {
		return journal.End{}, fmt.Errorf("running a plan: it was not made by Plan")
	}
	a := newActor(e, p)
	a.options.Allow = allow
	o.Client = a
	if o.World == nil {
		o.World = e.world
	}
	return apply.Run(ctx, p, o)
}

// labels are those of a resource as it is desired, or else as it is. The labels
// of a vSphere Namespace are on its Kubernetes Namespace.
func (e *Engine) labels(addr resource.Addr, desired *resource.Set) map[string]string {
	if want, is := desired.Get(addr); is {
		return want.GetLabels()
	}
	if addr.Kind == resource.KindVSphereNamespace {
		addr = resource.Addr{Supervisor: addr.Supervisor, Kind: "Namespace", Name: addr.Name}
	}
	live, _ := e.cache.Get(addr)
	if live.Unstructured == nil {
		return nil
	}
	return live.GetLabels()
}
