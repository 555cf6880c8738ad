package simulate_test

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/inventory"
)

func TestAVirtualMachineComesUpInTheGroupsOfTheRecording(t *testing.T) {
	t.Parallel()
	h, _ := play(t, run{manifests: namespaceTeamA + clusterProd(1, 1), inventory: plainSite(t)})

	for _, pattern := range []string{cp, worker} {
		vm := nthMade(t, h, "VirtualMachine", pattern, 0)
		h.inOrder(t, "6.4 VirtualMachine", made("VirtualMachine", vm),
			says("VirtualMachine", vm, "VirtualMachineNetworkReady", "False", "NotReady"), says("VirtualMachine", vm, "VirtualMachineNetworkReady", "True", "True"),
			says("VirtualMachine", vm, "VirtualMachineConditionPlacementReady", "True", "True"), says("VirtualMachine", vm, "VirtualMachineCreated", "True", "True"),
			says("VirtualMachine", vm, "VirtualMachinePowerStateSynced", "False", "NotSynced"), operated("PowerOnVM_Task", vm), says("VirtualMachine", vm, "VirtualMachinePowerStateSynced", "True", "Synced"),
			says("VirtualMachine", vm, "VirtualMachineGuestNetworkConfigSynced", "True", "Synced"), says("VirtualMachine", vm, "VirtualMachineTools", "True", ""))
		first := h.first(t, says("VirtualMachine", vm, "VirtualMachineNetworkReady", "False", "NotReady"))
		for _, condition := range []string{"VirtualMachineBootstrapReady", "VirtualMachineClassReady", "VirtualMachineImageReady", "VirtualMachineStorageReady", "VirtualMachineConditionVMSetResourcePolicyReady"} {
			if at := h.first(t, says("VirtualMachine", vm, condition, "True", "True")); at != first {
				t.Errorf("6.4: %s of %s is event %d, want it in the first write, %d", condition, vm, at, first)
			}
		}
		off := h.first(t, says("VirtualMachine", vm, "VirtualMachinePowerStateSynced", "False", "NotSynced"))
		for condition, is := range map[string][2]string{
			"GuestCustomization": {"Unknown", "NoGuestInfo"}, "VirtualMachineInValidLocation": {"True", "True"}, "VirtualMachineReconcileReady": {"True", "True"},
			"VirtualMachineTools": {"False", "VirtualMachineToolsNotRunning"}, "VirtualMachineGuestNetworkConfigSynced": {"False", "NotSynced"},
		} {
			if at := h.first(t, says("VirtualMachine", vm, condition, is[0], is[1])); at != off {
				t.Errorf("6.4: %s of %s is event %d, want it with the first look at the VM, %d", condition, vm, at, off)
			}
		}
		for _, phases := range [][2]string{{"Pending", "Created"}, {"Created", "PoweredOn"}, {"PoweredOn", "Ready"}} {
			h.inOrder(t, "6.4 phases of VSphereMachine", inPhase("VSphereMachine", vm, phases[0]), inPhase("VSphereMachine", vm, phases[1]))
		}
		if waiting, pending := h.first(t, says("VSphereMachine", vm, "VirtualMachineProvisioned", "False", "")), h.first(t, inPhase("VSphereMachine", vm, "Pending")); pending < waiting {
			t.Errorf("VSphereMachine %s has its phase (event %d) before it waits for anything (event %d)", vm, pending, waiting)
		}
	}
	firstCP := nthMade(t, h, "VirtualMachine", cp, 0)
	h.inOrder(t, "6.1 step 15: the readiness probe", says("Cluster", "prod", "ControlPlaneInitialized", "True", ""), says("VirtualMachine", firstCP, "Ready", "True", "True"))
	if n := len(h.all(says("VirtualMachine", worker, "Ready", "", ""))); n != 0 {
		t.Errorf("1.12: a worker VM has %d answers to a probe that it does not have", n)
	}
}

