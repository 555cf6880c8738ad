package dashboard

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
)

var prodCluster = resource.Addr{Group: resource.GroupCluster, Kind: resource.KindCluster, Namespace: "team", Name: "prod"}

// A past is what happened to cluster team/prod: objects, at seconds.
type past struct {
	timeline *journal.Timeline
	objects  *journal.Objects
	at       int64
}

func pastOf(verb string, controlPlane, workers int64) *past {
	p := &past{timeline: journal.NewTimeline(), objects: journal.NewObjects()}
	p.apply(journal.Event{Begin: &journal.Begin{Version: journal.Version, Goals: []journal.Goal{{Addr: prodCluster, Verb: verb, ControlPlane: controlPlane, Workers: workers}}}})
	return p
}

func (p *past) apply(e journal.Event) *past {
	e.T = p.at * 1000
	p.timeline.Apply(e)
	p.objects.Apply(e)
	return p
}

// tell says that an object was created or updated at a second, owned by "Kind name",
// with conditions that are True, or of which an exclamation mark says that they are not.
func (p *past) tell(at int64, verb resource.Verb, id phase.ID, object, owner string, conditions ...string) *past {
	p.at = at
	kind, name, _ := strings.Cut(object, " ")
	c := resource.Change{Verb: verb, Kind: kind, APIVersion: "v1", Namespace: "team", Name: name}
	if owner != "" {
		kind, name, _ := strings.Cut(owner, " ")
		c.Owners = []resource.Owner{{Kind: kind, Name: name, Controller: true}}
	}
	for _, condition := range conditions {
		kind, wrong := strings.CutPrefix(condition, "!")
		c.Conditions = append(c.Conditions, resource.Condition{Type: kind, Status: map[bool]string{false: "True", true: "False"}[wrong]})
	}
	return p.apply(journal.Event{Object: &journal.Object{Cluster: "prod", PhaseID: id, Change: c}})
}

func (p *past) made(at int64, id phase.ID, object, owner string, conditions ...string) *past {
	return p.tell(at, resource.Created, id, object, owner, conditions...)
}

func (p *past) says(at int64, id phase.ID, object string, conditions ...string) *past {
	return p.tell(at, resource.Updated, id, object, "", conditions...)
}

// machine is one that came at a second, had bootstrap data after 1 s, an address
// after 5 s, and was up after 10 s.
func (p *past) machine(at int64, id phase.ID, name, owner string) *past {
	return p.made(at, id, "Machine "+name, owner).
		says(at+1, id, "Machine "+name, "BootstrapConfigReady").
		says(at+5, id, "Machine "+name, "InfrastructureReady").
		says(at+10, id, "Machine "+name, "Available")
}

// topology is a cluster with its infrastructure, as it is after 3 s.
func (p *past) topology() *past {
	return p.made(0, phase.Topology, "Cluster prod", "").
		made(1, phase.Topology, "VSphereCluster prod-v", "Cluster prod").
		made(1, phase.Topology, "KubeadmControlPlane prod-cp", "Cluster prod").
		made(1, phase.Topology, "MachineDeployment prod-np", "Cluster prod").
		made(1, phase.Topology, "MachineSet prod-np-s", "MachineDeployment prod-np").
		says(2, phase.Topology, "VSphereCluster prod-v", "Ready").
		says(3, phase.Topology, "Cluster prod", "InfrastructureReady")
}

// rows are all rows of the cluster at a second, with everything open, a line each:
// what it is, how many machines, how it stands, from when to when, * for the critical
// path; and where it is known until when it is expected, and how late that is.
func (p *past) rows(now int64, f *journal.Forecast) string {
	row, _ := p.timeline.Row(prodCluster)
	g := gantt{
		row: row, forecast: f, now: time.Duration(now) * time.Second, census: censusOf(p.objects.Tree(prodCluster)),
		open: func(string, bool) bool { return true },
	}
	var b strings.Builder
	for _, r := range ganttRows(g) {
		mark := ""
		if r.critical {
			mark = " *"
		}
		if r.inherited {
			mark += " inherited"
		}
		fmt.Fprintf(&b, "%s%s%s %s %s-%s%s", strings.Repeat(" ", r.depth), r.label, r.counts(), r.state, inSeconds(r.start), inSeconds(r.end), mark)
		if r.expected[1] != phase.NotYet && r.state != phase.Done {
			fmt.Fprintf(&b, " until %s", inSeconds(r.expected[1]))
		}
		if late, known := r.late(); known && late != 0 {
			fmt.Fprintf(&b, " %+.0f", late.Seconds())
		}
		b.WriteString("\n")
	}
	return b.String()
}

