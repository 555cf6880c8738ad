package dashboard

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/tui/paint"
)

// In the moments of all pages, of a cluster: the first rows of a fleet that is not
// at work are vSphere Namespaces.
func TestObjectsFrames(t *testing.T) {
	t.Parallel()
	for _, m := range moments() {
		keys := []string{objectsKey()}
		if m.name == "planning" || m.name == "done" {
			keys = []string{"G", objectsKey()}
		}
		framesOf(t, "objects", []moment{m}, keys...)
	}
}

// What is not in every page's moments: a cluster that goes, one that is upgraded, a
// machine in vCenter, siblings that are open, what is read closely.
func TestObjectsMoreFrames(t *testing.T) {
	t.Parallel()
	on := []string{objectsKey()}
	for _, test := range []struct {
		moment
		keys, more []string // up to the page, and on it
	}{
		{moment{"deleting", journalUpTo("observed-delete", 6*time.Second)}, on, nil},
		{moment{"upgrade", journalUpTo("observed-upgrade", 100*time.Second)}, on, nil},
		{moment{"machine", journalUpTo("fleet", 0)}, append([]string{"down"}, on...), []string{"down"}},
		{moment{"group", journalUpTo("reached", 0)}, append([]string{"G"}, on...), []string{"down", "down", "right", "down", "right"}},
		{moment{"details", journalUpTo("observed-create", 40*time.Second)}, on, []string{"enter", "a"}},
		{moment{"filter", journalUpTo("fleet", 3*time.Minute)}, on, []string{"/", "v", "m", "enter"}},
		{moment{"thousand", func(testing.TB) []journal.Event { return thousandMachines() }}, on, []string{"down", "down", "down", "right", "pgdown"}},
	} {
		framesOf(t, "objects", []moment{test.moment}, append(test.keys, test.more...)...)
	}
}

func journalUpTo(name string, upTo time.Duration) func(testing.TB) []journal.Event {
	return func(t testing.TB) []journal.Event { return example(t, name, upTo) }
}

// objectsKey is the number of the page.
func objectsKey() string {
	return fmt.Sprint(1 + slices.IndexFunc(pages(Config{}), func(p page) bool { return p.title() == "Objects" }))
}

// Every example journal is walked through with all keys, on terminals of every size.
func TestObjectsOfExamples(t *testing.T) {
	t.Parallel()
	keys := []string{objectsKey(), "down", "right", "enter", "a", "J", "K", "w", "left", "left", "pgdown", "enter", "G", "right", "down", "y", "Y", "f", "/", "s", "1", "enter", "esc", "?", "?"}
	for _, name := range examples(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			events := example(t, name, 0)
			for _, size := range append(slices.Clone(sizes), struct{ width, height int }{20, 5}, struct{ width, height int }{1, 1}, struct{ width, height int }{109, 12}) {
				m, stream := opened(t, paint.Options{}, size.width, size.height, nil)
				for i := range 20 {
					stream.Events(events[i*len(events)/20 : (i+1)*len(events)/20])
					press(t, m, keys[i%len(keys):]...)
					fits(t, m.Screen(), size.width, size.height)
				}
			}
		})
	}
}

// page is the Objects page of a model.
func objectsOf(m *Model) *objectsPage {
	for _, p := range m.pages {
		if o, ok := p.(*objectsPage); ok {
			return o
		}
	}
	panic("no Objects page")
}

// told is a change of an object of cluster web/prod at a second.
func objectEvent(seconds int64, kind, name, owner string, conditions ...resource.Condition) journal.Event {
	ownerKind, ownerName, _ := strings.Cut(owner, " ")
	o := &journal.Object{Cluster: "prod", Change: resource.Change{Verb: resource.Created, APIVersion: "cluster.x-k8s.io/v1beta2", Kind: kind, Namespace: "web", Name: name, Conditions: conditions}}
	if owner != "" {
		o.Owners = []resource.Owner{{Kind: ownerKind, Name: ownerName, Controller: true}}
	}
	return journal.Event{T: seconds * 1000, Object: o}
}

func condition(kind, status, reason, message string) resource.Condition {
	return resource.Condition{Type: kind, Status: status, Reason: reason, Message: message}
}

var prodGoal = journal.Goal{Addr: resource.Addr{Group: resource.GroupCluster, Kind: resource.KindCluster, Namespace: "web", Name: "prod"}, Verb: "create", ControlPlane: 1, Workers: 3}

