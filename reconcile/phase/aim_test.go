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

// aimed is a script of a world that is watched.
func aimed(verb string, controlPlane, workers int64) *script {
	s := &script{Tracker: phase.NewTracker(nil)}
	return s.aim(verb, controlPlane, workers)
}

func (s *script) aim(verb string, controlPlane, workers int64) *script {
	s.Aim(s.at, phase.Goal{Addr: prod, Verb: verb, ControlPlane: controlPlane, Workers: workers})
	return s
}

// present tells of an object that was there before, at the same time as the last.
func (s *script) present(id phase.ID, kind, name string, c resource.Change) *script {
	c.Verb, c.Present, c.Kind, c.Name, c.Namespace = resource.Updated, true, kind, name, "team"
	s.Apply(s.at, "prod", id, c)
	return s
}

// well are conditions that are all True.
func well(types ...string) resource.Change {
	c := resource.Change{}
	for _, kind := range types {
		c.Conditions = append(c.Conditions, resource.Condition{Type: kind, Status: "True"})
	}
	return c
}

func allOf(n int64) resource.Change {
	return resource.Change{Replicas: &resource.Replicas{Desired: n, Current: n, Ready: n, Available: n, UpToDate: n}}
}

// standing is a cluster of one control-plane machine and one worker that was there
// before and is well.
func (s *script) standing() *script {
	s.present(phase.Topology, "Cluster", "prod", well("Available", "InfrastructureReady", "ControlPlaneInitialized", "TopologyReconciled")).
		present(phase.Topology, "VSphereCluster", "prod-v", well("Ready")).
		present(phase.Topology, "KubeadmControlPlane", "prod-k", allOf(1)).
		present(phase.Topology, "MachineDeployment", "prod-md", allOf(1)).
		present(phase.Topology, "MachineSet", "prod-md-s", allOf(1))
	s.presentMachine(phase.Bootstrap, "prod-k-1")
	return s.presentMachine(phase.Workers, "prod-md-1")
}

func (s *script) presentMachine(id phase.ID, name string) *script {
	return s.present(id, "Machine", name, well("Available", "Ready", "InfrastructureReady", "BootstrapConfigReady"))
}

// gone removes all there is of the cluster.
func (s *script) gone() *script {
	for _, o := range [][2]string{
		{"Machine", "prod-md-1"}, {"Machine", "prod-md-2"}, {"MachineSet", "prod-md-s"}, {"MachineDeployment", "prod-md"},
		{"Machine", "prod-k-1"}, {"KubeadmControlPlane", "prod-k"}, {"VSphereCluster", "prod-v"}, {"Cluster", "prod"},
	} {
		s.change("", resource.Change{Verb: resource.Deleted, Kind: o[0], Name: o[1]})
	}
	return s
}

