package controllers

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// reconcileDeployment keeps one MachineSet with the wanted number of replicas
// (domain.md E9, E50).
func (m *Manager) reconcileDeployment(u *unstructured.Unstructured) (time.Duration, error) {
	d := edit(u, m.now())
	sets := m.setsOf(u)
	if deleting(u) {
		return m.deleteDeployment(d, u, sets)
	}
	if introduce(d, finalizerDeployment) {
		return 0, m.commit(actorCore, d)
	}
	cluster := m.clusterFor(u)
	if cluster == nil || resource.Text(cluster.Object, "spec", "controlPlaneRef", "name") == "" {
		return 0, nil
	}
	if !ownedBy(u, cluster) {
		d.setOwners(ref(cluster, false))
	}
	d.set("1", "metadata", "annotations", "machinedeployment.clusters.x-k8s.io/revision")
	if len(sets) == 0 {
		set, err := m.createSet(u, cluster)
		if err != nil {
			return 0, err
		}
		sets = append(sets, set)
	}
	if err := m.scaleSet(u, sets[0]); err != nil {
		return 0, err
	}
	summarizeDeployment(d, m.store.Get(keyOf(sets[0])))
	return 0, m.commit(actorCore, d)
}

func (m *Manager) setsOf(deployment *unstructured.Unstructured) []*unstructured.Unstructured {
	return m.store.List(kindMachineSet.GroupKind, namespaceOf(deployment), map[string]string{
		labelCluster: labelOf(deployment, labelCluster), labelDeployment: nameOf(deployment),
	})
}

func (m *Manager) createSet(deployment, cluster *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	namespace, base := namespaceOf(deployment), nameOf(deployment)+"-"
	suffix := m.suffix(kindMachineSet, namespace, base)
	labels := copyMap(resource.Fields(deployment.Object, "metadata", "labels"))
	labels[labelDeployment] = nameOf(deployment)
	labels[labelTemplateHash] = decimalHash(fmt.Sprint(resource.Field(deployment.Object, "spec", "template", "spec", "infrastructureRef", "name"))) + "-" + suffix
	replicas := resource.Int(deployment.Object, "spec", "replicas")
	return m.create(actorCore, kindMachineSet, map[string]any{
		"metadata": map[string]any{
			"namespace": namespace, "name": generatedName(base, suffix),
			"labels": labels,
			"annotations": map[string]any{
				"machinedeployment.clusters.x-k8s.io/desired-replicas": fmt.Sprint(replicas),
				"machinedeployment.clusters.x-k8s.io/max-replicas":     fmt.Sprint(replicas + 1),
				"machinedeployment.clusters.x-k8s.io/revision":         "1",
			},
			"ownerReferences": []any{ref(deployment, true)},
		},
		"spec": map[string]any{
			"clusterName": nameOf(cluster),
			"replicas":    replicas,
			"template":    resource.Field(deployment.Object, "spec", "template"),
		},
	})
}

func (m *Manager) scaleSet(deployment, set *unstructured.Unstructured) error {
	d := edit(set, m.now())
	d.set(resource.Int(deployment.Object, "spec", "replicas"), "spec", "replicas")
	return m.commit(actorCore, d)
}

func summarizeDeployment(d *draft, set *unstructured.Unstructured) {
	t := tally{
		total:     resource.Int(set.Object, "status", "replicas"),
		ready:     resource.Int(set.Object, "status", "readyReplicas"),
		available: resource.Int(set.Object, "status", "availableReplicas"),
	}
	desired := resource.Int(d.root, "spec", "replicas")
	t.write(d)
	switch {
	case !hasCondition(set, "MachinesReady"):
		d.condition("Available", "Unknown", "WaitingForAvailableReplicasSet", "Waiting for status.availableReplicas set")
		d.condition("MachinesReady", "True", "NoReplicas", "")
		d.condition("MachinesUpToDate", "True", "NoReplicas", "")
	default:
		if t.available >= desired {
			d.condition("Available", "True", "Available", "")
		} else {
			d.condition("Available", "False", "NotAvailable", fmt.Sprintf("%d available replicas, at least %d required (spec.strategy.rollout.maxUnavailable is 0, spec.replicas is %d)", t.available, desired, desired))
		}
		mirror(d, "MachinesReady", "MachinesReady", set, "")
		mirror(d, "MachinesUpToDate", "MachinesUpToDate", set, "")
	}
	blocked := resource.ConditionOf(set.Object, "ScalingUp").Message
	t.scaling(d, desired, blocked)
	d.condition("RollingOut", "False", "NotRollingOut", "")
	d.condition("Remediating", "False", "NotRemediating", "")
	d.condition("Deleting", "False", "NotDeleting", "")
	d.set(scalePhase(t.total, desired), "status", "phase")
}

func scalePhase(total, desired int64) string {
	switch {
	case total < desired:
		return "ScalingUp"
	case total > desired:
		return "ScalingDown"
	}
	return "Running"
}

func (m *Manager) deleteDeployment(d *draft, u *unstructured.Unstructured, sets []*unstructured.Unstructured) (time.Duration, error) {
	if len(sets) > 0 {
		d.condition("Deleting", "True", "Deleting", remaining(sets))
		for _, set := range sets {
			if err := m.remove(actorCore, set); err != nil {
				return 0, err
			}
		}
		// With a topology the templates of the pool go right here (observed.md 6.6).
		if err := m.removeTemplates(u); err != nil {
			return 0, err
		}
		return 0, m.commit(actorCore, d)
	}
	d.removeFinalizers(finalizerDeployment, finalizerDeploymentTopology)
	return 0, m.commit(actorCore, d)
}

