package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// firstIPConfig is the address of a NetworkInterface.
func firstIPConfig(nic *unstructured.Unstructured) string {
	for _, config := range resource.Items(contentOf(nic), "status", "ipConfigs") {
		return resource.Text(config, "ip")
	}
	return ""
}

// reconcileNetworkInterface gives an interface an address of the site's ranges, or
// says that there is none left (domain.md 1.17). vm-operator looks at Ready alone.
func (m *Manager) reconcileNetworkInterface(u *unstructured.Unstructured) (time.Duration, error) {
	d := edit(u, m.now())
	finalizer := m.networkProvider().finalizer
	switch {
	case deleting(u):
		d.removeFinalizers(finalizer)
		return 0, m.commit(actorNetOperator, d)
	case finalizer != "":
		d.addFinalizer(finalizer)
	}
	if isTrue(u.Object, "Ready") {
		return 0, m.commit(actorNetOperator, d)
	}
	if wait := createdAt(u).Add(m.takes(StepInterface, uidOf(u))).Sub(m.now()); wait > 0 {
		return wait, m.commit(actorNetOperator, d)
	}
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
