package journal_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/resource"
)

var prod = resource.Addr{Kind: resource.KindCluster, Namespace: "web", Name: "prod"}

// told is an object of cluster web/prod.
func told(seconds int64, verb resource.Verb, kind, name string, change func(*resource.Change)) journal.Event {
	o := &journal.Object{Cluster: "prod", Change: resource.Change{Verb: verb, APIVersion: "v1", Kind: kind, Namespace: "web", Name: name}}
	if change != nil {
		change(&o.Change)
	}
	return journal.Event{T: seconds * 1000, Object: o}
}

func ownedBy(kind, name string) func(*resource.Change) {
	return func(c *resource.Change) { c.Owners = []resource.Owner{{Kind: kind, Name: name}} }
}

func saying(kind, status, reason, message string) func(*resource.Change) {
	return func(c *resource.Change) {
		c.Conditions = []resource.Condition{{Type: kind, Status: status, Reason: reason, Message: message}}
	}
}

func TestTreeOfOddOwners(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		events []journal.Event
		want   string // kinds and names, one level a space
	}{
		{"nothing heard of", nil, ""},
		{"what names no owner is the Cluster's", []journal.Event{
			told(1, resource.Created, "MachineDeployment", "md", nil),
			told(2, resource.Created, "Cluster", "prod", nil),
		}, "Cluster prod\n MachineDeployment md\n"},
		{"what the shim owns is the Cluster's", []journal.Event{
			told(1, resource.Created, "Cluster", "prod", nil),
			told(1, resource.Created, "Secret", "prod-shim", ownedBy("Cluster", "prod")),
			told(2, resource.Created, "VSphereCluster", "prod-x", ownedBy("Secret", "prod-shim")),
		}, "Cluster prod\n VSphereCluster prod-x\n Secret prod-shim\n"},
		{"what was there before, by its name", []journal.Event{
			told(1, resource.Updated, "Cluster", "prod", nil),
			told(1, resource.Updated, "MachineDeployment", "md", nil),
			told(1, resource.Updated, "MachineSet", "md-abcde", nil),
			told(1, resource.Updated, "KubeadmControlPlane", "cp", nil),
			told(1, resource.Updated, "Machine", "cp-abcde", nil),
			told(1, resource.Updated, "Machine", "md-abcde-fghij", nil),
			told(1, resource.Updated, "VSphereMachine", "md-abcde-fghij", nil),
			told(1, resource.Updated, "VirtualMachine", "md-abcde-fghij", nil),
			told(1, resource.Updated, "Machine", "x", nil),
		}, "Cluster prod\n KubeadmControlPlane cp\n  Machine cp-abcde\n MachineDeployment md\n  MachineSet md-abcde\n   Machine md-abcde-fghij\n    VSphereMachine md-abcde-fghij\n     VirtualMachine md-abcde-fghij\n Machine x\n"},
		{"an orphan comes last", []journal.Event{
			told(1, resource.Created, "Cluster", "prod", nil),
			told(1, resource.Created, "Machine", "a", ownedBy("MachineSet", "gone")),
			told(1, resource.Created, "KubeadmConfig", "a", ownedBy("Machine", "a")),
			told(1, resource.Created, "VSphereCluster", "prod-x", ownedBy("Cluster", "prod")),
		}, "Cluster prod\n VSphereCluster prod-x\nMachine a\n KubeadmConfig a\n"},
		{"owners in a circle", []journal.Event{
			told(1, resource.Created, "Cluster", "prod", nil),
			told(1, resource.Created, "Machine", "a", ownedBy("Machine", "b")),
			told(1, resource.Created, "Machine", "b", ownedBy("Machine", "a")),
			told(1, resource.Created, "Machine", "c", ownedBy("Machine", "c")),
		}, "Cluster prod\nMachine a\n Machine b\nMachine c\n"},
		{"what is left of a cluster that is gone", []journal.Event{
			told(1, resource.Created, "Cluster", "prod", nil),
			told(1, resource.Created, "VirtualMachineService", "prod", ownedBy("Cluster", "prod")),
			told(2, resource.Deleted, "Cluster", "prod", nil),
		}, "VirtualMachineService prod\n"},
		{"what a namespace shares goes before orphans", []journal.Event{
			{Object: &journal.Object{Change: resource.Change{Verb: resource.Created, Kind: "StoragePolicyQuota", Namespace: "web", Name: "gold"}}},
			{Object: &journal.Object{Change: resource.Change{Verb: resource.Created, Kind: "Namespace", Name: "web"}}},
			{Object: &journal.Object{Change: resource.Change{Verb: resource.Created, Kind: "Namespace", Name: "other"}}},
			told(1, resource.Created, "Machine", "a", ownedBy("MachineSet", "gone")),
			told(1, resource.Created, "Cluster", "prod", nil),
		}, "Cluster prod\nNamespace web\n StoragePolicyQuota gold\nMachine a\n"},
		{"a machine of vCenter leaves with its VirtualMachine", []journal.Event{
			told(1, resource.Created, "VirtualMachine", "a", nil),
			{VM: &journal.VM{Op: "PowerOnVM_Task", Namespace: "web", Name: "a", Cluster: "prod"}},
			told(1, resource.Deleted, "VirtualMachine", "a", nil),
			{VM: &journal.VM{Op: "Destroy_Task", Namespace: "web", Name: "a", Cluster: "prod"}},
		}, ""},
		{"a Begin starts anew", []journal.Event{
			told(1, resource.Created, "Cluster", "prod", nil),
			{Begin: &journal.Begin{}},
		}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			objects := journal.NewObjects()
			for _, e := range test.events {
				objects.Apply(e)
			}
			if diff := cmp.Diff(test.want, names(objects.Tree(prod), "")); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if got := strings.Count(names(objects.Tree(prod), ""), "\n"); objects.Len() < got {
				t.Errorf("Len is %d, the tree has %d", objects.Len(), got)
			}
		})
	}
}