func (m *Manager) removeTemplates(deployment *unstructured.Unstructured) error {
	spec := resource.Fields(deployment.Object, "spec", "template", "spec")
	namespace := namespaceOf(deployment)
	for _, template := range []*unstructured.Unstructured{
		m.get(kindVSphereTemplate, namespace, resource.Text(spec, "infrastructureRef", "name")),
		m.get(kindKubeadmConfigTemplate, namespace, resource.Text(spec, "bootstrap", "configRef", "name")),
	} {
		if err := m.remove(actorTopology, template); err != nil {
			return err
		}
	}
	return nil
}

// reconcileSet creates all missing Machines in one pass, or deletes the surplus
// in one pass (observed.md 6.3).
func (m *Manager) reconcileSet(u *unstructured.Unstructured) (time.Duration, error) {
	d := edit(u, m.now())
	machines := m.machinesOf(u)
	if deleting(u) {
		return m.deleteSet(d, machines)
	}
	if introduce(d, finalizerSetTopology, finalizerSet) {
		return 0, m.commit(actorCore, d)
	}
	cluster := m.clusterFor(u)
	if cluster == nil {
		return 0, nil
	}
	again, blocked, err := m.scaleMachines(u, cluster, machines)
	if err != nil {
		return 0, err
	}
	machines = m.machinesOf(u)
	t := countMachines(machines)
	t.write(d)
	t.conditions(d, machines)
	t.scaling(d, resource.Int(d.root, "spec", "replicas"), blocked)
	d.condition("Remediating", "False", "NotRemediating", "")
	d.condition("Deleting", "False", "NotDeleting", "")
	return again, m.commit(actorCore, d)
}

func (m *Manager) machinesOf(set *unstructured.Unstructured) []*unstructured.Unstructured {
	return m.store.List(kindMachine.GroupKind, namespaceOf(set), map[string]string{
		labelCluster: labelOf(set, labelCluster), labelSet: labelValue(nameOf(set)),
	})
}

func (m *Manager) scaleMachines(u, cluster *unstructured.Unstructured, machines []*unstructured.Unstructured) (time.Duration, string, error) {
	desired := int(resource.Int(u.Object, "spec", "replicas"))
	switch {
	case len(machines) < desired:
		if refusal := m.preflight(cluster); refusal != "" {
			return preflightRetry, fmt.Sprintf("Scaling up from %d to %d replicas is blocked because:\n* %s", len(machines), desired, refusal), nil
		}
		for range desired - len(machines) {
			if err := m.createWorker(u, cluster); err != nil {
				return 0, "", err
			}
		}
	case len(machines) > desired:
		for _, victim := range victims(machines)[:len(machines)-desired] {
			if err := m.remove(actorCore, victim); err != nil {
				return 0, "", err
			}
		}
	}
	return 0, "", nil
}

// preflight is the check ControlPlaneIsStable: it passes as soon as the first
// control-plane Machine exists, which gives the control plane a version.
func (m *Manager) preflight(cluster *unstructured.Unstructured) string {
	controlPlane := m.controlPlaneOf(cluster)
	if controlPlane == nil || resource.Text(controlPlane.Object, "status", "version") == "" {
		name := resource.Text(cluster.Object, "spec", "controlPlaneRef", "name")
		return fmt.Sprintf("KubeadmControlPlane %s/%s is provisioning (\"ControlPlaneIsStable\" preflight check failed)", namespaceOf(cluster), name)
	}
	return ""
}

// createWorker makes KubeadmConfig, VSphereMachine and Machine: bootstrap
// before infrastructure, the reverse of a control plane (observed.md 6.1 step 9).
func (m *Manager) createWorker(u, cluster *unstructured.Unstructured) error {
	base := nameOf(u) + "-"
	template := resource.Fields(u.Object, "spec", "template", "spec")
	labels := copyMap(resource.Fields(u.Object, "metadata", "labels"))
	labels[labelSet] = labelValue(nameOf(u))
	s := machineSet{
		owner: u, cluster: cluster, actor: actorCore,
		name:          generatedName(base, m.suffix(kindMachine, namespaceOf(u), base)),
		version:       resource.Text(template, "version"),
		labels:        labels,
		template:      resource.Text(template, "infrastructureRef", "name"),
		failureDomain: resource.Text(template, "failureDomain"),
	}
	for _, step := range []func(machineSet) error{m.createKubeadmConfig, m.createVSphereMachine, m.createMachine} {
		if err := step(s); err != nil {
			return err
		}
	}
	return nil
}

// victims orders machines by who goes first: those being deleted, those marked,
// those without a node, then by name (domain.md 3.1).
func victims(machines []*unstructured.Unstructured) []*unstructured.Unstructured {
	rank := func(u *unstructured.Unstructured) int {
		switch {
		case deleting(u):
			return 0
		case resource.Field(u.Object, "metadata", "annotations", annotationDeleteMachine) != nil:
			return 1
		case resource.Text(u.Object, "status", "nodeRef", "name") == "":
			return 2
		}
		return 3
	}
	sorted := slices.Clone(machines)
	slices.SortStableFunc(sorted, func(a, b *unstructured.Unstructured) int {
		if by := rank(a) - rank(b); by != 0 {
			return by
		}
		return strings.Compare(nameOf(a), nameOf(b))
	})
	return sorted
}

func (m *Manager) deleteSet(d *draft, machines []*unstructured.Unstructured) (time.Duration, error) {
	if len(machines) == 0 {
		d.removeFinalizers(finalizerSet, finalizerSetTopology)
		return 0, m.commit(actorCore, d)
	}
	d.condition("Deleting", "True", "Deleting", remaining(machines))
	countMachines(machines).write(d)
	for _, machine := range machines {
		if err := m.remove(actorCore, machine); err != nil {
			return 0, err
		}
	}
	return 0, m.commit(actorCore, d)
}
