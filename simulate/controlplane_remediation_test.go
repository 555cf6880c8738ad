package simulate_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/controllers"
)

const (
	inProgress = "controlplane.cluster.x-k8s.io/remediation-in-progress"
	remediates = "controlplane.cluster.x-k8s.io/remediation-for"
)

// fails marks a machine as a MachineHealthCheck does.
func (l *life) fails(machine string) {
	l.Helper()
	l.mark(machine,
		resource.Condition{Type: "HealthCheckSucceeded", Status: "False", Reason: "UnhealthyNode", Message: "Condition Ready on Node is reporting status Unknown"},
		resource.Condition{Type: "OwnerRemediated", Status: "False", Reason: "WaitingForRemediation", Message: "Waiting for remediation"})
}

// answer is what the control plane says of the remediation of a machine.
func (l *life) answer(machine string) string {
	l.Helper()
	return resource.ConditionOf(l.object("Machine", machine).Object, "OwnerRemediated").Reason
}

// An unhealthy machine is deleted and replaced, and the replacement knows of whom
// it is one (domain.md 3.5).
func TestAnUnhealthyControlPlaneMachineIsReplaced(t *testing.T) {
	t.Parallel()
	l := live(t, 3, 0)
	old := l.names()
	l.cut()
	l.fails(old[1])
	l.until("a machine goes", func() bool { return len(l.gone()) > 0 })
	if text := l.controlPlane().GetAnnotations()[inProgress]; !strings.Contains(text, `"machine":"`+old[1]+`"`) {
		t.Errorf("annotation %s is %q", inProgress, text)
	}
	if got := l.says("Remediating"); got != "True/Remediating" {
		t.Errorf("Remediating is %s", got)
	}
	l.settle("the remediation")
	if got := l.gone(); !slices.Equal(got, old[1:2]) {
		t.Errorf("%v went, want %s", got, old[1])
	}
	if got := l.sequence("Machine", old[1], "OwnerRemediated"); got[len(got)-1] != "False/MachineDeleting" {
		t.Errorf("OwnerRemediated was %v", got)
	}
	if got := l.sequence("KubeadmControlPlane", ".*", "Remediating"); !slices.Equal(got, []string{"True/Remediating", "False/NotRemediating"}) {
		t.Errorf("Remediating was %v", got)
	}
	l.h.inOrder(t, "3.5", marked("Machine", old[1]), gone("Machine", old[1]), made("Machine", l.made()[0]))
	var data struct {
		Machine    string
		RetryCount int
	}
	text := l.object("Machine", l.made()[0]).GetAnnotations()[remediates]
	if err := json.Unmarshal([]byte(text), &data); err != nil || data.Machine != old[1] || data.RetryCount != 0 {
		t.Errorf("annotation %s is %q (%v)", remediates, text, err)
	}
	u := l.controlPlane()
	if _, there := u.GetAnnotations()[inProgress]; there {
		t.Error("the remediation is in progress still")
	}
	if got := resource.Text(u.Object, "status", "lastRemediation", "machine"); got != old[1] {
		t.Errorf("status.lastRemediation.machine is %q", got)
	}
}

// The only machine of an initialized control plane is not deleted.
func TestTheOnlyControlPlaneMachineIsNotRemediated(t *testing.T) {
	t.Parallel()
	l := live(t, 1, 0)
	name := l.names()[0]
	l.cut()
	l.fails(name)
	l.pass(10 * time.Minute)
	if got := l.answer(name); got != "CannotBeRemediated" || len(l.gone()) > 0 {
		t.Errorf("the answer is %s, %v went", got, l.gone())
	}
	l.mark(name, resource.Condition{Type: "HealthCheckSucceeded", Status: "True", Reason: "HealthCheckSucceeded"})
	l.pass(time.Minute)
	if got := l.answer(name); got != "" {
		t.Errorf("the machine has recovered and the answer is still %s", got)
	}
}

// One at a time: the second waits until the first is replaced, and goes then.
func TestControlPlaneMachinesAreRemediatedOneByOne(t *testing.T) {
	t.Parallel()
	l := live(t, 5, 0)
	old := l.names()
	l.cut()
	l.fails(old[3])
	l.fails(old[1])
	l.settle("the remediations")
	if got := l.gone(); !slices.Equal(got, []string{old[1], old[3]}) {
		t.Errorf("%v went, want the older one first", got)
	}
	l.h.inOrder(t, "3.5", gone("Machine", old[1]), made("Machine", l.made()[0]), marked("Machine", old[3]), gone("Machine", old[3]))
}

