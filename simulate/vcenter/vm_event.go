package vcenter

import (
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// vmEvent is what all events of a VM say.
func (v *VCenter) vmEvent(vm *simulator.VirtualMachine, at home) types.VmEvent {
	return types.VmEvent{Event: types.Event{
		Datacenter: &types.DatacenterEventArgument{
			EntityEventArgument: types.EntityEventArgument{Name: v.inv.Spec.Datacenter}, Datacenter: v.site.datacenter,
		},
		ComputeResource: &types.ComputeResourceEventArgument{
			EntityEventArgument: types.EntityEventArgument{Name: at.cluster.Name}, ComputeResource: at.cluster.Self,
		},
		Host: &types.HostEventArgument{
			EntityEventArgument: types.EntityEventArgument{Name: at.host.Name}, Host: at.host.Self,
		},
		Ds: &types.DatastoreEventArgument{
			EntityEventArgument: types.EntityEventArgument{Name: at.datastore.Name}, Datastore: at.datastore.Self,
		},
		Vm: &types.VmEventArgument{EntityEventArgument: types.EntityEventArgument{Name: vm.Name}, Vm: vm.Self},
	}}
}

// post tells of events, as vcsim does.
func (v *VCenter) post(ctx *simulator.Context, events ...types.BaseEvent) {
	m := v.registry.EventManager()
	v.registry.WithLock(ctx, m.Self, func() {
		for _, e := range events {
			m.PostEvent(ctx, &types.PostEvent{This: m.Self, EventToPost: e})
		}
	})
}
