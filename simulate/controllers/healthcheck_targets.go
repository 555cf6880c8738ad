package controllers

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// nodeStartup is how long a machine may take to have a Node where a check does not
// say (domain.md 1.6).
const nodeStartup = 600

// A finding is what a check found wrong with a machine; the zero value is nothing.
type finding struct {
	reason, message string
	// again is when the machine could fail unless something happens; zero is never.
	again time.Duration
	// pending says that the machine is on its way to fail: it has no Node yet, or a
	// condition that it must not have for long.
	pending bool
	node    bool // whether the machine has its Node
}

// well says whether a check says of a machine that it is healthy: there is a Node, and
// nothing that could fail. Until then, and once it goes, it is neither that nor failed.
func (f finding) well(machine *unstructured.Unstructured) bool {
	return f.reason == "" && f.node && !f.pending && !deleting(machine)
}

// examine looks at one machine (domain.md 3.5).
func (m *Manager) examine(check, cluster, machine *unstructured.Unstructured) finding {
	if resource.Field(machine.Object, "metadata", "annotations", annotationRemediate) != nil {
		return finding{reason: "HasRemediateAnnotation", message: "Health check failed: marked for remediation via cluster.x-k8s.io/remediate-machine annotation"}
	}
	if started := isTrue(cluster.Object, "ControlPlaneInitialized"); !isTrue(cluster.Object, "InfrastructureReady") || !started && !hasLabel(machine, labelControlPlane) {
		return finding{node: started && nodeNameOf(machine) != "" && m.nodeOf(machine).exists}
	}
	onMachine := m.examineConditions(machine.Object, resource.Items(check.Object, "spec", "checks", "unhealthyMachineConditions"))
	onNode := m.examineNode(check, cluster, machine)
	switch {
	case onMachine.message == "" && onNode.message == "":
		return finding{again: soonest(onMachine.again, onNode.again), pending: onMachine.pending || onNode.pending, node: onNode.node}
	case onMachine.message == "":
		return failedCheck(onNode.reason, onNode.message)
	case onNode.message == "":
		return failedCheck("UnhealthyMachine", onMachine.message)
	}
	return failedCheck("UnhealthyMachine", onMachine.message+"\n  * "+onNode.message)
}

func failedCheck(reason, message string) finding {
	return finding{reason: reason, message: "Health check failed:\n  * " + message}
}

// examineConditions finds a condition of a Machine that is what it must not be for
// too long. The message is "" while none is.
func (m *Manager) examineConditions(content map[string]any, rules []any) finding {
	var f finding
	for _, rule := range rules {
		kind, status := resource.Text(rule, "type"), resource.Text(rule, "status")
		c := resource.ConditionOf(content, kind)
		if c.Type == "" || c.Status != status {
			continue
		}
		f = f.and(m.overdue("Machine", kind, status, c.Reason, since(content, kind), rule))
	}
	return f
}

// examineNode looks whether the machine has a Node in time, has it still, and in
// what state it is. Nodes can be seen once the control plane is initialized.
func (m *Manager) examineNode(check, cluster, machine *unstructured.Unstructured) finding {
	if name := nodeNameOf(machine); name != "" && isTrue(cluster.Object, "ControlPlaneInitialized") {
		n := m.nodeOf(machine)
		if !n.exists {
			return finding{reason: "NodeDeleted", message: "Node " + name + " has been deleted"}
		}
		f := finding{node: true}
		for _, rule := range resource.Items(check.Object, "spec", "checks", "unhealthyNodeConditions") {
			if resource.Text(rule, "type") != "Ready" || resource.Text(rule, "status") != n.ready {
				continue // the simulated nodes have no other condition
			}
			f = f.and(m.overdue("Node", "Ready", n.ready, map[string]string{"Unknown": "NodeStatusUnknown", "False": "KubeletNotReady", "True": "KubeletReady"}[n.ready], n.since, rule))
		}
		if f.message != "" {
			f.reason = "UnhealthyNode"
		}
		if f.again == 0 && !n.next.IsZero() {
			f.again = n.next.Sub(m.now()) + hop
		}
		return f
	}
	limit := int64(nodeStartup)
	if given := resource.Field(check.Object, "spec", "checks", "nodeStartupTimeoutSeconds"); given != nil {
		limit = resource.Int(check.Object, "spec", "checks", "nodeStartupTimeoutSeconds")
	}
	if limit == 0 {
		return finding{}
	}
	from := createdAt(machine)
	for _, at := range []time.Time{
		trueSince(cluster.Object, "ControlPlaneInitialized"), trueSince(cluster.Object, "InfrastructureReady"), trueSince(machine.Object, "InfrastructureReady"),
	} {
		if at.After(from) {
			from = at
		}
	}
	timeout := time.Duration(limit) * time.Second
	if left := from.Add(timeout).Sub(m.now()); left >= 0 {
		return finding{again: left + time.Second, pending: true}
	}
	return finding{reason: "NodeStartupTimeout", message: fmt.Sprintf("Node failed to report startup in %s", timeout)}
}

// nodeNameOf is the Node that a Machine has, or "".
func nodeNameOf(machine *unstructured.Unstructured) string {
	return resource.Text(machine.Object, "status", "nodeRef", "name")
}

func trueSince(content map[string]any, kind string) time.Time {
	if !isTrue(content, kind) {
		return time.Time{}
	}
	return since(content, kind)
}

// overdue is whether a condition has had its status for longer than a rule allows,
// and if not when it will have.
func (m *Manager) overdue(of, kind, status, reason string, at time.Time, rule any) finding {
	timeout := time.Duration(resource.Int(rule, "timeoutSeconds")) * time.Second
	if left := at.Add(timeout).Sub(m.now()); left >= 0 {
		return finding{again: left + time.Second, pending: true}
	}
	return finding{message: fmt.Sprintf("Condition %s on %s is reporting status %s with reason %s for more than %s", kind, of, status, reason, timeout)}
}

// and joins two findings about the same object.
func (f finding) and(other finding) finding {
	switch {
	case f.message == "":
		f.message = other.message
	case other.message != "":
		f.message += "\n  * " + other.message
	}
	f.again, f.pending = soonest(f.again, other.again), f.pending || other.pending
	return f
}