// The image of a release is in no library: what shows where, and what happens all
// the same (observed.md 6.7, f1).
func TestAMissingImageShowsOneHopAfterTheOther(t *testing.T) {
	t.Parallel()
	inv := labInventory(t)
	for i := range inv.Spec.ContentLibraries {
		inv.Spec.ContentLibraries[i].Images = slices.DeleteFunc(inv.Spec.ContentLibraries[i].Images, func(image inventory.Image) bool { return image.OS.Name == "photon" })
	}
	h, _ := play(t, run{manifests: namespaceTeamA + clusterProd(1, 2), inventory: inv, fails: true})

	h.inOrder(t, "f1: one hop up after the other", says("VirtualMachine", cp, "VirtualMachineImageReady", "False", "NotFound"),
		says("VSphereMachine", cp, "VirtualMachineProvisioned", "False", "NotFound"))
	vm := nthMade(t, h, "VirtualMachine", cp, 0)
	h.inOrder(t, "f1: up to the machine", complains("VSphereMachine", vm, "not found"), complains("Machine", vm, "not found"))
	for _, made := range []match{made("Secret", "prod-kubeconfig"), made("Machine", cp), made("Secret", cp), made("Machine", worker)} {
		h.first(t, made)
	}
	for what, m := range map[string]match{
		"a worker VM": made("VirtualMachine", worker), "an interface": made("SubnetPort", ".*"), "a VM in vCenter": operated("CreateVM_Task", ".*"),
	} {
		if n := len(h.all(m)); n != 0 {
			t.Errorf("f1: there is %s, want none", what)
		}
	}
	for _, condition := range []string{"VirtualMachineClassReady", "VirtualMachineBootstrapReady", "VirtualMachineStorageReady"} {
		h.first(t, says("VirtualMachine", vm, condition, "True", "True"))
	}
}

