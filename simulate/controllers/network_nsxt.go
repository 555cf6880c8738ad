package controllers

import (
	"net"
	"net/netip"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// networkNSXT is NSX with tier-1 gateways: a VirtualNetwork for a cluster, a
// VirtualNetworkInterface for an interface (domain.md 1.17).
var networkNSXT = networkProvider{
	of:      kindVirtualNetwork,
	nic:     kindVirtualNetworkInterface,
	network: func(_ *Manager, _, infrastructure string) string { return virtualNetworkName(infrastructure) },
	prepare: (*Manager).prepareVirtualNetwork,
	describe: func(nic map[string]any, _ *unstructured.Unstructured, network string) {
		nic["spec"] = map[string]any{"virtualNetwork": network}
	},
	address:      firstIPAddress,
	balanced:     true,
	balancerSays: true,
	balancer:     actorNCP,
	annotation:   func(network string) (string, string) { return "ncp.vmware.com/virtual-network-name", network },
	probed:       true,
}

func virtualNetworkName(infrastructure string) string { return infrastructure + "-vnet" }

// prepareVirtualNetwork makes the VirtualNetwork of a cluster (domain.md E13-E14).
func (m *Manager) prepareVirtualNetwork(u, _ *unstructured.Unstructured) (missing string, err error) {
	name := virtualNetworkName(nameOf(u))
	network, err := m.create(actorProvider, kindVirtualNetwork, map[string]any{
		"metadata": map[string]any{"namespace": namespaceOf(u), "name": name, "ownerReferences": []any{ref(u, false)}},
		"spec":     map[string]any{},
	})
	switch {
	case err != nil:
		return "", err
	case !isTrue(network.Object, "Ready"):
		return "VirtualNetwork " + name + " is not ready", nil
	}
	return "", nil
}

// reconcileVirtualNetwork makes a VirtualNetwork ready. Its subnets are carved when
// an interface asks for an address.
func (m *Manager) reconcileVirtualNetwork(u *unstructured.Unstructured) (time.Duration, error) {
	if isTrue(u.Object, "Ready") {
		return 0, nil
	}
	if wait := createdAt(u).Add(m.takes(StepVirtualNetwork, uidOf(u))).Sub(m.now()); wait > 0 {
		return wait, nil
	}
	d := edit(u, m.now())
	d.declare("Ready", "True")
	return 0, m.commit(actorNCP, d)
}

// reconcileVirtualNetworkInterface gives an interface an address of its network, or
// says that there is none left.
func (m *Manager) reconcileVirtualNetworkInterface(u *unstructured.Unstructured) (time.Duration, error) {
	if isTrue(u.Object, "Ready") {
		return 0, nil
	}
	if wait := createdAt(u).Add(m.takes(StepSubnetPort, uidOf(u))).Sub(m.now()); wait > 0 {
		return wait, nil
	}
	namespace, name := namespaceOf(u), resource.Text(u.Object, "spec", "virtualNetwork")
	network := m.get(kindVirtualNetwork, namespace, name)
	if network == nil || !isTrue(network.Object, "Ready") {
		return pace, nil
	}
	d := edit(u, m.now())
	lease, err := m.addresses.lease(m.vpcOf(namespace), namespace+"/"+name, uidOf(u))
	if err != nil {
		d.condition("Ready", "False", "IPAllocationFailed", err.Error())
		return exhaustedRetry, m.commit(actorNCP, d)
	}
	d.replace([]any{map[string]any{
		"ip": lease.address.String(), "gateway": lease.gateway.String(),
		"subnetMask": net.IP(net.CIDRMask(lease.subnet.Bits(), 32)).String(),
	}}, "status", "ipAddresses")
	d.set(macOf(m.chance, uidOf(u)), "status", "macAddress")
	d.set(m.chance.UUID("attachment", uidOf(u)), "status", "interfaceID")
	d.set(m.chance.UUID("port", uidOf(u)), "status", "providerStatus", "nsxLogicalPortID")
	d.set(m.chance.UUID("switch", lease.subnet.String()), "status", "providerStatus", "nsxLogicalSwitchID")
	d.declare("Ready", "True")
	return 0, m.commit(actorNCP, d)
}

// firstIPAddress is the address of a VirtualNetworkInterface.
func firstIPAddress(nic *unstructured.Unstructured) string {
	for _, address := range resource.Items(contentOf(nic), "status", "ipAddresses") {
		return resource.Text(address, "ip")
	}
	return ""
}

// prefixOf is the subnet of a VirtualNetworkInterface with its own address; false
// when it has none.
func prefixOf(nic *unstructured.Unstructured) (netip.Prefix, bool) {
	addresses := resource.Items(nic.Object, "status", "ipAddresses")
	if len(addresses) == 0 {
		return netip.Prefix{}, false
	}
	ip, err := netip.ParseAddr(resource.Text(addresses[0], "ip"))
	mask, errMask := netip.ParseAddr(resource.Text(addresses[0], "subnetMask"))
	if err != nil || errMask != nil || !mask.Is4() {
		return netip.Prefix{}, false
	}
	ones, _ := net.IPMask(mask.AsSlice()).Size()
	return netip.PrefixFrom(ip, ones), true
}
