package phase_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
)

var prod = resource.Addr{Group: "cluster.x-k8s.io", Kind: "Cluster", Namespace: "team", Name: "prod"}

// script feeds changes of cluster prod to a tracker, a second apart.
type script struct {
	*phase.Tracker
	at time.Duration
}

func newScript(verb string, controlPlane, workers int64) *script {
	return &script{Tracker: phase.NewTracker([]phase.Goal{{Addr: prod, Verb: verb, ControlPlane: controlPlane, Workers: workers}})}
}

func (s *script) change(id phase.ID, c resource.Change) *script {
	s.at += time.Second
	c.Namespace = "team"
	if c.Verb == "" {
		c.Verb = resource.Updated
	}
	s.Apply(s.at, "prod", id, c)
	return s
}

func (s *script) made(id phase.ID, kind, name string, owners ...resource.Owner) *script {
	return s.change(id, resource.Change{Verb: resource.Created, Kind: kind, Name: name, Owners: owners})
}

func (s *script) says(id phase.ID, kind, name, condition, status, reason, message string) *script {
	return s.change(id, resource.Change{Kind: kind, Name: name, Conditions: []resource.Condition{{Type: condition, Status: status, Reason: reason, Message: message}}})
}

// upToEndpoint is a new cluster whose VSphereCluster waits for its endpoint.
func upToEndpoint() *script {
	s := newScript("create", 1, 1)
	return s.made(phase.Topology, "Cluster", "prod").
		made(phase.Topology, "VSphereCluster", "prod-v").
		made(phase.Topology, "KubeadmControlPlane", "prod-k").
		made(phase.Topology, "MachineDeployment", "prod-md").
		made(phase.Topology, "MachineSet", "prod-md-s", resource.Owner{Kind: "MachineDeployment", Name: "prod-md", Controller: true}).
		says(phase.Topology, "Cluster", "prod", "InfrastructureReady", "False", "NotReady", "VSphereCluster is not ready").
		says(phase.Topology, "Cluster", "prod", "Available", "False", "NotAvailable", "* InfrastructureReady: VSphereCluster is not ready").
		says(phase.Topology, "VSphereCluster", "prod-v", "LoadBalancerReady", "False", "WaitingForIP", "")
}

// upToVM is a new cluster whose first VM is being made.
func upToVM() *script {
	return upToEndpoint().
		says(phase.Topology, "VSphereCluster", "prod-v", "LoadBalancerReady", "True", "Ready", "").
		says(phase.Topology, "Cluster", "prod", "InfrastructureReady", "True", "Ready", "").
		made(phase.Bootstrap, "Machine", "prod-k-1", resource.Owner{Kind: "KubeadmControlPlane", Name: "prod-k", Controller: true}).
		made(phase.Bootstrap, "KubeadmConfig", "prod-k-1").
		made(phase.Machine, "VSphereMachine", "prod-k-1").
		says(phase.Bootstrap, "KubeadmConfig", "prod-k-1", "DataSecretAvailable", "True", "Available", "").
		says(phase.Bootstrap, "Machine", "prod-k-1", "InfrastructureReady", "False", "NotReady", "* VirtualMachineProvisioned: not ready").
		made(phase.Machine, "VirtualMachine", "prod-k-1", resource.Owner{Kind: "VSphereMachine", Name: "prod-k-1", Controller: true}).
		says(phase.Machine, "VSphereMachine", "prod-k-1", "VirtualMachineProvisioned", "False", "NotReady", "network interface is not ready").
		says(phase.Topology, "KubeadmControlPlane", "prod-k", "MachinesReady", "False", "NotReady", "* Machine prod-k-1: not ready")
}

// path is a chain in short form.
func path(chain []phase.Link) []string {
	var out []string
	for _, l := range chain {
		out = append(out, fmt.Sprintf("%s %s %s", l.Kind, l.Condition, l.Reason))
	}
	return out
}

