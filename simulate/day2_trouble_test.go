package simulate_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/resource"
)

// What happens when somebody stops a cluster, marks a machine, takes away what it
// needs, or deletes all of it at once.

func TestNothingComesBeforeTheLoadBalancerHasAnAddress(t *testing.T) {
	t.Parallel()
	s := newStage(t, 6, nil)
	h := s.bring(t, day2(1, "v1.33", map[string]int{"a": 2}))
	address := says("Service", "prod", "Ready", "True", "")
	for _, m := range []struct{ kind, names string }{
		{"Secret", "prod-ca"}, {"Secret", "prod-kubeconfig"}, {"Machine", cp}, {"Machine", poolOf("a")}, {"VirtualMachine", ".*"},
	} {
		h.inOrder(t, "6.5: no "+m.kind+" before the address", address, made(m.kind, m.names))
	}
	h.inOrder(t, "6.5", made("VirtualMachineService", "prod"), says("VSphereCluster", ".*", "LoadBalancerReady", "False", "WaitingForIP"), made("Service", "prod"), address,
		says("VSphereCluster", ".*", "LoadBalancerReady", "True", ""), inPhase("Cluster", "prod", "Provisioned"))
	if got, want := h.sequence("VirtualMachineService", "prod", "VirtualMachineServiceServiceReady"), []string{"Unknown/ServiceReadyNotPresent", "True/True"}; !slices.Equal(got, want) {
		t.Errorf("1.15: what it says of its Service was %q, want %q", got, want)
	}
}

func TestAMissingImageShowsOneHopAfterTheOtherAndHoldsUpOnlyVMs(t *testing.T) {
	t.Parallel()
	inv := *labInventory(t)
	inv.Spec.ContentLibraries = slices.Clone(inv.Spec.ContentLibraries)
	for i := range inv.Spec.ContentLibraries {
		inv.Spec.ContentLibraries[i].Images = nil
	}
	s := newStage(t, 7, &inv)
	var h history
	s.record(func(e journal.Event) { h = append(h, e) })
	p := s.plan(t, day2(1, "v1.33", map[string]int{"a": 2}))
	if end, err := s.run(t.Context(), p); err != nil || end.Reached == end.Goals {
		t.Fatalf("the run ended %+v, %v", end, err)
	}
	h.inOrder(t, "6.7 f1: one hop after the other", says("VirtualMachine", cp, "VirtualMachineImageReady", "False", ""),
		blames("VSphereMachine", cp, "VirtualMachineProvisioned"), blames("Machine", cp, "InfrastructureReady"),
		blames("KubeadmControlPlane", ".*", "MachinesReady"), blames("Cluster", "prod", "ControlPlaneMachinesReady"))
	for _, there := range []match{made("Secret", "prod-kubeconfig"), made("Secret", cp), made("Machine", poolOf("a"))} {
		h.first(t, there)
	}
	if vms := s.list(t, "VirtualMachine"); len(vms) != 1 || vms[0].GetAnnotations()["vmoperator.vmware.com/manager-id"] == "" {
		t.Errorf("%d VirtualMachines, want one that vm-operator has marked as its own", len(vms))
	}
	h.never(t, "6.7 f1: worker VMs never come", made("VirtualMachine", poolOf("a")))
	h.never(t, "6.7 f1: no VM is made in vCenter", operated("CreateVM_Task", ".*"))

	h = s.bring(t, strings.SplitN(day2(1, "v1.33", nil), "---\n", 2)[0])
	h.first(t, gone("Cluster", "prod"))
}

// blames is a condition whose message speaks of an image.
func blames(kind, names, condition string) match {
	is := made(kind, names).is
	return objects(kind+" "+names+": "+condition+" blames the image", func(o *journal.Object) bool {
		named := is(journal.Event{Object: &journal.Object{Change: resource.Change{Verb: resource.Created, Kind: o.Kind, Name: o.Name}}})
		return named && slices.ContainsFunc(o.Conditions, func(c resource.Condition) bool {
			return c.Type == condition && c.Status != "True" && strings.Contains(strings.ToLower(c.Message), "image")
		})
	})
}

