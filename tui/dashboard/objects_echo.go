package dashboard

import (
	"slices"

	"github.com/vksync/vksync/reconcile/journal"
)

// mirrors are conditions in which a controller repeats what the objects of a kind
// below say of themselves (domain.md 1.1-1.16).
var mirrors = map[string]map[string][]string{
	"Cluster": {
		"InfrastructureReady":          {"VSphereCluster"},
		"ControlPlaneInitialized":      {"KubeadmControlPlane"},
		"ControlPlaneAvailable":        {"KubeadmControlPlane"},
		"ControlPlaneMachinesReady":    {"KubeadmControlPlane"},
		"ControlPlaneMachinesUpToDate": {"KubeadmControlPlane"},
		"WorkersAvailable":             {"MachineDeployment"},
		"WorkerMachinesReady":          {"MachineDeployment"},
		"WorkerMachinesUpToDate":       {"MachineDeployment"},
		"ScalingUp":                    {"KubeadmControlPlane", "MachineDeployment"},
		"ScalingDown":                  {"KubeadmControlPlane", "MachineDeployment"},
		"RollingOut":                   {"KubeadmControlPlane", "MachineDeployment"},
		"TopologyReconciled":           {"KubeadmControlPlane", "MachineDeployment"},
		"Deleting":                     {"KubeadmControlPlane", "MachineDeployment", "VSphereCluster"},
	},
	"KubeadmControlPlane": {
		"MachinesReady": {"Machine"}, "MachinesUpToDate": {"Machine"}, "EtcdClusterHealthy": {"Machine"},
		"ControlPlaneComponentsHealthy": {"Machine"}, "Deleting": {"Machine"},
	},
	"MachineDeployment": {"MachinesReady": {"MachineSet"}, "MachinesUpToDate": {"MachineSet"}, "ScalingUp": {"MachineSet"}, "ScalingDown": {"MachineSet"}, "Deleting": {"MachineSet"}},
	"MachineSet":        {"MachinesReady": {"Machine"}, "MachinesUpToDate": {"Machine"}, "Deleting": {"Machine"}},
	"Machine":           {"BootstrapConfigReady": {"KubeadmConfig"}, "InfrastructureReady": {"VSphereMachine"}},
	"VSphereMachine":    {"VirtualMachineProvisioned": {"VirtualMachine"}},
	"VSphereCluster": {
		"ResourcePolicyReady": {"VirtualMachineSetResourcePolicy"}, "NetworkReady": {"SubnetSet", "VirtualNetwork"},
		"LoadBalancerReady": {"VirtualMachineService"},
	},
	"VirtualMachineService": {"VirtualMachineServiceServiceReady": {"Service"}},
	"VirtualMachine": {
		"VirtualMachineNetworkReady": {"SubnetPort", "NetworkInterface", "VirtualNetworkInterface"},
		"VirtualMachineCreated":      {journal.KindVM}, "VirtualMachinePowerStateSynced": {journal.KindVM},
	},
}

// sums are the conditions that sum up the others of the same object.
var sums = []string{"Ready", "Available"}

// echoes says whether a condition only repeats what another one says, below or of
// the object itself.
func (b *branch) echoes(c journal.Condition) bool {
	if !c.Wrong {
		return false
	}
	if slices.Contains(sums, c.Type) {
		for _, o := range b.Wrong() {
			if !slices.Contains(sums, o.Type) {
				return true
			}
		}
		return c.Type == "Available" && b.says("Ready")
	}
	below := mirrors[b.Kind][c.Type]
	return slices.ContainsFunc(b.kids, func(kid *branch) bool {
		return slices.Contains(below, kid.Kind) && !kid.Sound()
	})
}

// says whether the object has a condition that is not as it should be.
func (b *branch) says(kind string) bool {
	c, there := b.Condition(kind)
	return there && c.Wrong
}

// firsts are conditions in the order in which a cluster comes about: each holds up
// those behind it.
var firsts = []string{
	"Deleting", "Paused", "TopologyReconciled", "VCenterAvailable", "FailureDomainsReady", "ResourcePolicyReady", "NetworkReady", "LoadBalancerReady",
	"InfrastructureReady", "CertificatesAvailable", "BootstrapConfigReady", "DataSecretAvailable", "VirtualMachineProvisioned",
	"VirtualMachineClassReady", "VirtualMachineImageReady", "VirtualMachineConditionVMSetResourcePolicyReady",
	"VirtualMachineBootstrapReady", "VirtualMachineStorageReady", "VirtualMachineNetworkReady",
	"VirtualMachineConditionPlacementReady", "VirtualMachineConditionImageCacheReady", "VirtualMachineCreated",
	"VirtualMachinePowerStateSynced", "VirtualMachineGuestNetworkConfigSynced",
	"ControlPlaneInitialized", "Initialized", "RemoteConnectionProbe", "NodeHealthy", "NodeReady",
}

// chief is the condition that says why an object is not as it should be: of those
// that are wrong the first in the order in which they come about. It is false when
// there is none, or when that one only repeats what an object below says.
func (b *branch) chief() (journal.Condition, bool) {
	var best journal.Condition
	found := false
	for _, c := range b.Wrong() {
		if slices.Contains(sums, c.Type) && b.echoes(c) {
			continue
		}
		if !found || order(c) < order(best) {
			best, found = c, true
		}
	}
	return best, found && !b.echoes(best)
}

// order is the place of a condition among those that hold up each other.
func order(c journal.Condition) int {
	switch at := slices.Index(firsts, c.Type); {
	case at >= 0:
		return at
	case slices.Contains(sums, c.Type):
		return len(firsts) + 1
	}
	return len(firsts)
}