func TestWhy(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		story *script
		path  []string
		cause string
	}{
		"a cluster that does not exist yet": {
			story: newScript("create", 1, 0),
			path:  []string{"Cluster  NotCreated"},
			cause: "Cluster prod does not exist yet",
		},
		"a topology that was refused holds up all else": {
			story: upToEndpoint().says(phase.Topology, "Cluster", "prod", "TopologyReconciled", "False", "ReconcileFailed", "patch 3 makes an empty list"),
			path:  []string{"Cluster TopologyReconciled ReconcileFailed"},
			cause: "the topology of Cluster prod is not reconciled: patch 3 makes an empty list",
		},
		"a load balancer without a free address": {
			story: upToEndpoint().made(phase.Infrastructure, "Service", "prod").
				says(phase.Infrastructure, "Service", "prod", "Ready", "False", "IPAllocationFailed", "no address is free"),
			path:  []string{"Cluster InfrastructureReady NotReady", "VSphereCluster LoadBalancerReady WaitingForIP", "Service Ready IPAllocationFailed"},
			cause: "the control-plane endpoint has no address (Service prod): no address is free",
		},
		"a load balancer that takes its time": {
			story: upToEndpoint(),
			path:  []string{"Cluster InfrastructureReady NotReady", "VSphereCluster LoadBalancerReady WaitingForIP"},
			cause: "the control-plane endpoint of prod-v has no address",
		},
		"a subnet port behind a network that is not ready": {
			story: upToVM().
				says(phase.Machine, "VirtualMachine", "prod-k-1", "VirtualMachineNetworkReady", "False", "NotReady", "network interface is not ready").
				made(phase.Machine, "SubnetPort", "prod-k-1-eth0", resource.Owner{Kind: "VirtualMachine", Name: "prod-k-1", Controller: true}).
				says(phase.Machine, "SubnetPort", "prod-k-1-eth0", "Ready", "False", "SubnetPortNotReady", "subnets are full"),
			path: []string{
				"Cluster Available NotAvailable", "KubeadmControlPlane MachinesReady NotReady", "Machine InfrastructureReady NotReady",
				"VSphereMachine VirtualMachineProvisioned NotReady", "VirtualMachine VirtualMachineNetworkReady NotReady", "SubnetPort Ready SubnetPortNotReady",
			},
			cause: "SubnetPort prod-k-1-eth0 has no address: subnets are full",
		},
		"the first false prerequisite comes before later ones": {
			story: upToVM().
				says(phase.Machine, "VirtualMachine", "prod-k-1", "VirtualMachineConditionPlacementReady", "False", "NotReady", "no host").
				says(phase.Machine, "VirtualMachine", "prod-k-1", "VirtualMachineImageReady", "False", "NotFound", "vmi-1 not found"),
			path: []string{
				"Cluster Available NotAvailable", "KubeadmControlPlane MachinesReady NotReady", "Machine InfrastructureReady NotReady",
				"VSphereMachine VirtualMachineProvisioned NotReady", "VirtualMachine VirtualMachineImageReady NotFound",
			},
			cause: "the image of VM prod-k-1 cannot be used: vmi-1 not found",
		},
		"conditions of a VM that nobody heeds are no cause": {
			story: upToVM().
				says(phase.Machine, "VirtualMachine", "prod-k-1", "VirtualMachineTools", "False", "VirtualMachineToolsNotRunning", "VMware Tools is not running"),
			path: []string{
				"Cluster Available NotAvailable", "KubeadmControlPlane MachinesReady NotReady", "Machine InfrastructureReady NotReady",
				"VSphereMachine VirtualMachineProvisioned NotReady",
			},
			cause: "VM prod-k-1 is not ready: network interface is not ready",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			chain := tt.story.Why(prod)
			if diff := cmp.Diff(tt.path, path(chain)); diff != "" {
				t.Errorf("chain (-want +got):\n%s", diff)
			}
			if got := phase.Cause(chain); got != tt.cause {
				t.Errorf("cause is %q, want %q", got, tt.cause)
			}
			for _, link := range chain[:max(0, len(chain)-1)] {
				if link.Message != "" {
					t.Errorf("%s %s echoes %q", link.Kind, link.Name, link.Message)
				}
			}
		})
	}
}

