package simulate_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
)

// cp and worker are the machine names of the cluster prod with one pool np.
var (
	cp     = pattern("prod-~-~")
	worker = pattern("prod-np-~-~-~")
	md     = pattern("prod-np-~")
)

func TestObjectsOfAClusterAreThoseOfTheRealControllers(t *testing.T) {
	t.Parallel()
	h, _ := play(t, run{manifests: namespaceTeamA + clusterProd(3, 3)})

	const (
		controller = true
		plain      = false
	)
	type owner = resource.Owner
	label := "cluster.x-k8s.io/cluster-name"
	for _, want := range []struct {
		kind, names string
		count       int
		owner       string // kind of the one owner; empty is none
		controller  bool
		finalizers  []string
		labels      []string // keys that must be there
	}{
		{"Cluster", "prod", 1, "", plain, []string{"cluster.cluster.x-k8s.io"}, []string{label, "topology.cluster.x-k8s.io/owned"}},
		{"VSphereCluster", "prod-~", 1, "Cluster", controller, []string{"vspherecluster.vmware.infrastructure.cluster.x-k8s.io"}, []string{label}},
		{"KubeadmControlPlane", "prod-~", 1, "Cluster", controller, []string{"kubeadm.controlplane.cluster.x-k8s.io"}, []string{label}},
		{"VSphereMachineTemplate", "prod-~", 1, "Cluster", plain, nil, []string{label}},
		{"VSphereMachineTemplate", "prod-np-~", 1, "Cluster", plain, nil, []string{label, "topology.cluster.x-k8s.io/deployment-name"}},
		{"KubeadmConfigTemplate", "prod-np-~", 1, "Cluster", plain, nil, []string{label}},
		{"MachineDeployment", "prod-np-~", 1, "Cluster", plain, []string{"cluster.x-k8s.io/machinedeployment", "machinedeployment.topology.cluster.x-k8s.io"}, []string{label, "topology.cluster.x-k8s.io/deployment-name", "topology.cluster.x-k8s.io/owned"}},
		{"MachineSet", "prod-np-~-~", 1, "MachineDeployment", controller, []string{"cluster.x-k8s.io/machineset", "machineset.topology.cluster.x-k8s.io"}, []string{label, "cluster.x-k8s.io/deployment-name", "machine-template-hash"}},
		{"Machine", "prod-~-~", 3, "KubeadmControlPlane", controller, []string{"machine.cluster.x-k8s.io"}, []string{label, "cluster.x-k8s.io/control-plane", "cluster.x-k8s.io/control-plane-name", "node.cluster.x-k8s.io/esxi-host"}},
		{"Machine", "prod-np-~-~-~", 3, "MachineSet", controller, []string{"machine.cluster.x-k8s.io"}, []string{label, "cluster.x-k8s.io/deployment-name", "cluster.x-k8s.io/set-name", "machine-template-hash", "node.cluster.x-k8s.io/esxi-host"}},
		{"KubeadmConfig", "prod-~-~", 3, "Machine", controller, nil, []string{label, "cluster.x-k8s.io/control-plane"}},
		{"KubeadmConfig", "prod-np-~-~-~", 3, "Machine", controller, nil, []string{label, "machine-template-hash"}},
		{"VSphereMachine", "prod-~-~", 3, "Machine", controller, []string{"vspheremachine.infrastructure.cluster.x-k8s.io"}, []string{label, "cluster.x-k8s.io/control-plane"}},
		{"VSphereMachine", "prod-np-~-~-~", 3, "Machine", controller, []string{"vspheremachine.infrastructure.cluster.x-k8s.io"}, []string{label}},
		{"Secret", "prod-~-~", 3, "KubeadmConfig", controller, nil, []string{label}},
		{"Secret", "prod-np-~-~-~", 3, "KubeadmConfig", controller, nil, []string{label}},
		{"Secret", "prod-(ca|etcd|sa|proxy|kubeconfig)", 5, "KubeadmControlPlane", controller, nil, []string{label}},
		{"VirtualMachine", "prod-~-~", 3, "VSphereMachine", controller, []string{"vmoperator.vmware.com/virtualmachine"}, []string{label, "capv.vmware.com/cluster.name", "capv.vmware.com/cluster.role", "capw.vmware.com/cluster.name", "capw.vmware.com/cluster.role", "topology.kubernetes.io/zone"}},
		{"VirtualMachine", "prod-np-~-~-~", 3, "VSphereMachine", controller, []string{"vmoperator.vmware.com/virtualmachine"}, []string{label, "cluster.x-k8s.io/deployment-name", "topology.kubernetes.io/zone"}},
		{"SubnetPort", "prod-(~|np-~-~)-~-prod-~-eth0", 6, "VirtualMachine", controller, nil, nil},
		{"VirtualMachineSetResourcePolicy", "prod", 1, "VSphereCluster", plain, []string{"vmoperator.vmware.com/virtualmachinesetresourcepolicy"}, nil},
		{"SubnetSet", "prod-~", 1, "VSphereCluster", plain, nil, nil},
		{"VirtualMachineService", "prod", 1, "VSphereCluster", plain, []string{"vmoperator.vmware.com/virtualmachineservice"}, nil},
		{"Service", "prod", 1, "VirtualMachineService", controller, nil, nil},
		{"ConfigMap", "prod-lock", 0, "", plain, nil, nil},
		{"Secret", "prod-shim", 0, "", plain, nil, nil},
	} {
		for _, it := range h.named(t, want.kind, want.names, want.count) {
			var owners []owner
			if want.owner != "" {
				owners = []owner{{Kind: want.owner, Controller: want.controller}}
			}
			if !slices.EqualFunc(it.owners, owners, func(a, b owner) bool { return a.Kind == b.Kind && a.Controller == b.Controller }) {
				t.Errorf("observed.md 5: owners of %s %s are %v, want %v", it.Kind, it.Name, it.owners, owners)
			}
			if got := slices.Sorted(slices.Values(it.finalizers)); !slices.Equal(got, want.finalizers) {
				t.Errorf("observed.md 5: finalizers of %s %s are %v, want %v", it.Kind, it.Name, got, want.finalizers)
			}
			for _, key := range want.labels {
				if _, there := it.labels[key]; !there {
					t.Errorf("observed.md 5: %s %s has no label %s, only %v", it.Kind, it.Name, key, it.labels)
				}
			}
		}
	}
	for kind, count := range map[string]int{"Machine": 6, "KubeadmConfig": 6, "VSphereMachine": 6, "VirtualMachine": 6, "SubnetPort": 6, "Secret": 11, "VSphereMachineTemplate": 2} {
		if got := len(h.present()[kind]); got != count {
			t.Errorf("observed.md 5: %d objects of kind %s, want %d", got, kind, count)
		}
	}
	for _, it := range append(h.named(t, "SubnetSet", "prod-~", 1), h.named(t, "SubnetPort", ".*", 6)...) {
		if it.labels["capv.vmware.com/cluster.name"] != "" {
			t.Errorf("1.17: %s %s has labels of a VM, %v", it.Kind, it.Name, it.labels)
		}
	}
	set := h.named(t, "MachineSet", "prod-np-~-~", 1)[0]
	if suffix := set.Name[len(set.Name)-5:]; !strings.HasSuffix(set.labels["machine-template-hash"], "-"+suffix) {
		t.Errorf("observed.md 5: machine-template-hash %q does not end in the suffix of %s", set.labels["machine-template-hash"], set.Name)
	}
}

