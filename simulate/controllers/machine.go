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
	cluster := m.clusterFor(u)
	if cluster == nil && !deleting(u) {
		return 0, nil
	}
	if !deleting(u) && !d.hasFinalizer(finalizerMachine) {
		d.addFinalizer(finalizerMachine)
		return 0, m.commit(actorCore, d)
	}
	if halts(d, cluster) {
		return 0, m.commit(actorCore, d)
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
	if deleting(u) {
		return m.deleteMachine(d, u, cluster, again)
	}
	m.compareTemplate(d, u)
	d.condition("Updating", "False", "NotUpdating", "")
	d.condition("Deleting", "False", "NotDeleting", "")
	again = soonest(again, summarizeMachine(d))
	return again, m.commit(actorCore, d)
}

// takeOver makes the Machine the controller of its KubeadmConfig and
// VSphereMachine, in place of who created them.
func (m *Manager) takeOver(machine, part *unstructured.Unstructured) error {
	if part == nil || deleting(machine) || ownedBy(part, machine) {
		return nil
	}
	d := edit(part, m.now())
	d.setOwners(ref(machine, true))
	return m.commit(actorCore, d)
}

func (m *Manager) takeBootstrapData(d *draft, config *unstructured.Unstructured) {
	if config == nil {
		missingPart(d, "BootstrapConfigReady", "KubeadmConfig", resource.Flag(d.root, "status", "initialization", "bootstrapDataSecretCreated"))
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
		missingPart(d, "InfrastructureReady", "VSphereMachine", resource.Flag(d.root, "status", "initialization", "infrastructureProvisioned"))
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

// missingPart is the condition of a part that is not there: gone if it had served
// its purpose, else not there yet.
func missingPart(d *draft, condition, kind string, served bool) {
	switch {
	case !served:
		d.condition(condition, "Unknown", "ObjectDoesNotExist", kind+" does not exist")
	case deleting(d.base):
		d.condition(condition, "False", "ObjectDeleted", kind+" has been deleted")
	default:
		d.condition(condition, "False", "ObjectDeleted", kind+" has been deleted while the Machine still exists")
	}
}

// compareTemplate writes whether a worker is what its deployment asks for. Whether
// a control-plane machine is, its control plane says.
func (m *Manager) compareTemplate(d *draft, u *unstructured.Unstructured) {
	if hasLabel(u, labelControlPlane) {
		return
	}
	owner := controllerOf(u)
	set := m.get(kindMachineSet, namespaceOf(u), resource.Text(owner, "name"))
	deployment := m.get(kindMachineDeployment, namespaceOf(u), labelOf(u, labelDeployment))
	if resource.Text(owner, "kind") != kindMachineSet.Kind || set == nil || deployment == nil {
		return
	}
	differences := setDifferences(set, deployment.Object, m.now())
	if len(differences) == 0 {
		d.condition("UpToDate", "True", "UpToDate", "")
		return
	}
	for i, difference := range differences {
		differences[i] = "* " + difference
	}
	d.condition("UpToDate", "False", "NotUpToDate", lines(differences))
}

// halts reports whether a reconcile ends with the condition Paused: because of a
// pause, which stops a deletion too, or because nothing had said yet that there is
// none, which takes a new object a pass of its own (observed.md 6.2).
func halts(d *draft, cluster *unstructured.Unstructured) bool {
	if held(d, cluster) {
		return true
	}
	if resource.ConditionOf(d.root, "Paused").Type != "" {
		return false
	}
	d.condition("Paused", "False", "NotPaused", "")
	return true
}
