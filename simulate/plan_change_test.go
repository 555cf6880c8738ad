package simulate_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
)

// A shape is a Cluster with the pools a and b, and what a change makes of it.
type shape struct {
	version        string
	controlPlane   string // fields of it
	a, b           string // fields of the pools; "-" is no such pool
	c              string // fields of a third pool; "" is none
	variables      map[string]string
	more, metadata string // fields of spec and of metadata
}

func baseShape() shape {
	return shape{
		version: "v1.34", controlPlane: "replicas: 3", a: "replicas: 3", b: "replicas: 2",
		variables: map[string]string{"vmClass": "best-effort-small", "storageClass": "vks-gold"},
	}
}

func (s shape) manifest() string {
	var pools, variables []string
	for _, p := range [][2]string{{"a", s.a}, {"b", s.b}, {"c", s.c}} {
		if p[1] != "-" && p[1] != "" {
			pools = append(pools, fmt.Sprintf("      - {class: node-pool, name: %s, %s}\n", p[0], p[1]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.variables)) {
		variables = append(variables, fmt.Sprintf("    - {name: %s, value: %s}\n", name, s.variables[name]))
	}
	return `---
apiVersion: cluster.x-k8s.io/v1beta2
kind: Cluster
metadata: {name: prod, namespace: team-a` + s.metadata + `}
spec:
` + s.more + `  clusterNetwork: {pods: {cidrBlocks: [192.168.0.0/16]}, services: {cidrBlocks: [10.96.0.0/12]}}
  topology:
    classRef: {name: builtin-generic-v3.4.0, namespace: vmware-system-vks-public}
    version: ` + s.version + `
    controlPlane: {` + s.controlPlane + `}
    workers:
      machineDeployments:
` + strings.Join(pools, "") + `    variables:
` + strings.Join(variables, "")
}

const (
	larger   = ", variables: {overrides: [{name: vmClass, value: best-effort-medium}]}"
	surge2   = ", rollout: {strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 2, maxUnavailable: 0}}}"
	lacking  = ", rollout: {strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}}"
	deferred = ", metadata: {annotations: {topology.cluster.x-k8s.io/defer-upgrade: ''}}"
	held     = ", metadata: {annotations: {topology.cluster.x-k8s.io/hold-upgrade-sequence: ''}}"
	scaled   = ", metadata: {annotations: {cluster.x-k8s.io/cluster-api-autoscaler-node-group-min-size: '1', cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size: '5'}}"
)

// planned is a change, in steps, of which the last is the one to compare.
type planned struct {
	name string
	// before changes what there is at first, nil for nothing.
	before, change func(*shape)
	// want says of each part what the plan has to say: "rolling 3+3 turn 1 peak 4" is
	// 3 machines that go and 3 that come.
	want []string
}

var plannedChanges = []planned{
	{"workers up", nil, func(s *shape) { s.a = "replicas: 5" }, []string{"workers a: scale -0 +2 peak 5 turn 1"}},
	{"workers down", nil, func(s *shape) { s.a = "replicas: 1" }, []string{"workers a: scale -2 +0 peak 3 turn 1"}},
	{"workers to none", nil, func(s *shape) { s.b = "replicas: 0" }, []string{"workers b: scale -2 +0 peak 2 turn 1"}},
	{"workers down, the newest first", func(s *shape) { s.a += ", deletion: {order: Newest}" }, func(s *shape) { s.a = "replicas: 1, deletion: {order: Newest}" },
		[]string{"workers a: scale -2 +0 peak 3 turn 1"}},
	{"control plane up", func(s *shape) { s.controlPlane = "replicas: 1" }, func(s *shape) { s.controlPlane = "replicas: 3" }, []string{"control plane: scale -0 +2 peak 3 turn 1"}},
	{"control plane down", nil, func(s *shape) { s.controlPlane = "replicas: 1" }, []string{"control plane: scale -2 +0 peak 3 turn 1"}},
	{"upgrade", nil, func(s *shape) { s.version = "v1.35" }, []string{
		"control plane: rolling replacement -3 +3 peak 4 turn 1", "workers a: rolling replacement -3 +3 peak 4 turn 2", "workers b: rolling replacement -2 +2 peak 3 turn 3",
	}},
	{"upgrade and scale", nil, func(s *shape) { s.version, s.a, s.b = "v1.35", "replicas: 4", "replicas: 1" }, []string{
		"control plane: rolling replacement -3 +3 peak 4 turn 1", "workers a: rolling replacement -3 +4 peak 5 turn 2", "workers b: rolling replacement -2 +1 peak 2 turn 3",
	}},
	{"upgrade and grow the control plane", func(s *shape) { s.controlPlane = "replicas: 1" }, func(s *shape) { s.version, s.controlPlane = "v1.35", "replicas: 3" }, []string{
		"control plane: rolling replacement -1 +3 peak 4 turn 1", "workers a: rolling replacement -3 +3 peak 4 turn 2", "workers b: rolling replacement -2 +2 peak 3 turn 3",
	}},
	{"upgrade, add and remove", nil, func(s *shape) { s.version, s.b, s.c = "v1.35", "-", "replicas: 2" }, []string{
		"control plane: rolling replacement -3 +3 peak 4 turn 1", "workers a: rolling replacement -3 +3 peak 4 turn 2", "workers c: added -0 +2 peak 2 turn 2", "workers b: removed -2 +0 peak 2 turn 1",
	}},
	{"upgrade, two pools at a time", func(s *shape) { s.metadata = ", annotations: {topology.cluster.x-k8s.io/upgrade-concurrency: '2'}" }, func(s *shape) { s.version = "v1.35" }, []string{
		"control plane: rolling replacement -3 +3 peak 4 turn 1", "workers a: rolling replacement -3 +3 peak 4 turn 2", "workers b: rolling replacement -2 +2 peak 3 turn 2",
	}},
	{"larger machines", nil, func(s *shape) { s.variables["vmClass"] = "best-effort-medium" }, []string{
		"control plane: rolling replacement -3 +3 peak 4 turn 1", "workers a: rolling replacement -3 +3 peak 4 turn 1", "workers b: rolling replacement -2 +2 peak 3 turn 1",
	}},
	{"larger machines of the control plane", nil, func(s *shape) { s.controlPlane += larger }, []string{"control plane: rolling replacement -3 +3 peak 4 turn 1"}},
	{"larger machines of a pool", nil, func(s *shape) { s.b += larger }, []string{"workers b: rolling replacement -2 +2 peak 3 turn 1"}},
	{"larger machines, but for a pool that has its own", func(s *shape) { s.a += larger }, func(s *shape) { s.variables["vmClass"] = "best-effort-medium"; s.a += "" }, []string{
		"control plane: rolling replacement -3 +3 peak 4 turn 1", "workers b: rolling replacement -2 +2 peak 3 turn 1",
	}},
	{"another storage class", nil, func(s *shape) { s.variables["storageClass"] = "vks-silver" }, []string{
		"control plane: rolling replacement -3 +3 peak 4 turn 1", "workers a: rolling replacement -3 +3 peak 4 turn 1", "workers b: rolling replacement -2 +2 peak 3 turn 1",
	}},
	{"labels", nil, func(s *shape) { s.a += ", metadata: {labels: {team: blue}}" }, []string{"workers a: in place -0 +0 peak 3 turn 1"}},
	{"timeouts and strategy", nil, func(s *shape) { s.a += ", deletion: {nodeDrainTimeoutSeconds: 60}" + surge2 }, []string{"workers a: in place -0 +0 peak 3 turn 1"}},
	{"a pool more", nil, func(s *shape) { s.c = "replicas: 2" }, []string{"workers c: added -0 +2 peak 2 turn 1"}},
	{"a pool less", nil, func(s *shape) { s.b = "-" }, []string{"workers b: removed -2 +0 peak 2 turn 1"}},
	{"a surge of two", func(s *shape) { s.a += surge2 }, func(s *shape) { s.a += larger }, []string{"workers a: rolling replacement -3 +3 peak 5 turn 1"}},
	{"one that may be missing", func(s *shape) { s.a += lacking }, func(s *shape) { s.a += larger }, []string{"workers a: rolling replacement -3 +3 peak 3 turn 1"}},
	{"larger machines and more of them", nil, func(s *shape) { s.a = "replicas: 5" + larger }, []string{"workers a: rolling replacement -3 +5 peak 6 turn 1"}},
	{"larger machines and fewer of them", nil, func(s *shape) { s.a = "replicas: 1" + larger }, []string{"workers a: rolling replacement -3 +1 peak 3 turn 1"}},
	{"all anew in a while", nil, func(s *shape) { s.a += ", rollout: {after: '2026-01-01T00:50:00Z'}" }, []string{"workers a: rolling replacement -3 +3 peak 4 turn 1"}},
	{"a control plane all anew in a while", nil, func(s *shape) { s.controlPlane += ", rollout: {after: '2026-01-01T00:50:00Z'}" }, []string{"control plane: rolling replacement -3 +3 peak 4 turn 1"}},
	{"what was made before long ago", nil, func(s *shape) { s.a += ", rollout: {after: '2025-01-01T00:00:00Z'}" }, []string{"workers a: rolling replacement -0 +0 peak 3 turn 1"}},
	{"more machines while paused", nil, func(s *shape) { s.a, s.more = "replicas: 5", "  paused: true\n" }, []string{"workers a: scale -0 +0 peak 3 turn 0"}},
	{"upgrade but for a pool", nil, func(s *shape) { s.version, s.a = "v1.35", s.a+deferred }, []string{
		"control plane: rolling replacement -3 +3 peak 4 turn 1", "workers a: rolling replacement -0 +0 peak 3 turn 0", "workers b: rolling replacement -2 +2 peak 3 turn 2",
	}},
	{"upgrade held from a pool on", nil, func(s *shape) { s.version, s.a = "v1.35", s.a+held }, []string{
		"control plane: rolling replacement -3 +3 peak 4 turn 1", "workers a: rolling replacement -0 +0 peak 3 turn 0", "workers b: rolling replacement -0 +0 peak 2 turn 0",
	}},
	{"a pool of the autoscaler", func(s *shape) { s.a = strings.TrimPrefix(scaled, ", ") }, func(s *shape) { s.version = "v1.35" }, []string{
		"control plane: rolling replacement -3 +3 peak 4 turn 1", "workers a: rolling replacement -1 +1 peak 2 turn 2", "workers b: rolling replacement -2 +2 peak 3 turn 3",
	}},
}

// unfinished are those in which something is left for when somebody wishes it: whether
// that is to reach the goal is not asked here.
var unfinished = []string{"more machines while paused", "upgrade but for a pool", "upgrade held from a pool on"}

// What the plan says of a change is what the run then does to the machines: which go,
// in which order, how many come, never more at once, and nothing else.
func TestTheRunDoesWhatThePlanSays(t *testing.T) {
	t.Parallel()
	for _, c := range plannedChanges {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			before := baseShape()
			if c.before != nil {
				c.before(&before)
			}
			namespace := strings.Replace(namespaceTeamA, "[{name: vks-gold}]", "[{name: vks-gold}, {name: vks-silver}]", 1)
			base := t.TempDir() + "/base"
			play(t, run{manifests: namespace + before.manifest(), save: base, unmetered: true})
			after := before
			after.variables = maps.Clone(before.variables)
			c.change(&after)
			p, h, timeline := playPlan(t, run{manifests: namespace + after.manifest(), from: base, unmetered: true, then: 2 * time.Hour, anyEnd: slices.Contains(unfinished, c.name)})
			if len(p.Actions) != 1 || p.Actions[0].Skip != "" {
				t.Fatalf("it is not one change:\n%s", p.Text())
			}
			var said []string
			for _, part := range p.Actions[0].Parts {
				said = append(said, fmt.Sprintf("%s: %s -%d +%d peak %d turn %d", part.Part, part.Effect, part.Going, part.Comes, part.Peak, part.Turn))
			}
			if diff := cmp.Diff(c.want, said); diff != "" {
				t.Errorf("the plan (-want +got):\n%s", diff)
			}
			comparePlan(t, p.Actions[0], machinesIn(h))
			if last := slices.IndexFunc(h, func(e journal.Event) bool { return e.End != nil }); timeline.End() == nil || waits(p.Actions[0]) && changesMachines(h[last:]) {
				t.Error("the run ended before the machines were replaced")
			}
			if t.Failed() {
				t.Logf("%s", p.Text())
			}
		})
	}
}

