package simulate_test

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// waitingWorker is a cluster in the making and the name of a worker machine that waits
// for its control plane.
func waitingWorker(t *testing.T) (*life, string) {
	t.Helper()
	l := begin(t)
	l.create(1, 1)
	waits := says("VSphereMachine", worker, "VirtualMachineProvisioned", "False", "WaitingForControlPlaneInitialized")
	l.until("a worker waits", func() bool { return len(l.h.all(waits)) > 0 })
	return l, l.h[l.h.first(t, waits)].Object.Name
}

// A machine that goes before it came to anything has parts that never were what it
// waited for: they do not exist any more, and say that they are deleted before.
func TestAMachineThatGoesBeforeItWasProvisioned(t *testing.T) {
	t.Parallel()
	l, name := waitingWorker(t)
	if err := l.kind("Machine").Delete(l.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	l.until("the machine is gone", func() bool { return len(l.h.all(gone("Machine", name))) > 0 })

	l.h.inOrder(t, "3.6", marked("VSphereMachine", name), says("VSphereMachine", name, "VirtualMachineProvisioned", "False", "Deleting"), gone("VSphereMachine", name))
	for condition, want := range map[string][]string{
		"InfrastructureReady":  {"False/NotReady", "False/ObjectDoesNotExist"},
		"BootstrapConfigReady": {"False/NotReady", "False/ObjectDoesNotExist"},
		"NodeHealthy":          {"Unknown/InspectionFailed"},
		"Deleting":             {"False/NotDeleting", "True/WaitingForInfrastructureDeletion", "True/WaitingForBootstrapDeletion", "True/DeletionCompleted"},
	} {
		if got := l.h.sequence("Machine", name, condition); !slices.Equal(got, want) {
			t.Errorf("3.6: %s of a machine that was not provisioned was %q, want %q", condition, got, want)
		}
	}
	l.h.never(t, "3.6: what was never made is not deleted", marked("VirtualMachine", name))
}

// The Machine controller takes over the parts of a machine that is to go already, as
// of any other.
func TestAMachineThatGoesAtOnceHasItsPartsAllTheSame(t *testing.T) {
	t.Parallel()
	l := begin(t)
	l.create(1, 1)
	for created := made("Machine", worker); len(l.h.all(created)) == 0; {
		l.pass(100 * time.Millisecond)
	}
	name := l.h[l.h.first(t, made("Machine", worker))].Object.Name
	l.pass(200 * time.Millisecond)
	if err := l.kind("Machine").Delete(l.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if n := len(l.h.all(owned("VSphereMachine", name, "Machine", true))); n != 0 {
		t.Fatal("its parts were taken over before it was deleted")
	}
	l.until("the machine is gone", func() bool { return len(l.h.all(gone("Machine", name))) > 0 })
	for _, kind := range []string{"KubeadmConfig", "VSphereMachine"} {
		l.h.inOrder(t, "3.6", owned(kind, name, "Machine", true), gone(kind, name), gone("Machine", name))
	}
	for condition, want := range map[string]string{"UpToDate": "True/UpToDate", "Updating": "False/NotUpdating"} {
		if got := l.h.sequence("Machine", name, condition); !slices.Equal(got, []string{want}) {
			t.Errorf("3.6: %s of a machine that went at once was %q, want %s", condition, got, want)
		}
	}
}

// Nobody drains the Node of the last machine of a control plane: there is no other to
// ask for it.
func TestTheLastControlPlaneMachineIsNotDrained(t *testing.T) {
	t.Parallel()
	l := live(t, 1, 1)
	l.doomed = true
	l.cut()
	for _, machine := range []string{l.names()[0], l.worker()} {
		if err := l.kind("Machine").Delete(l.Context(), machine, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	l.pass(time.Minute)
	l.h.first(t, says("Machine", ".*", "Deleting", "True", ""))
	l.h.never(t, "3.6", says("Machine", ".*", "Deleting", "True", "DrainingNode"))
}

// worker is the name of a worker Machine.
func (l *life) worker() string {
	l.Helper()
	list, err := l.kind("Machine").List(l.Context(), metav1.ListOptions{LabelSelector: "!cluster.x-k8s.io/control-plane"})
	if err != nil || len(list.Items) == 0 {
		l.Fatalf("%d workers, %v", len(list.Items), err)
	}
	return list.Items[0].GetName()
}
