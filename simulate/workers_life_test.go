package simulate_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate"
	"github.com/vksync/vksync/simulate/controllers"
)

// going are the machines that are being deleted.
func going(list []*unstructured.Unstructured) []string {
	var out []string
	for _, u := range list {
		if u.GetDeletionTimestamp() != nil {
			out = append(out, u.GetName())
		}
	}
	return out
}

func TestAScaleDownTakesAllItsVictimsInOnePass(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		order  string
		marked int // the machine that somebody wants gone, -1 for none
		want   func(byName, byAge []string) []string
	}{
		"by name":         {"Random", -1, func(byName, _ []string) []string { return byName[:2] }},
		"marked first":    {"Random", 3, func(byName, _ []string) []string { return []string{byName[0], byName[3]} }},
		"the newest":      {"Newest", -1, func(_, byAge []string) []string { return byAge[3:] }},
		"the oldest":      {"Oldest", -1, func(_, byAge []string) []string { return nil }},
		"marked, newest":  {"Newest", 0, nil},
		"by name, absent": {"", -1, func(byName, _ []string) []string { return byName[:2] }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPool(t, 1, 3)
			first := names(p.machines())
			if c.order != "" {
				p.change(`{deletion: {order: ` + c.order + `}}`)
			}
			p.change(`{replicas: 5}`)
			p.until("five machines", 30*time.Minute, func() bool { return p.count(p.machines(), "Available") == 5 })
			byName := names(p.machines())
			second := slices.DeleteFunc(slices.Clone(byName), func(name string) bool { return slices.Contains(first, name) })
			if c.marked >= 0 {
				p.patch("machines", byName[c.marked], `metadata: {annotations: {cluster.x-k8s.io/delete-machine: ""}}`)
			}
			p.change(`{replicas: 3}`)
			p.until("machines to go", time.Minute, func() bool { return len(going(p.machines())) > 0 })
			got := going(p.machines())
			var want []string
			switch name {
			case "the oldest":
				want = first[:2]
			case "marked, newest":
				want = []string{byName[0], second[0]}
				if byName[0] == second[0] {
					want[1] = second[1]
				}
			default:
				want = c.want(byName, append(slices.Clone(first), second...))
			}
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("of %v, made as %v and %v, %v go at once; want %v", byName, first, second, got, want)
			}
			replicas := func() int64 { return resource.Int(p.deployment().Object, "status", "replicas") }
			p.until("less available", time.Minute, func() bool { return resource.Int(p.deployment().Object, "status", "availableReplicas") == 3 })
			if replicas() != 5 {
				t.Errorf("status.replicas is %d while two machines go, want 5 until they are gone", replicas())
			}
			p.until("the machines to be gone", 10*time.Minute, func() bool { return len(p.machines()) == 3 })
			p.until("the count to follow", 10*time.Second, func() bool { return replicas() == 3 })
		})
	}
}

