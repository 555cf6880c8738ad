package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// findNode looks for the Node with the machine's provider ID in the workload
// cluster. It returns when the Node will have changed.
func (m *Manager) findNode(d *draft, cluster *unstructured.Unstructured, connected bool) time.Duration {
	if cluster == nil {
		return 0
	}
	if !connected {
		at, known := m.connectionTime(cluster)
		if !known || at.After(d.now) {
			nodeConditions(d, "Unknown", "InspectionFailed", "Waiting for Cluster control plane to be initialized")
			if !known {
				return 0
			}
			return at.Sub(d.now) + hop
		}
	}
	n := m.nodeOf(d.base)
	again := until(n.next, d.now)
	if !n.exists {
		missingNode(d)
		return again
	}
	if resource.Text(d.root, "spec", "providerID") == "" {
		nodeConditions(d, "Unknown", "InspectionFailed", "Waiting for VSphereMachine to report spec.providerID")
		return again
	}
	if resource.Text(d.root, "status", "nodeRef", "name") == "" {
		d.set(nameOf(d.base), "status", "nodeRef", "name")
		d.set(resource.Text(d.root, "spec", "version"), "status", "nodeInfo", "kubeletVersion")
	}
	switch n.ready {
	case "True":
		d.condition("NodeReady", "True", "NodeReady", "")
		d.condition("NodeHealthy", "True", "NodeHealthy", "")
	case "False":
		const why = "* Node.Ready: container runtime network not ready: cni plugin not initialized"
		d.condition("NodeReady", "False", "NodeNotReady", why)
		d.condition("NodeHealthy", "False", "NodeNotHealthy", why)
	default:
		d.condition("NodeReady", "Unknown", "NodeReadyUnknown", "* Node.Ready: Kubelet stopped posting node status.")
		d.condition("NodeHealthy", "Unknown", "NodeHealthUnknown", "* Node.AllConditions: Kubelet stopped posting node status.")
	}
	return again
}

// missingNode says what it means that there is no Node.
func missingNode(d *draft) {
	name, going := resource.Text(d.root, "status", "nodeRef", "name"), deleting(d.base)
	providerID := resource.Text(d.root, "spec", "providerID")
	switch {
	case name != "" && going:
		nodeConditions(d, "False", "NodeDeleted", "Node "+name+" has been deleted")
	case going:
		nodeConditions(d, "Unknown", "NodeDoesNotExist", "Node does not exist")
	case name != "":
		nodeConditions(d, "False", "NodeDeleted", "Node "+name+" has been deleted while the Machine still exists")
	case providerID != "":
		nodeConditions(d, "Unknown", "InspectionFailed", "Waiting for a Node with spec.providerID "+providerID+" to exist")
	default:
		nodeConditions(d, "Unknown", "InspectionFailed", "Waiting for VSphereMachine to report spec.providerID")
	}
}

func nodeConditions(d *draft, status, reason, message string) {
	d.condition("NodeReady", status, reason, message)
	d.condition("NodeHealthy", status, reason, message)
}

// sameNodeStatus says whether a pass leaves in a Machine all that the state of its
// Node follows from: else the next pass may find another.
func sameNodeStatus(d *draft, v *view) bool {
	return !d.changed() ||
		resource.Text(d.root, "status", "nodeRef", "name") == resource.Text(v.status, "nodeRef", "name") &&
			resource.Text(d.root, "status", "lastUpdated") == resource.Text(v.status, "lastUpdated") &&
			d.status("NodeReady") == v.condition("NodeReady").Status
}
