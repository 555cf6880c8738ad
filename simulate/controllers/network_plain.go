package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// networkPlain is a Supervisor without a network of its own: one NetworkInterface
// for each VM and nothing else, as in the recording (observed.md 5).
var networkPlain = networkProvider{
	nic:     kindNetworkInterface,
	network: func(*Manager, string, string) string { return "" },
	prepare: func(*Manager, *unstructured.Unstructured, *unstructured.Unstructured) (string, error) { return "", nil },
	describe: func(nic map[string]any, _ *unstructured.Unstructured, _ string) {
		nic["spec"] = map[string]any{"type": "vmxnet3"}
	},
	address: firstIPConfig,
	probed:  true,
}

// firstIPConfig is the address of a NetworkInterface.
func firstIPConfig(nic *unstructured.Unstructured) string {
	for _, config := range resource.Items(contentOf(nic), "status", "ipConfigs") {
		return resource.Text(config, "ip")
	}
	return ""
}

// reconcileNetworkInterface gives an interface an address of the site's ranges, or
// says that there is none left (domain.md 1.17).
func (m *Manager) reconcileNetworkInterface(u *unstructured.Unstructured) (time.Duration, error) {
	if isTrue(u.Object, "Ready") {
		return 0, nil
	}
	if wait := createdAt(u).Add(m.takes(StepInterface, uidOf(u))).Sub(m.now()); wait > 0 {
		return wait, nil
	}
	d := edit(u, m.now())
	address, err := m.addresses.nodes.lease(uidOf(u))
	if err != nil {
		d.condition("Failure", "True", "CannotAllocIP", err.Error())
		d.condition("Ready", "False", "CannotAllocIP", err.Error())
		return exhaustedRetry, m.commit(actorNetOperator, d)
	}
	d.dropConditions("Failure", "Ready")
	d.replace([]any{map[string]any{"ip": address.String(), "ipFamily": "IPv4"}}, "status", "ipConfigs")
	d.set(macOf(m.chance, uidOf(u)), "status", "macAddress")
	d.set(m.chance.UUID("external", uidOf(u)), "status", "externalID")
	d.declare("Ready", "True")
	return 0, m.commit(actorNetOperator, d)
}