func TestAVMThatIsBeingMadeIsDeletedWhenItIsThere(t *testing.T) {
	t.Parallel()
	l := live(t, 1, 1)
	l.cut()
	l.patch("Cluster", "prod", `{"spec":{"topology":{"workers":{"machineDeployments":[{"class":"node-pool","name":"np","replicas":2}]}}}}`)
	creating := says("VirtualMachine", worker, "VirtualMachineConditionPlacementReady", "True", "")
	l.until("a VM is being made", func() bool { return len(l.h.all(creating)) > 0 })
	name := l.h[l.h.first(t, creating)].Object.Name
	if err := l.kind("Machine").Delete(l.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	l.until("the machine is gone", func() bool { return len(l.h.all(gone("Machine", name))) > 0 })

	l.h.inOrder(t, "3.6, 6.6", marked("VSphereMachine", name), marked("VirtualMachine", name), operated("Destroy_Task", name),
		gone("VirtualMachine", name), gone("VSphereMachine", name), gone("Machine", name))
	placed, destroyed := l.h[l.h.first(t, creating)].T, l.h[l.h.first(t, operated("Destroy_Task", name))].T
	if took := time.Duration(destroyed-placed) * time.Millisecond; took < 10*time.Second {
		t.Errorf("3.6: a VM was destroyed %s after its creation began, which takes 10 s at least", took)
	}
	if n := len(l.h.all(operated("PowerOnVM_Task", name))); n != 0 {
		t.Error("a VM was powered on although it was to be deleted")
	}
}

func TestAMachineGoesFromTheTopDown(t *testing.T) {
	t.Parallel()
	l := live(t, 1, 2)
	l.cut()
	machines, err := l.kind("Machine").List(l.Context(), metav1.ListOptions{LabelSelector: "!cluster.x-k8s.io/control-plane"})
	if err != nil {
		t.Fatal(err)
	}
	name := machines.Items[0].GetName()
	if err := l.kind("Machine").Delete(l.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	l.until("the machine is gone", func() bool { return len(l.h.all(gone("Machine", name))) > 0 })

	l.h.inOrder(t, "6.6", marked("Machine", name), marked("VSphereMachine", name), marked("VirtualMachine", name),
		operated("PowerOffVM_Task", name), operated("Destroy_Task", name), gone("VirtualMachine", name),
		gone("VSphereMachine", name), gone("KubeadmConfig", name), gone("Secret", name), gone("Machine", name))
	l.h.inOrder(t, "6.6: interfaces are garbage-collected", gone("VirtualMachine", name), gone("SubnetPort", name+"-.*"))
	l.h.inOrder(t, "6.4", marked("VSphereMachine", name), says("VSphereMachine", name, "VirtualMachineProvisioned", "False", "Deleting"))
	l.h.first(t, inPhase("VSphereMachine", name, "Deleting"))
}

// Somebody deletes a VirtualMachine: CAPV makes it again, and its VSphereMachine
// says what is missing meanwhile.
func TestAVirtualMachineThatIsDeletedIsMadeAgain(t *testing.T) {
	t.Parallel()
	l := live(t, 1, 1)
	l.cut()
	machines := l.api.Resource(schema.GroupVersionResource{Group: "vmoperator.vmware.com", Version: "v1alpha5", Resource: "virtualmachines"}).Namespace("team-a")
	list, err := machines.List(l.Context(), metav1.ListOptions{LabelSelector: "capv.vmware.com/cluster.role=node"})
	if err != nil || len(list.Items) != 1 {
		t.Fatalf("%d worker VMs, %v", len(list.Items), err)
	}
	name := list.Items[0].GetName()
	if err := machines.Delete(l.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	l.until("it is gone", func() bool { return len(l.h.all(gone("VirtualMachine", name))) > 0 })
	l.h.never(t, "3.6: nothing is said of a VM on its way out", says("VSphereMachine", name, "VirtualMachineProvisioned", "False", "PoweringOn"))
	l.cut()
	l.until("it is there again", func() bool {
		u, err := machines.Get(l.Context(), name, metav1.GetOptions{})
		return err == nil && u.GetUID() != list.Items[0].GetUID() && resource.Text(u.Object, "status", "network", "primaryIP4") != ""
	})
	l.pass(time.Minute)

	l.h.inOrder(t, "1.10: back and forth again", made("VirtualMachine", name),
		says("VSphereMachine", name, "VirtualMachineProvisioned", "False", "Provisioning"), says("VSphereMachine", name, "VirtualMachineProvisioned", "False", "PoweringOn"),
		says("VSphereMachine", name, "VirtualMachineProvisioned", "False", "WaitingForNetworkAddress"), says("VSphereMachine", name, "VirtualMachineProvisioned", "True", "Provisioned"))
}

// Which Node a machine has shows first; what that says counts when the Cluster knows
// that its control plane is initialized (observed.md 6.1, step 14).
func TestANodeIsHeardOfBeforeItIsHeard(t *testing.T) {
	t.Parallel()
	h, _ := play(t, run{manifests: namespaceTeamA + clusterProd(1, 1), inventory: plainSite(t)})
	first := nthMade(t, h, "Machine", cp, 0)
	h.inOrder(t, "6.1, step 14", inPhase("Machine", first, "Running"), says("Cluster", "prod", "ControlPlaneInitialized", "True", ""),
		says("Machine", first, "NodeHealthy", "True", "NodeHealthy"))
	if got, want := h.sequence("Machine", first, "NodeReady"), []string{"Unknown/InspectionFailed", "True/NodeReady"}; !slices.Equal(got, want) {
		t.Errorf("6.4: NodeReady was %q, want %q", got, want)
	}
}

// An annotation has vm-operator leave a VirtualMachine alone, without a word.
func TestAPausedVirtualMachineSaysNothing(t *testing.T) {
	t.Parallel()
	l := live(t, 1, 1)
	name := l.names()[0]
	l.cut()
	l.patch("VirtualMachine", name, `{"metadata":{"annotations":{"vmoperator.vmware.com/paused":""}}}`)
	l.pass(time.Minute)
	l.h.never(t, "3.7", says("VirtualMachine", name, "VirtualMachineReconcileReady", "False", ""))
}
