package simulate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/resource"
)

// What observed.md 6.1-6.7 says of day-2, asked of other shapes than it was seen in.

// day2 is a cluster of a shape with pools by name.
func day2(controlPlane int, version string, pools map[string]int) string {
	s := asked{controlPlane: controlPlane, version: version, class: "best-effort-small", storage: "vks-gold", team: "one", pools: map[string]poolShape{}}
	for name, replicas := range pools {
		s.pools[name] = poolShape{replicas: replicas}
	}
	return fleet{"prod": s}.manifests()
}

// lives are the names of the machines of a kind that a history made and removed, in order.
func (h history) lives(kind, names string) (madeNames, markedNames, goneNames []string) {
	add := func(to *[]string, name string) {
		if !slices.Contains(*to, name) {
			*to = append(*to, name)
		}
	}
	m, k, g := made(kind, names), marked(kind, names), gone(kind, names)
	for _, e := range h {
		switch {
		case m.is(e):
			add(&madeNames, e.Object.Name)
		case g.is(e):
			add(&goneNames, e.Object.Name)
		case k.is(e):
			add(&markedNames, e.Object.Name)
		}
	}
	return madeNames, markedNames, goneNames
}

// never asks that no event matches.
func (h history) never(t *testing.T, section string, m match) {
	t.Helper()
	if found := h.all(m); len(found) > 0 {
		t.Errorf("%s: there is %s (event %d, %d ms)", section, m.what, found[0], h[found[0]].T)
	}
}

// ages are the names of the machines that exist, the oldest first.
func ages(t *testing.T, s *stage, names string) []string {
	t.Helper()
	type aged struct {
		name string
		made time.Time
	}
	var list []aged
	for _, u := range s.list(t, "Machine") {
		if m := made("Machine", names); m.is(journal.Event{Object: &journal.Object{Change: resource.Change{Verb: resource.Created, Kind: "Machine", Name: u.GetName()}}}) {
			list = append(list, aged{u.GetName(), u.GetCreationTimestamp().Time})
		}
	}
	slices.SortFunc(list, func(a, b aged) int {
		if by := a.made.Compare(b.made); by != 0 {
			return by
		}
		return strings.Compare(a.name, b.name)
	})
	var out []string
	for _, a := range list {
		out = append(out, a.name)
	}
	return out
}

// poolOf is the machine names of a pool of prod.
func poolOf(name string) string { return pattern("prod-" + name + "-~-~-~") }

func TestAControlPlaneScalesOneByOneAndTheOldestGoFirst(t *testing.T) {
	t.Parallel()
	s := newStage(t, 1, nil)
	s.bring(t, day2(1, "v1.33", map[string]int{"a": 1}))
	first := ages(t, s, cp)[0]

	up := s.bring(t, day2(3, "v1.33", map[string]int{"a": 1}))
	madeUp, _, goneUp := up.lives("Machine", cp)
	if len(madeUp) != 2 || len(goneUp) != 0 {
		t.Fatalf("6.3: from 1 to 3 made %q and removed %q", madeUp, goneUp)
	}
	up.inOrder(t, "6.3: the next only when all are healthy", made("Machine", madeUp[0]), says("Machine", madeUp[0], "EtcdMemberHealthy", "True", ""), made("Machine", madeUp[1]))
	up.never(t, "6.6: workers are untouched", made("Machine", poolOf("a")))

	down := s.bring(t, day2(1, "v1.33", map[string]int{"a": 1}))
	_, markedDown, goneDown := down.lives("Machine", cp)
	if want := []string{first, madeUp[0]}; !slices.Equal(markedDown, want) || !slices.Equal(goneDown, want) {
		t.Errorf("6.3: from 3 to 1 marked %q, want the oldest first: %q", markedDown, want)
	}
	down.inOrder(t, "6.3: gone before the next is marked", marked("Machine", first), gone("Machine", first), marked("Machine", madeUp[0]))
	down.inOrder(t, "6.6: the etcd member leaves before the VM goes", says("Machine", first, "Deleting", "True", "WaitingForPreTerminateHook"), operated("PowerOffVM_Task", first))
}

