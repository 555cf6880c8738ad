package reconcile

import (
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vksync/vksync/reconcile/drift"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/plan"
	vresource "github.com/vksync/vksync/reconcile/resource"
)

var kindVMClass = schema.GroupKind{Group: kindVM.Group, Kind: "VirtualMachineClass"}

// Drift lists what is no longer as the last plan's revision asks for, and who
// changed it, as far as the field managers and vCenter's events since a time tell.
// It is to be asked for when that revision has been reached: what is still on its
// way shows as well. What cannot be read is said in the report, except the Clusters
// and vSphere Namespaces themselves, without which there is none.
func (e *Engine) Drift(ctx context.Context, since time.Time) (drift.Report, error) {
	e.mu.Lock()
	last := e.last
	e.mu.Unlock()
	if last == nil {
		return drift.Report{}, errors.New("looking for drift: nothing was planned yet")
	}
	p, err := e.Plan(ctx, last.desired, last.options)
	if err != nil {
		return drift.Report{}, err
	}
	in := drift.Input{}
	e.changes(&in, p)
	unknown := func(what string, err error) bool {
		if err != nil {
			in.Unknown = append(in.Unknown, what+": "+reasonUnread(err))
		}
		return err != nil
	}
	// What is read of one side alone proves nothing: without the other, every machine
	// would be an orphan, or gone.
	if unknown("virtual machines of the Supervisor", e.machines(ctx, &in)) ||
		unknown("virtual machines of vCenter", e.virtualMachines(ctx, &in)) {
		in.Machines, in.VMs = nil, nil
	}
	unknown("who changed virtual machines", e.vmEvents(ctx, &in, since))
	if err := ctx.Err(); err != nil {
		return drift.Report{}, err
	}
	return drift.Find(in), nil
}

// changes are what the plan would do again.
func (e *Engine) changes(in *drift.Input, p *plan.Plan) {
	for _, a := range p.Actions {
		live, exists := e.cache.Get(a.Addr)
		if a.Verb == plan.Create && exists {
			in.Leaving = append(in.Leaving, a.Addr)
		}
		if a.Verb != plan.Update {
			continue
		}
		for _, c := range a.Changes {
			change := drift.Change{Addr: a.Addr, Path: c.Path, Old: plan.Shown(c.Old), New: plan.Shown(c.New), Skip: a.Skip}
			if exists {
				change.Who, change.When = plan.Holder(live, c.Path)
			}
			in.Changes = append(in.Changes, change)
		}
	}
	for _, g := range p.Goals {
		if g.Addr.Kind == vresource.KindVSphereNamespace && g.Verb != plan.Delete {
			in.Namespaces = append(in.Namespaces, g.Addr.Name)
		}
	}
}

// machines are the VirtualMachine objects with the sizes of their classes.
func (e *Engine) machines(ctx context.Context, in *drift.Input) error {
	list, err := e.kube.List(ctx, kindVM)
	if err != nil {
		return err
	}
	classes := map[[2]string]vresource.Object{}
	kinds, err := e.kube.List(ctx, kindVMClass)
	if err != nil { // sizes are not compared then
		in.Unknown = append(in.Unknown, "sizes of virtual machines: "+reasonUnread(err))
	}
	for _, class := range kinds {
		classes[[2]string{class.GetNamespace(), class.GetName()}] = class
	}
	for _, o := range list {
		m := drift.Machine{
			Namespace: o.GetNamespace(), Name: o.GetName(),
			ID:           vresource.Text(o.Object, "status", "uniqueID"),
			InstanceUUID: vresource.Text(o.Object, "status", "instanceUUID"),
			On:           vresource.Text(o.Object, "spec", "powerState") == "PoweredOn",
			Deleting:     o.GetDeletionTimestamp() != nil,
			Class:        vresource.Text(o.Object, "spec", "className"),
		}
		m.Cluster, _ = phase.Itself(o.Unstructured)
		if class, known := classes[[2]string{m.Namespace, m.Class}]; known {
			m.CPUs, m.MemoryMiB = sizeOf(class)
		}
		in.Machines = append(in.Machines, m)
	}
	return nil
}

// sizeOf is what a VirtualMachineClass gives; 0 for what it does not say.
func sizeOf(class vresource.Object) (cpus int, memoryMiB int64) {
	hardware := vresource.Fields(class.Object, "spec", "hardware")
	if memory, err := resource.ParseQuantity(vresource.Text(hardware, "memory")); err == nil {
		memoryMiB = memory.Value() >> 20
	}
	return int(vresource.Int(hardware, "cpus")), memoryMiB
}

func (e *Engine) virtualMachines(ctx context.Context, in *drift.Input) error {
	inventory, err := e.vcenter.Inventory(ctx)
	if err != nil {
		return err
	}
	for _, vm := range inventory.VMs {
		in.VMs = append(in.VMs, drift.VM{
			Name: vm.Name, MoID: vm.MoID, InstanceUUID: vm.InstanceUUID, Folder: vm.Folder, On: vm.On, Template: vm.Template,
			CPUs: vm.CPUs, MemoryMiB: vm.MemoryMiB, Connection: vm.Connection,
		})
	}
	return nil
}

func (e *Engine) vmEvents(ctx context.Context, in *drift.Input, since time.Time) error {
	events, err := e.vcenter.Events(ctx, since)
	if err != nil {
		return err
	}
	for _, ev := range events {
		in.Events = append(in.Events, drift.Event{
			Time: ev.Time, User: ev.User, Type: ev.Type, VM: ev.VM, MoID: ev.MoID, Folder: ev.Folder, Message: ev.Message,
		})
	}
	return nil
}
