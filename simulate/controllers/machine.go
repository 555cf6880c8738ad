package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// reconcileMachine joins what bootstrap, infrastructure and the workload cluster
// say of one machine (domain.md E25, E36, E43, E49).
func (m *Manager) reconcileMachine(u *unstructured.Unstructured) (time.Duration, error) {
	d := edit(u, m.now())
	if deleting(u) {
		return m.deleteMachine(d, u)
	}
	if introduce(d, finalizerMachine) {
		return 0, m.commit(actorCore, d)
	}
	cluster := m.clusterFor(u)
	if cluster == nil {
		return 0, nil
	}
	namespace, name := namespaceOf(u), nameOf(u)
	config, infrastructure := m.get(kindKubeadmConfig, namespace, name), m.get(kindVSphereMachine, namespace, name)
	for _, part := range []*unstructured.Unstructured{config, infrastructure} {
		if err := m.takeOver(u, part); err != nil {
			return 0, err
		}
	}
	m.takeBootstrapData(d, config)
	m.takeInfrastructure(d, infrastructure)
	again := m.findNode(d, u, cluster)
	summarizeMachine(d)
	d.set(machinePhase(d), "status", "phase")
	return again, m.commit(actorCore, d)
}

// takeOver makes the Machine the controller of its KubeadmConfig and
// VSphereMachine, in place of who created them.
func (m *Manager) takeOver(machine, part *unstructured.Unstructured) error {
	if part == nil || ownedBy(part, machine) {
		return nil
	}
	d := edit(part, m.now())
	d.setOwners(ref(machine, true))
	return m.commit(actorCore, d)
}

func (m *Manager) takeBootstrapData(d *draft, config *unstructured.Unstructured) {
	if config == nil {
		d.condition("BootstrapConfigReady", "False", "ObjectDoesNotExist", "KubeadmConfig does not exist")
		return
	}
	c := resource.ConditionOf(config.Object, "Ready")
	switch c.Status {
	case "":
		d.condition("BootstrapConfigReady", "False", "NotReady", "KubeadmConfig status.initialization.dataSecretCreated is false")
	default:
		d.condition("BootstrapConfigReady", c.Status, c.Reason, c.Message)
	}
	if initialized(config, "dataSecretCreated") {
		d.set(resource.Text(config.Object, "status", "dataSecretName"), "spec", "bootstrap", "dataSecretName")
		d.set(true, "status", "initialization", "bootstrapDataSecretCreated")
	}
}

func (m *Manager) takeInfrastructure(d *draft, infrastructure *unstructured.Unstructured) {
	if infrastructure == nil {
		d.condition("InfrastructureReady", "False", "ObjectDoesNotExist", "VSphereMachine does not exist")
		return
	}
	c := resource.ConditionOf(infrastructure.Object, "Ready")
	if c.Type == "" {
		d.condition("InfrastructureReady", "False", "NotReady", "VSphereMachine status.initialization.provisioned is false")
	} else {
		d.condition("InfrastructureReady", c.Status, c.Reason, c.Message)
	}
	if !initialized(infrastructure, "provisioned") {
		return
	}
	d.set(resource.Text(infrastructure.Object, "spec", "providerID"), "spec", "providerID")
	if resource.Field(d.root, "status", "addresses") == nil {
		d.replace(resource.Items(infrastructure.Object, "status", "addresses"), "status", "addresses")
	}
	d.set(resource.Text(infrastructure.Object, "status", "failureDomain"), "status", "failureDomain")
	d.set(true, "status", "initialization", "infrastructureProvisioned")
}

// findNode looks for the Node with the machine's provider ID in the workload
// cluster. It returns when the Node will have changed.
func (m *Manager) findNode(d *draft, u, cluster *unstructured.Unstructured) time.Duration {
	waiting := func(why string) {
		d.condition("NodeReady", "Unknown", "InspectionFailed", why)
		d.condition("NodeHealthy", "Unknown", "InspectionFailed", why)
	}
	at, known := m.connectionTime(cluster)
	switch {
	case !known:
		waiting("Waiting for Cluster control plane to be initialized")
		return 0
	case at.After(m.now()):
		waiting("Waiting for Cluster control plane to be initialized")
		return at.Sub(m.now()) + hop
	case resource.Text(d.root, "spec", "providerID") == "":
		waiting("Waiting for VSphereMachine to report spec.providerID")
		return 0
	}
	joined, ok := m.joinedAt(u)
	if !ok || joined.After(m.now()) {
		waiting("Waiting for a Node with spec.providerID " + resource.Text(d.root, "spec", "providerID") + " to exist")
		return joined.Sub(m.now())
	}
	if resource.Text(d.root, "status", "nodeRef", "name") == "" {
		d.set(nameOf(u), "status", "nodeRef", "name")
		d.set(resource.Text(d.root, "spec", "version"), "status", "nodeInfo", "kubeletVersion")
	}
	if ready, _ := m.nodeReadyAt(u); ready.After(m.now()) {
		d.condition("NodeReady", "False", "NodeNotReady", "* Node.Ready: container runtime network not ready: cni plugin not initialized")
		d.condition("NodeHealthy", "False", "NodeNotHealthy", "* Node.Ready: container runtime network not ready: cni plugin not initialized")
		return ready.Sub(m.now())
	}
	d.condition("NodeReady", "True", "NodeReady", "")
	d.condition("NodeHealthy", "True", "NodeHealthy", "")
	return 0
}