func TestCreationKeepsTheOrderOfTheRealControllers(t *testing.T) {
	t.Parallel()
	h, _ := play(t, run{manifests: namespaceTeamA + clusterProd(3, 3)})
	firstCP := nthMade(t, h, "Machine", cp, 0)
	secondCP, thirdCP := nthMade(t, h, "Machine", cp, 1), nthMade(t, h, "Machine", cp, 2)

	h.inOrder(t, "6.1 step 2, E1-E7", made("Cluster", "prod"), made("Secret", "prod-shim"), made("VSphereCluster", pattern("prod-~")),
		made("VSphereMachineTemplate", pattern("prod-~")), made("KubeadmControlPlane", pattern("prod-~")),
		made("VSphereMachineTemplate", md), made("KubeadmConfigTemplate", md), made("MachineDeployment", md))
	h.inOrder(t, "6.1 step 2: before anything is ready", made("MachineDeployment", md), says("VSphereCluster", ".*", "Ready", "True", ""))
	h.inOrder(t, "6.1 steps 3-4", says("Cluster", "prod", "Paused", "False", "NotPaused"), owned("VSphereCluster", ".*", "Cluster", true), gone("Secret", "prod-shim"))
	h.inOrder(t, "E10 before E12", owned("VSphereCluster", ".*", "Cluster", true), made("VirtualMachineSetResourcePolicy", "prod"))
	h.inOrder(t, "E11-E18", says("VSphereCluster", ".*", "ResourcePolicyReady", "True", ""), says("SubnetSet", ".*", "Ready", "True", "SubnetSetReady"),
		says("VSphereCluster", ".*", "NetworkReady", "True", ""), says("Service", "prod", "Ready", "True", ""),
		says("VSphereCluster", ".*", "LoadBalancerReady", "True", ""))
	h.inOrder(t, "E13, E15, E16", made("SubnetSet", ".*"), made("VirtualMachineService", "prod"), made("Service", "prod"), made("Endpoints", "prod"))
	h.inOrder(t, "E15: the load balancer is waited for", made("VirtualMachineService", "prod"), says("VSphereCluster", ".*", "LoadBalancerReady", "False", "WaitingForIP"), says("VSphereCluster", ".*", "LoadBalancerReady", "True", ""))
	h.inOrder(t, "6.1 steps 5-8, E19-E22", says("VSphereCluster", ".*", "Ready", "True", ""), says("Cluster", "prod", "InfrastructureReady", "True", ""),
		made("Secret", "prod-ca"), made("Secret", "prod-kubeconfig"), made("VSphereMachine", cp), made("KubeadmConfig", cp), made("Machine", cp))
	h.inOrder(t, "8.2.4: Provisioned before any VM", inPhase("Cluster", "prod", "Provisioning"), inPhase("Cluster", "prod", "Provisioned"), made("VirtualMachine", ".*"))
	for _, purpose := range []string{"ca", "sa", "proxy", "etcd"} {
		h.inOrder(t, "6.1 step 7", made("Secret", "prod-"+purpose), made("Secret", "prod-kubeconfig"))
	}
	h.inOrder(t, "6.1 step 9, E46: bootstrap before infrastructure for workers", made("KubeadmConfig", worker), made("VSphereMachine", worker), made("Machine", worker))
	h.inOrder(t, "E9, E46: workers only once the first control-plane Machine exists", made("MachineSet", ".*"), made("Machine", cp), made("Machine", worker))
	if gap := h[h.last(t, made("Machine", worker))].T - h[h.first(t, made("Machine", cp))].T; gap > 16_000 {
		t.Errorf("E46: the worker Machines appeared %d ms after the first control-plane Machine, want at most 15 s and a hand-over", gap)
	}
	if first, last := h.first(t, made("Machine", worker)), h.last(t, made("Machine", worker)); h[last].T-h[first].T > 200 {
		t.Errorf("6.3: the worker Machines took %d ms to appear, want one pass", h[last].T-h[first].T)
	}
	h.inOrder(t, "6.1 step 10: handed over to the Machine", made("KubeadmConfig", firstCP), owned("KubeadmConfig", firstCP, "Machine", true), made("Secret", firstCP))
	h.inOrder(t, "6.1 step 11, E23-E26", made("ConfigMap", "prod-lock"), made("Secret", firstCP), inPhase("Machine", firstCP, "Provisioning"), made("VirtualMachine", firstCP))
	h.inOrder(t, "E28: prerequisites, port, placement, creation, power, address",
		made("SubnetPort", firstCP+"-.*"), says("VirtualMachine", firstCP, "VirtualMachineClassReady", "True", ""),
		says("SubnetPort", firstCP+"-.*", "Ready", "True", "SubnetPortReady"), says("VirtualMachine", firstCP, "VirtualMachineNetworkReady", "True", ""),
		says("VirtualMachine", firstCP, "VirtualMachineConditionPlacementReady", "True", ""), says("VirtualMachine", firstCP, "VirtualMachineCreated", "True", ""),
		says("VirtualMachine", firstCP, "VirtualMachinePowerStateSynced", "True", "Synced"), says("VirtualMachine", firstCP, "VirtualMachineGuestNetworkConfigSynced", "True", ""))
	h.inOrder(t, "6.4 first write: network not ready", says("VirtualMachine", firstCP, "VirtualMachineNetworkReady", "False", "NotReady"), says("VirtualMachine", firstCP, "VirtualMachineNetworkReady", "True", ""))
	h.inOrder(t, "E31-E34 in vCenter", operated("CreateVM_Task", firstCP), operated("PowerOnVM_Task", firstCP), operated("guest.ipAddress", firstCP))
	h.inOrder(t, "E26, 6.4: reasons of VirtualMachineProvisioned", says("VSphereMachine", firstCP, "VirtualMachineProvisioned", "False", "WaitingForBootstrapData"),
		says("VSphereMachine", firstCP, "VirtualMachineProvisioned", "False", "NotReady"), says("VSphereMachine", firstCP, "VirtualMachineProvisioned", "False", "PoweringOn"),
		says("VSphereMachine", firstCP, "VirtualMachineProvisioned", "False", "WaitingForNetworkAddress"), says("VSphereMachine", firstCP, "VirtualMachineProvisioned", "True", "Provisioned"))
	h.inOrder(t, "6.1 step 13, E34-E36", says("VirtualMachine", firstCP, "VirtualMachineGuestNetworkConfigSynced", "True", ""), says("VSphereMachine", firstCP, "Ready", "True", ""), inPhase("Machine", firstCP, "Provisioned"))
	h.inOrder(t, "6.1 step 14, E40-E41", inPhase("Machine", firstCP, "Running"), says("KubeadmControlPlane", ".*", "Initialized", "True", ""), says("Cluster", "prod", "ControlPlaneInitialized", "True", ""))
	h.inOrder(t, "6.1 step 15: the barrier", says("Cluster", "prod", "ControlPlaneInitialized", "True", ""), gone("ConfigMap", "prod-lock"))
	h.inOrder(t, "6.1 step 15, E47: no worker bootstrap Secret before it", says("Cluster", "prod", "ControlPlaneInitialized", "True", ""), made("Secret", worker), made("VirtualMachine", worker))
	h.inOrder(t, "6.4: workers wait", says("VSphereMachine", worker, "VirtualMachineProvisioned", "False", "WaitingForControlPlaneInitialized"), says("Cluster", "prod", "ControlPlaneInitialized", "True", ""))
	if first, last := h.first(t, made("VirtualMachine", worker)), h.last(t, made("VirtualMachine", worker)); h[last].T-h[first].T > 1_500 {
		t.Errorf("6.1 step 16: worker VMs took %d ms to appear, want together", h[last].T-h[first].T)
	}
	for _, gate := range []string{"APIServerPodHealthy", "ControllerManagerPodHealthy", "SchedulerPodHealthy", "EtcdPodHealthy", "EtcdMemberHealthy"} {
		h.inOrder(t, "E44-E45: all gates before the next", says("Machine", firstCP, gate, "True", ""), made("Machine", secondCP))
		h.inOrder(t, "E44-E45: all gates before the next", says("Machine", secondCP, gate, "True", ""), made("Machine", thirdCP))
	}
	h.inOrder(t, "E45: the next has no lock", gone("ConfigMap", "prod-lock"), made("Secret", secondCP))
	h.inOrder(t, "6.4: Available is False first", says("Cluster", "prod", "Available", "False", ""), says("Cluster", "prod", "Available", "True", ""))
	h.inOrder(t, "E49-E52", says("Machine", worker, "Available", "True", ""), says("MachineDeployment", md, "Available", "True", ""), says("Cluster", "prod", "WorkersAvailable", "True", ""), says("Cluster", "prod", "Available", "True", ""))
	h.inOrder(t, "E51-E52", says("KubeadmControlPlane", ".*", "Available", "True", ""), says("Cluster", "prod", "ControlPlaneAvailable", "True", ""), says("Cluster", "prod", "Available", "True", ""))
	for _, service := range []string{"ProviderServiceAccountsReady", "ServiceDiscoveryReady"} {
		h.inOrder(t, "6.4, E53: once the control plane answers", operated("guest.ipAddress", firstCP), says("VSphereCluster", ".*", service, "True", ""), says("Cluster", "prod", "ControlPlaneInitialized", "True", ""))
	}
	h.inOrder(t, "7.7: NoReplicas comes before ready", says("KubeadmControlPlane", ".*", "MachinesReady", "True", "NoReplicas"), says("KubeadmControlPlane", ".*", "MachinesReady", "True", "Ready"))

	for _, want := range []struct {
		kind, names string
		phase       phase.ID
	}{
		{"Secret", "prod-ca", phase.Bootstrap}, {"Secret", cp, phase.Bootstrap}, {"Secret", worker, phase.Workers},
		{"SubnetPort", cp + "-prod-.*", phase.Machine}, {"SubnetPort", worker + "-prod-.*", phase.Workers},
		{"VirtualMachine", cp, phase.Machine}, {"VirtualMachine", worker, phase.Workers},
		{"SubnetSet", ".*", phase.Infrastructure}, {"MachineSet", ".*", phase.Topology},
	} {
		if got := h[h.first(t, made(want.kind, want.names))].Object.PhaseID; got != want.phase {
			t.Errorf("DESIGN 3: %s %s is of phase %q, want %q", want.kind, want.names, got, want.phase)
		}
	}
	for i, e := range h {
		if e.VM != nil && (e.VM.Host == "" || e.VM.Datastore == "" || e.VM.Zone == "" || e.VM.Task == "" && e.VM.Op != "guest.ipAddress") {
			t.Errorf("event %d: a VM event without host, datastore, zone or task: %+v", i, e.VM)
		}
	}
	reachable, initialized := h[h.first(t, says("Cluster", "prod", "InfrastructureReady", "True", ""))].T, h[h.first(t, says("KubeadmControlPlane", ".*", "Initialized", "True", ""))].T
	if past := (initialized - reachable) % 30_000; past > 2_000 {
		t.Errorf("6.2: the control plane was initialized %d ms after a try of the 30 s raster", past)
	}
	for _, e := range h {
		if e.Object != nil && e.Object.Kind == "Secret" && e.Object.Name == "prod-kubeconfig" && e.Object.Actor != "capi-kcp" {
			t.Errorf("observed.md 5: the kubeconfig Secret was written by %s", e.Object.Actor)
		}
	}
}

