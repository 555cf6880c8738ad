// Package drift says what is no longer as vksync left it, and who changed it: in
// the Supervisor's objects and in vCenter, in one list. It is pure: data in, data
// out. It hides how machines are found again in vCenter, and which events tell of
// what.
//
// Whatever vksync itself, or a controller in its name, is still doing is no
// drift: who looks for it does so when a revision has been reached.
package drift

import (
	"cmp"
	"slices"
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

// Kind is what has happened to something.
type Kind string

// The kinds of drift.
const (
	Changed      Kind = "changed"      // a field that vksync applied has another value
	Deleted      Kind = "deleted"      // it is gone, or on its way out
	PoweredOff   Kind = "powered off"  // or suspended
	Moved        Kind = "moved"        // out of the folder of its vSphere Namespace
	Reconfigured Kind = "reconfigured" // its size is not that of its class
	Unreachable  Kind = "unreachable"  // vCenter cannot reach it, or its host
	Orphan       Kind = "orphan"       // a machine in a vSphere Namespace that no object names
)

// Who corrects a drift.
const (
	ByVksync    = "vksync"     // at its next run
	ByVMService = "VM Service" // on its own
	ByNobody    = "nobody"     // it stays until somebody acts
)

// Item is one drift.
type Item struct {
	// Addr is the object: a Cluster, a VSphereNamespace, or a VirtualMachine. That of
	// an orphan does not exist.
	Addr resource.Addr `json:"addr"`
	// Cluster is the name of the cluster it belongs to; empty when it is of none.
	Cluster string `json:"cluster,omitempty"`
	Kind    Kind   `json:"kind"`
	// Who changed it: a field manager, or a user of vCenter; empty when nobody knows.
	Who string `json:"who,omitempty"`
	// When it was changed; zero when nobody knows.
	When    time.Time `json:"when,omitzero"`
	Message string    `json:"message"`
	// Corrects is who sees to it; empty for what has been corrected already.
	Corrects string `json:"corrects,omitempty"`
}

// Report is all drift, by address and kind.
type Report struct {
	Items []Item `json:"items"`
	// Unknown says what could not be looked at, and why.
	Unknown []string `json:"unknown,omitempty"`
}

// Input is what is known of the world.
type Input struct {
	// Changes are the fields of Clusters and vSphere Namespaces that differ from what
	// is desired.
	Changes []Change
	// Leaving are the desired resources that are gone or on their way out.
	Leaving []resource.Addr
	// Machines are the VirtualMachine objects, VMs the virtual machines in vCenter.
	Machines []Machine
	VMs      []VM
	// Events are what vCenter says was done to virtual machines, in any order.
	Events []Event
	// Namespaces are the names of the vSphere Namespaces in which orphans are sought.
	Namespaces []string
	Unknown    []string
}

// Change is one field. Old is what is there, New what is desired, as they may be shown.
type Change struct {
	Addr     resource.Addr
	Path     string
	Old, New string // empty where there is none
	// Who holds the field, and since when.
	Who  string
	When time.Time
	// Skip is why vksync leaves it alone; empty when it does not.
	Skip string
}

// Machine is a VirtualMachine object.
type Machine struct {
	Namespace, Name, Cluster string
	// ID is the machine's managed object id in vCenter, empty while it has none.
	ID, InstanceUUID string
	// On says that it is to be powered on.
	On bool
	// Deleting says that it is on its way out: nothing about it is drift.
	Deleting bool
	// CPUs and MemoryMiB are those of its class; 0 when they are not known.
	CPUs      int
	MemoryMiB int64
	Class     string
}

func (m Machine) addr() resource.Addr {
	return resource.Addr{Group: "vmoperator.vmware.com", Kind: "VirtualMachine", Namespace: m.Namespace, Name: m.Name}
}

// VM is a virtual machine in vCenter.
type VM struct {
	Name, MoID, InstanceUUID string
	// Folder is its inventory path: /dc/vm/Namespaces/team-a/prod.
	Folder    string
	On        bool
	Template  bool
	CPUs      int // 0 when vCenter cannot read them
	MemoryMiB int64
	// Connection is "connected", or why vCenter cannot reach it; empty is connected.
	Connection string
}

// Event is what happened to a virtual machine. Type is its name in vCenter's API.
type Event struct {
	Time           time.Time
	User           string
	Type, VM, MoID string
	// Folder is where the machine was; empty when that is not known.
	Folder, Message string
}

// Find lists what is not as it should be.
func Find(in Input) Report {
	f := finder{in: in, byID: map[string]int{}, byUUID: map[string]int{}, named: map[int]bool{}, events: map[string][]Event{}, removed: map[string][]Event{}, items: []Item{}}
	for i, vm := range in.VMs {
		f.byID[vm.MoID] = i
		if vm.InstanceUUID != "" {
			f.byUUID[vm.InstanceUUID] = i
		}
	}
	for _, e := range in.Events {
		f.events[e.MoID] = append(f.events[e.MoID], e)
		if slices.Contains(removeEvents, e.Type) {
			f.removed[e.VM] = append(f.removed[e.VM], e)
		}
	}
	for _, list := range f.events {
		slices.SortStableFunc(list, func(a, b Event) int { return a.Time.Compare(b.Time) })
	}
	f.objects()
	for _, m := range in.Machines {
		f.machine(m)
	}
	f.orphans()
	slices.SortStableFunc(f.items, func(a, b Item) int {
		return cmp.Or(a.Addr.Compare(b.Addr), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Message, b.Message), a.When.Compare(b.When))
	})
	return Report{Items: f.items, Unknown: in.Unknown}
}

// finder collects the items of one report.
type finder struct {
	in     Input
	byID   map[string]int // in Input.VMs
	byUUID map[string]int
	named  map[int]bool       // those that a Machine names
	events map[string][]Event // by managed object id, in time
	// removed are the events of removals, by the name of the machine.
	removed map[string][]Event
	items   []Item
}

func (f *finder) add(i Item) { f.items = append(f.items, i) }

// objects tells of what lives in the Supervisor, and of vSphere Namespaces.
func (f *finder) objects() {
	for _, addr := range f.in.Leaving {
		f.add(Item{Addr: addr, Cluster: clusterOf(addr), Kind: Deleted, Message: "it is gone, or on its way out, and still desired", Corrects: ByVksync})
	}
	for _, c := range f.in.Changes {
		i := Item{Addr: c.Addr, Cluster: clusterOf(c.Addr), Kind: Changed, Who: c.Who, When: c.When, Message: c.text(), Corrects: ByVksync}
		if c.Skip != "" {
			i.Corrects, i.Message = ByNobody, i.Message+"; vksync leaves it: "+c.Skip
		}
		f.add(i)
	}
}

func clusterOf(a resource.Addr) string {
	if a.Kind == resource.KindCluster {
		return a.Name
	}
	return ""
}

func (c Change) text() string {
	switch {
	case c.Old == "":
		return c.Path + " is gone, want " + c.New
	case c.New == "":
		return c.Path + " is " + c.Old + ", want it gone"
	}
	return c.Path + " is " + c.Old + ", want " + c.New
}
