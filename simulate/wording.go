package simulate

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/controllers"
	"github.com/vksync/vksync/simulate/kubeapi"
)

// A wording is where tellings make their events, one at a time and one after another.
type wording struct {
	differ resource.Differ
	object journal.Object
}

// of is what a journal has of a happening; false when that is nothing.
func (w *wording) of(h *happening) (journal.Event, bool) {
	if h.vm != nil {
		return journal.Event{VM: h.vm}, true
	}
	change, differs := w.change(h.change)
	if !differs {
		return journal.Event{}, false
	}
	if !phase.Inherits(change.Kind) {
		h.cluster, h.phase = phase.Itself(subject(h.change))
	}
	w.object = journal.Object{Actor: h.change.Actor, Change: change, Cluster: h.cluster, PhaseID: h.phase}
	return journal.Event{Object: &w.object}, true
}

func (w *wording) change(c kubeapi.Change) (resource.Change, bool) {
	if c.SameMetadata {
		return w.differ.DiffState(c.Before, c.After)
	}
	return w.differ.Diff(c.Before, c.After)
}

// subject is the object a change is about.
func subject(c kubeapi.Change) *unstructured.Unstructured {
	if c.After != nil {
		return c.After
	}
	return c.Before
}

func vmEvent(e controllers.VMEvent) *journal.VM {
	vm := &journal.VM{
		Op: e.Op, Task: e.Task,
		Namespace: e.VM.GetNamespace(), Name: e.VM.GetName(),
		Zone: e.Spot.Zone, Host: e.Spot.Host, Datastore: e.Spot.Datastore, IP: e.IP,
	}
	vm.Cluster, vm.PhaseID = phase.Itself(e.VM)
	return vm
}