func summarizeMachine(d *draft) {
	if resource.Field(d.root, "metadata", "labels", labelControlPlane) == nil {
		d.condition("UpToDate", "True", "UpToDate", "") // of its own the control plane says it
	}
	d.condition("Updating", "False", "NotUpdating", "")
	d.condition("Deleting", "False", "NotDeleting", "")
	kinds := []string{"BootstrapConfigReady", "InfrastructureReady", "NodeHealthy"}
	if resource.Field(d.root, "metadata", "labels", labelControlPlane) != nil {
		kinds = append(kinds, machineGates...)
	}
	status := "True"
	var issues []string
	for _, kind := range kinds {
		c := resource.ConditionOf(d.root, kind)
		if c.Status == "True" {
			continue
		}
		if c.Status == "False" || status == "True" {
			status = c.Status
		}
		if c.Type == "" {
			c.Message, status = "Condition "+kind+" not yet reported", "Unknown"
		}
		issues = append(issues, bullet(kind, c.Message))
	}
	switch status {
	case "True":
		d.condition("Ready", "True", "Ready", "")
		d.condition("Available", "True", "Available", "")
	case "False":
		d.condition("Ready", "False", "NotReady", lines(issues))
		d.condition("Available", "False", "NotReady", "")
	default:
		d.condition("Ready", "Unknown", "ReadyUnknown", lines(issues))
		d.condition("Available", "False", "NotReady", "")
	}
}

func machinePhase(d *draft) string {
	status := resource.Fields(d.root, "status")
	switch {
	case resource.Text(status, "nodeRef", "name") != "" && resource.Flag(status, "initialization", "infrastructureProvisioned"):
		return "Running"
	case resource.Text(d.root, "spec", "providerID") != "":
		return "Provisioned"
	case resource.Flag(status, "initialization", "bootstrapDataSecretCreated"):
		return "Provisioning"
	}
	return "Pending"
}

// deleteMachine goes through drain, the pre-terminate hook, infrastructure,
// bootstrap and node, one after the other (domain.md 3.6, observed.md 6.6).
func (m *Manager) deleteMachine(d *draft, u *unstructured.Unstructured) (time.Duration, error) {
	namespace, name := namespaceOf(u), nameOf(u)
	d.set("Deleting", "status", "phase")
	cluster := m.clusterFor(u)
	step := func(reason, message string, again time.Duration) (time.Duration, error) {
		d.condition("Deleting", "True", reason, message)
		d.condition("Ready", "False", "NotReady", "* Deleting: "+reason)
		d.condition("Available", "False", "NotReady", "")
		return again, m.commit(actorCore, d)
	}
	// A node of a cluster that goes altogether is not drained.
	if resource.Text(u.Object, "status", "nodeRef", "name") != "" && cluster != nil && !deleting(cluster) {
		started := parseStamp(resource.Text(u.Object, "status", "deletion", "nodeDrainStartTime"))
		if started.IsZero() {
			started = m.now()
			d.set(stamp(started), "status", "deletion", "nodeDrainStartTime")
		}
		if wait := started.Add(m.takes(StepDrain, namespace, name)).Sub(m.now()); wait > 0 {
			return step("DrainingNode", "Drain not completed yet", wait)
		}
	}
	if resource.Field(u.Object, "metadata", "annotations", annotationPreTerminate) != nil {
		return step("WaitingForPreTerminateHook", "Waiting for hook kcp-cleanup", 0)
	}
	if infrastructure := m.get(kindVSphereMachine, namespace, name); infrastructure != nil {
		if err := m.remove(actorCore, infrastructure); err != nil {
			return 0, err
		}
		return step("WaitingForInfrastructureDeletion", "VSphereMachine deletion in progress", 0)
	}
	if config := m.get(kindKubeadmConfig, namespace, name); config != nil {
		if err := m.remove(actorCore, config); err != nil {
			return 0, err
		}
	}
	d.condition("Deleting", "True", "DeletionCompleted", "Deletion completed")
	if err := m.commit(actorCore, d); err != nil {
		return 0, err
	}
	d = edit(m.store.Get(keyOf(u)), m.now())
	d.removeFinalizers(finalizerMachine)
	return 0, m.commit(actorCore, d)
}