func names(nodes []*journal.Node, indent string) string {
	var b strings.Builder
	for _, n := range nodes {
		fmt.Fprintf(&b, "%s%s %s\n%s", indent, n.Kind, n.Name, names(n.Children, indent+" "))
	}
	return b.String()
}

func TestConditionsKeepTheirTime(t *testing.T) {
	t.Parallel()
	objects := journal.NewObjects()
	for _, e := range []journal.Event{
		told(1, resource.Created, "Machine", "a", saying("Ready", "False", "NotReady", "waits for a VM")),
		told(5, resource.Updated, "Machine", "a", saying("Ready", "False", "NotReady", "waits for a node")),
		told(6, resource.Updated, "Machine", "a", saying("Available", "True", "Available", "")),
		told(7, resource.Updated, "Machine", "a", saying("Available", "", "", "")),
	} {
		objects.Apply(e)
	}
	first := objects.Tree(prod)[0].Item
	objects.Apply(told(8, resource.Updated, "Machine", "a", saying("Ready", "True", "Ready", "")))
	ready, _ := first.Condition("Ready")
	if len(first.Conditions()) != 1 || ready.Since != time.Second || !ready.Wrong || ready.Message != "waits for a node" || first.Changed != 7*time.Second {
		t.Errorf("an item that was handed out is %+v, %v; want it as it was", first, first.Conditions())
	}
	now := objects.Tree(prod)[0].Item
	ready, _ = now.Condition("Ready")
	if ready.Since != 8*time.Second || ready.Wrong || !now.Sound() {
		t.Errorf("Ready is %+v, want it True since 8s", ready)
	}
}

