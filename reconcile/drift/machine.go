package drift

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
)

// The events that tell of each kind of drift.
var (
	powerEvents  = []string{"VmPoweredOffEvent", "VmSuspendedEvent", "VmGuestShutdownEvent"}
	onEvents     = []string{"VmPoweredOnEvent", "DrsVmPoweredOnEvent"}
	removeEvents = []string{"VmRemovedEvent"}
	moveEvents   = []string{"VmRelocatedEvent", "VmResourcePoolMovedEvent", "VmMigratedEvent"}
	sizeEvents   = []string{"VmReconfiguredEvent"}
	madeEvents   = []string{"VmCreatedEvent", "VmDeployedEvent", "VmClonedEvent", "VmRegisteredEvent"}
	lostEvents   = []string{"VmDisconnectedEvent", "VmOrphanedEvent"}
)

// machine compares one machine with what is in vCenter.
func (f *finder) machine(m Machine) {
	i, there := f.vmOf(m)
	if there {
		f.named[i] = true
	}
	switch {
	case m.Deleting || m.ID == "": // it is going, or being made
		return
	case !there:
		f.item(m, Deleted, m.ID, removeEvents, "vCenter does not have it any more", ByVMService)
		return
	}
	vm := f.in.VMs[i]
	if vm.Connection != "" && vm.Connection != "connected" {
		f.item(m, Unreachable, vm.MoID, lostEvents, "vCenter says it is "+vm.Connection, ByNobody)
		return // what else vCenter says of it is old
	}
	f.power(m, vm)
	if !within(vm.Folder, m.Namespace) {
		f.item(m, Moved, vm.MoID, moveEvents, fmt.Sprintf("it is in %s, which is not the folder of %s", vm.Folder, m.Namespace), ByNobody)
	}
	if size := sizeDiffers(m, vm); size != "" {
		f.item(m, Reconfigured, vm.MoID, sizeEvents, size, ByNobody)
	}
	f.replaced(m, vm)
}

// vmOf finds the virtual machine of a Machine: by id, by UUID, or, while the
// Supervisor does not know it yet, by name.
func (f *finder) vmOf(m Machine) (int, bool) {
	if i, there := f.byID[m.ID]; there && m.ID != "" {
		return i, true
	}
	if i, there := f.byUUID[m.InstanceUUID]; there && m.InstanceUUID != "" {
		return i, true
	}
	if m.ID != "" {
		return 0, false
	}
	i := slices.IndexFunc(f.in.VMs, func(vm VM) bool { return vm.Name == m.Name && within(vm.Folder, m.Namespace) })
	return i, i >= 0
}

// within says whether a folder is that of a vSphere Namespace, or below it.
func within(folder, namespace string) bool {
	parts := strings.Split(folder, "/")
	return slices.Contains(parts, namespace)
}

// power tells of a machine that is off, and of one that was for a while: the VM
// Service powers it on within seconds, and who did it is still to be told.
func (f *finder) power(m Machine, vm VM) {
	if !m.On {
		return
	}
	if !vm.On {
		f.item(m, PoweredOff, vm.MoID, powerEvents, "it is off, and is to be on", ByVMService)
		return
	}
	for _, e := range f.eventsOf(vm.MoID, powerEvents) {
		f.add(Item{
			Addr: m.addr(), Cluster: m.Cluster, Kind: PoweredOff, Who: e.User, When: e.Time,
			Message: "it was off for a while, and is on again" + f.poweredOn(e),
		})
	}
}

// poweredOn says who powered a machine on after an event, as far as that is known.
func (f *finder) poweredOn(after Event) string {
	for _, e := range f.eventsOf(after.MoID, onEvents) {
		if !e.Time.Before(after.Time) && e.User != "" {
			return ": " + e.User + " powered it on"
		}
	}
	return ""
}

// replaced tells of a machine that was removed and has been made again since.
func (f *finder) replaced(m Machine, vm VM) {
	for _, e := range f.removed[m.Name] {
		if e.MoID != vm.MoID && e.Folder != "" && within(e.Folder, m.Namespace) {
			f.add(Item{
				Addr: m.addr(), Cluster: m.Cluster, Kind: Deleted, Who: e.User, When: e.Time,
				Message: "it was removed from vCenter, and has been made again",
			})
		}
	}
}

func sizeDiffers(m Machine, vm VM) string {
	var parts []string
	if m.CPUs > 0 && vm.CPUs > 0 && m.CPUs != vm.CPUs {
		parts = append(parts, fmt.Sprintf("%d CPUs, want %d", vm.CPUs, m.CPUs))
	}
	if m.MemoryMiB > 0 && vm.MemoryMiB > 0 && m.MemoryMiB != vm.MemoryMiB {
		parts = append(parts, fmt.Sprintf("%d MiB of memory, want %d", vm.MemoryMiB, m.MemoryMiB))
	}
	if len(parts) == 0 {
		return ""
	}
	return "it has " + strings.Join(parts, ", and ") + " as class " + m.Class + " says"
}

// item adds a drift of a machine, with the last event that tells of it.
func (f *finder) item(m Machine, kind Kind, moid string, types []string, message, corrects string) {
	i := Item{Addr: m.addr(), Cluster: m.Cluster, Kind: kind, Message: message, Corrects: corrects}
	if events := f.eventsOf(moid, types); len(events) > 0 {
		last := events[len(events)-1]
		i.Who, i.When = last.User, last.Time
	}
	f.add(i)
}

// eventsOf are the events of some types about a virtual machine, in time.
func (f *finder) eventsOf(moid string, types []string) []Event {
	var out []Event
	for _, e := range f.events[moid] {
		if slices.Contains(types, e.Type) {
			out = append(out, e)
		}
	}
	return out
}

// namespacesFolder is what vCenter calls the folder of all vSphere Namespaces.
const namespacesFolder = "Namespaces"

// orphans are machines in the folders of vSphere Namespaces that nothing names.
func (f *finder) orphans() {
	for i, vm := range f.in.VMs {
		namespace, cluster := homeOf(vm.Folder)
		if f.named[i] || vm.Template || !slices.Contains(f.in.Namespaces, namespace) {
			continue
		}
		item := Item{
			Addr:    resource.Addr{Group: "vmoperator.vmware.com", Kind: "VirtualMachine", Namespace: namespace, Name: vm.Name},
			Cluster: cluster, Kind: Orphan, Corrects: ByNobody,
			Message: fmt.Sprintf("no VirtualMachine object names %s in %s", vm.MoID, vm.Folder),
		}
		if made := f.eventsOf(vm.MoID, madeEvents); len(made) > 0 {
			item.Who, item.When = made[len(made)-1].User, made[len(made)-1].Time
		}
		f.add(item)
	}
}

// homeOf splits /dc/vm/Namespaces/team-a/prod into team-a and prod.
func homeOf(folder string) (namespace, cluster string) {
	parts := strings.Split(folder, "/")
	at := slices.Index(parts, namespacesFolder)
	if at < 0 || at+1 >= len(parts) {
		return "", ""
	}
	if at+2 < len(parts) {
		cluster = parts[at+2]
	}
	return parts[at+1], cluster
}
