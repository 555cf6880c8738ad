package drift_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/drift"
	"github.com/vksync/vksync/reconcile/resource"
)

var update = flag.Bool("update", false, "write what the tests get into the golden files")

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

var prod = resource.Addr{Group: "cluster.x-k8s.io", Kind: "Cluster", Namespace: "team-a", Name: "prod"}

// machine is a machine as it should be, and its VM.
func machine(name, id string) (drift.Machine, drift.VM) {
	return drift.Machine{
			Namespace: "team-a", Name: name, Cluster: "prod", ID: id, InstanceUUID: "uuid-" + id, On: true,
			CPUs: 2, MemoryMiB: 8192, Class: "small",
		}, drift.VM{
			Name: name, MoID: id, InstanceUUID: "uuid-" + id, Folder: "/dc/vm/Namespaces/team-a/prod", On: true,
			CPUs: 2, MemoryMiB: 8192, Connection: "connected",
		}
}

func event(kind, id string, minutes int) drift.Event {
	return drift.Event{Time: noon.Add(time.Duration(minutes) * time.Minute), User: `LAB\alice`, Type: kind, VM: "prod-1", MoID: id}
}

func TestFind(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		world func(m *drift.Machine, vm *drift.VM, in *drift.Input)
		want  []string
	}{
		{"nothing", func(*drift.Machine, *drift.VM, *drift.Input) {}, nil},
		{"a field of a Cluster", func(_ *drift.Machine, _ *drift.VM, in *drift.Input) {
			in.Changes = []drift.Change{{Addr: prod, Path: "spec.topology.version", Old: "v1.33", New: "v1.34", Who: "kubectl-edit", When: noon}}
		}, []string{"Cluster team-a/prod  changed  by kubectl-edit at 2026-01-01T12:00:00Z: spec.topology.version is v1.33, want v1.34 (vksync corrects it)"}},
		{"a field that vksync leaves alone", func(_ *drift.Machine, _ *drift.VM, in *drift.Input) {
			in.Changes = []drift.Change{{Addr: prod, Path: "spec.paused", Old: "true", Skip: "exists and is not owned"}}
		}, []string{"Cluster team-a/prod  changed: spec.paused is true, want it gone; vksync leaves it: exists and is not owned (nobody corrects it)"}},
		{"a Cluster that goes", func(_ *drift.Machine, _ *drift.VM, in *drift.Input) { in.Leaving = []resource.Addr{prod} }, []string{
			"Cluster team-a/prod  deleted: it is gone, or on its way out, and still desired (vksync corrects it)",
		}},
		{"powered off, by the last who did it", func(_ *drift.Machine, vm *drift.VM, in *drift.Input) {
			vm.On = false
			first := event("VmPoweredOffEvent", "vm-1", -60)
			first.User = `LAB\bob`
			in.Events = []drift.Event{event("VmPoweredOffEvent", "vm-1", 0), first, event("VmPoweredOnEvent", "vm-1", 5), event("VmPoweredOffEvent", "vm-9", 9)}
		}, []string{`VirtualMachine team-a/prod-1  powered off  by LAB\alice at 2026-01-01T12:00:00Z: it is off, and is to be on (VM Service corrects it)`}},
		{"powered off, and nobody knows who", func(_ *drift.Machine, vm *drift.VM, _ *drift.Input) { vm.On = false }, []string{
			"VirtualMachine team-a/prod-1  powered off: it is off, and is to be on (VM Service corrects it)",
		}},
		{"off as it is to be", func(m *drift.Machine, vm *drift.VM, in *drift.Input) {
			m.On, vm.On = false, false
			in.Events = []drift.Event{event("VmPoweredOffEvent", "vm-1", 0)}
		}, nil},
		{"powered off and on again", func(_ *drift.Machine, _ *drift.VM, in *drift.Input) {
			in.Events = []drift.Event{event("VmPoweredOffEvent", "vm-1", 0)}
		}, []string{`VirtualMachine team-a/prod-1  powered off  by LAB\alice at 2026-01-01T12:00:00Z: it was off for a while, and is on again`}},
		{"powered off, and on again by somebody", func(_ *drift.Machine, _ *drift.VM, in *drift.Input) {
			first, again := event("VmPoweredOnEvent", "vm-1", -1), event("VmPoweredOnEvent", "vm-1", 1)
			first.User, again.User = `LAB\bob`, `VSPHERE.LOCAL\wcp`
			in.Events = []drift.Event{again, event("VmPoweredOffEvent", "vm-1", 0), first}
		}, []string{`VirtualMachine team-a/prod-1  powered off  by LAB\alice at 2026-01-01T12:00:00Z: it was off for a while, and is on again: VSPHERE.LOCAL\wcp powered it on`}},
		{"removed", func(_ *drift.Machine, vm *drift.VM, in *drift.Input) {
			*vm = drift.VM{Name: "other", MoID: "vm-5", Folder: "/dc/vm"}
			in.Events = []drift.Event{event("VmRemovedEvent", "vm-1", 0)}
		}, []string{`VirtualMachine team-a/prod-1  deleted  by LAB\alice at 2026-01-01T12:00:00Z: vCenter does not have it any more (VM Service corrects it)`}},
		{"removed and made again", func(m *drift.Machine, vm *drift.VM, in *drift.Input) {
			m.ID, vm.MoID = "vm-2", "vm-2"
			gone := event("VmRemovedEvent", "vm-1", 0)
			gone.Folder = "/dc/vm/Namespaces/team-a/prod"
			elsewhere := event("VmRemovedEvent", "vm-7", 0)
			elsewhere.Folder = "/dc/vm/Namespaces/team-b/prod"
			in.Events = []drift.Event{gone, elsewhere}
		}, []string{`VirtualMachine team-a/prod-1  deleted  by LAB\alice at 2026-01-01T12:00:00Z: it was removed from vCenter, and has been made again`}},
		{"on its way out", func(m *drift.Machine, vm *drift.VM, in *drift.Input) {
			m.Deleting, vm.On = true, false
			in.Events = []drift.Event{event("VmPoweredOffEvent", "vm-1", 0)}
		}, nil},
		{"being made", func(m *drift.Machine, vm *drift.VM, _ *drift.Input) {
			m.ID, m.InstanceUUID, vm.On = "", "", false
		}, nil},
		{"registered anew under another id", func(_ *drift.Machine, vm *drift.VM, _ *drift.Input) { vm.MoID = "vm-3" }, nil},
		{"moved", func(_ *drift.Machine, vm *drift.VM, in *drift.Input) {
			vm.Folder = "/dc/vm/Discovered"
			in.Events = []drift.Event{event("VmRelocatedEvent", "vm-1", 0)}
		}, []string{`VirtualMachine team-a/prod-1  moved  by LAB\alice at 2026-01-01T12:00:00Z: it is in /dc/vm/Discovered, which is not the folder of team-a (nobody corrects it)`}},
		{"moved to another host", func(_ *drift.Machine, _ *drift.VM, in *drift.Input) {
			in.Events = []drift.Event{event("DrsVmMigratedEvent", "vm-1", 0), event("VmMigratedEvent", "vm-1", 1)}
		}, nil},
		{"another size", func(_ *drift.Machine, vm *drift.VM, in *drift.Input) {
			vm.CPUs, vm.MemoryMiB = 8, 16384
			in.Events = []drift.Event{event("VmReconfiguredEvent", "vm-1", 0)}
		}, []string{`VirtualMachine team-a/prod-1  reconfigured  by LAB\alice at 2026-01-01T12:00:00Z: it has 8 CPUs, want 2, and 16384 MiB of memory, want 8192 as class small says (nobody corrects it)`}},
		{"a class that nobody may read", func(m *drift.Machine, vm *drift.VM, _ *drift.Input) { m.CPUs, m.MemoryMiB, vm.CPUs = 0, 0, 8 }, nil},
		{"what vCenter cannot read", func(_ *drift.Machine, vm *drift.VM, _ *drift.Input) {
			vm.Connection, vm.On, vm.CPUs, vm.Folder = "inaccessible", false, 0, "/dc/vm/x"
		}, []string{"VirtualMachine team-a/prod-1  unreachable: vCenter says it is inaccessible (nobody corrects it)"}},
		{"an orphan", func(_ *drift.Machine, _ *drift.VM, in *drift.Input) {
			in.VMs = append(in.VMs,
				drift.VM{Name: "old-1", MoID: "vm-8", Folder: "/dc/vm/Namespaces/team-a/old"},
				drift.VM{Name: "template", MoID: "vm-9", Folder: "/dc/vm/Namespaces/team-a", Template: true},
				drift.VM{Name: "SupervisorControlPlaneVM (1)", MoID: "vm-10", Folder: "/dc/vm/Namespaces"},
				drift.VM{Name: "foreign", MoID: "vm-11", Folder: "/dc/vm/Namespaces/team-x"},
				drift.VM{Name: "desktop", MoID: "vm-12", Folder: "/dc/vm/team-a"})
			in.Events = []drift.Event{event("VmClonedEvent", "vm-8", 0)}
		}, []string{`VirtualMachine team-a/old-1  orphan  by LAB\alice at 2026-01-01T12:00:00Z: no VirtualMachine object names vm-8 in /dc/vm/Namespaces/team-a/old (nobody corrects it)`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m, vm := machine("prod-1", "vm-1")
			in := drift.Input{Namespaces: []string{"team-a"}}
			test.world(&m, &vm, &in)
			in.Machines, in.VMs = append(in.Machines, m), append(in.VMs, vm)
			var got []string
			for _, item := range drift.Find(in).Items {
				got = append(got, item.String())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("drift (-want +got):\n%s", diff)
			}
		})
	}
}