func TestPoolsOfFiveGrowAndShrinkInOnePass(t *testing.T) {
	t.Parallel()
	s := newStage(t, 2, nil)
	h := s.bring(t, day2(1, "v1.33", map[string]int{"a": 5, "b": 5}))
	for _, name := range []string{"a", "b"} {
		workers, _, _ := h.lives("Machine", poolOf(name))
		if len(workers) != 5 {
			t.Fatalf("6.1: pool %s has made %q", name, workers)
		}
		span := h[h.first(t, made("Machine", workers[4]))].T - h[h.first(t, made("Machine", workers[0]))].T
		if span > 1000 {
			t.Errorf("6.3: the five workers of pool %s were made over %d ms, want one pass", name, span)
		}
		h.allBefore(t, "6.1 step 15: VMs of workers after the barrier", says("Cluster", "prod", "ControlPlaneInitialized", "True", ""), made("VirtualMachine", poolOf(name)))
		h.inOrder(t, "7.2: worker Machines exist before", made("Machine", workers[4]), says("Cluster", "prod", "ControlPlaneInitialized", "True", ""))
	}

	before := ages(t, s, poolOf("a"))
	h = s.bring(t, day2(1, "v1.33", map[string]int{"a": 2, "b": 5}))
	_, markedA, goneA := h.lives("Machine", poolOf("a"))
	slices.Sort(before)
	slices.Sort(markedA)
	if !slices.Equal(markedA, before[:3]) || len(goneA) != 3 {
		t.Errorf("6.3: scaling down marked %q, want the first by name: %q", markedA, before[:3])
	}
	h.never(t, "the other pool is untouched", marked("Machine", poolOf("b")))
	set := pattern("prod-a-~-~")
	h.allBefore(t, "6.6: infrastructure after the drain", says("Machine", markedA[0], "Deleting", "True", "WaitingForInfrastructureDeletion"), gone("VirtualMachine", markedA[0]))
	h.inOrder(t, "6.6: the interface goes with its VM, the Secret with its KubeadmConfig, the Machine last", gone("VirtualMachine", markedA[0]), gone("VSphereMachine", markedA[0]), gone("KubeadmConfig", markedA[0]), gone("Machine", markedA[0]))
	h.inOrder(t, "6.6: replicas drop when a Machine is gone", gone("Machine", poolOf("a")), objects("replicas of the set", func(o *journal.Object) bool {
		return o.Kind == "MachineSet" && made("MachineSet", set).is(journal.Event{Object: &journal.Object{Change: resource.Change{Verb: resource.Created, Kind: o.Kind, Name: o.Name}}}) && o.Replicas != nil && o.Replicas.Current < 5
	}))
}

func TestAPoolIsAddedAndRemovedByItself(t *testing.T) {
	t.Parallel()
	s := newStage(t, 3, nil)
	s.bring(t, day2(1, "v1.33", map[string]int{"a": 1}))
	h := s.bring(t, day2(1, "v1.33", map[string]int{"a": 1, "b": 2}))
	b := pattern("prod-b-~")
	h.inOrder(t, "6.1 step 2: templates before the MachineDeployment", made("VSphereMachineTemplate", b), made("KubeadmConfigTemplate", b), made("MachineDeployment", b), made("MachineSet", pattern("prod-b-~-~")), made("Machine", poolOf("b")))
	h.never(t, "nothing else is made", made("Machine", poolOf("a")))
	h.never(t, "the control plane is untouched", made("Machine", cp))

	h = s.bring(t, day2(1, "v1.33", map[string]int{"a": 1}))
	h.inOrder(t, "3.1: Machines, then the set, then the deployment", marked("MachineDeployment", b), gone("Machine", poolOf("b")), gone("MachineSet", pattern("prod-b-~-~")), gone("MachineDeployment", b))
	h.never(t, "the other pool stays", marked("Machine", poolOf("a")))
	for kind, objects := range map[string]string{"VSphereMachineTemplate": b, "KubeadmConfigTemplate": b} {
		h.first(t, gone(kind, objects))
	}
}

func TestAnUpgradeGoesThroughTheControlPlaneAndThenThroughThePools(t *testing.T) {
	t.Parallel()
	for _, shape := range []struct {
		controlPlane int
		pools        map[string]int
	}{{1, map[string]int{"a": 3}}, {3, map[string]int{"a": 2, "b": 2}}, {3, nil}} {
		t.Run(fmt.Sprint(shape.controlPlane, "+", shape.pools), func(t *testing.T) {
			t.Parallel()
			s := newStage(t, 4, nil)
			s.bring(t, day2(shape.controlPlane, "v1.33", shape.pools))
			old := ages(t, s, cp)
			h := s.bring(t, day2(shape.controlPlane, "v1.34", shape.pools))
			h.upgradesControlPlane(t, old)
			h.upgradesPools(t, s, shape.pools)
		})
	}
}