// waits says whether the run has to wait for all that an action does to machines.
func waits(a plan.Action) bool {
	return !slices.ContainsFunc(a.Parts, func(c plan.PartChange) bool { return c.NotBefore != "" || c.Turn == 0 })
}

func changesMachines(h history) bool {
	return slices.ContainsFunc(h, func(e journal.Event) bool {
		return e.Object != nil && e.Object.Kind == "Machine" && (e.Object.Verb != resource.Updated || e.Object.Deleting)
	})
}

// fate is what became of the machines of a part.
type fate struct {
	goes  []string // in the order in which they were marked
	comes int
	most  int // at once
	least int // that were not on their way out, after the first one was
	first int // number of the event with which it began to change
	last  int
}

// machinesIn follows the machines of a journal, by part.
func machinesIn(h history) map[string]*fate {
	there, going := map[string]map[string]bool{}, map[string]map[string]bool{}
	lives := map[string]*fate{}
	for i, e := range h {
		if e.Object == nil || e.Object.Kind != "Machine" {
			continue
		}
		o := e.Object
		part := "control plane"
		if pool := strings.TrimPrefix(o.Name, "prod-"); strings.Count(pool, "-") > 1 {
			part = "workers " + pool[:strings.Index(pool, "-")]
		}
		if there[part] == nil {
			there[part], going[part] = map[string]bool{}, map[string]bool{}
			lives[part] = &fate{least: 1 << 20}
		}
		l := lives[part]
		began := func() {
			if l.first == 0 {
				l.first = i
			}
			l.last = i
		}
		switch {
		case o.Present:
			there[part][o.Name] = true
		case o.Verb == resource.Created:
			began()
			there[part][o.Name] = true
			l.comes++
		case o.Verb == resource.Deleted:
			began()
			delete(there[part], o.Name)
			delete(going[part], o.Name)
		case o.Deleting && !going[part][o.Name]:
			began()
			going[part][o.Name] = true
			l.goes = append(l.goes, o.Name)
			l.least = min(l.least, len(there[part])-len(going[part]))
		}
		l.most = max(l.most, len(there[part]))
	}
	return lives
}

