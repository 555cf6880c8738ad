package dashboard

import (
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/tui/paint"
)

// The cluster that is looked at is the one that the fleet selects, but where that is
// a vSphere Namespace.
func TestClusterFrames(t *testing.T) {
	t.Parallel()
	for _, m := range moments() {
		keys := []string{"2"}
		if m.name == "planning" || m.name == "done" {
			keys = []string{"G", "2"}
		}
		framesOf(t, "cluster", []moment{m}, keys...)
	}
}

// forecastBy gives a run a forecast: how another one went, each time multiplied.
func forecastBy(t testing.TB, events, other []journal.Event, factor float64) []journal.Event {
	t.Helper()
	whole := journal.NewTimeline()
	for _, e := range other {
		whole.Apply(e)
	}
	begin := *events[0].Begin
	begin.Forecast = journal.ForecastOf(whole, nil, "played ahead")
	for i, g := range begin.Forecast.Goals {
		times := []*int64{&begin.Forecast.Goals[i].End}
		for j := range g.Steps {
			times = append(times, &g.Steps[j].Start, &g.Steps[j].End)
		}
		for _, at := range times {
			if *at > 0 {
				*at = int64(float64(*at) * factor)
			}
		}
	}
	return append([]journal.Event{{Begin: &begin}}, events[1:]...)
}

// What real controllers did, beside a forecast; a plan with its forecast; and many
// machines.
func TestClusterFramesOfChanges(t *testing.T) {
	t.Parallel()
	of := func(name, from string, upTo time.Duration, factor float64) moment {
		return moment{name, func(t testing.TB) []journal.Event {
			return forecastBy(t, example(t, from, upTo), example(t, from, 0), factor)
		}}
	}
	framesOf(t, "cluster", []moment{
		of("create", "observed-create", 90*time.Second, 0.8),
		of("created", "observed-create", 0, 1.2),
		of("rotation", "observed-upgrade", 150*time.Second, 1),
		of("scale-up", "observed-scale-up", 12*time.Second, 1),
		of("scale-down", "observed-scale-down", 5*time.Second, 1),
		of("removal", "observed-delete", 10*time.Second, 1),
		{"pools", func(testing.TB) []journal.Event { return pools(5, 10) }},
	}, "2")
	framesOf(t, "cluster", []moment{of("proposed", "reached", time.Millisecond, 1)}, "G", "2")
}

// pools is a cluster that is being made, of n pools with each machines. Every second
// machine is up.
func pools(n, each int) []journal.Event {
	addr := resource.Addr{Group: resource.GroupCluster, Kind: resource.KindCluster, Namespace: "team", Name: "prod"}
	begin := &journal.Begin{Version: journal.Version, Simulated: true, Start: epoch, Goals: []journal.Goal{
		{Addr: addr, Verb: "create", ControlPlane: 3, Workers: int64(n * each)},
	}}
	events := []journal.Event{{Begin: begin}, {Action: &journal.Action{Addr: addr, Verb: "create", Phase: "1", State: journal.ActionStarted}}}
	at := int64(0)
	say := func(verb resource.Verb, id phase.ID, kind, name, ownerKind, owner string, conditions ...string) {
		c := resource.Change{Verb: verb, Kind: kind, APIVersion: "cluster.x-k8s.io/v1beta2", Namespace: "team", Name: name}
		if owner != "" {
			c.Owners = []resource.Owner{{Kind: ownerKind, Name: owner, Controller: true}}
		}
		for _, condition := range conditions {
			c.Conditions = append(c.Conditions, resource.Condition{Type: condition, Status: "True"})
		}
		events = append(events, journal.Event{Seq: len(events), T: at, Object: &journal.Object{Actor: "capi", Cluster: "prod", PhaseID: id, Change: c}})
	}
	machine := func(id phase.ID, name, ownerKind, owner string, up bool) {
		say(resource.Created, id, "Machine", name, ownerKind, owner)
		at += 3000
		say(resource.Updated, id, "Machine", name, "", "", "BootstrapConfigReady")
		at += 20_000
		say(resource.Updated, id, "Machine", name, "", "", "InfrastructureReady")
		at += 30_000
		if up {
			say(resource.Updated, id, "Machine", name, "", "", "NodeReady", "Ready", "Available")
		}
	}
	say(resource.Created, phase.Topology, "Cluster", "prod", "", "")
	at += 5000
	say(resource.Created, phase.Topology, "VSphereCluster", "prod-v", "Cluster", "prod", "Ready")
	say(resource.Created, phase.Topology, "KubeadmControlPlane", "prod-cp", "Cluster", "prod")
	for i := range n {
		say(resource.Created, phase.Topology, "MachineDeployment", fmt.Sprintf("prod-pool-%d", i), "Cluster", "prod")
		say(resource.Created, phase.Topology, "MachineSet", fmt.Sprintf("prod-pool-%d-s", i), "MachineDeployment", fmt.Sprintf("prod-pool-%d", i))
	}
	say(resource.Updated, phase.Topology, "Cluster", "prod", "", "", "InfrastructureReady")
	for i := range 3 {
		machine(phase.Bootstrap, fmt.Sprintf("prod-cp-%c", 'a'+i), "KubeadmControlPlane", "prod-cp", true)
		say(resource.Updated, phase.Topology, "Cluster", "prod", "", "", "ControlPlaneInitialized")
	}
	from := at
	for i := range n {
		for j := range each {
			at = from + int64(i*4000+j*500)
			machine(phase.Workers, fmt.Sprintf("prod-pool-%d-s-%02d", i, j), "MachineSet", fmt.Sprintf("prod-pool-%d-s", i), (i+j)%2 == 0)
		}
	}
	return events
}