// prodEvents begin with a cluster of a set of machines.
func prodEvents(more ...journal.Event) []journal.Event {
	events := []journal.Event{
		{Begin: &journal.Begin{Version: journal.Version, Start: epoch, Goals: []journal.Goal{prodGoal}}},
		objectEvent(0, "Cluster", "prod", ""),
		objectEvent(1, "MachineSet", "md-x", "Cluster prod"),
	}
	return append(events, more...)
}

// lines are what the tree shows, without cursor and ages.
func treeLines(m *Model) string {
	m.Screen()
	var b strings.Builder
	for _, r := range objectsOf(m).thicket.rows {
		kind, name := r.title()
		b.WriteString(strings.TrimRight(strings.Repeat(" ", r.depth)+string(r.state())+" "+strings.TrimSpace(kind+" "+name)+": "+r.word(), ": ") + "\n")
	}
	return b.String()
}

func TestObjectsAreGroupedWhenAlike(t *testing.T) {
	t.Parallel()
	ready, waits := condition("Ready", "True", "Ready", ""), condition("NodeHealthy", "False", "NodeNotReady", "")
	var many []journal.Event
	for i := range 5 {
		many = append(many, objectEvent(2, "Machine", fmt.Sprint("m-", i), "MachineSet md-x", condition("NodeHealthy", "False", "NodeNotReady", fmt.Sprint("node ", i))))
	}
	for _, test := range []struct {
		name   string
		events []journal.Event
		keys   []string
		want   string
	}{
		{"all are well", []journal.Event{
			objectEvent(2, "Machine", "a", "MachineSet md-x", ready), objectEvent(2, "Machine", "b", "MachineSet md-x", ready),
		}, []string{"right", "down", "right"}, "done Cluster prod\n done MachineSet md-x\n  done 2 of 2 Machines: ready\n"},
		{"few wait", []journal.Event{
			objectEvent(2, "Machine", "a", "MachineSet md-x", ready), objectEvent(2, "Machine", "b", "MachineSet md-x", waits), objectEvent(2, "Machine", "c", "MachineSet md-x", ready),
		}, nil, "done Cluster prod\n done MachineSet md-x\n  running Machine b: waits for node\n  done 2 of 3 Machines: ready\n"},
		{"many wait for the same", many, nil, "done Cluster prod\n done MachineSet md-x\n  running 5 of 5 Machines: waits for node\n"},
		{"a group opens", many[:4], []string{"down", "down", "right"}, "done Cluster prod\n done MachineSet md-x\n  running 4 of 4 Machines: waits for node\n" +
			"   running Machine m-0: waits for node: node 0\n   running Machine m-1: waits for node: node 1\n   running Machine m-2: waits for node: node 2\n   running Machine m-3: waits for node: node 3\n"},
		{"and closes from inside", many[:4], []string{"down", "down", "right", "down", "down", "left", "left"}, "done Cluster prod\n done MachineSet md-x\n  running 4 of 4 Machines: waits for node\n"},
		{"what echoes has the word of what it repeats", []journal.Event{
			objectEvent(2, "Machine", "a", "MachineSet md-x", condition("InfrastructureReady", "False", "NotReady", "* VirtualMachineProvisioned: x"), condition("NodeHealthy", "Unknown", "InspectionFailed", "")),
			objectEvent(3, "VSphereMachine", "a", "Machine a", condition("VirtualMachineProvisioned", "False", "WaitingForNetworkAddress", "")),
		}, []string{"down", "down", "left"}, "done Cluster prod\n done MachineSet md-x\n  running Machine a: waits for guest address\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m, _ := opened(t, paint.Options{}, 80, 24, prodEvents(test.events...))
			press(t, m, append([]string{objectsKey()}, test.keys...)...)
			if diff := cmp.Diff(test.want, treeLines(m)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestObjectsCopies(t *testing.T) {
	t.Parallel()
	ready := condition("Ready", "True", "Ready", "")
	m, _ := opened(t, paint.Options{}, 80, 24, prodEvents(
		objectEvent(2, "Machine", "a", "MachineSet md-x", ready), objectEvent(2, "Machine", "b", "MachineSet md-x", ready),
		objectEvent(2, "VirtualMachine", "it's; reboot", "Cluster prod"),
		journal.Event{VM: &journal.VM{Op: "CreateVM_Task", Namespace: "web", Name: "it's; reboot", Cluster: "prod"}},
	))
	press(t, m, objectsKey())
	p := objectsOf(m)
	for _, test := range []struct {
		keys          []string
		name, command string
	}{
		{nil, "web/prod", "kubectl -n web get cluster.cluster.x-k8s.io prod -o yaml"},
		{[]string{"right", "down", "right", "down"}, "web/a", "kubectl -n web get machine.cluster.x-k8s.io -l cluster.x-k8s.io/cluster-name=prod"},
		{[]string{"down"}, "web/it's; reboot", `kubectl -n web get virtualmachine.cluster.x-k8s.io 'it'\''s; reboot' -o yaml`},
		{[]string{"right", "down"}, "web/it's; reboot", `govc vm.info "$(govc find / -type m -name 'it'\''s; reboot')"`},
	} {
		press(t, m, test.keys...)
		if name, command := p.copies(&m.scene); name != test.name || command != test.command {
			t.Errorf("after %v %q and %q are copied, want %q and %q", test.keys, name, command, test.name, test.command)
		}
	}
}

// Another page names the object that is to be shown; w goes to the cause.
func TestObjectsSelect(t *testing.T) {
	t.Parallel()
	m, _ := opened(t, paint.Options{}, 80, 24, example(t, "fleet", 0))
	press(t, m, objectsKey())
	p := objectsOf(m)
	selected := func() string { r, _ := p.selected(); return r.Kind + " " + r.Name }
	if got, want := selected(), "Service shop-us-east"; got != want {
		t.Errorf("at first %s is selected, want the cause, %s", got, want)
	}
	m.subject.addr = resource.Addr{Group: resource.GroupCluster, Kind: resource.KindCluster, Namespace: "payments", Name: "prod"}
	m.object = resource.Addr{Kind: "SubnetPort", Namespace: "payments", Name: "prod-x7k2p-knpch-prod-x7k2p-eth0"}
	m.take()
	if got, want := selected(), "SubnetPort prod-x7k2p-knpch-prod-x7k2p-eth0"; got != want || m.object != (resource.Addr{}) {
		t.Errorf("%s is selected, want %s, which was asked for", got, want)
	}
	if !strings.Contains(m.Screen(), "SubnetPort …rod-x7k2p-eth0") {
		t.Errorf("what is selected is not on the screen:\n%s", m.Screen())
	}
	m.subject.addr.Namespace, m.subject.addr.Name = "web", "shop-us-east"
	m.take()
	press(t, m, "g", "w")
	if got, want := selected(), "Service shop-us-east"; got != want {
		t.Errorf("w selects %s, want %s", got, want)
	}
}

// What is selected stays so while objects come and go around it.
func TestObjectsFollowTheSelected(t *testing.T) {
	t.Parallel()
	m, stream := opened(t, paint.Options{}, 80, 24, prodEvents(objectEvent(2, "Machine", "m", "MachineSet md-x", condition("Ready", "False", "NotReady", ""))))
	press(t, m, objectsKey(), "G")
	for i := range 30 {
		stream.Event(objectEvent(3, "VSphereCluster", fmt.Sprint("v-", i), "Cluster prod", condition("Ready", "False", fmt.Sprint("R", i), "")))
		stream.Event(objectEvent(3, "Machine", fmt.Sprint("a-", i), "MachineSet md-x", condition(fmt.Sprint("T", i), "False", "R", "")))
	}
	m.take()
	if r, _ := objectsOf(m).selected(); r.Name != "m" || !strings.Contains(m.Screen(), "> ") {
		t.Errorf("%s is selected, want m:\n%s", r.Name, m.Screen())
	}
	stream.Event(journal.Event{Object: &journal.Object{Cluster: "prod", Change: resource.Change{Verb: resource.Deleted, Kind: "Machine", Namespace: "web", Name: "m"}}})
	m.take()
	if r, some := objectsOf(m).selected(); !some || r.Name == "m" {
		t.Errorf("%q is selected after it is gone", r.Name)
	}
}

// That a run is over changes how its objects are looked at, although nothing happens
// to them.
func TestObjectsOfARunThatFailed(t *testing.T) {
	t.Parallel()
	m, stream := opened(t, paint.Options{}, 80, 24, prodEvents(objectEvent(2, "VSphereCluster", "prod-x", "Cluster prod", condition("NetworkReady", "False", "NotReady", "no network"))))
	press(t, m, objectsKey())
	if frame := m.Screen(); !strings.Contains(frame, "waits: the network of prod-x is not ready") {
		t.Errorf("the frame does not say what is waited for:\n%s", frame)
	}
	stream.Event(journal.Event{T: 9000, End: &journal.End{Outcome: journal.NotReached, Goals: 1}})
	m.take()
	if frame := m.Screen(); !strings.Contains(frame, "✗ failed in phase") || !strings.Contains(frame, "✗ VSphereCluster prod-x") {
		t.Errorf("the frame does not say that it failed:\n%s", frame)
	}
}

// What lasts for longer than usual is explained before anything gives up.
func TestObjectsThatAreOverdue(t *testing.T) {
	t.Parallel()
	m, stream := opened(t, paint.Options{}, 80, 24, prodEvents(
		objectEvent(10, "VSphereCluster", "prod-x", "Cluster prod", condition("NetworkReady", "False", "NotReady", "no network")),
		objectEvent(129, "Secret", "a", "Cluster prod"),
	))
	press(t, m, objectsKey())
	if frame := m.Screen(); strings.Contains(frame, "fix") {
		t.Errorf("there is a fix before it is time:\n%s", frame)
	}
	stream.Event(objectEvent(130, "Secret", "b", "Cluster prod"))
	m.take()
	if frame := m.Screen(); !strings.Contains(frame, "● slow in phase 1 Topology: this has lasted for 2:00") || !strings.Contains(frame, "fix   The network is not ready.") {
		t.Errorf("the frame does not say that it takes long:\n%s", frame)
	}
}

// Of what was refused before anybody looked nobody knows for how long it has been so:
// it is explained at once.
func TestObjectsThatWereRefusedBefore(t *testing.T) {
	t.Parallel()
	port := objectEvent(1, "Service", "prod", "Cluster prod", condition("Ready", "False", "IPAllocationFailed", "no free load-balancer address"))
	infra := objectEvent(1, "VSphereCluster", "prod-x", "Cluster prod", condition("LoadBalancerReady", "False", "WaitingForIP", ""))
	port.Object.Verb, infra.Object.Verb = resource.Updated, resource.Updated
	m, _ := opened(t, paint.Options{}, 80, 24, prodEvents(infra, port))
	press(t, m, objectsKey())
	if frame := m.Screen(); !strings.Contains(frame, ": this was so before the journal began") || !strings.Contains(frame, "fix   The load balancer has no address left.") {
		t.Errorf("the frame does not explain it:\n%s", frame)
	}
}

// What vksync itself could not do, or not yet, says so before anything exists.
func TestObjectsOfActionsThatFail(t *testing.T) {
	t.Parallel()
	for state, want := range map[journal.ActionState][]string{
		journal.ActionDelayed: {"● delayed, create is tried again", "cause conflict: another manager has spec.paused", "fix   Another field manager owns what would change.", "nothing of web/prod has been made yet"},
		journal.ActionFailed:  {"✗ failed in phase", "cause create was refused: conflict: another manager has spec.paused", "fix   Another field manager owns what would change."},
	} {
		m, stream := opened(t, paint.Options{}, 80, 24, prodEvents()[:1])
		stream.Event(journal.Event{Action: &journal.Action{Addr: prodGoal.Addr, Verb: "create", State: journal.ActionStarted, Phase: "1"}})
		stream.Event(journal.Event{Action: &journal.Action{Addr: prodGoal.Addr, Verb: "create", State: state, Phase: "1", Reason: "conflict", Message: "another manager has spec.paused"}})
		press(t, m, objectsKey())
		for _, text := range want {
			if frame := m.Screen(); !strings.Contains(frame, text) {
				t.Errorf("%s: %q is not in the frame:\n%s", state, text, frame)
			}
		}
		if press(t, m, "f"); !strings.Contains(m.Screen(), "copied: kubectl -n web get cluster.cluster.x-k8s.io prod -o yaml --show-manag") {
			t.Errorf("%s: f does not copy the fix:\n%s", state, m.Screen())
		}
	}
}

// A fix is copied command by command.
func TestObjectsCopyTheFix(t *testing.T) {
	t.Parallel()
	m, _ := opened(t, paint.Options{}, 80, 24, example(t, "fleet", 0))
	press(t, m, objectsKey())
	for _, want := range []string{"kubectl get service -A", "kubectl -n web describe service shop-us-east", "kubectl get service -A"} {
		press(t, m, "f")
		if !strings.Contains(m.Screen(), "copied: "+want) {
			t.Errorf("%q was not copied:\n%s", want, m.Screen())
		}
	}
}

// Foreign text reaches the screen without its control codes.
func TestObjectsAreCleaned(t *testing.T) {
	t.Parallel()
	evil := "x\x1b]0;owned\a\x1b[2J\u009b1m\r"
	events := prodEvents(
		objectEvent(1, "Machine"+evil, "m"+evil, "MachineSet md-x", condition("Ready"+evil, "False", "R"+evil, "a\n"+evil+"\n  * b")),
		objectEvent(1, "VirtualMachine", "v", "MachineSet md-x"),
		journal.Event{VM: &journal.VM{Op: "CreateVM_Task" + evil, Task: evil, Namespace: "web", Name: "v", Cluster: "prod", Host: evil, IP: evil, Error: evil}},
		journal.Event{Warning: &journal.Warning{Kind: "VirtualMachine", Namespace: "web", Name: "v", Cluster: "prod", Reason: evil, Message: evil}},
		journal.Event{Blocked: &journal.Blocked{Addr: prodGoal.Addr, Phase: "4", Cause: evil, Chain: []phase.Link{{Kind: "Cluster", Name: "prod"}, {Kind: "Machine" + evil, Namespace: evil, Name: "m" + evil, Condition: evil, Reason: evil, Message: evil}}}},
	)
	for _, size := range sizes {
		m, _ := opened(t, paint.Options{}, size.width, size.height, events)
		press(t, m, objectsKey())
		for range 8 {
			if frame := m.Screen(); strings.ContainsFunc(strings.ReplaceAll(frame, "\n", ""), unicode.IsControl) {
				t.Fatalf("a control code is in the frame:\n%q", frame)
			}
			press(t, m, "enter", "down", "right", "f")
		}
	}
}

func TestObjectsClick(t *testing.T) {
	t.Parallel()
	m, _ := opened(t, paint.Options{}, 80, 24, prodEvents(objectEvent(2, "Machine", "m", "MachineSet md-x", condition("Ready", "False", "NotReady", ""))))
	press(t, m, objectsKey())
	p := objectsOf(m)
	p.click(&m.scene, 10, p.frame.top+2)
	m.take()
	if r, _ := p.selected(); r.Name != "m" {
		t.Errorf("a click on the third line selects %s, want m", r.Name)
	}
}

// thousandMachines are a cluster of so many, of which each seventh is not well.
func thousandMachines() []journal.Event {
	var events []journal.Event
	for i := range 1000 {
		name := fmt.Sprintf("md-x-%04d", i)
		node := condition("NodeHealthy", "True", "NodeHealthy", "")
		if i%7 == 0 {
			node = condition("NodeHealthy", "False", "NodeNotReady", "container runtime is down")
		}
		events = append(events,
			objectEvent(2, "Machine", name, "MachineSet md-x", condition("Available", node.Status, "Available", ""), condition("BootstrapConfigReady", "True", "Ready", ""), condition("InfrastructureReady", "True", "Ready", ""), node, condition("Ready", node.Status, "Ready", "")),
			objectEvent(2, "KubeadmConfig", name, "Machine "+name, condition("DataSecretAvailable", "True", "Available", "")),
			objectEvent(2, "VSphereMachine", name, "Machine "+name, condition("VirtualMachineProvisioned", "True", "Provisioned", "")),
			objectEvent(2, "VirtualMachine", name, "VSphereMachine "+name, condition("VirtualMachineCreated", "True", "True", ""), condition("VirtualMachinePowerStateSynced", "True", "Synced", "")),
			objectEvent(2, "SubnetPort", name+"-eth0", "VirtualMachine "+name, condition("Ready", "True", "SubnetPortReady", "")),
			journal.Event{VM: &journal.VM{Op: "CreateVM_Task", Namespace: "web", Name: name, Cluster: "prod", Host: "esx-1", Datastore: "vsan"}},
		)
	}
	return prodEvents(events...)
}

// BenchmarkObjects looks at a cluster of 1,000 machines and draws it, after an event,
// with the machines in one group and with all of them open.
func BenchmarkObjects(b *testing.B) {
	events := thousandMachines()
	for name, keys := range map[string][]string{"grouped": nil, "open": {"down", "down", "right", "down"}} {
		for _, what := range []string{"event", "key"} {
			b.Run(name+" "+what, func(b *testing.B) {
				m, stream := opened(b, paint.Options{Color: true}, 140, 40, events)
				press(b, m, append([]string{objectsKey()}, keys...)...)
				change := objectEvent(3, "Machine", "md-x-0001", "MachineSet md-x")
				for b.Loop() {
					if what == "event" {
						stream.Event(change)
						m.take()
					} else {
						press(b, m, "down")
					}
					if len(m.Screen()) == 0 {
						b.Fatal("no frame")
					}
				}
			})
		}
	}
}
