package phase

import "time"

// Patience is how long the end of a causal chain may last before somebody should look
// at it: by then it mostly does not end by itself (domain.md 8.1). Times are short
// where the object says that something is missing and long where a guest boots. It is
// false for what has no usual time.
func Patience(l Link) (time.Duration, bool) {
	for _, d := range detectors {
		if d.helps(l) {
			return d.patience, true
		}
	}
	return 0, false
}

// A detector says for how long the links that fit its remedy's lists may last.
type detector struct {
	remedy
	patience time.Duration
}

// detectors are looked at in order.
var detectors = []detector{
	{remedy{conditions: []string{"VirtualMachineClassReady", "VirtualMachineImageReady", "VirtualMachineStorageReady"}, reasons: []string{"NotFound", "Forbidden", "Invalid", "StorageClassRequired", "DatastoreNotFound"}}, time.Minute},
	{remedy{conditions: []string{"TopologyReconciled"}, reasons: []string{"ReconcileFailed", "ClusterClassNotReconciled"}}, time.Minute},
	{remedy{kinds: []string{"vSphere VM"}}, time.Minute},
	{remedy{said: []string{"denied the request", "exceeded quota", "no free", "no address is free", "insufficient"}}, time.Minute},
	{remedy{conditions: []string{"VCenterAvailable", "VirtualMachineConditionPlacementReady"}}, 2 * time.Minute},
	{remedy{conditions: []string{"NetworkReady", "VirtualMachineNetworkReady"}}, 2 * time.Minute},
	{remedy{kinds: []string{"SubnetSet", "VirtualNetwork", "Network", "SubnetPort", "NetworkInterface", "VirtualNetworkInterface"}}, 2 * time.Minute},
	{remedy{conditions: []string{"LoadBalancerReady"}}, 5 * time.Minute},
	{remedy{kinds: []string{"VirtualMachineService", "Service"}}, 5 * time.Minute},
	{remedy{reasons: []string{"WaitingForNetworkAddress", "WaitingForIPAllocation", "WaitingForIPAddress"}}, 5 * time.Minute},
	{remedy{conditions: []string{"VirtualMachineGuestNetworkConfigSynced"}}, 5 * time.Minute},
	{remedy{conditions: []string{"RemoteConnectionProbe", "ControlPlaneInitialized", "Initialized", "NodeHealthy", "NodeReady"}}, 10 * time.Minute},
	{remedy{said: []string{"preflight check failed"}}, 10 * time.Minute},
	{remedy{conditions: []string{"Deleting"}, reasons: []string{"DrainingNode", "WaitingForVolumeDetach", "WaitingForPreTerminateHook", "WaitingForPreDrainHook"}}, 10 * time.Minute},
}
