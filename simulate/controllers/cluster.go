package controllers

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// deletePoll is how often the cluster controller looks whether what it deleted is gone.
const deletePoll = 5 * time.Second

// reconcileCluster adopts what the topology made, copies the endpoint, passes
// the two barriers, and sums everything up in conditions (domain.md E10, E19,
// E41, E52).
func (m *Manager) reconcileCluster(cluster *unstructured.Unstructured) (time.Duration, error) {
	d := edit(cluster, m.now())
	if !deleting(cluster) && !d.hasFinalizer(finalizerCluster) {
		d.addFinalizer(finalizerCluster)
		return 0, m.commit(actorCore, d)
	}
	if held(d, cluster) {
		return 0, m.commit(actorCore, d)
	}
	if deleting(cluster) {
		return m.deleteCluster(cluster)
	}
	if introduce(d, finalizerCluster) {
		return 0, m.commit(actorCore, d)
	}
	infrastructure, controlPlane := m.infrastructureOf(cluster), m.controlPlaneOf(cluster)
	if infrastructure == nil || controlPlane == nil {
		return 0, m.commit(actorCore, d)
	}
	for _, u := range []*unstructured.Unstructured{infrastructure, controlPlane} {
		if err := m.adopt(cluster, u); err != nil {
			return 0, err
		}
	}
	m.copyInfrastructure(d, infrastructure)
	again := m.probeConnection(d, cluster)
	if initialized(controlPlane, "controlPlaneInitialized") {
		d.set(true, "status", "initialization", "controlPlaneInitialized")
	}
	deployments := m.ofCluster(kindMachineDeployment, namespaceOf(cluster), nameOf(cluster))
	summarizeCluster(d, infrastructure, controlPlane, deployments)
	d.set(clusterPhase(d), "status", "phase")
	d.set(resource.Int(cluster.Object, "metadata", "generation"), "status", "observedGeneration")
	return again, m.commit(actorCore, d)
}

// adopt makes the Cluster the controller of u. The shim stays an owner until the
// topology controller takes it out.
func (m *Manager) adopt(cluster, u *unstructured.Unstructured) error {
	if ownedBy(u, cluster) {
		return nil
	}
	d := edit(u, m.now())
	d.setOwners(append(append([]any{}, resource.Items(u.Object, "metadata", "ownerReferences")...), ref(cluster, true))...)
	return m.commit(actorCore, d)
}

// copyInfrastructure takes over the endpoint and the barrier.
func (m *Manager) copyInfrastructure(d *draft, infrastructure *unstructured.Unstructured) {
	if !initialized(infrastructure, "provisioned") {
		return
	}
	host := resource.Text(infrastructure.Object, "spec", "controlPlaneEndpoint", "host")
	d.set(host, "spec", "controlPlaneEndpoint", "host")
	d.set(resource.Int(infrastructure.Object, "spec", "controlPlaneEndpoint", "port"), "spec", "controlPlaneEndpoint", "port")
	d.set(true, "status", "initialization", "infrastructureProvisioned")
	if resource.Field(d.root, "status", "failureDomains") == nil {
		if domains := resource.Items(infrastructure.Object, "status", "failureDomains"); domains != nil {
			d.replace(domains, "status", "failureDomains")
		}
	}
}

// probeConnection plays the cluster cache: a connection is tried every 30 s
// until the workload API answers. The result is when to look again.
func (m *Manager) probeConnection(d *draft, cluster *unstructured.Unstructured) time.Duration {
	at, known := m.connectionTime(cluster)
	if known && !at.After(m.now()) {
		d.condition("RemoteConnectionProbe", "True", "ProbeSucceeded", "")
		return 0
	}
	d.condition("RemoteConnectionProbe", "False", "ProbeFailed", "Remote connection not established yet")
	if known {
		return at.Sub(m.now()) + hop
	}
	return 0
}

func clusterPhase(d *draft) string {
	switch {
	case resource.Flag(d.root, "status", "initialization", "infrastructureProvisioned") && resource.Text(d.root, "spec", "controlPlaneEndpoint", "host") != "":
		return "Provisioned"
	case resource.Text(d.root, "spec", "infrastructureRef", "name") != "":
		return "Provisioning"
	}
	return "Pending"
}

