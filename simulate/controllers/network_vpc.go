package controllers

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// networkVPC is NSX VPC: a SubnetSet for a cluster, a SubnetPort for an interface.
var networkVPC = networkProvider{
	of:      kindSubnetSet,
	nic:     kindSubnetPort,
	network: func(_ *Manager, _, infrastructure string) string { return infrastructure },
	prepare: (*Manager).prepareSubnetSet,
	describe: func(nic map[string]any, vm *unstructured.Unstructured, network string) {
		resource.SetField(nic, "virtualmachine/"+nameOf(vm)+"/"+interfaceName, "metadata", "annotations", "nsx.vmware.com/attachment_ref")
		nic["spec"] = map[string]any{"subnetSet": network}
	},
	address:      portAddress,
	balanced:     true,
	balancerSays: true,
	balancer:     actorNetwork,
	annotation:   func(string) (string, string) { return "lb.iaas.vmware.com/enable-endpoint-health-check", "" },
}

// exhaustedRetry is how long nsx-operator waits before it tries again where
// addresses have run out (domain.md 2.3).
const exhaustedRetry = time.Minute

// prepareSubnetSet makes the SubnetSet of a cluster (domain.md E13-E14).
func (m *Manager) prepareSubnetSet(u, _ *unstructured.Unstructured) (missing string, err error) {
	subnets, err := m.create(actorProvider, kindSubnetSet, map[string]any{
		"metadata": map[string]any{
			"namespace": namespaceOf(u), "name": nameOf(u),
			"ownerReferences": []any{ref(u, false)},
		},
		"spec": map[string]any{},
	})
	switch {
	case err != nil:
		return "", err
	case !isTrue(subnets.Object, "Ready"):
		return "SubnetSet " + nameOf(subnets) + " is not ready", nil
	}
	return "", nil
}

// reconcileSubnetSet makes a SubnetSet ready. That needs no NSX subnet: those
// are carved when a port asks for one (domain.md 1.17, E14).
func (m *Manager) reconcileSubnetSet(u *unstructured.Unstructured) (time.Duration, error) {
	if isTrue(u.Object, "Ready") {
		return 0, nil
	}
	if wait := createdAt(u).Add(m.takes(StepSubnetSet, uidOf(u))).Sub(m.now()); wait > 0 {
		return wait, nil
	}
	d := m.draft(u)
	d.set(int64(m.subnetSize(namespaceOf(u))), "spec", "ipv4SubnetSize")
	d.set("Private", "spec", "accessMode")
	d.condition("Ready", "True", "SubnetSetReady", "SubnetSet has been created successfully")
	return 0, m.commit(actorNetwork, d)
}

// reconcileSubnetPort gives a port an address of its SubnetSet, carving another
// subnet from the VPC's private block when those there are full (domain.md E29, V12).
func (m *Manager) reconcileSubnetPort(u *unstructured.Unstructured) (time.Duration, error) {
	if isTrue(u.Object, "Ready") {
		return 0, nil
	}
	if wait := createdAt(u).Add(m.takes(StepSubnetPort, uidOf(u))).Sub(m.now()); wait > 0 {
		return wait, nil
	}
	namespace := namespaceOf(u)
	set := m.get(kindSubnetSet, namespace, resource.Text(u.Object, "spec", "subnetSet"))
	if set == nil || !isTrue(set.Object, "Ready") {
		return pace, nil
	}
	d := m.draft(u)
	lease, err := m.addresses.lease(m.vpcOf(namespace), namespace+"/"+nameOf(set), uidOf(u))
	if err != nil {
		d.condition("Ready", "False", "SubnetPortNotReady", err.Error())
		return exhaustedRetry, m.commit(actorNetwork, d)
	}
	if err := m.recordSubnet(set, lease); err != nil {
		return 0, err
	}
	d.set(m.chance.UUID("attachment", uidOf(u)), "status", "attachment", "id")
	d.set(m.chance.UUID("switch", lease.subnet.String()), "status", "networkInterfaceConfig", "logicalSwitchUUID")
	d.set(macOf(m.chance, uidOf(u)), "status", "networkInterfaceConfig", "macAddress")
	d.replace([]any{map[string]any{
		"ipAddress": fmt.Sprintf("%s/%d", lease.address, lease.subnet.Bits()),
		"gateway":   lease.gateway.String(),
	}}, "status", "networkInterfaceConfig", "ipAddresses")
	d.condition("Ready", "True", "SubnetPortReady", "NSX subnet port has been successfully created/updated")
	return 0, m.commit(actorNetwork, d)
}

// recordSubnet lists a newly carved subnet in the status of its set.
func (m *Manager) recordSubnet(set *unstructured.Unstructured, l lease) error {
	cidr := l.subnet.String()
	listed := resource.Items(set.Object, "status", "subnets")
	for _, s := range listed {
		if known := resource.Items(s, "networkAddresses"); len(known) == 1 && known[0] == cidr {
			return nil
		}
	}
	d := edit(set, m.now())
	d.replace(append(append([]any{}, listed...), map[string]any{
		"networkAddresses": []any{cidr},
		"gatewayAddresses": []any{fmt.Sprintf("%s/%d", l.gateway, l.subnet.Bits())},
	}), "status", "subnets")
	return m.commit(actorNetwork, d)
}

// macOf draws a locally administered MAC address.
func macOf(c Chance, id string) string {
	b := c.bitsFor("mac", id)
	return fmt.Sprintf("04:50:56:%02x:%02x:%02x", byte(b), byte(b>>8), byte(b>>16))
}

// portAddress is the address of a SubnetPort without its prefix length.
func portAddress(port *unstructured.Unstructured) string {
	for _, item := range resource.Items(contentOf(port), "status", "networkInterfaceConfig", "ipAddresses") {
		text := resource.Text(item, "ipAddress")
		for i := range text {
			if text[i] == '/' {
				return text[:i]
			}
		}
	}
	return ""
}