// No journal, size or key makes the page larger than its terminal.
func TestClusterPageFitsEverything(t *testing.T) {
	t.Parallel()
	for _, name := range examples(t) {
		events := example(t, name, 0)
		for _, size := range [][2]int{{20, 5}, {1, 1}, {40, 8}, {60, 15}, {200, 60}} {
			m, stream := opened(t, paint.Options{}, size[0], size[1], events[:1])
			press(t, m, "2")
			for i := 1; i < len(events); i += max(1, len(events)/23) {
				stream.Events(events[i:min(len(events), i+max(1, len(events)/23))])
				m.take()
				for _, k := range []string{"down", "space", "G", "right", "left", "g", "h"} {
					press(t, m, k)
					fits(t, m.Screen(), size[0], size[1])
				}
			}
		}
	}
}

// lineOf is the line of the screen that has a text.
func lineOf(m *Model, text string) string {
	for _, line := range strings.Split(m.Screen(), "\n") {
		if strings.Contains(line, text) {
			return line
		}
	}
	return ""
}

func TestKeysOfTheClusterPage(t *testing.T) {
	t.Parallel()
	m, stream := opened(t, paint.Options{ASCII: true}, 100, 36, pools(2, 4))
	press(t, m, "2")
	if line := lineOf(m, "pool-0"); !strings.HasPrefix(line, ">*") {
		t.Errorf("what goes on is not selected at first: %q\n%s", line, m.Screen())
	}
	press(t, m, "space")
	if lineOf(m, "pool-0-s-01") == "" {
		t.Errorf("space does not open the pool:\n%s", m.Screen())
	}
	press(t, m, "down", "down", "l")
	if line := lineOf(m, "pool-0-s-01"); !strings.HasPrefix(line, ">") {
		t.Errorf("two lines down is not the second machine: %q\n%s", line, m.Screen())
	}
	if lineOf(m, "     bootstrap ") == "" {
		t.Errorf("l does not open the machine:\n%s", m.Screen())
	}
	press(t, m, "h")
	if lineOf(m, "     bootstrap ") != "" {
		t.Errorf("h does not close the machine:\n%s", m.Screen())
	}
	// The cursor stays on its row while others come and go.
	stream.Event(journal.Event{Seq: 999, T: 1e6, Object: &journal.Object{Cluster: "prod", Change: resource.Change{
		Verb: resource.Deleted, Kind: "Machine", APIVersion: "v1", Namespace: "team", Name: "prod-pool-0-s-00"}}})
	m.take()
	if line := lineOf(m, "pool-0-s-01"); !strings.HasPrefix(line, ">") || lineOf(m, "pool-0-s-00") != "" {
		t.Errorf("the selection is lost: %q\n%s", line, m.Screen())
	}
	if name, command := m.pages[m.shown].copies(&m.scene); name != "team/prod-pool-0-s-01" || command != "kubectl -n team get Machine.cluster.x-k8s.io prod-pool-0-s-01 -o yaml" {
		t.Errorf("copied are %q and %q", name, command)
	}
	press(t, m, "h", "h", "h") // to its pool, which it closes, and up
	if line := lineOf(m, "4 workers"); !strings.HasPrefix(line, ">") {
		t.Errorf("h does not go up to the phase: %q\n%s", line, m.Screen())
	}
	press(t, m, "down", "down", "enter")
	if m.pages[m.shown].title() != "Objects" || !strings.Contains(m.Screen(), "prod-pool-1") {
		t.Errorf("enter does not show the objects:\n%s", m.Screen())
	}
	press(t, m, "esc")
	m.Update(tea.MouseClickMsg{X: 10, Y: headLines + headRoom(&m.scene) + 2})
	if line := lineOf(m, "0 prerequisites"); !strings.HasPrefix(line, ">") {
		t.Errorf("a click does not select the first row: %q\n%s", line, m.Screen())
	}
}

// A cluster of a thousand machines costs a look and a frame of some milliseconds.
func BenchmarkClusterPage(b *testing.B) {
	m, stream := opened(b, paint.Options{Color: true}, 140, 40, pools(20, 50))
	press(b, m, "2")
	for b.Loop() {
		stream.Event(journal.Event{T: 1e9, Object: &journal.Object{Cluster: "prod", Change: resource.Change{
			Verb: resource.Updated, Kind: "Machine", APIVersion: "v1", Namespace: "team", Name: "prod-pool-0-s-00"}}})
		m.take()
		_ = m.View()
	}
}
