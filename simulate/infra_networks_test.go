package simulate_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/inventory"
)

// siteOn is the lab on another network.
func siteOn(t testing.TB, networks inventory.Networks) *inventory.Inventory {
	inv := labInventory(t)
	inv.Spec.Networks = networks
	return inv
}

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

// complains is a condition that is False with a message.
func complains(kind, name, message string) match {
	return objects(kind+" "+name+": "+message, func(o *journal.Object) bool {
		return o.Kind == kind && o.Name == name && slices.ContainsFunc(o.Conditions, func(c resource.Condition) bool {
			return c.Status == "False" && strings.Contains(c.Message, message)
		})
	})
}

// endpointComesFirst asks for the order of observed.md 6.5: nothing of a cluster's
// machines is there before the load balancer has an address.
func endpointComesFirst(t *testing.T, h history) {
	t.Helper()
	h.inOrder(t, "6.5 order", made("VirtualMachineService", "prod"), says("VSphereCluster", ".*", "LoadBalancerReady", "False", "WaitingForIP"), made("Service", "prod"),
		says("VSphereCluster", ".*", "LoadBalancerReady", "True", "Ready"), inPhase("Cluster", "prod", "Provisioned"),
		made("Secret", "prod-ca"), made("Machine", cp))
	for _, kind := range []string{"Secret", "Machine", "VSphereMachine", "KubeadmConfig"} {
		names := ".*"
		if kind == "Secret" {
			names = "prod-(ca|etcd|sa|proxy|kubeconfig)"
		}
		h.allBefore(t, "6.5: nothing before the address", says("VSphereCluster", ".*", "LoadBalancerReady", "False", "WaitingForIP"), made(kind, names))
	}
}

func TestPortGroupsHaveOneNetworkInANamespace(t *testing.T) {
	t.Parallel()
	h, _ := play(t, run{manifests: namespaceTeamA + clusterProd(1, 2), inventory: siteOn(t, inventory.Networks{Provider: inventory.VDS, Ranges: []string{"172.26.0.10-172.26.0.20"}})})

	endpointComesFirst(t, h)
	h.first(t, says("VirtualMachineService", "prod", "VirtualMachineServiceServiceReady", "Unknown", "ServiceReadyNotPresent"))
	for _, kind := range []string{"Service", "Endpoints"} {
		for _, it := range h.named(t, kind, "prod", 1) {
			if len(it.owners) != 1 || it.owners[0].Kind != "VirtualMachineService" || !it.owners[0].Controller || len(it.labels) != 0 {
				t.Errorf("6.5: %s prod has owners %v and labels %v", kind, it.owners, it.labels)
			}
		}
	}
	h.named(t, "Network", "primary", 1)
	for _, it := range h.named(t, "NetworkInterface", "prod-(~|np-~-~)-~-primary-eth0", 3) {
		if !slices.Equal(it.finalizers, []string{"networkinterface.netoperator.vmware.com"}) {
			t.Errorf("1.17: NetworkInterface %s has finalizers %v", it.Name, it.finalizers)
		}
	}
	for _, kind := range []string{"SubnetSet", "SubnetPort", "VirtualNetwork"} {
		if n := len(h.present()[kind]); n != 0 {
			t.Errorf("%d %s on port groups, want none", n, kind)
		}
	}
	h.inOrder(t, "1.15: the endpoint follows the VMs", made("Endpoints", "prod"), operated("guest.ipAddress", cp))
}

func TestTier1GatewaysHaveAVirtualNetworkPerCluster(t *testing.T) {
	t.Parallel()
	h, _ := play(t, run{manifests: namespaceTeamA + clusterProd(1, 2), inventory: siteOn(t, inventory.Networks{Provider: inventory.NSXT, PrivateCIDRs: []string{"172.26.0.0/24"}, SubnetSize: 16})})

	endpointComesFirst(t, h)
	h.inOrder(t, "E13-E15", made("VirtualNetwork", pattern("prod-~-vnet")), says("VirtualNetwork", ".*", "Ready", "True", ""),
		made("VirtualMachineService", "prod"))
	h.inOrder(t, "E14: the network is waited for", says("VSphereCluster", ".*", "NetworkReady", "False", "NotReady"), says("VSphereCluster", ".*", "NetworkReady", "True", ""))
	for _, it := range h.named(t, "VirtualNetwork", "prod-~-vnet", 1) {
		if len(it.owners) != 1 || it.owners[0].Kind != "VSphereCluster" || it.owners[0].Controller {
			t.Errorf("1.0: VirtualNetwork %s has owners %v", it.Name, it.owners)
		}
	}
	for _, it := range h.named(t, "VirtualNetworkInterface", "prod-(~|np-~-~)-~-prod-~-vnet-eth0", 3) {
		if len(it.owners) != 1 || it.owners[0].Kind != "VirtualMachine" {
			t.Errorf("1.0: VirtualNetworkInterface %s has owners %v", it.Name, it.owners)
		}
	}
}

