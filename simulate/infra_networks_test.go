package simulate_test

import (
	"slices"
	"testing"

	"github.com/vksync/vksync/simulate/inventory"
)

// plainSite is the lab with one NetworkInterface per VM and an endpoint for all, the
// world of the recording.
func plainSite(t testing.TB) *inventory.Inventory {
	inv := labInventory(t)
	inv.Spec.Networks = inventory.Networks{Provider: inventory.Plain, Ranges: []string{"172.26.0.10-172.26.0.200"}}
	inv.Spec.LoadBalancer = inventory.LoadBalancer{}
	inv.Spec.Supervisor.ControlPlaneEndpoint = &inventory.Endpoint{Host: "172.26.0.5", Port: 6443}
	return inv
}

func TestAPlainNetworkHasOneInterfacePerVM(t *testing.T) {
	t.Parallel()
	h, _ := play(t, run{manifests: namespaceTeamA + clusterProd(3, 2), inventory: plainSite(t)})

	for _, it := range h.named(t, "NetworkInterface", "prod-(~|np-~-~)-~-eth0", 5) {
		if len(it.owners) != 1 || it.owners[0].Kind != "VirtualMachine" || !it.owners[0].Controller || len(it.finalizers) != 0 {
			t.Errorf("observed.md 5: NetworkInterface %s has owners %v and finalizers %v", it.Name, it.owners, it.finalizers)
		}
		for _, label := range []string{"vmoperator.vmware.com/vm-name", "vmoperator.vmware.com/vm-interface-name"} {
			if it.labels[label] == "" {
				t.Errorf("NetworkInterface %s has no label %s, only %v", it.Name, label, it.labels)
			}
		}
	}
	for _, kind := range []string{"SubnetSet", "SubnetPort", "VirtualMachineService", "Service", "Endpoints"} {
		if n := len(h.present()[kind]); n != 0 {
			t.Errorf("observed.md 5: %d %s on a network without a load balancer, want none", n, kind)
		}
	}
	h.inOrder(t, "6.1 step 5: ready without a load balancer", made("VirtualMachineSetResourcePolicy", "prod"), says("VSphereCluster", ".*", "LoadBalancerReady", "True", "Ready"), made("Machine", cp))
	if events := h.all(says("VSphereCluster", ".*", "LoadBalancerReady", "False", "")); len(events) > 0 {
		t.Error("LoadBalancerReady was False although the endpoint was given")
	}
	h.inOrder(t, "6.1 step 12", made("VirtualMachine", cp), made("NetworkInterface", ".*"), says("NetworkInterface", ".*", "Ready", "True", ""),
		says("VirtualMachine", cp, "VirtualMachineNetworkReady", "True", ""), operated("guest.ipAddress", cp))
	var addresses []string
	for _, i := range h.all(operated("guest.ipAddress", ".*")) {
		addresses = append(addresses, h[i].VM.IP)
	}
	slices.Sort(addresses)
	if want := []string{"172.26.0.10", "172.26.0.11", "172.26.0.12", "172.26.0.13", "172.26.0.14"}; !slices.Equal(addresses, want) {
		t.Errorf("the nodes have addresses %v, want %v", addresses, want)
	}
}