// summarizeCluster mirrors the conditions and counts of what the Cluster owns
// and computes Available from them (domain.md 1.1).
func summarizeCluster(d *draft, infrastructure, controlPlane *unstructured.Unstructured, deployments []*unstructured.Unstructured) {
	mirror(d, "InfrastructureReady", "Ready", infrastructure, "VSphereCluster status.initialization.provisioned is false")
	if initialized(controlPlane, "controlPlaneInitialized") {
		d.condition("ControlPlaneInitialized", "True", "Initialized", "")
		mirror(d, "ControlPlaneAvailable", "Available", controlPlane, "")
	} else {
		d.condition("ControlPlaneInitialized", "False", "NotInitialized", "KubeadmControlPlane status.initialization.controlPlaneInitialized is false")
		d.condition("ControlPlaneAvailable", "False", "NotAvailable", "KubeadmControlPlane status.initialization.controlPlaneInitialized is false")
	}
	counts(d, "controlPlane", controlPlane)
	counts(d, "workers", deployments...)
	merge(d, "WorkersAvailable", "Available", deployments, "NoWorkers", "AvailableUnknown")
	for _, c := range []struct{ prefix, condition string }{{"ControlPlaneMachines", "Ready"}, {"ControlPlaneMachines", "UpToDate"}} {
		mirror(d, c.prefix+c.condition, "Machines"+c.condition, controlPlane, "")
	}
	merge(d, "WorkerMachinesReady", "MachinesReady", deployments, "NoReplicas", "ReadyUnknown")
	merge(d, "WorkerMachinesUpToDate", "MachinesUpToDate", deployments, "NoReplicas", "UpToDateUnknown")
	all := append([]*unstructured.Unstructured{controlPlane}, deployments...)
	for _, activity := range []string{"RollingOut", "ScalingUp", "ScalingDown"} {
		mergeActivity(d, activity, all)
	}
	d.condition("Remediating", "False", "NotRemediating", "")
	d.condition("Deleting", "False", "NotDeleting", "")
	var issues []string
	for _, kind := range []string{"RemoteConnectionProbe", "InfrastructureReady", "ControlPlaneAvailable", "WorkersAvailable", "TopologyReconciled"} {
		c := resource.ConditionOf(d.root, kind)
		if c.Status == "True" || kind == "TopologyReconciled" && c.Reason != "ReconcileFailed" && c.Reason != "ClusterClassNotReconciled" {
			continue
		}
		issues = append(issues, bullet(kind, c.Message))
	}
	if len(issues) > 0 {
		d.condition("Available", "False", "NotAvailable", lines(issues))
	} else {
		d.condition("Available", "True", "Available", "")
	}
}

// bullet is one line of a summary message, with nested lines indented.
func bullet(name, message string) string {
	if strings.Contains(message, "\n") || strings.HasPrefix(message, "* ") {
		return "* " + name + ":\n  " + strings.ReplaceAll(message, "\n", "\n  ")
	}
	return "* " + name + ": " + message
}

func hasCondition(u *unstructured.Unstructured, kind string) bool {
	return resource.ConditionOf(u.Object, kind).Type != ""
}

// mirror copies a condition of another object under a new type.
func mirror(d *draft, as, kind string, from *unstructured.Unstructured, absent string) {
	c := resource.ConditionOf(from.Object, kind)
	switch {
	case c.Type == "" && absent != "":
		d.condition(as, "False", "NotReady", absent)
	case c.Type == "":
		d.condition(as, "Unknown", kind+"Unknown", "Condition "+kind+" not yet reported")
	default:
		d.condition(as, c.Status, c.Reason, c.Message)
	}
}

// merge sums a condition up over several objects: False beats Unknown beats True.
func merge(d *draft, as, kind string, from []*unstructured.Unstructured, none, unknown string) {
	if len(from) == 0 {
		d.condition(as, "True", none, "")
		return
	}
	worst := resource.Condition{Status: "True"}
	var messages []string
	for _, u := range from {
		c := resource.ConditionOf(u.Object, kind)
		if c.Type == "" {
			c = resource.Condition{Status: "Unknown", Reason: unknown, Message: "Condition " + kind + " not yet reported"}
		}
		if c.Status != "True" {
			messages = append(messages, bullet(u.GetKind()+" "+nameOf(u), c.Message))
		}
		if worst.Status == "True" || c.Status == "False" && worst.Status != "False" {
			worst = c
		}
	}
	d.condition(as, worst.Status, worst.Reason, lines(messages))
}