// everything is a world in which much has happened.
func everything() drift.Input {
	in := drift.Input{Namespaces: []string{"team-a"}, Unknown: []string{"zones: forbidden to list zones.topology.tanzu.vmware.com"}}
	for _, id := range []string{"1", "2", "3", "4"} {
		m, vm := machine("prod-"+id, "vm-"+id)
		in.Machines, in.VMs = append(in.Machines, m), append(in.VMs, vm)
	}
	in.VMs[0].On = false
	in.VMs[1].CPUs = 4
	in.VMs = append(in.VMs[:2], in.VMs[3:]...)
	in.VMs = append(in.VMs, drift.VM{Name: "stray", MoID: "vm-99", Folder: "/dc/vm/Namespaces/team-a/prod"})
	in.Events = []drift.Event{event("VmPoweredOffEvent", "vm-1", 0), event("VmReconfiguredEvent", "vm-2", 1), event("VmRemovedEvent", "vm-3", 2)}
	in.Changes = []drift.Change{
		{Addr: prod, Path: "spec.topology.controlPlane.replicas", Old: "1", New: "3", Who: "kubectl-edit", When: noon},
		{Addr: resource.Addr{Group: "vksync.dev", Kind: "VSphereNamespace", Name: "team-a"}, Path: "spec.description", Old: `"x"`},
	}
	return in
}

func TestAReportReadsAsTheGoldenSays(t *testing.T) {
	t.Parallel()
	golden := filepath.Join("testdata", "report.txt")
	got := drift.Find(everything()).Text()
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	if got := drift.Find(drift.Input{}).Text(); got != "No drift.\n" {
		t.Errorf("a report of nothing reads %q", got)
	}
}

func TestTheOrderOfTheInputDoesNotShow(t *testing.T) {
	t.Parallel()
	forth, back := everything(), everything()
	slices.Reverse(back.Machines)
	slices.Reverse(back.VMs)
	slices.Reverse(back.Events)
	slices.Reverse(back.Changes)
	a, err := json.Marshal(drift.Find(forth))
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(drift.Find(back))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(a), string(b)); diff != "" {
		t.Errorf("report (-forth +back):\n%s", diff)
	}
}
