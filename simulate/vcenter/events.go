package vcenter

import (
	"slices"
	"sync"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// events are those that vcsim was not told of yet. It keeps the last thousand, and
// takes as long to put one into words as it takes to make a VM: so they are told when
// a client calls, which could ask for them. It has its own lock.
type events struct {
	mu        sync.Mutex
	untold    []untoldEvent
	followers int // clients that wait for updates, and hear of an event at once
}

type untoldEvent struct {
	types.BaseEvent
	at time.Time
}

// keptEvents is how many vcsim keeps.
const keptEvents = 1000

// note notes what happened to a VM.
func (v *VCenter) note(ctx *simulator.Context, happened ...types.BaseEvent) {
	e := &v.events
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.followers > 0 {
		v.post(ctx, happened...)
		return
	}
	at := now()
	for _, event := range happened {
		e.untold = append(e.untold, untoldEvent{event, at})
	}
	if old := len(e.untold) - keptEvents; old > keptEvents {
		e.untold = slices.Clone(e.untold[old:])
	}
}

// tell tells vcsim of what it was not told yet. The caller holds direct.
func (v *VCenter) tell() {
	e := &v.events
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, event := range e.untold[max(0, len(e.untold)-keptEvents):] {
		v.post(v.context(), event.BaseEvent)
		event.GetEvent().CreatedTime = event.at
	}
	e.untold = nil
}

// follow has vcsim told of everything at once until end is called. Before it, vcsim
// knows everything.
func (e *events) follow() (end func()) {
	add := func(n int) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.followers += n
	}
	add(1)
	return func() { add(-1) }
}

func (v *VCenter) post(ctx *simulator.Context, happened ...types.BaseEvent) {
	m := v.registry.EventManager()
	v.registry.WithLock(ctx, m.Self, func() {
		for _, event := range happened {
			m.PostEvent(ctx, &types.PostEvent{This: m.Self, EventToPost: event})
		}
	})
}

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
