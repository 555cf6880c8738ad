package vcenter

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// State is what a saved world needs of this vCenter: everything that was made
// after New, except VMs and folders that a client made over SOAP, tasks, events
// and sessions. It is the same for the same calls in the same order.
func (v *VCenter) State() State {
	v.direct.Lock()
	defer v.direct.Unlock()
	s := State{Namespaces: v.namespaces.list(), VMs: v.machines.states(), Newest: v.newest()}
	for f, g := range v.groups {
		s.Folders = append(s.Folders, Folder{Namespace: f.namespace, Cluster: f.cluster, MoID: g.folder.Value})
	}
	slices.SortFunc(s.Folders, func(a, b Folder) int { return cmp.Compare(serial(a.MoID), serial(b.MoID)) })
	return s
}

// Restore rebuilds a State on a VCenter that is fresh from New with the same
// inventory. Every folder, pool and VM gets the managed object id that it had,
// and so does everything that is made afterwards. No hook is called.
func (v *VCenter) Restore(s State) error {
	v.direct.Lock()
	defer v.direct.Unlock()
	if len(v.groups) > 0 {
		return fmt.Errorf("restoring the simulated vCenter: it is not fresh, %d folders are there", len(v.groups))
	}
	if err := v.rebuild(s); err != nil {
		return fmt.Errorf("restoring the simulated vCenter: %w", err)
	}
	for _, vm := range s.VMs {
		if err := v.wake(vm); err != nil {
			return fmt.Errorf("restoring the simulated vCenter: %w", err)
		}
	}
	for _, spec := range s.Namespaces {
		v.namespaces.put(spec)
	}
	return v.advance(s.Newest)
}

// rebuild makes folders and VMs in the order in which they were made.
func (v *VCenter) rebuild(s State) error {
	folders, vms := s.Folders, s.VMs
	for len(folders)+len(vms) > 0 {
		if len(vms) == 0 || len(folders) > 0 && serial(folders[0].MoID) < serial(vms[0].MoID) {
			if err := v.rebuildFolder(folders[0]); err != nil {
				return err
			}
			folders = folders[1:]
			continue
		}
		if err := v.rebuildVM(vms[0]); err != nil {
			return err
		}
		vms = vms[1:]
	}
	return nil
}

func (v *VCenter) rebuildFolder(f Folder) error {
	if err := v.advance(serial(f.MoID) - 1); err != nil {
		return err
	}
	g, err := v.makeGroup(groupKey{f.Namespace, f.Cluster})
	if err != nil {
		return err
	}
	return sameID(g.folder.Value, f.MoID)
}

func (v *VCenter) rebuildVM(vm VMState) error {
	if err := v.advance(serial(vm.MoID) - 2); err != nil { // the task that made it came before it
		return err
	}
	ref, err := v.createVM(vm.VMSpec, true)
	if err != nil {
		return fmt.Errorf("VM %s/%s: %w", vm.Namespace, vm.Name, err)
	}
	return sameID(ref.MoID, vm.MoID)
}

func sameID(got, want string) error {
	if got != want {
		return fmt.Errorf("%s came back as %s: the inventory is not the one that was saved", want, got)
	}
	return nil
}

// wake gives a VM its power state and address without tasks and events.
func (v *VCenter) wake(vm VMState) error {
	o, err := find[*simulator.VirtualMachine](v, vmRef(vm.MoID))
	if err != nil {
		return err
	}
	ctx := v.context()
	if vm.On {
		v.registry.WithLock(ctx, o.Self, func() {
			v.registry.Update(ctx, o, []types.PropertyChange{
				{Name: "runtime.powerState", Val: types.VirtualMachinePowerStatePoweredOn},
				{Name: "summary.runtime.powerState", Val: types.VirtualMachinePowerStatePoweredOn},
			})
		})
		v.machines.change(vm.MoID, func(m *machine) { m.On = true })
	}
	if vm.IP != "" || vm.HostName != "" {
		v.setGuest(ctx, o, vm.IP, vm.HostName)
		v.machines.setGuest(vm.MoID, vm.IP, vm.HostName)
	}
	return nil
}

// newest is the number that the newest managed object got; the next one gets the
// number after it. vcsim counts for itself and has no other way to ask.
func (v *VCenter) newest() int64 {
	return reflect.ValueOf(v.registry).Elem().FieldByName("counter").Int()
}

// number takes the next number.
func (v *VCenter) number() int64 {
	v.registry.NewEntity(&simulator.Folder{})
	return v.newest()
}

// advance skips numbers until n is the newest.
func (v *VCenter) advance(n int64) error {
	for v.newest() < n {
		v.number()
	}
	if now := v.newest(); now > n {
		return fmt.Errorf("object number %d was to come next, but %d is taken: the inventory is not the one that was saved", n+1, now)
	}
	return nil
}