func TestScalingAndDeletingKeepTheOrderOfTheRealControllers(t *testing.T) {
	t.Parallel()
	base := t.TempDir() + "/base"
	created, _ := play(t, run{manifests: namespaceTeamA + clusterProd(3, 3), save: base})

	five := t.TempDir() + "/five"
	up, _ := play(t, run{manifests: namespaceTeamA + clusterProd(3, 5), from: base, save: five})
	up = up.happened()
	if n := len(up.all(made("Machine", ".*"))); n != 2 {
		t.Errorf("6.6: scaling workers 3 to 5 made %d Machines, want 2", n)
	}
	for _, kind := range []string{"KubeadmConfig", "VSphereMachine", "VirtualMachine", "SubnetPort", "Secret"} {
		if n := len(up.all(made(kind, ".*"))); n != 2 {
			t.Errorf("5, growth rule: scaling workers 3 to 5 made %d of kind %s, want 2", n, kind)
		}
	}
	if touched := up.all(objects("control-plane Machine", func(o *journal.Object) bool { return o.Kind == "Machine" && !strings.HasPrefix(o.Name, "prod-np-") })); len(touched) > 0 {
		t.Errorf("6.6: control planes are untouched by scaling workers, but event %d changes one: %+v", touched[0], up[touched[0]].Object)
	}
	up.inOrder(t, "6.6 scale up", made("KubeadmConfig", worker), made("VSphereMachine", worker), made("Machine", worker), made("Secret", worker), made("VirtualMachine", worker), inPhase("Machine", worker, "Running"))
	if first, last := up.first(t, made("Machine", worker)), up.last(t, made("Machine", worker)); up[last].T-up[first].T > 200 {
		t.Errorf("6.3: both new workers in one pass, but %d ms apart", up[last].T-up[first].T)
	}

	three := t.TempDir() + "/three"
	down, _ := play(t, run{manifests: namespaceTeamA + clusterProd(3, 3), from: five, save: three})
	down = down.happened()
	victims := map[string]bool{}
	for _, i := range down.all(marked("Machine", ".*")) {
		victims[down[i].Object.Name] = true
	}
	var workers []string
	for _, i := range append(created, up...).all(made("Machine", worker)) {
		workers = append(workers, append(created, up...)[i].Object.Name)
	}
	slices.Sort(workers)
	if got := slices.Sorted(maps.Keys(victims)); len(workers) != 5 || !slices.Equal(got, workers[:2]) {
		t.Fatalf("6.3: scaling workers 5 to 3 took %v, want the first two by name of %v", got, workers)
	}
	for victim := range victims {
		down.inOrder(t, "6.6 removal of a Machine", marked("Machine", victim), marked("VSphereMachine", victim), marked("VirtualMachine", victim),
			operated("PowerOffVM_Task", victim), operated("Destroy_Task", victim), gone("VirtualMachine", victim), gone("VSphereMachine", victim), gone("KubeadmConfig", victim), gone("Machine", victim))
		down.inOrder(t, "6.6: the port goes with the VM", gone("VirtualMachine", victim), gone("SubnetPort", victim+"-.*"))
		down.inOrder(t, "6.6: the bootstrap Secret goes with its config", gone("KubeadmConfig", victim), gone("Secret", victim))
		down.inOrder(t, "6.6: replicas drop only when the Machine is gone", gone("Machine", victim), objects("MachineSet with 3 replicas", func(o *journal.Object) bool {
			return o.Kind == "MachineSet" && o.Replicas != nil && o.Replicas.Current == 3
		}))
	}

	h, _ := play(t, run{manifests: namespaceTeamA, from: three, prune: true})
	h = h.happened()
	h.allBefore(t, "6.6 delete: workers, then control plane", gone("Machine", worker), marked("KubeadmControlPlane", ".*"))
	h.inOrder(t, "6.6 delete", marked("Cluster", "prod"), marked("MachineDeployment", md), marked("Machine", worker), gone("MachineSet", ".*"), gone("MachineDeployment", md),
		marked("KubeadmControlPlane", ".*"), marked("Machine", cp), gone("KubeadmControlPlane", ".*"), marked("VSphereCluster", ".*"), gone("Cluster", "prod"))
	h.inOrder(t, "6.6 delete: the pool's templates go with its deployment", marked("MachineDeployment", md), gone("KubeadmConfigTemplate", md), marked("KubeadmControlPlane", ".*"))
	h.inOrder(t, "6.6 delete: reasons", says("Cluster", "prod", "Deleting", "True", "WaitingForWorkersDeletion"), says("Cluster", "prod", "Deleting", "True", "WaitingForControlPlaneDeletion"),
		says("Cluster", "prod", "Deleting", "True", "DeletionCompleted"))
	h.inOrder(t, "6.6 delete: the PKI goes with the control plane", gone("KubeadmControlPlane", ".*"), gone("Secret", "prod-ca"))
	if first, last := h.first(t, marked("Machine", cp)), h.last(t, marked("Machine", cp)); h[last].T < h[first].T || len(h.all(marked("Machine", cp))) < 3 {
		t.Errorf("6.3: all three control-plane Machines are marked at once")
	}
	if spread := h[h.all(marked("Machine", cp))[2]].T - h[h.first(t, marked("Machine", cp))].T; spread > 200 {
		t.Errorf("6.3: control-plane Machines were marked %d ms apart, want at once", spread)
	}
	h.inOrder(t, "3.6: the resource policy waits for the VMs", gone("VirtualMachine", cp), gone("VirtualMachineSetResourcePolicy", "prod"))
	for kind, left := range h.present() {
		if kind == "Namespace" {
			continue
		}
		for name := range left {
			t.Errorf("6.6: %s %s is left behind", kind, name)
		}
	}
}