func TestWhyEndsAtWhatVCenterAnswered(t *testing.T) {
	t.Parallel()
	s := upToVM().says(phase.Machine, "VirtualMachine", "prod-k-1", "VirtualMachineCreated", "False", "Error", "task failed")
	s.Operated(s.at, phase.Operation{Namespace: "team", Cluster: "prod", VM: "prod-k-1", Op: "CreateVM_Task", Task: "task-7", Error: "insufficient resources"})
	want := "vCenter refused CreateVM_Task of VM prod-k-1: insufficient resources"
	if got := phase.Cause(s.Why(prod)); got != want {
		t.Errorf("cause is %q, want %q", got, want)
	}
	s.Operated(s.at, phase.Operation{Namespace: "team", Cluster: "prod", VM: "prod-k-1", Op: "CreateVM_Task", Task: "task-8"})
	if got := phase.Cause(s.Why(prod)); got == want {
		t.Errorf("the cause is still %q after the operation went well", got)
	}
}

// What Kubernetes says of the object at the end of the chain goes behind it.
func TestWhyEndsAtWhatAnEventSaid(t *testing.T) {
	t.Parallel()
	s := upToVM().says(phase.Machine, "VirtualMachine", "prod-k-1", "VirtualMachineCreated", "False", "Error", "not created")
	before := s.Why(prod)
	s.Warned(s.at, "prod", phase.Link{Kind: "Machine", Namespace: "team", Name: "prod-k-1", Reason: "Slow", Message: "not the last link"})
	s.Warned(s.at, "other", phase.Link{Kind: "VirtualMachine", Namespace: "team", Name: "prod-k-1", Reason: "Other", Message: "of another cluster"})
	if diff := cmp.Diff(before, s.Why(prod)); diff != "" {
		t.Errorf("an event about something else shows (-before +after):\n%s", diff)
	}
	said := phase.Link{Kind: "VirtualMachine", Namespace: "team", Name: "prod-k-1", Reason: "CreateFailure", Message: "no datastore has room"}
	s.Warned(s.at, "prod", said)
	said.Condition = phase.Warning
	if diff := cmp.Diff(append(before, said), s.Why(prod)); diff != "" {
		t.Errorf("chain (-want +got):\n%s", diff)
	}
	if got, want := phase.Cause(s.Why(prod)), "VM prod-k-1 is not created in vCenter: not created; CreateFailure: no datastore has room"; got != want {
		t.Errorf("cause is %q, want %q", got, want)
	}
	s.says(phase.Machine, "VirtualMachine", "prod-k-1", "VirtualMachineCreated", "True", "", "")
	if got := phase.Cause(s.Why(prod)); strings.Contains(got, "no datastore") {
		t.Errorf("the cause is still %q after the object is well", got)
	}
}

func TestBlockedHoldsUntilThereIsProgress(t *testing.T) {
	t.Parallel()
	s := upToVM()
	s.Block(s.at, prod, phase.Machine)
	if state, id := s.Standing(prod); state != phase.Blocked || id != phase.Machine {
		t.Fatalf("it is %s in %s, want blocked in 3b", state, id)
	}
	s.says(phase.Machine, "VirtualMachine", "prod-k-1", "VirtualMachineNetworkReady", "False", "NotReady", "still not")
	if state, _ := s.Standing(prod); state != phase.Blocked {
		t.Errorf("it is %s after a change without progress, want blocked", state)
	}
	s.says(phase.Machine, "VSphereMachine", "prod-k-1", "VirtualMachineProvisioned", "True", "Provisioned", "")
	if state, id := s.Standing(prod); state != phase.Running || id != phase.Node {
		t.Errorf("it is %s in %s after the VM came, want running in 3c", state, id)
	}
}

