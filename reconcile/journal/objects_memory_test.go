package journal_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/resource"
)

// BenchmarkObjects takes in all that real controllers tell of clusters of six
// machines, and of those that are then scaled to eight.
func BenchmarkObjects(b *testing.B) {
	read := func(name string) []journal.Event {
		f, err := os.Open("../../testdata/journals/" + name + ".jsonl")
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		return decode(b, f)
	}
	created := read("observed-create")
	for _, test := range []struct {
		clusters, machines int
		events             []journal.Event
	}{
		{100, 6, created}, {1_000, 8, append(created, read("observed-scale-up")...)}, {10_000, 6, created},
	} {
		b.Run(fmt.Sprintf("%dx%d", test.clusters, test.machines), func(b *testing.B) {
			rounds := 0
			for b.Loop() {
				rounds++
				before := heap()
				objects := journal.NewObjects()
				for i := range test.clusters {
					replay(objects, test.events, fmt.Sprintf("c%05d", i))
				}
				b.ReportMetric(float64(heap()-before)/float64(test.clusters*test.machines), "B/machine")
				b.ReportMetric(float64(objects.Len())/float64(test.clusters), "objects/cluster")
				runtime.KeepAlive(objects)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rounds*test.clusters*len(test.events)), "ns/event")
		})
	}
}

// replay takes in the events of cluster s1 as if they were of another one.
func replay(objects *journal.Objects, events []journal.Event, name string) {
	rename := func(s string) string { return strings.Replace(s, "s1", name, 1) }
	for _, e := range events {
		if e.Object == nil {
			continue
		}
		o := *e.Object
		o.Name, o.Cluster = rename(o.Name), name
		if len(o.Owners) > 0 {
			o.Owners = append([]resource.Owner(nil), o.Owners...)
			for i := range o.Owners {
				o.Owners[i].Name = rename(o.Owners[i].Name)
			}
		}
		e.Object = &o
		objects.Apply(e)
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A cluster whose machines are replaced all the time, and clusters that come and go,
// leave no more behind than the bounded history.
func TestObjectsStayBounded(t *testing.T) {
	objects := journal.NewObjects()
	churn := func(from, to int) {
		for i := from; i < to; i++ {
			machineLife(objects, "prod", fmt.Sprintf("prod-%06d", i))
			machineLife(objects, fmt.Sprintf("dev-%06d", i), fmt.Sprintf("dev-%06d-x", i))
		}
	}
	churn(0, 2_000)
	before := heap()
	churn(2_000, 12_000)
	grown := int64(heap()) - int64(before)
	if n := objects.Len(); n != 0 {
		t.Errorf("%d objects are left, want none", n)
	}
	if grown > 1<<20 {
		t.Errorf("10,000 machines and clusters later the heap is %d KiB larger, want the same", grown>>10)
	}
	runtime.KeepAlive(objects)
}

// machineLife has a machine come, fail in a way of its own, and go.
func machineLife(objects *journal.Objects, cluster, name string) {
	tell := func(verb resource.Verb, kind string, c ...resource.Condition) {
		objects.Apply(journal.Event{Object: &journal.Object{Cluster: cluster, Change: resource.Change{
			Verb: verb, APIVersion: "v1", Kind: kind, Namespace: "web", Name: name, Conditions: c,
			Finalizers: []string{"machine.cluster.x-k8s.io"},
		}}})
	}
	for _, kind := range []string{"Machine", "VSphereMachine", "VirtualMachine"} {
		tell(resource.Created, kind, resource.Condition{Type: "Ready", Status: "False", Reason: "NotReady", Message: "waits for " + name})
	}
	objects.Apply(journal.Event{VM: &journal.VM{Op: "CreateVM_Task", Task: "task-" + name, Namespace: "web", Name: name, Cluster: cluster, Host: "esx-1"}})
	objects.Apply(journal.Event{VM: &journal.VM{Op: "PowerOnVM_Task", Namespace: "web", Name: name, Cluster: cluster, Error: "no room for " + name}})
	objects.Apply(journal.Event{Warning: &journal.Warning{Kind: "Machine", Namespace: "web", Name: name, Cluster: cluster, Reason: "Failed", Message: name}})
	for _, kind := range []string{"VirtualMachine", "VSphereMachine", "Machine"} {
		tell(resource.Deleted, kind)
	}
}

// BenchmarkTree draws up the tree of a cluster of 1,000 machines.
func BenchmarkTree(b *testing.B) {
	objects := largeCluster(1_000)
	addr := resource.Addr{Kind: resource.KindCluster, Namespace: "web", Name: "large"}
	for b.Loop() {
		if len(objects.Tree(addr)) != 1 {
			b.Fatal("not one tree")
		}
	}
}

func largeCluster(machines int) *journal.Objects {
	objects := journal.NewObjects()
	tell := func(kind, name, ownerKind, owner string) {
		o := &journal.Object{Cluster: "large", Change: resource.Change{Verb: resource.Created, Kind: kind, Namespace: "web", Name: name}}
		if owner != "" {
			o.Owners = []resource.Owner{{Kind: ownerKind, Name: owner, Controller: true}}
		}
		objects.Apply(journal.Event{Object: o})
	}
	tell("Cluster", "large", "", "")
	tell("MachineDeployment", "md", "Cluster", "large")
	tell("MachineSet", "md-x", "MachineDeployment", "md")
	for i := range machines {
		name := fmt.Sprintf("md-x-%05d", i)
		tell("Machine", name, "MachineSet", "md-x")
		tell("KubeadmConfig", name, "Machine", name)
		tell("Secret", name, "KubeadmConfig", name)
		tell("VSphereMachine", name, "Machine", name)
		tell("VirtualMachine", name, "VSphereMachine", name)
		tell("SubnetPort", name+"-eth0", "VirtualMachine", name)
		objects.Apply(journal.Event{VM: &journal.VM{Op: "CreateVM_Task", Namespace: "web", Name: name, Cluster: "large", Host: "esx-1"}})
	}
	return objects
}