func TestWhatChangesInPlaceReplacesNoMachine(t *testing.T) {
	t.Parallel()
	p := newPool(t, 1, 2)
	before, generation := names(p.machines()), len(p.list("machinesets"))
	p.change(`{metadata: {labels: {team: blue}, annotations: {example.com/note: hello}}, deletion: {order: Oldest, nodeDrainTimeoutSeconds: 7, nodeVolumeDetachTimeoutSeconds: 8, nodeDeletionTimeoutSeconds: 9},
  minReadySeconds: 300, readinessGates: [{conditionType: example.com/Tested}], taints: [{key: example.com/gpu, value: "true", effect: NoSchedule, propagation: Always}]}`)
	p.pass(20 * time.Second)
	for _, u := range p.machines() {
		spec := u.Object["spec"].(map[string]any)
		for path, want := range map[string]int64{"nodeDrainTimeoutSeconds": 7, "nodeVolumeDetachTimeoutSeconds": 8, "nodeDeletionTimeoutSeconds": 9} {
			if got := resource.Int(spec, "deletion", path); got != want {
				t.Errorf("%s of %s is %d, want %d", path, u.GetName(), got, want)
			}
		}
		if got := resource.Int(spec, "minReadySeconds"); got != 300 {
			t.Errorf("minReadySeconds of %s is %d, want 300", u.GetName(), got)
		}
		if got := resource.Items(spec, "taints"); len(got) != 1 {
			t.Errorf("taints of %s are %v, want one", u.GetName(), got)
		}
		if c := resource.ConditionOf(u.Object, "Ready"); c.Status != "Unknown" || !strings.Contains(c.Message, "example.com/Tested") {
			t.Errorf("%s is Ready %s (%s), want Unknown until its readiness gate is reported", u.GetName(), c.Status, c.Message)
		}
		for _, kind := range []string{"machines", "kubeadmconfigs", "vspheremachines"} {
			part, err := p.kind(kind).Get(t.Context(), u.GetName(), metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if part.GetLabels()["team"] != "blue" || part.GetAnnotations()["example.com/note"] != "hello" {
				t.Errorf("%s %s has labels %v and annotations %v, want those of the pool", kind, u.GetName(), part.GetLabels(), part.GetAnnotations())
			}
		}
	}
	if got := resource.Text(p.list("machinesets")[0].Object, "spec", "deletion", "order"); got != "Oldest" {
		t.Errorf("the set's deletion order is %q, want Oldest", got)
	}
	p.change(`{metadata: null, readinessGates: null}`)
	p.until("the machines to wait for minReadySeconds", time.Minute, func() bool {
		return !slices.ContainsFunc(p.machines(), func(u *unstructured.Unstructured) bool {
			return resource.ConditionOf(u.Object, "Available").Reason != "WaitingForMinReadySeconds" || u.GetLabels()["team"] != "" || u.GetAnnotations()["example.com/note"] != ""
		})
	})
	ready := p.Now()
	p.until("the machines to be available again", 10*time.Minute, func() bool { return p.count(p.machines(), "Available") == 2 })
	if waited := p.Now().Sub(ready); waited < 290*time.Second || waited > 302*time.Second {
		t.Errorf("machines with 300 minReadySeconds were available after %s", waited)
	}
	if after := names(p.machines()); !slices.Equal(before, after) || len(p.list("machinesets")) != generation {
		t.Errorf("machines were %v and are %v in %d sets, want none replaced", before, after, len(p.list("machinesets")))
	}
}

func TestOnDeleteReplacesWhatSomebodyDeletes(t *testing.T) {
	t.Parallel()
	p := newPool(t, 1, 2)
	before := names(p.machines())
	p.change(`{rollout: {strategy: {type: OnDelete}}}`)
	p.pass(3 * time.Second)
	p.change(`{variables: {overrides: [{name: vmClass, value: best-effort-medium}]}}`)
	p.pass(5 * time.Minute)
	if got := names(p.machines()); !slices.Equal(got, before) {
		t.Fatalf("machines were %v and are %v, want nothing replaced by itself", before, got)
	}
	if n := p.count(p.machines(), "UpToDate"); n != 0 {
		t.Errorf("%d machines are up to date, want none", n)
	}
	for i, name := range before {
		if err := p.kind("machines").Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		p.until("a new machine for the deleted one", 30*time.Minute, func() bool {
			return len(p.machines()) == 2 && p.count(p.machines(), "UpToDate") == i+1 && p.count(p.machines(), "Available") == 2
		})
	}
	p.until("the old set to go", time.Minute, func() bool { return len(p.list("machinesets")) == 1 })
}

func TestAPausedPoolDoesNothing(t *testing.T) {
	t.Parallel()
	p := newPool(t, 1, 2)
	p.patch("clusters", "prod", `spec: {paused: true}`)
	p.pass(5 * time.Second)
	victim := names(p.machines())[0]
	if err := p.kind("machines").Delete(t.Context(), victim, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	p.change(`{replicas: 4}`)
	p.pass(5 * time.Minute)
	if got := p.machines(); len(got) != 2 || len(going(got)) != 1 || resource.Text(got[0].Object, "status", "phase") == "Deleting" {
		t.Errorf("while paused there are %v, of which %v go; want the two of before, the deletion not begun", names(got), going(got))
	}
	for _, kind := range []string{"machinedeployments", "machinesets", "machines"} {
		for _, u := range p.list(kind) {
			if c := resource.ConditionOf(u.Object, "Paused"); c.Status != "True" || c.Reason != "Paused" {
				t.Errorf("%s %s says Paused=%s/%s, want True/Paused", kind, u.GetName(), c.Status, c.Reason)
			}
		}
	}
	p.patch("clusters", "prod", `spec: {paused: false}`)
	p.until("what was held back to happen", 30*time.Minute, func() bool {
		return len(p.machines()) == 4 && p.count(p.machines(), "Available") == 4 && !slices.Contains(names(p.machines()), victim)
	})
}

func TestAnAutoscalerOwnsItsReplicas(t *testing.T) {
	t.Parallel()
	p := newPool(t, 1, 2)
	p.change(`{replicas: null, metadata: {annotations: {cluster.x-k8s.io/cluster-api-autoscaler-node-group-min-size: "1", cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size: "5"}}}`)
	p.pass(time.Minute)
	if n := len(p.machines()); n != 2 {
		t.Errorf("%d machines after the replicas were left to an autoscaler, want the two of before", n)
	}
	p.patch("machinedeployments", p.deployment().GetName(), `spec: {replicas: 3}`)
	p.until("the third machine", 30*time.Minute, func() bool { return p.count(p.machines(), "Available") == 3 })
	p.pass(5 * time.Minute)
	if n := resource.Int(p.deployment().Object, "spec", "replicas"); n != 3 {
		t.Errorf("the deployment has %d replicas, want the 3 of the autoscaler", n)
	}
}

func TestADeletionGoesThroughItsStagesAndNoLongerThanItsTimeouts(t *testing.T) {
	t.Parallel()
	hour := controllers.Triangle{Min: time.Hour, Mode: time.Hour, Max: time.Hour}
	p := newPoolIn(t, simulate.Config{Inventory: labInventory(t), Latencies: map[controllers.Step]controllers.Triangle{
		controllers.StepDrain: hour, controllers.StepVolumeDetach: hour,
	}}, 1, 1)
	p.change(`{deletion: {nodeDrainTimeoutSeconds: 60, nodeVolumeDetachTimeoutSeconds: 30}}`)
	p.pass(5 * time.Second)
	name := names(p.machines())[0]
	hooks := []string{"pre-drain.delete.hook.machine.cluster.x-k8s.io/one", "pre-terminate.delete.hook.machine.cluster.x-k8s.io/two"}
	for _, hook := range hooks {
		p.patch("machines", name, `metadata: {annotations: {`+hook+`: ""}}`)
	}
	if err := p.kind("machines").Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	var stages []string
	begun := map[string]time.Time{}
	p.each = func() {
		if u := p.machine(name); u != nil {
			if stage := resource.ConditionOf(u.Object, "Deleting").Reason; begun[stage].IsZero() {
				stages, begun[stage] = append(stages, stage), p.Now()
			}
		}
	}
	p.pass(time.Minute)
	p.patch("machines", name, `metadata: {annotations: {`+hooks[0]+`: null}}`)
	p.pass(3 * time.Minute)
	p.patch("machines", name, `metadata: {annotations: {`+hooks[1]+`: null}}`)
	p.until("the machine to be gone", 5*time.Minute, func() bool { return p.machine(name) == nil })
	want := []string{"NotDeleting", "WaitingForPreDrainHook", "DrainingNode", "WaitingForVolumeDetach", "WaitingForPreTerminateHook", "WaitingForInfrastructureDeletion", "WaitingForBootstrapDeletion"}
	if !slices.Equal(stages, want) && !slices.Equal(stages, want[1:]) {
		t.Errorf("the deletion went through %v, want %v", stages, want)
	}
	for stage, want := range map[[2]string]time.Duration{{"DrainingNode", "WaitingForVolumeDetach"}: time.Minute, {"WaitingForVolumeDetach", "WaitingForPreTerminateHook"}: 30 * time.Second} {
		if took := begun[stage[1]].Sub(begun[stage[0]]); took < want || took > want+2*time.Second {
			t.Errorf("%s took %s, want its timeout of %s", stage[0], took, want)
		}
	}
}

func TestASavedRolloutGoesOn(t *testing.T) {
	t.Parallel()
	p := newPool(t, 1, 3)
	p.check(`{}`)
	p.change(`{variables: {overrides: [{name: vmClass, value: best-effort-medium}]}}`)
	p.until("the rollout to be halfway", 30*time.Minute, func() bool { return p.count(p.machines(), "UpToDate") == 2 })
	done := slices.DeleteFunc(p.machines(), func(u *unstructured.Unstructured) bool {
		return resource.ConditionOf(u.Object, "UpToDate").Status != "True"
	})
	dir := t.TempDir()
	if err := p.Save(dir); err != nil {
		t.Fatal(err)
	}
	resumed := enter(t, simulate.Config{From: dir})
	for _, world := range []*pool{p, resumed} {
		world.until("the end of the rollout", time.Hour, func() bool {
			return len(world.list("machinesets")) == 1 && world.count(world.machines(), "UpToDate") == 3 && world.count(world.machines(), "Available") == 3
		})
		for _, name := range names(done) {
			if world.machine(name) == nil {
				t.Errorf("%s was up to date and is gone", name)
			}
		}
		world.mark(names(world.machines())[0])
		world.until("the health check to act", time.Minute, func() bool { return len(going(world.machines())) == 1 })
	}
}

func TestASetIsNotScaledWhileAMachineLacksItsParts(t *testing.T) {
	t.Parallel()
	p := newPool(t, 1, 2)
	broken := names(p.machines())[0]
	p.patch("vspheremachines", broken, `metadata: {finalizers: null}`)
	if err := p.kind("vspheremachines").Delete(t.Context(), broken, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	p.pass(2 * time.Second)
	p.change(`{replicas: 3}`)
	p.pass(time.Minute)
	if n := len(p.machines()); n != 2 {
		t.Fatalf("%d machines, want none added while one lacks its VSphereMachine", n)
	}
	if err := p.kind("machines").Delete(t.Context(), broken, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	p.until("three machines", 30*time.Minute, func() bool { return p.count(p.machines(), "Available") == 3 })
}
