package simulate_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

// newFile is a change of the bootstrap configuration.
const newFile = `{"spec":{"kubeadmConfigSpec":{"files":[{"path":"/etc/motd","content":"hello"}]}}}`

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
			l.change(newFile)
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
				if got := l.sequence("Machine", name, "UpToDate"); !slices.Equal(got, []string{"False/NotUpToDate"}) {
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
	l.change(newFile)
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
	l.change(newFile)
	l.settle("the rollout")
	if l.most > 3 {
		t.Errorf("%d members at once, want no more than 3", l.most)
	}
	if got := l.gone(); !slices.Equal(got, old) {
		t.Errorf("%v went, want %v", got, old)
	}
	l.h.inOrder(t, "3.3: delete, then create", gone("Machine", old[0]), made("Machine", l.made()[0]), gone("Machine", old[1]))
}

// Every field that cannot be changed in place has the machines replaced, and no
// other has.
func TestWhatReplacesControlPlaneMachinesAndWhatDoesNot(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		change   string
		replaces bool
	}{
		{`{"spec":{"kubeadmConfigSpec":{"preKubeadmCommands":["true"]}}}`, true},
		{`{"spec":{"kubeadmConfigSpec":{"clusterConfiguration":{"apiServer":{"extraArgs":[{"name":"v","value":"2"}]}}}}}`, true},
		{`{"spec":{"kubeadmConfigSpec":{"joinConfiguration":{"skipPhases":["x"]}}}}`, false}, // only the first machine there is, which did not join
		{`{"spec":{"kubeadmConfigSpec":{"initConfiguration":{"skipPhases":["x"]}}}}`, true},
		{`{"spec":{"rollout":{"after":"2026-01-01T03:00:00Z"}}}`, true},
		{`{"spec":{"rollout":{"after":"2026-01-01T00:00:01Z"}}}`, false},
		{`{"spec":{"rollout":{"before":{"certificatesExpiryDays":7}}}}`, false},
		{`{"spec":{"rollout":{"before":{"certificatesExpiryDays":365}}}}`, true},
		{`{"spec":{"machineTemplate":{"metadata":{"labels":{"team":"a"},"annotations":{"note":"b"}}}}}`, false},
		{`{"spec":{"machineTemplate":{"spec":{"deletion":{"nodeDrainTimeoutSeconds":60}}}}}`, false},
		{`{"spec":{"machineTemplate":{"spec":{"readinessGates":[{"conditionType":"Mine"}]}}}}`, false},
		{`{"spec":{"remediation":{"maxRetry":3}}}`, false},
	} {
		t.Run(c.change, func(t *testing.T) {
			t.Parallel()
			l := live(t, 1, 0)
			before := l.names()
			l.cut()
			l.change(c.change)
			l.pass(10 * time.Minute)
			if c.replaces {
				// With certificates that are always about to expire it never ends.
				if l.made() == nil || l.gone() == nil {
					t.Errorf("made %v, gone %v", l.made(), l.gone())
				}
				return
			}
			if got := l.names(); !slices.Equal(got, before) {
				t.Errorf("domain.md 3.2: %v became %v", before, got)
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
	l.change(`{"spec":{"machineTemplate":{"metadata":{"labels":{"team":"a"},"annotations":{"note":"b"}},"spec":{"deletion":{"nodeDrainTimeoutSeconds":60},"readinessGates":[{"conditionType":"Mine"}]}}}}`)
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
	l.change(`{"spec":{"machineTemplate":{"metadata":null,"spec":{"deletion":null}}}}`)
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
			l.change(newFile)
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