func TestAControlPlaneShrinksOldestFirstAndOneAtATime(t *testing.T) {
	t.Parallel()
	base := t.TempDir() + "/base"
	created, _ := play(t, run{manifests: namespaceTeamA + clusterProd(3, 1), save: base})
	first, second := nthMade(t, created, "Machine", cp, 0), nthMade(t, created, "Machine", cp, 1)
	h, _ := play(t, run{manifests: namespaceTeamA + clusterProd(1, 1), from: base})
	h.inOrder(t, "6.3: 3 to 1", marked("Machine", first), says("Machine", first, "Deleting", "True", "WaitingForPreTerminateHook"),
		marked("VSphereMachine", first), gone("Machine", first), marked("Machine", second), gone("Machine", second))
	if left := h.all(gone("Machine", ".*")); len(left) != 2 {
		t.Errorf("3 to 1 removed %d Machines, want 2", len(left))
	}
	up, _ := play(t, run{manifests: namespaceTeamA + clusterProd(5, 1), from: base})
	fourth, fifth := nthMade(t, up, "Machine", cp, 0), nthMade(t, up, "Machine", cp, 1)
	up.inOrder(t, "6.3: 3 to 5, 3.1", made("Machine", fourth), says("Machine", fourth, "EtcdMemberHealthy", "True", "Healthy"), made("Machine", fifth))
}

// nthMade is the name of the n-th object made of a kind.
func nthMade(t *testing.T, h history, kind, names string, n int) string {
	t.Helper()
	found := h.all(made(kind, names))
	if len(found) <= n {
		t.Fatalf("only %d of kind %s were made, want more than %d", len(found), kind, n)
	}
	return h[found[n]].Object.Name
}

// anchored is how long a whole 3+3 cluster may take (peers.md D.5).
func TestAClusterOfSixComesOutWithinTheAnchor(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		h, _ := play(t, run{manifests: namespaceTeamA + clusterProd(3, 3), seed: seed})
		took := time.Duration(h[len(h)-1].T) * time.Millisecond
		if took < 270*time.Second || took > 12*time.Minute {
			t.Errorf("seed %d: a 3+3 cluster took %s, want 4.5 to 12 minutes (peers.md D.5)", seed, took)
		}
	}
}