// text is how the cluster stands, on a line.
func (s *script) text() string {
	p, ok := s.Progress(prod)
	if !ok {
		return "no goal"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s in %s:", p.Verb, p.State, p.Current)
	for _, step := range p.Steps {
		if step.Start != phase.NotYet || step.State == phase.Running {
			fmt.Fprintf(&b, " %s=%s", step.ID, step.State)
		}
		if step.Wanted > 0 {
			fmt.Fprintf(&b, "(%s %d/%d)", step.ID, step.Done, step.Wanted)
		}
	}
	return b.String()
}

func TestAimFollowsWhatIsWanted(t *testing.T) {
	t.Parallel()
	scaleUp := func() *script {
		return aimed("none", 1, 1).standing().aim("update", 1, 2).
			change(phase.Topology, resource.Change{Kind: "MachineDeployment", Name: "prod-md", Replicas: &resource.Replicas{Desired: 2, Current: 1, Ready: 1, Available: 1, UpToDate: 1}}).
			made(phase.Workers, "Machine", "prod-md-2")
	}
	scaledUp := func() *script {
		return scaleUp().
			change(phase.Workers, resource.Change{Kind: "Machine", Name: "prod-md-2", Conditions: well("Available").Conditions}).
			change(phase.Topology, resource.Change{Kind: "MachineDeployment", Name: "prod-md", Replicas: allOf(2).Replicas})
	}
	tests := map[string]struct {
		story *script
		want  string
	}{
		"what is well and nobody changes": {
			aimed("none", 1, 1).standing(),
			"none done in 4:",
		},
		"a change that has had no consequences yet": {
			aimed("none", 1, 1).standing().aim("update", 1, 2),
			"update running in 1:(3a 1/1)(3b 1/1)(3c 1/1)(4 1/2)",
		},
		"one more worker on its way": {
			scaleUp(),
			"update running in 4:(3a 1/1)(3b 1/1)(3c 1/1) 4=running(4 1/2)",
		},
		"and there": {
			scaledUp(),
			"update done in 4:(3a 1/1)(3b 1/1)(3c 1/1) 4=done(4 2/2)",
		},
		"back to nothing wanted, with its way to be seen": {
			scaledUp().aim("none", 1, 2),
			"none done in 4:(3a 1/1)(3b 1/1)(3c 1/1) 4=done(4 2/2)",
		},
		"another change after one that was done": {
			scaledUp().aim("update", 1, 1),
			"update running in 1:(3a 1/1)(3b 1/1)(3c 1/1)(4 1/1)",
		},
		"more on the way go on": {
			scaleUp().aim("update", 1, 3),
			"update running in 4:(3a 1/1)(3b 1/1)(3c 1/1) 4=running(4 1/3)",
		},
		"a cluster that is being made when it is first looked at": {
			aimed("create", 1, 1).
				present(phase.Topology, "Cluster", "prod", well("InfrastructureReady")).
				present(phase.Topology, "VSphereCluster", "prod-v", well("Ready")).
				present(phase.Topology, "KubeadmControlPlane", "prod-k", resource.Change{}).
				present(phase.Topology, "MachineDeployment", "prod-md", resource.Change{}).
				present(phase.Topology, "MachineSet", "prod-md-s", resource.Change{}).
				present(phase.Bootstrap, "Machine", "prod-k-1", well("BootstrapConfigReady")).
				present(phase.Machine, "VirtualMachine", "prod-k-1", resource.Change{}),
			"create running in 3b: 0=done 1=done 2=done 3a=done(3a 1/1) 3b=running(3b 0/1)(3c 0/1)(4 0/1)",
		},
		"a machine that was there is lost and made again": {
			aimed("none", 1, 1).standing().
				says(phase.Workers, "Machine", "prod-md-1", "Available", "False", "NotReady", "").
				says(phase.Topology, "Cluster", "prod", "Available", "False", "NotAvailable", "").aim("update", 1, 1).
				says(phase.Workers, "Machine", "prod-md-1", "Available", "True", "", "").
				says(phase.Topology, "Cluster", "prod", "Available", "True", "", ""),
			"update done in 4:(3a 1/1)(3b 1/1)(3c 1/1) 4=done(4 1/1)",
		},
		"it goes": {
			scaledUp().aim("delete", 0, 0).
				change(phase.Workers, resource.Change{Verb: resource.Deleted, Kind: "Machine", Name: "prod-md-1"}),
			"delete running in 4:(3a 0/1)(3b 0/1)(3c 0/1) 4=running(4 1/2)",
		},
		"and is gone": {
			scaledUp().aim("delete", 0, 0).gone(),
			"delete done in 1: 1=done 2=done 3a=done(3a 1/1) 3b=done(3b 1/1) 3c=done(3c 1/1) 4=done(4 2/2)",
		},
		"one of the same name after it": {
			scaledUp().aim("delete", 0, 0).gone().aim("create", 1, 1),
			"create running in 0: 0=running(3a 0/1)(3b 0/1)(3c 0/1)(4 0/1)",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, tt.story.text()); diff != "" {
				t.Errorf("it stands (-want +got):\n%s", diff)
			}
		})
	}
}

// After a break each kind comes in an order of its own: a network interface may be
// the first that is heard of a machine, and says nothing of its role.
func TestAnInterfaceHeardOfFirstDoesNotMakeItsMachineAWorker(t *testing.T) {
	s := aimed("create", 1, 1)
	port := func(machine string) {
		s.made(phase.Workers, "SubnetPort", machine+"-eth0", resource.Owner{Kind: "VirtualMachine", Name: machine, Controller: true})
	}
	port("prod-k-1")
	port("prod-md-1")
	s.standing()
	const want = "create done"
	if got := s.text(); !strings.HasPrefix(got, want) {
		t.Errorf("it is %s, want %s", got, want)
	}
	p, _ := s.Progress(prod)
	for _, step := range p.Steps {
		if step.State != phase.Done || step.Start > step.End {
			t.Errorf("phase %s is %+v", step.ID, step)
		}
	}
}

func TestForgetDropsAGoal(t *testing.T) {
	t.Parallel()
	s := aimed("none", 1, 1).standing()
	s.Forget(prod)
	s.says(phase.Topology, "Cluster", "prod", "Available", "False", "NotAvailable", "")
	if got := s.text(); got != "no goal" {
		t.Errorf("it stands: %s", got)
	}
	if why := s.aim("create", 1, 1).Why(prod); len(why) != 1 || why[0].Reason != "NotCreated" {
		t.Errorf("after it was forgotten, it is known that %v", why)
	}
}

