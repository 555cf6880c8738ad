package simulate_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// etcd members of 1, 3 and 5 machines come and go one at a time, and the oldest
// goes first (observed.md 6.3, domain.md 3.1).
func TestAControlPlaneIsScaledOneMachineAtATime(t *testing.T) {
	t.Parallel()
	l := live(t, 1, 0)
	for _, want := range []int{3, 5, 3, 1} {
		before := l.names()
		l.cut()
		l.scale(fmt.Sprint(want))
		l.settle("scaling")
		after := l.names()
		if len(after) != want {
			t.Fatalf("%d machines, want %d", len(after), want)
		}
		if want > len(before) {
			if !slices.Equal(after[:len(before)], before) {
				t.Errorf("scaling up from %v gave %v", before, after)
			}
			for n := len(before) + 1; n < want; n++ {
				name := after[n-1]
				l.h.inOrder(t, "6.3: the next one when this one is healthy", made("Machine", name),
					says("Machine", name, "EtcdMemberHealthy", "False", "NotHealthy"), says("Machine", name, "EtcdMemberHealthy", "True", "Healthy"), made("Machine", after[n]))
			}
			continue
		}
		victims := l.gone()
		if oldest := before[:len(before)-want]; len(victims) != len(oldest) || want == 1 && !slices.Equal(victims, oldest) {
			t.Errorf("6.3: %v went, want the oldest %v", victims, oldest)
		}
		if zones := l.zones(); len(zones) != want {
			t.Errorf("domain.md 3.1: %d machines are left in the zones %v", want, zones)
		}
		for i := 1; i < len(victims); i++ {
			l.h.inOrder(t, "6.3: gone before the next is marked", gone("Machine", victims[i-1]), marked("Machine", victims[i]))
		}
		l.h.inOrder(t, "6.4", says("KubeadmControlPlane", ".*", "ScalingDown", "True", "ScalingDown"), says("KubeadmControlPlane", ".*", "ScalingDown", "False", "NotScalingDown"))
		for _, victim := range victims {
			l.h.inOrder(t, "6.6: the member leaves before the VM goes", marked("Machine", victim),
				says("Machine", victim, "Deleting", "True", "WaitingForPreTerminateHook"), marked("VSphereMachine", victim), marked("VirtualMachine", victim), gone("Machine", victim))
			l.h.inOrder(t, "6.4", marked("Machine", victim), says("Machine", victim, "EtcdMemberHealthy", "False", "Deleting"),
				says("Machine", victim, "EtcdMemberHealthy", "False", "NotHealthy"), gone("Machine", victim))
		}
	}
}

// A machine that is marked to go does so before an older one.
func TestAMarkedControlPlaneMachineGoesFirst(t *testing.T) {
	t.Parallel()
	l := live(t, 3, 0)
	last := l.names()[2]
	l.patch("Machine", last, `{"metadata":{"annotations":{"cluster.x-k8s.io/delete-machine":""}}}`)
	l.cut()
	l.scale("1")
	l.settle("scaling")
	if got := l.gone(); len(got) != 2 || got[0] != last {
		t.Errorf("domain.md 3.1: %v went, want %s first", got, last)
	}
}

// A machine that is deleted by hand leaves etcd and is replaced.
func TestADeletedControlPlaneMachineIsReplaced(t *testing.T) {
	t.Parallel()
	l := live(t, 3, 0)
	old := l.names()
	l.cut()
	if err := l.kind("Machine").Delete(t.Context(), old[1], metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	l.settle("replacing")
	if got := l.made(); len(got) != 1 || !slices.Equal(l.names(), []string{old[0], old[2], got[0]}) {
		t.Errorf("%v were made; now there are %v", got, l.names())
	}
}

// Of two machines of three that are deleted by hand none may leave: without the one
// etcd would depend on the other, and that is going too. The hook holds both.
func TestMachinesThatEtcdNeedsAreHeld(t *testing.T) {
	t.Parallel()
	l := live(t, 3, 0)
	old := l.names()
	l.cut()
	for _, name := range old[:2] {
		if err := l.kind("Machine").Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	l.pass(time.Hour)
	if l.h.all(gone("Machine", cp)) != nil {
		t.Errorf("a machine went; left are %v", l.names())
	}
	for _, name := range old[:2] {
		if got := l.sequence("Machine", name, "EtcdMemberHealthy"); !slices.Equal(got, []string{"False/Deleting"}) {
			t.Errorf("EtcdMemberHealthy of %s was %v", name, got)
		}
	}
	l.patch("Machine", old[0], `{"metadata":{"annotations":{"pre-terminate.delete.hook.machine.cluster.x-k8s.io/kcp-cleanup":null}}}`)
	l.settle("replacing")
	if got := l.made(); len(got) != 2 || !slices.Equal(l.names(), append([]string{old[2]}, got...)) {
		t.Errorf("%v were made; now there are %v", got, l.names())
	}
}

// What stands still is left alone: no writes but those of a clock.
func TestASettledControlPlaneIsQuiet(t *testing.T) {
	t.Parallel()
	l := live(t, 3, 0)
	l.cut()
	l.pass(time.Hour)
	for _, e := range l.h {
		if e.Object != nil {
			t.Errorf("nothing was asked for, and %s %s changed: %+v", e.Object.Kind, e.Object.Name, e.Object)
		}
	}
}