func inSeconds(d time.Duration) string {
	if d == phase.NotYet {
		return ""
	}
	return fmt.Sprintf("%.0f", d.Seconds())
}

func TestGanttRows(t *testing.T) {
	t.Parallel()
	ahead := &journal.Forecast{Goals: []journal.GoalForecast{{Addr: prodCluster, State: phase.Done, End: 40_000, Steps: []journal.StepForecast{
		{ID: phase.Prerequisites, Start: 0, End: 0}, {ID: phase.Topology, Start: 0, End: 1000}, {ID: phase.Infrastructure, Start: 1000, End: 2000},
		{ID: phase.Bootstrap, Start: 2000, End: 3000}, {ID: phase.Machine, Start: 3000, End: 7000}, {ID: phase.Node, Start: 7000, End: 12_000},
		{ID: phase.Workers, Start: 12_000, End: 40_000},
	}}}}
	for _, c := range []struct {
		name     string
		past     *past
		now      int64
		forecast *journal.Forecast
		want     string
	}{
		{"nothing has begun", pastOf("create", 1, 2), 0, nil, `
0 prerequisites pending -
1 topology pending -
2 infrastructure pending -
3 control plane pending -
 3a bootstrap pending -
 3b VM pending -
 3c node pending -
4 workers pending -
`},
		{"nothing has begun, and how it will go is known", pastOf("create", 1, 2), 5, ahead, `
0 prerequisites pending - until 5 +5
1 topology pending - until 6 +5
2 infrastructure pending - until 7 +5
3 control plane pending - until 17 +5
 3a bootstrap pending - until 8 +5
 3b VM pending - until 12 +5
 3c node pending - until 17 +5
4 workers pending - until 45 +5
`},
		{"it waits for a phase that does not begin", pastOf("create", 1, 2).topology().
			apply(journal.Event{Blocked: &journal.Blocked{Addr: prodCluster, Phase: phase.Bootstrap}}), 9, nil, `
0 prerequisites done 0-0 *
1 topology done 0-1 *
2 infrastructure done 1-2 *
3 control plane 0/1 blocked 2- *
 3a bootstrap 0/1 blocked 2- *
 3b VM 0/1 pending -
 3c node 0/1 pending -
4 workers 0/2 pending -
 np pending -
`},
		{"one of three replicas is up, the next on its way", pastOf("create", 3, 2).topology().
			machine(3, phase.Bootstrap, "prod-cp-b", "KubeadmControlPlane prod-cp").
			says(13, phase.Topology, "Cluster prod", "ControlPlaneInitialized").
			made(13, phase.Bootstrap, "Machine prod-cp-a", "KubeadmControlPlane prod-cp").
			says(14, phase.Bootstrap, "Machine prod-cp-a", "BootstrapConfigReady"), 16, nil, `
0 prerequisites done 0-0 *
1 topology done 0-1 *
2 infrastructure done 1-2 *
3 control plane 1/3 running 3- *
 cp-b done 3-13 *
  3a bootstrap done 3-4 *
  3b VM done 4-8 *
  3c node done 8-13 *
 cp-a running 13- *
  3a bootstrap done 13-14 *
  3b VM running 14- *
  3c node pending -
 1 more to come pending -
4 workers 0/2 running 13-
 np running -
`},
		{"all is up, the workers last", pastOf("create", 1, 2).topology().
			machine(3, phase.Bootstrap, "prod-cp-a", "KubeadmControlPlane prod-cp").
			says(13, phase.Topology, "Cluster prod", "ControlPlaneInitialized").
			machine(14, phase.Workers, "prod-np-s-a", "MachineSet prod-np-s").
			machine(15, phase.Workers, "prod-np-s-b", "MachineSet prod-np-s").
			says(26, phase.Topology, "Cluster prod", "Available"), 30, ahead, `
0 prerequisites done 0-0 *
1 topology done 0-1 *
2 infrastructure done 1-2 *
3 control plane 1/1 done 3-13 * +1
 cp-a done 3-13 *
  3a bootstrap done 3-4 *
  3b VM done 4-8 *
  3c node done 8-13 *
4 workers 2/2 done 13-26 * -14
 np 2/2 done 14-25 *
  np-s-a done 14-24
   bootstrap done 14-15
   VM done 15-19
   node done 19-24
  np-s-b done 15-25 *
   bootstrap done 15-16 *
   VM done 16-20 *
   node done 20-25 *
`},
		{"a worker came early and waited for the control plane", pastOf("create", 1, 1).topology().
			made(3, phase.Workers, "Machine prod-np-s-a", "MachineSet prod-np-s").
			machine(3, phase.Bootstrap, "prod-cp-a", "KubeadmControlPlane prod-cp").
			says(13, phase.Topology, "Cluster prod", "ControlPlaneInitialized").
			says(14, phase.Workers, "Machine prod-np-s-a", "BootstrapConfigReady"), 20, nil, `
0 prerequisites done 0-0 *
1 topology done 0-1 *
2 infrastructure done 1-2 *
3 control plane 1/1 done 3-13 *
 cp-a done 3-13 *
  3a bootstrap done 3-4 *
  3b VM done 4-8 *
  3c node done 8-13 *
4 workers 0/1 running 13- *
 np 0/1 running 3- *
  np-s-a running 3- *
   bootstrap done 3-14 *
   VM running 14- *
   node pending -
`},
		{"a pool of a cluster that was there grows", pastOf("update", 3, 2).
			says(0, phase.Topology, "MachineDeployment prod-np").
			says(1, phase.Workers, "Machine prod-np-s-old", "Available").
			made(2, phase.Workers, "Machine prod-np-s-new", "MachineSet prod-np-s"), 4, nil, `
0 prerequisites done -
1 topology done -
2 infrastructure done -
3 control plane 3/3 done -
4 workers 2/2 done - *
 np 1/2 running 2- *
  np-s-old done - inherited
  np-s-new running 2- *
   bootstrap running 2- *
   VM pending -
   node pending -
`},
		{"a removal goes the other way round", pastOf("delete", 1, 1).topology().
			tell(5, resource.Deleted, phase.Workers, "MachineDeployment prod-np", ""), 6, nil, `
4 workers running 0-
3 control plane pending -
2 infrastructure pending -
1 topology pending -
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(strings.TrimPrefix(c.want, "\n"), c.past.rows(c.now, c.forecast)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestStagesOfAMachine(t *testing.T) {
	t.Parallel()
	const id = phase.Bootstrap
	from := func(p *past) machineTime {
		var found machineTime
		visit(p.objects.Tree(prodCluster), func(n *journal.Node) {
			if n.Kind == "Machine" {
				found = timeOf(n)
			}
		})
		return found
	}
	for _, c := range []struct {
		name string
		past *past
		want string // the stages, from-to, then the state and the stage it is in
	}{
		{"it came a moment ago", pastOf("create", 1, 0).made(3, id, "Machine a", ""), "3- - - running 0"},
		{"it waits for a VM, which came later", pastOf("create", 1, 0).made(3, id, "Machine a", "").says(4, id, "Machine a", "BootstrapConfigReady").
			made(5, id, "VSphereMachine a", "Machine a").made(7, id, "VirtualMachine a", "VSphereMachine a"), "3-4 7- - running 1"},
		{"its parts say what it does not", pastOf("create", 1, 0).made(3, id, "Machine a", "").made(3, id, "KubeadmConfig a", "Machine a", "DataSecretAvailable").
			made(5, id, "VSphereMachine a", "Machine a", "VirtualMachineProvisioned"), "3-3 3-5 5- running 2"},
		{"a condition came back", pastOf("create", 1, 0).made(3, id, "Machine a", "", "BootstrapConfigReady", "InfrastructureReady", "Available").
			says(8, id, "Machine a", "!BootstrapConfigReady").says(9, id, "Machine a", "BootstrapConfigReady"), "3-9 9-9 9-9 done 2"},
		{"vCenter refuses its VM", pastOf("create", 1, 0).made(3, id, "Machine a", "", "BootstrapConfigReady").made(3, id, "VSphereMachine a", "Machine a").
			made(4, id, "VirtualMachine a", "VSphereMachine a").
			apply(journal.Event{VM: &journal.VM{Op: "PowerOnVM_Task", Namespace: "team", Cluster: "prod", Name: "a", Error: "no host has room"}}), "3-3 4- - failed 1"},
		{"it was there before", pastOf("update", 1, 0).says(3, id, "Machine a", "Available"), "- - - done 2"},
		{"it is not well any more", pastOf("update", 1, 0).says(3, id, "Machine a", "!Available"), "- - - running 2"},
	} {
		m := from(c.past)
		var parts []string
		for i := range stages {
			parts = append(parts, inSeconds(m.start[i])+"-"+inSeconds(m.end[i]))
		}
		state, at := m.state()
		if got := fmt.Sprintf("%s %s %d", strings.Join(parts, " "), state, at); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