// What a run is told of a cluster that was there is no progress of its own, and
// leaves it as it stood.
func TestWhatWasThereBeforeARunIsNoProgress(t *testing.T) {
	t.Parallel()
	s := newScript("update", 1, 2).standing()
	if p, _ := s.Progress(prod); p.State != phase.Pending || p.Start != phase.NotYet {
		t.Errorf("it stands %s since %v before anything happens", p.State, p.Start)
	}
	s.Acted(s.at, prod, phase.Running)
	s.Acted(s.at, prod, phase.Done)
	if state, id := s.Standing(prod); state != phase.Running || id != phase.Topology {
		t.Errorf("it is %s in %s after the change was accepted", state, id)
	}
	s.change(phase.Topology, resource.Change{Kind: "MachineDeployment", Name: "prod-md", Replicas: &resource.Replicas{Desired: 2, Current: 2, Ready: 1, Available: 1, UpToDate: 1}}).
		made(phase.Workers, "Machine", "prod-md-2")
	if p, _ := s.Progress(prod); p.Step(phase.Workers).Done != 1 {
		t.Errorf("%d of 2 workers are there, want 1", p.Step(phase.Workers).Done)
	}
	s.change(phase.Workers, resource.Change{Kind: "Machine", Name: "prod-md-2", Conditions: well("Available").Conditions}).
		change(phase.Topology, resource.Change{Kind: "MachineDeployment", Name: "prod-md", Replicas: allOf(2).Replicas})
	if state, _ := s.Standing(prod); state != phase.Done {
		t.Errorf("it is %s in the end", state)
	}
}

func TestAimOfANamespace(t *testing.T) {
	t.Parallel()
	home := resource.Addr{Group: "vksync.dev", Kind: "VSphereNamespace", Name: "team"}
	tracker := phase.NewTracker(nil)
	status := func(at time.Duration, status string) {
		tracker.Apply(at, "", phase.Prerequisites, resource.Change{Verb: resource.Updated, Kind: home.Kind, Name: home.Name, Phase: status})
	}
	want := func(verb string, state phase.State, start, end time.Duration) {
		t.Helper()
		p, _ := tracker.Progress(home)
		if p.Verb != verb || p.State != state || p.Start != start || p.End != end {
			t.Errorf("it is %s %s from %v to %v, want %s %s from %v to %v", p.Verb, p.State, p.Start, p.End, verb, state, start, end)
		}
	}
	tracker.Aim(1, phase.Goal{Addr: home, Verb: "create"})
	want("create", phase.Running, 1, phase.NotYet)
	status(2, "RUNNING")
	want("create", phase.Done, 1, 2)
	tracker.Aim(3, phase.Goal{Addr: home, Verb: "none"})
	want("none", phase.Done, 1, 2)
	tracker.Aim(4, phase.Goal{Addr: home, Verb: "update"})
	status(5, "CONFIGURING")
	want("update", phase.Running, 4, phase.NotYet)
	tracker.Aim(6, phase.Goal{Addr: home, Verb: "none"})
	want("none", phase.Done, 4, 6)
	tracker.Aim(7, phase.Goal{Addr: home, Verb: "delete"})
	want("delete", phase.Running, 7, phase.NotYet)
	tracker.Forget(home)
	if _, known := tracker.Progress(home); known {
		t.Error("it is known after it was forgotten")
	}
}

// Clusters that come and go leave nothing behind, nor do the machines of one that
// stays and names its VMs as it likes.
func TestMemoryOfAWorldThatIsWatchedForDays(t *testing.T) {
	tracker := phase.NewTracker(nil)
	day := func(n int) {
		for i := range 50 {
			g := phase.Goal{Addr: resource.Addr{Kind: "Cluster", Namespace: "team", Name: fmt.Sprint("c", n, "-", i)}, Verb: "create", ControlPlane: 3, Workers: 3}
			tracker.Aim(time.Second, g)
			for range 3 {
				grow(tracker, g.Addr.Name)
				tracker.Warned(time.Second, g.Addr.Name, phase.Link{Kind: "Machine", Namespace: "team", Name: g.Addr.Name + "-1", Message: "slow"})
			}
			tracker.Forget(g.Addr)
			for _, verb := range []resource.Verb{resource.Created, resource.Deleted} {
				machine := fmt.Sprint("prod-md-", n, "-", i)
				for kind, name := range map[string]string{"Machine": machine, "VSphereMachine": machine, "VirtualMachine": "vm-" + machine} {
					tracker.Apply(time.Second, "prod", phase.Workers, resource.Change{
						Verb: verb, Kind: kind, Namespace: "team", Name: name, Owners: []resource.Owner{{Kind: "VSphereMachine", Name: machine}},
					})
				}
			}
		}
	}
	tracker.Aim(0, phase.Goal{Addr: prod, Verb: "none", ControlPlane: 1, Workers: 1})
	day(0)
	before := heap()
	for n := range 20 {
		day(n + 1)
	}
	if grown := int64(heap()) - int64(before); grown > 64<<10 {
		t.Errorf("it holds %d bytes more than after the first day", grown)
	}
	runtime.KeepAlive(tracker)
}
