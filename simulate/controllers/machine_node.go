package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// findNode looks for the Node with the machine's provider ID in the workload
// cluster, and when it will have changed.
func (m *Manager) findNode(p *machineParts, u, cluster *unstructured.Unstructured, last *machineTaken, now time.Time) {
	p.home = m.view(cluster)
	p.counts = p.home.initialized("controlPlaneInitialized")
	p.connected = p.counts
	if !p.connected {
		at, known := m.connectionTime(cluster)
		if p.connected = known && !at.After(now); !p.connected {
			if known {
				p.again = at.Sub(now) + hop
			}
			return
		}
	}
	if last.knowsNode(*p, now) {
		p.node = last.node
	} else {
		p.node = m.nodeOf(u)
	}
	p.again = until(p.node.next, now)
}

// noteNode writes what the Node says of the machine. Which Node it is shows as soon
// as it is found, its conditions a little later (observed.md 6.1, step 14).
func noteNode(d *draft, v *view, p machineParts) {
	if p.home == nil {
		return
	}
	known := p.node.exists && resource.Text(d.root, "spec", "providerID") != ""
	if p.connected && known {
		referToNode(d, v, p.home)
	}
	switch {
	case !p.counts:
		nodeConditions(d, "Unknown", "InspectionFailed", "Waiting for Cluster control plane to be initialized")
	case !p.node.exists:
		missingNode(d)
	case !known:
		nodeConditions(d, "Unknown", "InspectionFailed", "Waiting for VSphereMachine to report spec.providerID")
	default:
		mirrorNode(d, p.node.ready)
	}
}

// referToNode names the Node that was found.
func referToNode(d *draft, v, home *view) {
	if resource.Text(v.status, "nodeRef", "name") == "" {
		d.set(v.name, "status", "nodeRef", "name")
		d.set(resource.Text(v.spec, "version"), "status", "nodeInfo", "kubeletVersion")
		d.replace(unite(&home.share().node, resource.Fields(d.root, "status", "nodeInfo")), "status", "nodeInfo")
	}
}

// mirrorNode says of the machine what its Node's condition Ready says.
func mirrorNode(d *draft, ready string) {
	switch ready {
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
}

// missingNode says what it means that there is no Node.
func missingNode(d *draft) {
	name, going := resource.Text(d.root, "status", "nodeRef", "name"), d.deleting()
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
	if !d.changed() {
		return true
	}
	name := resource.Text(d.root, "status", "nodeRef", "name")
	return name == resource.Text(v.status, "nodeRef", "name") && (name == "" ||
		resource.Text(d.root, "status", "lastUpdated") == resource.Text(v.status, "lastUpdated") &&
			d.status("NodeReady") == v.condition("NodeReady").Status)
}
