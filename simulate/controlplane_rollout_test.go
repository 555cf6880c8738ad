package simulate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vksync/vksync/reconcile/resource"
)

// bigger has control-plane machines of another class, which takes another template.
const bigger = `{"spec":{"topology":{"controlPlane":{"variables":{"overrides":[{"name":"vmClass","value":"best-effort-medium"}]}}}}}`

// A rollout has one machine more than asked for, deletes the oldest, and waits
// until it is gone (observed.md 6.3, 6.4).
func TestAControlPlaneIsRolledOutWithOneMachineMore(t *testing.T) {
	t.Parallel()
	for _, replicas := range []int{1, 3} {
		t.Run(fmt.Sprint(replicas), func(t *testing.T) {
			t.Parallel()
			l := live(t, replicas, 1)
			old := l.names()
			l.cut()
			l.patch("Cluster", "prod", bigger)
			l.settle("the rollout")
			if l.most > replicas+1 {
				t.Errorf("6.3: %d members at once, want no more than %d", l.most, replicas+1)
			}
			if got := l.gone(); !slices.Equal(got, old) {
				t.Errorf("6.3: %v went, want %v, the oldest first", got, old)
			}
			fresh := l.made()
			if !slices.Equal(l.names(), fresh) || len(fresh) != replicas {
				t.Errorf("there are %v now; made were %v", l.names(), fresh)
			}
			for i, name := range fresh {
				l.h.inOrder(t, "6.3", made("Machine", name), says("Machine", name, "EtcdMemberHealthy", "True", "Healthy"), marked("Machine", old[i]), gone("Machine", old[i]))
				if i > 0 {
					l.h.inOrder(t, "6.3: the next one when the old one is gone", gone("Machine", old[i-1]), made("Machine", name))
				}
			}
			kcp := "KubeadmControlPlane"
			for condition, want := range map[string][]string{
				"RollingOut":       {"True/RollingOut", "False/NotRollingOut"},
				"MachinesUpToDate": {"False/NotUpToDate", "True/UpToDate"},
				"ScalingUp":        nil,
				"Remediating":      nil,
			} {
				if got := l.sequence(kcp, ".*", condition); !slices.Equal(got, want) {
					t.Errorf("6.4: %s was %v, want %v", condition, got, want)
				}
			}
			if got := l.sequence(kcp, ".*", "ScalingDown"); len(got) != 2*replicas || got[0] != "True/ScalingDown" {
				t.Errorf("6.4: ScalingDown was %v, want True while there is one too many", got)
			}
			if got := l.sequence(kcp, ".*", "Available"); replicas > 1 && got != nil {
				t.Errorf("6.4: Available went through %v, want it to stay True", got)
			}
			for _, name := range old {
				if got := l.sequence("Machine", name, "UpToDate"); len(got) == 0 || got[0] != "False/NotUpToDate" {
					t.Errorf("UpToDate of %s was %v", name, got)
				}
			}
		})
	}
}

// The gates of a machine that comes and goes take the values of the recording.
func TestGatesOfControlPlaneMachinesTakeTheSequencesOfTheRecording(t *testing.T) {
	t.Parallel()
	l := live(t, 3, 0)
	old := l.names()
	l.cut()
	l.patch("Cluster", "prod", bigger)
	l.settle("the rollout")
	fresh := l.made()
	for _, gate := range []string{"APIServerPodHealthy", "ControllerManagerPodHealthy", "SchedulerPodHealthy", "EtcdPodHealthy"} {
		if got, want := l.sequence("Machine", fresh[0], gate), []string{"Unknown/InspectionFailed", "False/DoesNotExist", "True/Running"}; !slices.Equal(got, want) {
			t.Errorf("%s of a new machine was %v, want %v", gate, got, want)
		}
		if got, want := l.sequence("Machine", old[0], gate), []string{"False/Deleting"}; !slices.Equal(got, want) {
			t.Errorf("%s of an old machine was %v, want %v", gate, got, want)
		}
	}
	for gate, want := range map[string][2][]string{
		"EtcdMemberHealthy":             {{"Unknown/InspectionFailed", "False/NotHealthy", "True/Healthy"}, {"False/Deleting", "False/NotHealthy"}},
		"NodeKubeadmLabelsAndTaintsSet": {{"Unknown/InspectionFailed", "True/Set"}, {"False/Deleting"}},
	} {
		if got := l.sequence("Machine", fresh[0], gate); !slices.Equal(got, want[0]) {
			t.Errorf("%s of a new machine was %v, want %v", gate, got, want[0])
		}
		if got := l.sequence("Machine", old[0], gate); !slices.Equal(got, want[1]) {
			t.Errorf("%s of an old machine was %v, want %v", gate, got, want[1])
		}
	}
}