func TestAPoolOfPortGroupsRunsOut(t *testing.T) {
	t.Parallel()
	h, _ := play(t, run{fails: true, manifests: namespaceTeamA + clusterProd(1, 3), inventory: siteOn(t, inventory.Networks{Provider: inventory.VDS, Ranges: []string{"172.26.0.10-172.26.0.12"}})})

	h.first(t, says("NetworkInterface", ".*", "Failure", "True", "CannotAllocIP"))
	refused := h.first(t, says("NetworkInterface", ".*", "Ready", "False", "CannotAllocIP"))
	vm := strings.TrimSuffix(h[refused].Object.Name, "-primary-eth0")
	h.inOrder(t, "one hop up after the other", says("NetworkInterface", vm+"-primary-eth0", "Ready", "False", "CannotAllocIP"), complains("VirtualMachine", vm, "all in use"),
		complains("VSphereMachine", vm, "all in use"), complains("Machine", vm, "all in use"))
	if n := len(h.all(operated("CreateVM_Task", ".*"))); n != 3 {
		t.Errorf("%d VMs were made with 3 addresses", n)
	}
	used := int64(0)
	for _, e := range h {
		if e.Usage == nil {
			continue
		}
		for _, m := range e.Usage.Meters {
			if m.Kind == journal.Addresses && m.Name == journal.IPPool+" primary-1" {
				used = m.Used
			}
		}
	}
	if used != 3 {
		t.Errorf("the meter of the pool ends at %d, want 3", used)
	}
}

func TestANamespaceCannotHaveANetworkOfAnotherProvider(t *testing.T) {
	t.Parallel()
	h, _ := play(t, run{fails: true, manifests: namespaceTeamA + "  network: {provider: VDS}\n"})
	const says = "The network provider VSPHERE_NETWORK is not that of Supervisor lab, which connects its namespaces with NSX_VPC."
	for _, e := range h {
		if e.Action != nil && strings.Contains(e.Action.Message, says) {
			return
		}
	}
	t.Error("nobody said which provider the Supervisor has")
}

// A world that was saved knows who has which address.
func TestAddressesOutliveTheirWorld(t *testing.T) {
	t.Parallel()
	for _, networks := range []inventory.Networks{
		{Provider: inventory.NSXVPC, PrivateCIDRs: []string{"172.26.0.0/24"}, SubnetSize: 16},
		{Provider: inventory.NSXT, PrivateCIDRs: []string{"172.26.0.0/24"}, SubnetSize: 16},
		{Provider: inventory.VDS, Ranges: []string{"172.26.0.10-172.26.0.20"}},
	} {
		t.Run(networks.Provider, func(t *testing.T) {
			t.Parallel()
			folder, site := t.TempDir(), siteOn(t, networks)
			before, _ := play(t, run{manifests: namespaceTeamA + clusterProd(1, 2), inventory: site, save: folder})
			after, _ := play(t, run{manifests: namespaceTeamA + clusterProd(1, 4), inventory: site, from: folder})
			has := map[string]string{}
			for _, e := range append(before, after...) {
				if e.VM == nil || e.VM.Op != "guest.ipAddress" {
					continue
				}
				if other, taken := has[e.VM.IP]; taken && other != e.VM.Name {
					t.Errorf("%s and %s both have %s", other, e.VM.Name, e.VM.IP)
				}
				has[e.VM.IP] = e.VM.Name
			}
			if len(has) != 5 {
				t.Errorf("5 machines have %d addresses: %v", len(has), has)
			}
		})
	}
}