// mergeActivity sums up conditions whose True means that something is going on.
func mergeActivity(d *draft, kind string, from []*unstructured.Unstructured) {
	var messages []string
	known := true
	for _, u := range from {
		c := resource.ConditionOf(u.Object, kind)
		known = known && c.Type != ""
		if c.Status == "True" {
			messages = append(messages, bullet(u.GetKind()+" "+nameOf(u), c.Message))
		}
	}
	switch {
	case len(messages) > 0:
		d.condition(kind, "True", kind, lines(messages))
	case known:
		d.condition(kind, "False", "Not"+kind, "")
	default:
		d.condition(kind, "Unknown", kind+"Unknown", "")
	}
}

// counts adds replica counts up under status.<section>.
func counts(d *draft, section string, from ...*unstructured.Unstructured) {
	for _, f := range []struct{ as, field string }{
		{"replicas", "replicas"}, {"readyReplicas", "readyReplicas"},
		{"availableReplicas", "availableReplicas"}, {"upToDateReplicas", "upToDateReplicas"},
	} {
		var sum int64
		for _, u := range from {
			sum += resource.Int(u.Object, "status", f.field)
		}
		d.set(sum, "status", section, f.as)
	}
	var desired int64
	for _, u := range from {
		desired += resource.Int(u.Object, "spec", "replicas")
	}
	d.set(desired, "status", section, "desiredReplicas")
}

// deleteCluster goes strictly in order: workers, control plane, infrastructure
// (domain.md 3.6, observed.md 6.6).
func (m *Manager) deleteCluster(cluster *unstructured.Unstructured) (time.Duration, error) {
	namespace, name := namespaceOf(cluster), nameOf(cluster)
	d := edit(cluster, m.now())
	d.set("Deleting", "status", "phase")
	d.condition("Available", "False", "NotAvailable", "* Deleting: Cluster is being deleted")
	stages := []struct {
		reason string
		left   []*unstructured.Unstructured
	}{
		{"WaitingForWorkersDeletion", append(m.ofCluster(kindMachineDeployment, namespace, name), m.workersOf(namespace, name)...)},
		{"WaitingForControlPlaneDeletion", m.ofCluster(kindControlPlane, namespace, name)},
		{"WaitingForInfrastructureDeletion", m.ofCluster(kindVSphereCluster, namespace, name)},
	}
	for _, stage := range stages {
		if len(stage.left) == 0 {
			continue
		}
		d.condition("Deleting", "True", stage.reason, remaining(stage.left))
		if err := m.commit(actorCore, d); err != nil {
			return 0, err
		}
		for _, u := range stage.left {
			if stage.reason == "WaitingForWorkersDeletion" && u.GetKind() != "MachineDeployment" {
				continue // its set deletes it
			}
			if err := m.remove(actorCore, u); err != nil {
				return 0, err
			}
		}
		return deletePoll, nil
	}
	d.condition("Deleting", "True", "DeletionCompleted", "Deletion completed")
	if err := m.commit(actorCore, d); err != nil {
		return 0, err
	}
	d = edit(m.store.Get(keyOf(cluster)), m.now())
	d.removeFinalizers(finalizerCluster)
	return 0, m.commit(actorCore, d)
}

// remaining names what a deletion waits for.
func remaining(left []*unstructured.Unstructured) string {
	var out []string
	for i, u := range left {
		if i == 3 {
			out = append(out, fmt.Sprintf("* ... and %d more", len(left)-i))
			break
		}
		out = append(out, "* "+u.GetKind()+": "+nameOf(u))
	}
	return lines(out)
}

func (m *Manager) workersOf(namespace, cluster string) []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	for _, u := range m.ofCluster(kindMachine, namespace, cluster) {
		if !hasLabel(u, labelControlPlane) {
			out = append(out, u)
		}
	}
	return out
}

func (m *Manager) controlPlaneMachines(namespace, cluster string) []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	for _, u := range m.ofCluster(kindMachine, namespace, cluster) {
		if hasLabel(u, labelControlPlane) {
			out = append(out, u)
		}
	}
	return out
}