// Without surge a machine goes first, which takes three at least.
func TestAControlPlaneIsRolledOutWithoutSurge(t *testing.T) {
	t.Parallel()
	l := live(t, 3, 0)
	old := l.names()
	l.change(`{"spec":{"rollout":{"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":0}}}}}`)
	l.pass(time.Minute)
	l.cut()
	l.patch("Cluster", "prod", bigger)
	l.settle("the rollout")
	if l.most > 3 {
		t.Errorf("%d members at once, want no more than 3", l.most)
	}
	if got := l.gone(); !slices.Equal(got, old) {
		t.Errorf("%v went, want %v", got, old)
	}
	l.h.inOrder(t, "3.3: delete, then create", gone("Machine", old[0]), made("Machine", l.made()[0]), gone("Machine", old[1]))
}

// What cannot be changed in place has the machines replaced, and nothing else has.
func TestWhatReplacesControlPlaneMachinesAndWhatDoesNot(t *testing.T) {
	t.Parallel()
	topology := func(content string) string { return `{"spec":{"topology":{"controlPlane":` + content + `}}}` }
	for name, c := range map[string]struct {
		kind, change string
		replaces     bool
	}{
		"another VM class":           {"Cluster", bigger, true},
		"another version":            {"Cluster", `{"spec":{"topology":{"version":"v1.35"}}}`, true},
		"rollout.after in a minute":  {"Cluster", topology(`{"rollout":{"after":"NOW+1m"}}`), true},
		"rollout.after long ago":     {"Cluster", topology(`{"rollout":{"after":"NOW-2h"}}`), false},
		"metadata":                   {"Cluster", topology(`{"metadata":{"labels":{"team":"a"},"annotations":{"note":"b"}}}`), false},
		"timeouts":                   {"Cluster", topology(`{"deletion":{"nodeDrainTimeoutSeconds":60}}`), false},
		"certificates last longer":   {"KubeadmControlPlane", `{"spec":{"rollout":{"before":{"certificatesExpiryDays":7}}}}`, false},
		"certificates expire before": {"KubeadmControlPlane", `{"spec":{"rollout":{"before":{"certificatesExpiryDays":366}}}}`, true},
		"remediation":                {"KubeadmControlPlane", `{"spec":{"remediation":{"maxRetry":3}}}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := live(t, 1, 0)
			before := l.names()
			l.cut()
			name := "prod"
			if c.kind != "Cluster" {
				name = l.controlPlane().GetName()
			}
			change := strings.ReplaceAll(c.change, "NOW+1m", l.world.Now().Add(time.Minute).Format(time.RFC3339))
			l.patch(c.kind, name, strings.ReplaceAll(change, "NOW-2h", l.world.Now().Add(-2*time.Hour).Format(time.RFC3339)))
			l.pass(10 * time.Minute)
			if replaced := !slices.Contains(l.names(), before[0]); replaced != c.replaces {
				t.Errorf("domain.md 3.2: %v became %v", before, l.names())
			}
		})
	}
}

// Labels and annotations come to all three objects of a machine and go again;
// those of others stay.
func TestControlPlaneMetadataIsCarriedOverInPlace(t *testing.T) {
	t.Parallel()
	l := live(t, 1, 0)
	name := l.names()[0]
	l.patch("Machine", name, `{"metadata":{"labels":{"mine":"x"}}}`)
	part := func(content string) { l.patch("Cluster", "prod", `{"spec":{"topology":{"controlPlane":`+content+`}}}`) }
	part(`{"metadata":{"labels":{"team":"a"},"annotations":{"note":"b"}},"deletion":{"nodeDrainTimeoutSeconds":60},"readinessGates":[{"conditionType":"Mine"}]}`)
	l.pass(time.Minute)
	check := func(label, annotation string) {
		t.Helper()
		for _, kind := range []string{"Machine", "KubeadmConfig", "VSphereMachine"} {
			u := l.object(kind, name)
			if got := u.GetLabels()["team"]; got != label {
				t.Errorf("label team of %s is %q, want %q", kind, got, label)
			}
			if got := u.GetAnnotations()["note"]; got != annotation {
				t.Errorf("annotation note of %s is %q, want %q", kind, got, annotation)
			}
		}
	}
	check("a", "b")
	machine := l.object("Machine", name)
	if got := resource.Int(machine.Object, "spec", "deletion", "nodeDrainTimeoutSeconds"); got != 60 {
		t.Errorf("nodeDrainTimeoutSeconds is %d", got)
	}
	if got := len(resource.Items(machine.Object, "spec", "readinessGates")); got != 7 {
		t.Errorf("%d readiness gates, want the control plane's 6 and one more", got)
	}
	part(`{"metadata":null,"deletion":null}`)
	l.pass(time.Minute)
	check("", "")
	machine = l.object("Machine", name)
	if machine.GetLabels()["mine"] != "x" || resource.Field(machine.Object, "spec", "deletion") != nil {
		t.Errorf("labels are %v, deletion is %v", machine.GetLabels(), resource.Field(machine.Object, "spec", "deletion"))
	}
}

// A change and another number of replicas at once: machines are replaced first,
// within the new number and its surge.
func TestRolloutComesBeforeScaling(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ from, to, most int }{{1, 3, 4}, {3, 1, 3}, {3, 5, 6}} {
		t.Run(fmt.Sprintf("%d to %d", c.from, c.to), func(t *testing.T) {
			t.Parallel()
			l := live(t, c.from, 0)
			old := l.names()
			l.cut()
			l.scale(fmt.Sprint(c.to))
			l.patch("Cluster", "prod", bigger)
			l.settle("it")
			if now := l.names(); len(now) != c.to || slices.ContainsFunc(now, func(name string) bool { return slices.Contains(old, name) }) {
				t.Errorf("%v became %v", old, now)
			}
			if l.most > c.most {
				t.Errorf("%d members at once, want no more than %d", l.most, c.most)
			}
		})
	}
}

// A machine that goes still learns how long it may be drained; the hook that holds one
// that stays is put back if somebody takes it off.
func TestWhatHoldsAMachineIsKeptUp(t *testing.T) {
	t.Parallel()
	const hook = "pre-terminate.delete.hook.machine.cluster.x-k8s.io/kcp-cleanup"
	l := live(t, 3, 0)
	names := l.names()
	l.patch("Machine", names[1], `{"metadata":{"annotations":{"`+hook+`":null}}}`)
	l.patch("Machine", names[0], `{"metadata":{"annotations":{"pre-drain.delete.hook.machine.cluster.x-k8s.io/wait":""}}}`)
	if err := l.kind("Machine").Delete(t.Context(), names[0], metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	l.change(`{"spec":{"machineTemplate":{"spec":{"deletion":{"nodeDrainTimeoutSeconds":77}}}}}`)
	l.pass(10 * time.Second)
	if _, there := l.object("Machine", names[1]).GetAnnotations()[hook]; !there {
		t.Error("the hook is gone")
	}
	for _, name := range names[:2] {
		if got := resource.Int(l.object("Machine", name).Object, "spec", "deletion", "nodeDrainTimeoutSeconds"); got != 77 {
			t.Errorf("%s may be drained for %d s, want 77", name, got)
		}
	}
}