// With one member down etcd would be without quorum if another one left. To those that
// run the one that is down is a member like others, so the control plane has the machine
// deleted, and etcd does not let its member go.
func TestRemediationKeepsQuorum(t *testing.T) {
	t.Parallel()
	l := live(t, 3, 0)
	names := l.names()
	l.cut()
	l.patch("VirtualMachine", names[2], `{"spec":{"powerState":"PoweredOff"}}`)
	l.pass(10 * time.Minute)
	if voters, fit := controllers.Voters(l.world.EtcdMembers("team-a", "prod")); voters != 3 || fit != 2 {
		t.Fatalf("%d of %d members are healthy, want 2 of 3", fit, voters)
	}
	for condition, want := range map[string]string{
		"EtcdClusterHealthy": "True/Healthy", "ControlPlaneComponentsHealthy": "Unknown/HealthUnknown", "Available": "True/Available",
	} {
		if got := l.says(condition); got != want {
			t.Errorf("%s is %s, want %s", condition, got, want)
		}
	}
	l.fails(names[0])
	l.pass(10 * time.Minute)
	if got := l.answer(names[0]); got != "MachineDeleting" || l.h.all(gone("Machine", cp)) != nil {
		t.Errorf("the answer is %s, %v went", got, l.gone())
	}
	if voters, fit := controllers.Voters(l.world.EtcdMembers("team-a", "prod")); voters != 3 || fit != 2 {
		t.Errorf("%d of %d members are healthy, want 2 of 3: etcd lets none go", fit, voters)
	}
	l.patch("VirtualMachine", names[2], `{"spec":{"powerState":"PoweredOn"}}`)
	l.settle("the remediation")
	if got := l.gone(); !slices.Equal(got, names[:1]) {
		t.Errorf("%v went, want %s", got, names[0])
	}
}

// While a remediation is in progress the replacement is made although another machine
// is ill too, if etcd can have it.
func TestAReplacementIsMadeBesideAnotherIllMachine(t *testing.T) {
	t.Parallel()
	l := live(t, 5, 0)
	old := l.names()
	l.cut()
	for _, name := range old[2:4] {
		l.patch("VirtualMachine", name, `{"spec":{"powerState":"PoweredOff"}}`)
	}
	l.pass(time.Minute)
	for _, name := range old[2:4] {
		l.fails(name)
	}
	l.settle("the remediations")
	if got := l.gone(); !slices.Equal(got, old[2:4]) {
		t.Errorf("%v went, want %v", got, old[2:4])
	}
}

// A machine that somebody marked is worse off than one without a Node, and that worse
// than an older one.
func TestTheWorstMachineIsRemediatedFirst(t *testing.T) {
	t.Parallel()
	l := live(t, 5, 0)
	old := l.names()
	l.cut()
	l.patch("Machine", old[3], `{"metadata":{"annotations":{"cluster.x-k8s.io/remediate-machine":""}}}`)
	for _, name := range []string{old[1], old[3]} {
		l.fails(name)
	}
	l.settle("the remediations")
	if got := l.gone(); !slices.Equal(got, []string{old[3], old[1]}) {
		t.Errorf("%v went, want the marked one first", got)
	}
}

// A control plane that is paused does nothing, and goes on afterwards.
func TestAPausedControlPlaneDoesNothing(t *testing.T) {
	t.Parallel()
	l := live(t, 3, 0)
	names := l.names()
	l.cut()
	l.change(`{"metadata":{"annotations":{"cluster.x-k8s.io/paused":""}}}`)
	l.fails(names[0])
	l.pass(10 * time.Minute)
	if got := l.says("Paused"); got != "True/Paused" || len(l.gone()) > 0 {
		t.Errorf("3.7: Paused is %s, and %v went", got, l.gone())
	}
	l.change(`{"metadata":{"annotations":{"cluster.x-k8s.io/paused":null}}}`)
	l.settle("the remediation")
	if got := l.sequence("KubeadmControlPlane", ".*", "Paused"); !slices.Equal(got, []string{"True/Paused", "False/NotPaused"}) {
		t.Errorf("3.7: Paused was %v", got)
	}
	if got := l.gone(); !slices.Equal(got, names[:1]) {
		t.Errorf("%v went, want %s", got, names[0])
	}
}

// A replacement that fails soon counts as the same machine: the limits hold.
func TestRemediationHoldsItsLimits(t *testing.T) {
	t.Parallel()
	l := live(t, 3, 0)
	l.change(`{"spec":{"remediation":{"maxRetry":1,"retryPeriodSeconds":1200,"minHealthyPeriodSeconds":7200}}}`)
	l.cut()
	l.fails(l.names()[0])
	l.settle("the first remediation")
	second := l.made()[0]
	l.fails(second)
	l.pass(time.Minute)
	if got := l.answer(second); got != "RemediationDeferred" {
		t.Errorf("within the retry period the answer is %s", got)
	}
	l.pass(20 * time.Minute)
	l.settle("the second remediation")
	third := l.made()[1]
	if text := l.object("Machine", third).GetAnnotations()[remediates]; !strings.Contains(text, `"retryCount":1`) {
		t.Errorf("annotation %s is %q", remediates, text)
	}
	l.pass(25 * time.Minute)
	l.fails(third)
	l.pass(10 * time.Minute)
	if got := l.answer(third); got != "CannotBeRemediated" {
		t.Errorf("after the last retry the answer is %s", got)
	}
	l.pass(2 * time.Hour)
	l.settle("the remediation of a new series")
	if len(l.made()) != 3 {
		t.Errorf("%v were made, want 3: the machine was healthy for long enough", l.made())
	}
}