// upgradesControlPlane asks for what observed.md 6.3, 6.4 and 6.6 say of it.
func (h history) upgradesControlPlane(t *testing.T, old []string) {
	t.Helper()
	fresh, markedOld, goneOld := h.lives("Machine", cp)
	if len(fresh) != len(old) || !slices.Equal(markedOld, old) || !slices.Equal(goneOld, old) {
		t.Fatalf("6.3: made %q and marked %q, want the oldest first: %q", fresh, markedOld, old)
	}
	for i := range old {
		h.inOrder(t, "6.3: +1, healthy, then -1", made("Machine", fresh[i]), says("Machine", fresh[i], "EtcdMemberHealthy", "True", ""), marked("Machine", old[i]), gone("Machine", old[i]))
		if i > 0 {
			h.inOrder(t, "6.3: gone before the next is made", gone("Machine", old[i-1]), made("Machine", fresh[i]))
		}
	}
	if len(old) > 1 { // of two members one that leaves is half of them (6.2: a dip of 1 s)
		for _, kind := range []string{"KubeadmControlPlane", "Cluster"} {
			h.never(t, "6.4: Available stays True", says(kind, ".*", "Available", "False", ""))
		}
	}
	h.inOrder(t, "6.4", says("Cluster", "prod", "TopologyReconciled", "False", "ClusterUpgrading"), made("Machine", fresh[0]), says("Cluster", "prod", "TopologyReconciled", "True", "ReconcileSucceeded"))
	h.inOrder(t, "6.4", says("KubeadmControlPlane", ".*", "RollingOut", "True", "RollingOut"), gone("Machine", old[len(old)-1]), says("KubeadmControlPlane", ".*", "RollingOut", "False", "NotRollingOut"))
	template := pattern("prod-~")
	h.inOrder(t, "6.6: the template is rotated before", made("VSphereMachineTemplate", template), gone("VSphereMachineTemplate", template), made("Machine", fresh[0]))
}

// upgradesPools asks that pools follow the control plane, one after the other in the
// order of the topology, and machine by machine.
func (h history) upgradesPools(t *testing.T, s *stage, pools map[string]int) {
	t.Helper()
	_, _, goneControl := h.lives("Machine", cp)
	last := gone("Machine", goneControl[len(goneControl)-1])
	before := last
	for _, name := range []string{"a", "b"} {
		if pools[name] == 0 {
			continue
		}
		fresh, markedOld, goneOld := h.lives("Machine", poolOf(name))
		if len(fresh) != pools[name] || len(goneOld) != pools[name] {
			t.Fatalf("6.6: pool %s made %q and removed %q", name, fresh, goneOld)
		}
		h.inOrder(t, "6.3: after the control plane and the pool before", before, made("Machine", fresh[0]))
		if !slices.IsSorted(markedOld) {
			t.Errorf("6.3: pool %s marked %q, want them by name", name, markedOld)
		}
		for i := range fresh {
			h.inOrder(t, "6.3: +1, available, then -1", made("Machine", fresh[i]), says("Machine", fresh[i], "Available", "True", ""), marked("Machine", markedOld[i]))
			if i > 0 {
				h.inOrder(t, "6.3: gone before the next is made", gone("Machine", markedOld[i-1]), made("Machine", fresh[i]))
			}
		}
		h.inOrder(t, "6.6: the old set goes when it has no machines", gone("Machine", goneOld[len(goneOld)-1]), gone("MachineSet", pattern("prod-"+name+"-~-~")))
		h.first(t, gone("VSphereMachineTemplate", pattern("prod-"+name+"-~")))
		h.never(t, "6.6: the bootstrap template is not rotated", made("KubeadmConfigTemplate", pattern("prod-"+name+"-~")))
		before = gone("Machine", goneOld[len(goneOld)-1])
	}
}

func TestAnUpgradeAndAScaleInOneChange(t *testing.T) {
	t.Parallel()
	s := newStage(t, 5, nil)
	s.bring(t, day2(1, "v1.33", map[string]int{"a": 1}))
	h := s.bring(t, day2(3, "v1.34", map[string]int{"a": 3}))
	fresh, _, removed := h.lives("Machine", cp)
	if len(fresh) != 3 || len(removed) != 1 {
		t.Errorf("from one control-plane machine to three of the next version made %q and removed %q", fresh, removed)
	}
	for _, u := range s.list(t, "Machine") {
		if v := resource.Text(u.Object, "spec", "version"); !strings.HasPrefix(v, "v1.34") {
			t.Errorf("Machine %s is at %s", u.GetName(), v)
		}
	}
	if n := len(s.list(t, "Machine")); n != 6 {
		t.Errorf("there are %d machines", n)
	}
}
