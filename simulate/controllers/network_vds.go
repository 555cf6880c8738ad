package controllers

import (
	"fmt"
	"net/netip"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/kubeapi"
)

// networkVDS is vSphere Distributed Switches: a Network in each vSphere Namespace,
// and a NetworkInterface for an interface (domain.md 1.17; observed.md 6.5).
var networkVDS = networkProvider{
	of:      kindNetwork,
	nic:     kindNetworkInterface,
	network: (*Manager).defaultNetwork,
	prepare: func(*Manager, *unstructured.Unstructured, *unstructured.Unstructured) (string, error) { return "", nil },
	describe: func(nic map[string]any, _ *unstructured.Unstructured, network string) {
		nic["spec"] = map[string]any{"type": "vmxnet3", "networkName": network}
	},
	address:    firstIPConfig,
	finalizer:  "networkinterface.netoperator.vmware.com",
	balanced:   true,
	balancer:   actorBalancer,
	annotation: func(network string) (string, string) { return "netoperator.vmware.com/network-name", network },
	probed:     true,
}

const (
	// labelDefaultNetwork marks the Network that CAPV takes.
	labelDefaultNetwork       = "capv.vmware.com/is-default-network"
	labelDefaultNetworkLegacy = "capw.vmware.com/is-default-network"
	// workloadNetwork is what the one network of a site is called here.
	workloadNetwork = "primary"
	// netOperatorNamespace is where the site's side of a network is described.
	netOperatorNamespace = "vmware-system-netop"
)

// defaultNetwork is the one Network of a namespace that is labelled as default, in
// the present way or the older, or "" where there is none or more than one.
func (m *Manager) defaultNetwork(namespace, _ string) string {
	for _, label := range []string{labelDefaultNetwork, labelDefaultNetworkLegacy} {
		if networks := m.store.List(kindNetwork.GroupKind, namespace, map[string]string{label: "true"}); len(networks) == 1 {
			return nameOf(networks[0])
		}
	}
	return ""
}

// noNetwork is what CAPV says of a cluster whose network has no name.
const noNetwork = "no default network found with label " + labelDefaultNetwork

// describeNetworks writes what a Supervisor on distributed switches has of networks
// before anybody uses it: the port group and the pools of its addresses.
func (m *Manager) describeNetworks() error {
	if m.networkProvider() != &networkVDS {
		return nil
	}
	if _, err := m.create(actorReleases, kindNamespace, map[string]any{"metadata": map[string]any{"name": netOperatorNamespace}}); err != nil {
		return err
	}
	var pools []any
	for i, r := range m.inventory.NodeRanges() {
		name := poolName(i)
		if _, err := m.create(actorNetOperator, kindIPPool, map[string]any{
			"metadata": map[string]any{"namespace": netOperatorNamespace, "name": name},
			"spec":     map[string]any{"startingAddress": r.First.String(), "addressCount": r.Count()},
			"status":   map[string]any{"allocated": int64(0)},
		}); err != nil {
			return err
		}
		pools = append(pools, map[string]any{"apiGroup": groupNetOperator, "kind": kindIPPool.Kind, "name": name})
	}
	_, err := m.create(actorNetOperator, kindDistributedNetwork, map[string]any{
		"metadata": map[string]any{"namespace": netOperatorNamespace, "name": workloadNetwork},
		"spec":     map[string]any{"ipAssignmentMode": "staticpool", "ipPools": pools},
	})
	return err
}

// poolName is what the IPPool of the range at an index is called.
func poolName(index int) string { return fmt.Sprintf("%s-%d", workloadNetwork, index+1) }

// openNetwork gives a vSphere Namespace its Network.
func (m *Manager) openNetwork(namespace string) error {
	if m.networkProvider() != &networkVDS {
		return nil
	}
	_, err := m.create(actorNetOperator, kindNetwork, map[string]any{
		"metadata": map[string]any{"namespace": namespace, "name": workloadNetwork, "labels": map[string]any{labelDefaultNetwork: "true"}},
		"spec": map[string]any{
			"type":        "vsphere-distributed",
			"providerRef": map[string]any{"apiGroup": groupNetOperator, "kind": kindDistributedNetwork.Kind, "name": workloadNetwork, "namespace": netOperatorNamespace},
		},
	})
	return err
}

// notifyPools has the pools counted where an interface came to an address or went.
func (m *Manager) notifyPools(c kubeapi.Change) {
	if m.networkProvider() != &networkVDS || firstIPConfig(c.Before) == firstIPConfig(c.After) {
		return
	}
	for i := range m.inventory.NodeRanges() {
		m.enqueueKey(kindIPPool.key(netOperatorNamespace, poolName(i)), hop)
	}
}

// reconcileIPPool counts what is taken of a pool.
func (m *Manager) reconcileIPPool(u *unstructured.Unstructured) (time.Duration, error) {
	first, err := netip.ParseAddr(resource.Text(u.Object, "spec", "startingAddress"))
	if err != nil {
		return 0, nil // somebody's own, which nobody hands out
	}
	var taken int64
	for _, r := range m.addresses.nodes.ranges {
		if r.First == first {
			taken = m.addresses.nodes.takenOf(r)
		}
	}
	d := edit(u, m.now())
	d.set(taken, "status", "allocated")
	full := "False"
	if taken >= resource.Int(u.Object, "spec", "addressCount") {
		full = "True"
	}
	if d.status("full") != full {
		d.declare("full", full)
	}
	return 0, m.commit(actorNetOperator, d)
}