func TestHistoryMovesWhatRepeats(t *testing.T) {
	t.Parallel()
	objects := journal.NewObjects()
	for i := range int64(500) {
		objects.Apply(journal.Event{T: i * 1000, VM: &journal.VM{Op: "PowerOnVM_Task", Namespace: "web", Name: "a", Cluster: "prod", Error: "no host has room"}})
		objects.Apply(journal.Event{T: i * 1000, Warning: &journal.Warning{Kind: "VirtualMachine", Namespace: "web", Name: "a", Cluster: "prod", Reason: "PowerOnFailure", Message: "no host has room"}})
	}
	var got []string
	for _, m := range objects.History(prod) {
		got = append(got, fmt.Sprintf("%v %s %s: %s (%d times, wrong %t)", m.At, m.Kind, m.Name, m.What, m.Times, m.Wrong))
	}
	want := []string{
		"8m19s vSphere VM a: PowerOnVM_Task failed: no host has room (500 times, wrong true)",
		"8m19s VirtualMachine a: PowerOnFailure: no host has room (500 times, wrong true)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestHistoryIsOfTheLast(t *testing.T) {
	t.Parallel()
	objects := journal.NewObjects()
	for i := range int64(1000) {
		objects.Apply(told(i, resource.Created, "Machine", fmt.Sprint("m-", i), nil))
	}
	history := objects.History(prod)
	if len(history) != 200 || history[0].Name != "m-800" || history[199].Name != "m-999" {
		t.Errorf("%d lines from %s to %s, want the last 200", len(history), history[0].Name, history[len(history)-1].Name)
	}
}

func TestVersionTellsOfChanges(t *testing.T) {
	t.Parallel()
	objects := journal.NewObjects()
	other := resource.Addr{Kind: resource.KindCluster, Namespace: "web", Name: "other"}
	last := objects.Version(prod)
	for i, e := range []journal.Event{
		told(1, resource.Created, "Machine", "a", nil),
		{Object: &journal.Object{Change: resource.Change{Verb: resource.Created, Kind: "Namespace", Name: "web"}}},
		{Warning: &journal.Warning{Kind: "Machine", Namespace: "web", Name: "a", Cluster: "prod"}},
		told(1, resource.Deleted, "Machine", "a", nil),
		{Begin: &journal.Begin{}},
	} {
		objects.Apply(e)
		if v := objects.Version(prod); v == last {
			t.Errorf("after event %d the version is still %d", i, v)
		} else {
			last = v
		}
	}
	objects.Apply(told(1, resource.Created, "Machine", "a", nil))
	if v := objects.Version(other); v != 0 {
		t.Errorf("the version of a cluster without events is %d, want 0", v)
	}
}

// FuzzObjects holds that whatever a journal says, the tree of a cluster has every
// object of it once, and its history and what the objects say can be read.
func FuzzObjects(f *testing.F) {
	for _, name := range journals(f) {
		file, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, part := range [][]byte{file[len(file)/3:], file[len(file)/2:]} {
			f.Add(part[:min(len(part), 3000)])
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		objects := journal.NewObjects()
		addrs := map[resource.Addr]bool{}
		for line := range bytes.SplitSeq(text, []byte("\n")) {
			var e journal.Event
			if json.Unmarshal(line, &e) != nil {
				continue
			}
			objects.Apply(e)
			if o := e.Object; o != nil && o.Namespace != "" {
				addrs[resource.Addr{Kind: resource.KindCluster, Namespace: o.Namespace, Name: o.Cluster}] = true
			}
		}
		for a := range addrs {
			seen := map[*journal.Item]bool{}
			var walk func(nodes []*journal.Node)
			walk = func(nodes []*journal.Node) {
				for _, n := range nodes {
					if seen[n.Item] && a.Name != "" {
						t.Fatalf("%s %s is in the tree twice", n.Kind, n.Name)
					}
					seen[n.Item] = true
					n.Conditions()
					walk(n.Children)
				}
			}
			walk(objects.Tree(a))
			if len(seen) > objects.Len() {
				t.Fatalf("the tree has %d objects of %d", len(seen), objects.Len())
			}
			for _, m := range objects.History(a) {
				_ = m.What
			}
		}
	})
}