// comparePlan holds what the plan said of a change against what happened.
func comparePlan(t *testing.T, a plan.Action, lives map[string]*fate) {
	t.Helper()
	planned := map[string]bool{}
	turns := map[int][2]int{} // the first and the last event of each
	for _, part := range a.Parts {
		planned[part.Part] = true
		l := lives[part.Part]
		if l == nil {
			l = &fate{least: 1 << 20}
		}
		if diff := cmp.Diff(part.Goes, l.goes); diff != "" {
			t.Errorf("%s: the machines that went (-planned +done):\n%s", part.Part, diff)
		}
		if int64(len(l.goes)) != part.Going || int64(l.comes) != part.Comes {
			t.Errorf("%s: %d went and %d came, planned were %d and %d", part.Part, len(l.goes), l.comes, part.Going, part.Comes)
		}
		if int64(l.most) > part.Peak {
			t.Errorf("%s: there were %d at once, planned were at most %d", part.Part, l.most, part.Peak)
		}
		if fewest := part.To - part.Unavailable; part.Effect == plan.Rolling && part.Part != "control plane" && int64(l.least) < min(fewest, part.From) {
			t.Errorf("%s: there were only %d at a time, planned were at least %d", part.Part, l.least, fewest)
		}
		if l.first == 0 {
			continue
		}
		turn, known := turns[part.Turn]
		if !known {
			turn = [2]int{l.first, l.last}
		}
		turns[part.Turn] = [2]int{min(turn[0], l.first), max(turn[1], l.last)}
	}
	for n, turn := range turns {
		if next, there := turns[n+1]; there && n > 0 && next[0] < turn[1] {
			t.Errorf("turn %d began before turn %d was done", n+1, n)
		}
	}
	for part, l := range lives {
		if !planned[part] && l.comes+len(l.goes) > 0 {
			t.Errorf("%s: %d machines came and %v went, and nothing was planned", part, l.comes, l.goes)
		}
	}
}