func TestAPausedClusterStandsStill(t *testing.T) {
	t.Parallel()
	s := newStage(t, 8, nil)
	s.bring(t, day2(1, "v1.33", map[string]int{"a": 1}))
	s.patch(t, "Cluster", "prod", `{"spec":{"paused":true}}`)
	h := s.pass(t, time.Minute)
	for _, kind := range []string{"Cluster", "VSphereCluster", "KubeadmControlPlane", "MachineDeployment", "MachineSet", "Machine", "KubeadmConfig", "VSphereMachine"} {
		h.first(t, says(kind, ".*", "Paused", "True", "Paused"))
	}
	s.patch(t, "Cluster", "prod", `{"spec":{"topology":{"controlPlane":{"replicas":3}}}}`)
	h = s.pass(t, 10*time.Minute)
	for _, kind := range []string{"Machine", "VSphereMachine", "KubeadmConfig", "VirtualMachine"} {
		h.never(t, "3.7: nothing is made", made(kind, ".*"))
	}
	s.patch(t, "Cluster", "prod", `{"spec":{"paused":false}}`)
	h = s.pass(t, 20*time.Minute)
	if machines, _, _ := h.lives("Machine", cp); len(machines) != 2 {
		t.Errorf("3.7: resumed, it made %q", machines)
	}

	s.patch(t, "Cluster", "prod", `{"spec":{"paused":true}}`)
	s.pass(t, time.Minute)
	if err := s.kubectl("Cluster").Delete(t.Context(), "prod", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	h = s.pass(t, 10*time.Minute)
	for _, kind := range []string{"MachineDeployment", "Machine", "KubeadmControlPlane", "Cluster"} {
		h.never(t, "3.7: deletion does not proceed", gone(kind, ".*"))
	}
	s.patch(t, "Cluster", "prod", `{"spec":{"paused":false}}`)
	s.pass(t, 20*time.Minute).first(t, gone("Cluster", "prod"))
}

// withHealthChecks is a manifest with health checks for all machines.
func withHealthChecks(manifests string) string {
	const check = "healthCheck: {enabled: true, checks: {nodeStartupTimeoutSeconds: 3600, unhealthyNodeConditions: [{type: Ready, status: Unknown, timeoutSeconds: 300}, {type: Ready, status: \"False\", timeoutSeconds: 300}]}}, "
	return strings.ReplaceAll(strings.ReplaceAll(manifests, "controlPlane: {", "controlPlane: {"+check), "- class: node-pool\n", "- class: node-pool\n        "+strings.TrimSuffix(check, ", ")+"\n")
}

func TestAMarkedMachineIsRemediated(t *testing.T) {
	t.Parallel()
	s := newStage(t, 9, nil)
	s.bring(t, withHealthChecks(day2(3, "v1.33", map[string]int{"a": 2})))
	for _, names := range []string{poolOf("a"), cp} {
		victim := ages(t, s, names)[1]
		s.patch(t, "Machine", victim, `{"metadata":{"annotations":{"cluster.x-k8s.io/remediate-machine":""}}}`)
		h := s.pass(t, 20*time.Minute)
		h.inOrder(t, "3.5", says("Machine", victim, "HealthCheckSucceeded", "False", "HasRemediateAnnotation"), says("Machine", victim, "OwnerRemediated", "False", ""), marked("Machine", victim), gone("Machine", victim))
		fresh, _, removed := h.lives("Machine", names)
		if len(fresh) != 1 || !slices.Equal(removed, []string{victim}) {
			t.Errorf("3.5: marked %s, made %q and removed %q", victim, fresh, removed)
		}
		h.inOrder(t, "3.5", marked("Machine", victim), made("Machine", fresh[0]), says("Machine", fresh[0], "Available", "True", ""))
	}
}

func TestANamespaceThatIsDeletedTakesItsClusterWithItInNoOrder(t *testing.T) {
	t.Parallel()
	s := newStage(t, 10, nil)
	s.bring(t, day2(1, "v1.33", map[string]int{"a": 1}))
	if err := s.kubectl("Namespace").Delete(t.Context(), "team-a", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	h := s.pass(t, 20*time.Minute)
	begin := h[h.first(t, marked("Cluster", "prod"))].T
	for _, kind := range []string{"KubeadmControlPlane", "MachineDeployment", "MachineSet", "Machine", "VSphereMachine", "VirtualMachine"} {
		if at := h[h.first(t, marked(kind, ".*"))].T; at-begin > 1000 {
			t.Errorf("6.7 n1: %s is marked %d ms after the Cluster, want the same second", kind, at-begin)
		}
	}
	for _, m := range []match{gone("Secret", "prod-ca"), gone("Secret", "prod-kubeconfig"), gone("KubeadmConfig", ".*"), gone("VSphereMachineTemplate", ".*")} {
		if at := h[h.first(t, m)].T; at-begin > 1000 {
			t.Errorf("6.7 n1: %s comes after %d ms, want the same second: it has no finalizer", m.what, at-begin)
		}
	}
	for _, m := range []match{operated("Destroy_Task", cp), operated("Destroy_Task", poolOf("a")), gone("Cluster", "prod"), gone("Machine", cp)} {
		h.first(t, m)
	}
	if left := s.list(t, "Machine"); len(left) > 0 {
		t.Errorf("%d machines are left", len(left))
	}
}
