package vcenter

import (
	"fmt"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// CreateVM creates a VM, powered off, and books what it takes. It fails with a
// *PlaceError when the spot has no room (any more), and with a *TaskError when
// vcsim refuses.
func (v *VCenter) CreateVM(spec VMSpec) (VMRef, error) {
	ref, err := v.foreseeCreate(spec)
	if ref.MoID == "" && err == nil {
		v.direct.Lock()
		defer v.direct.Unlock()
		ref, err = v.createVM(spec, false)
	}
	if err != nil {
		return VMRef{}, fmt.Errorf("creating VM %s/%s: %w", spec.Namespace, spec.Name, err)
	}
	return ref, nil
}

func (v *VCenter) createVM(spec VMSpec, force bool) (VMRef, error) {
	vm, err := newMachine(spec)
	if err != nil {
		return VMRef{}, err
	}
	g, err := v.makeGroup(groupKey{spec.Namespace, spec.Cluster})
	if err != nil {
		return VMRef{}, err
	}
	folder, err := find[*simulator.Folder](v, g.folder)
	if err != nil {
		return VMRef{}, err
	}
	if v.named(folder, spec.Name) {
		return VMRef{}, nameTaken(g, spec.Name)
	}
	if err := v.ledger.take(vm.need(), spec.Spot, force); err != nil {
		return VMRef{}, err
	}
	ref, err := v.makeVM(g, spec)
	if err != nil {
		v.ledger.give(vm.need(), spec.Spot)
		return VMRef{}, err
	}
	g.names[spec.Name] = true
	vm.MoID = ref.MoID
	v.machines.add(vm)
	return ref, nil
}

func newMachine(spec VMSpec) (*machine, error) {
	if spec.Name == "" || spec.InstanceUUID == "" || spec.BiosUUID == "" {
		return nil, fmt.Errorf("a VM needs a name, an instance UUID and a BIOS UUID")
	}
	return &machine{VMState: VMState{VMSpec: spec}}, nil
}

func nameTaken(g *group, name string) error {
	return fmt.Errorf("a VM named %s is in folder %s already", name, g.folder.Value)
}

// named reports whether folder has a child of that name; vcsim accepts two VMs of
// one name. It waits for a VM that is being made there: until it has its name,
// looking for any name panics.
func (v *VCenter) named(folder *simulator.Folder, name string) (found bool) {
	v.registry.WithLock(v.context(), folder.Self, func() {
		found = v.registry.FindByName(name, folder.ChildEntity) != nil
	})
	return found
}

// PowerOn powers a VM on. It fails when it is on already, and when its host is
// in maintenance.
func (v *VCenter) PowerOn(moid string) (task string, err error) { return v.power(moid, true) }

// PowerOff powers a VM off. It fails when it is off already.
func (v *VCenter) PowerOff(moid string) (task string, err error) { return v.power(moid, false) }

func (v *VCenter) power(moid string, on bool) (task string, err error) {
	if task, err := v.foreseePower(moid, on); task != "" || err != nil {
		return task, err
	}
	v.direct.Lock()
	defer v.direct.Unlock()
	if task, err = v.runTask(powering(on), moid); err == nil {
		v.machines.setPower(moid, on)
	}
	return task, err
}

// Destroy removes a VM with its disks and frees what it took. It must be off.
func (v *VCenter) Destroy(moid string) (task string, err error) {
	if task, err := v.foreseeDestroy(moid); task != "" || err != nil {
		return task, err
	}
	v.direct.Lock()
	defer v.direct.Unlock()
	if task, err = v.runTask(destroying, moid); err == nil {
		v.forget(moid)
	}
	return task, err
}

// forget takes a VM that is gone out of our books, and returns what is left of it,
// or nil. The caller has at least entered direct.
func (v *VCenter) forget(moid string) *machine {
	vm := v.machines.take(moid)
	if vm == nil {
		return nil
	}
	v.ledger.give(vm.need(), vm.Spot)
	if g := v.groups[groupKey{vm.Namespace, vm.Cluster}]; g != nil {
		delete(g.names, vm.Name)
	}
	return vm
}

// SetGuest writes what VMware Tools would report: the address and the host name.
// An empty ip means that Tools do not run.
func (v *VCenter) SetGuest(moid, ip, hostname string) error {
	if foreseen, err := v.foreseeGuest(moid, ip, hostname); foreseen || err != nil {
		return err
	}
	v.direct.Lock()
	defer v.direct.Unlock()
	vm, err := find[*simulator.VirtualMachine](v, vmRef(moid))
	if err != nil {
		return fmt.Errorf("setting guest information: %w", err)
	}
	v.setGuest(v.context(), vm, ip, hostname)
	v.machines.setGuest(moid, ip, hostname)
	return nil
}

func (v *VCenter) setGuest(ctx *simulator.Context, vm *simulator.VirtualMachine, ip, hostname string) {
	running := types.VirtualMachineToolsRunningStatusGuestToolsNotRunning
	if ip != "" {
		running = types.VirtualMachineToolsRunningStatusGuestToolsRunning
	}
	v.registry.WithLock(ctx, vm.Self, func() {
		changes := []types.PropertyChange{
			{Name: "guest.ipAddress", Val: ip},
			{Name: "guest.hostName", Val: hostname},
			{Name: "guest.toolsRunningStatus", Val: string(running)},
			{Name: "summary.guest.ipAddress", Val: ip},
			{Name: "summary.guest.hostName", Val: hostname},
			{Name: "summary.guest.toolsRunningStatus", Val: string(running)},
		}
		if len(vm.Guest.Net) > 0 && ip != "" {
			nic := vm.Guest.Net[0]
			nic.IpAddress = []string{ip}
			changes = append(changes, types.PropertyChange{Name: "guest.net", Val: []types.GuestNicInfo{nic}})
		}
		v.registry.Update(ctx, vm, changes)
	})
}

// SetMaintenance puts a host into maintenance or takes it out. VMs on it stay,
// as they do in vcsim; nothing new is placed there and nothing powers on.
func (v *VCenter) SetMaintenance(host string, on bool) error {
	v.direct.Lock()
	defer v.direct.Unlock()
	h, err := find[*simulator.HostSystem](v, v.site.hosts[host])
	if err != nil {
		return fmt.Errorf("changing maintenance of host %q: %w", host, err)
	}
	ctx := v.context()
	v.registry.WithLock(ctx, h.Self, func() {
		v.registry.Update(ctx, h, []types.PropertyChange{
			{Name: "runtime.inMaintenanceMode", Val: on},
			{Name: "summary.runtime.inMaintenanceMode", Val: on},
		})
	})
	v.ledger.setMaintenance(host, on)
	return nil
}

func vmRef(moid string) types.ManagedObjectReference {
	return types.ManagedObjectReference{Type: "VirtualMachine", Value: moid}
}

// VM is a VM as it is now, whoever changed it; false when there is none.
func (v *VCenter) VM(moid string) (vm VMState, ok bool) {
	ok = v.machines.change(moid, func(m *machine) { vm = m.VMState })
	return vm, ok
}

// Spot is where a VM is; the zero Spot for one that does not exist.
func (v *VCenter) Spot(moid string) (spot Spot) {
	v.machines.change(moid, func(m *machine) { spot = m.Spot })
	return spot
}