// Values that may be secret are not in a saved world. A Cluster that nobody changes is
// left alone in one that goes on, although nobody knows any more what it was made from.
func TestWhatASavedWorldDoesNotKeepReplacesNothing(t *testing.T) {
	t.Parallel()
	idle, busy := baseShape(), baseShape()
	idle.controlPlane, idle.a, idle.b = "replicas: 1", "replicas: 1", "-"
	idle.variables["osConfiguration"] = "{sshd: {banner: welcome}}"
	idle.metadata = ", annotations: {runbook: 'https://ada:welcome@wiki.example'}"
	idle.controlPlane += ", metadata: {annotations: {runbook: 'https://ada:welcome@wiki.example'}}"
	busy.controlPlane, busy.a, busy.b = "replicas: 1", "replicas: 1", "-"
	other := strings.Replace(idle.manifest(), "name: prod", "name: idle", 1)
	base := t.TempDir() + "/base"
	play(t, run{manifests: namespaceTeamA + busy.manifest() + other, save: base, unmetered: true})
	for _, file := range []string{"objects.jsonl", "world.json"} {
		if text, err := os.ReadFile(filepath.Join(base, file)); err != nil || strings.Contains(string(text), "welcome") {
			t.Errorf("%s has a value that may be secret, or cannot be read: %v", file, err)
		}
	}
	busy.a = "replicas: 3"
	_, h, _ := playPlan(t, run{manifests: namespaceTeamA + busy.manifest() + other, from: base, unmetered: true, then: time.Hour})
	for _, e := range h {
		if o := e.Object; o != nil && o.Kind == "Machine" && o.Cluster == "idle" && (o.Verb != resource.Updated || o.Deleting) {
			t.Errorf("%s was %s", o.Name, o.Verb)
		}
	}
}