func TestRefusedActionFailsTheGoalUntilItIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := newScript("create", 1, 0)
	s.Acted(0, prod, phase.Running)
	s.Acted(time.Second, prod, phase.Failed)
	if state, id := s.Standing(prod); state != phase.Failed || id != phase.Prerequisites {
		t.Errorf("it is %s in %s, want failed in 0", state, id)
	}
	s.Acted(2*time.Second, prod, phase.Running)
	if state, _ := s.Standing(prod); state != phase.Running {
		t.Errorf("it is %s, want running", state)
	}
}

func TestANamespaceRunsOnceSomethingIsBegunInIt(t *testing.T) {
	t.Parallel()
	team := resource.Addr{Group: "vksync.dev", Kind: "VSphereNamespace", Name: "team"}
	s := phase.NewTracker([]phase.Goal{{Addr: prod, Verb: "create"}, {Addr: team, Verb: "create"}})
	s.Acted(0, team, phase.Running)
	s.Acted(time.Second, team, phase.Done)
	if state, _ := s.Standing(team); state != phase.Running {
		t.Errorf("accepted is not running: %s", state)
	}
	s.Acted(2*time.Second, prod, phase.Running)
	s.Acted(3*time.Second, prod, phase.Failed)
	s.Finish(4*time.Second, false, false)
	if p, _ := s.Progress(team); p.State != phase.Done || p.End != 2*time.Second {
		t.Errorf("the namespace is %s, since %v; its cluster was refused, and it runs", p.State, p.End)
	}
}

func TestAChangeWithoutConsequencesEndsWithTheRun(t *testing.T) {
	t.Parallel()
	s := newScript("update", 3, 3)
	s.Acted(time.Second, prod, phase.Running)
	s.Acted(2*time.Second, prod, phase.Done)
	if state, _ := s.Standing(prod); state != phase.Running {
		t.Fatalf("it is %s before the end, want running", state)
	}
	s.Finish(time.Minute, true, false)
	p, _ := s.Progress(prod)
	if p.State != phase.Done || p.End != 2*time.Second {
		t.Errorf("it is %s at %v, want done at 2s", p.State, p.End)
	}
}

// A healthy cluster of six machines must cost no more than a few KB, or a
// timeline of ten thousand would not fit beside them.
func TestMemoryOfAHealthyCluster(t *testing.T) {
	const clusters = 200
	goals := make([]phase.Goal, clusters)
	for i := range goals {
		goals[i] = phase.Goal{Addr: resource.Addr{Kind: "Cluster", Namespace: "team", Name: fmt.Sprint("c", i)}, Verb: "create", ControlPlane: 3, Workers: 3}
	}
	before := heap()
	tracker := phase.NewTracker(goals)
	for _, g := range goals {
		grow(tracker, g.Addr.Name)
	}
	if per := (heap() - before) / clusters; per > 12<<10 {
		t.Errorf("%d bytes a cluster, want at most 12 KiB", per)
	}
	runtime.KeepAlive(tracker)
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// grow makes a cluster of six machines with long messages that are all over.
func grow(tracker *phase.Tracker, cluster string) {
	long := make([]byte, 4096)
	for i := range 6 {
		id := phase.Workers
		if i < 3 {
			id = phase.Bootstrap
		}
		name := fmt.Sprintf("%s-%d", cluster, i)
		for _, kind := range []string{"Machine", "KubeadmConfig", "VSphereMachine", "VirtualMachine"} {
			for _, status := range []string{"False", "True"} {
				tracker.Apply(time.Second, cluster, id, resource.Change{
					Verb: resource.Created, Kind: kind, Namespace: "team", Name: name, Finalizers: []string{"f"},
					Conditions: []resource.Condition{{Type: "Ready", Status: status, Message: string(long)}, {Type: "Available", Status: status, Message: string(long)}},
				})
			}
		}
	}
}
