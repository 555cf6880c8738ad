package controllers

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// reconcileDeployment keeps one MachineSet of the present template with the wanted
// replicas, and takes those of former templates away as the strategy allows
// (domain.md E9, E50, 3.4). Its status is of the MachineSets as they were found.
func (m *Manager) reconcileDeployment(u *unstructured.Unstructured) (time.Duration, error) {
	d, v := m.edit(u), m.view(u)
	if name := resource.Text(v.spec, "clusterName"); v.cluster == "" && name != "" {
		d.label(labelCluster, name) // as the webhook does when it is made
		return 0, m.commit(actorCore, d)
	}
	cluster := m.clusterFor(u)
	if cluster == nil {
		return 0, nil
	}
	if !v.deleting && !v.hasFinalizer(finalizerDeployment) {
		d.addFinalizer(finalizerDeployment)
		return 0, m.commit(actorCore, d)
	}
	if m.halts(d, v, cluster) {
		return 0, m.commit(actorCore, d)
	}
	sets := m.setsOf(v)
	if v.deleting {
		return m.deleteDeployment(d, sets, m.viewsOf(m.machinesOfSets(sets)))
	}
	last, known := v.taken.(deploymentTaken)
	changed := m.machinesChanged(sets)
	if last.stays && slices.Equal(last.sets, sets) && slices.Equal(last.machinesChanged, changed) {
		return 0, nil
	}
	if !v.ownedBy(m.view(cluster)) {
		d.addOwner(ref(cluster, false))
	}
	asks := last.terms
	if !known {
		defaultReplicas(d)
		asks = termsOf(d.root)
	}
	if !known || len(last.missing) > 0 {
		if err := m.adoptTemplates(u, cluster); err != nil {
			return 0, err
		}
	}
	machines := m.viewsOf(m.machinesOfSets(sets))
	rolled, again, err := m.rollOut(d, asks, cluster, sets, last.propagated)
	if err != nil {
		return 0, err
	}
	summarizeDeployment(d, asks, m.viewsOf(sets), machines, rolled.missing)
	observed := resource.Int(v.status, "observedGeneration") >= v.generation
	if observed && !asks.paused {
		if err := m.removeEmptySets(d, asks.desired, sets, rolled.fresh); err != nil {
			return 0, err
		}
	}
	stays := again == 0 && observed && !slices.ContainsFunc(machines, undecided)
	return again, m.settle(actorCore, d, deploymentTaken{rolled, asks, changed, stays})
}

// deploymentTaken is what a pass of a MachineDeployment took in. It stays so where
// nothing is waited for that no MachineSet or Machine tells of.
type deploymentTaken struct {
	propagated
	terms
	machinesChanged []uint64
	stays           bool
}

// adoptTemplates has the Cluster own the templates of a deployment, as it does those of
// a topology from the first.
func (m *Manager) adoptTemplates(u, cluster *unstructured.Unstructured) error {
	infrastructure, bootstrap := templatesOf(u)
	for _, template := range []*unstructured.Unstructured{
		m.get(kindVSphereTemplate, namespaceOf(u), infrastructure),
		m.get(kindKubeadmConfigTemplate, namespaceOf(u), bootstrap),
	} {
		if template == nil || ownedBy(template, cluster) {
			continue
		}
		d := edit(template, m.now())
		d.addOwner(ref(cluster, false))
		if err := m.commit(actorCore, d); err != nil {
			return err
		}
	}
	return nil
}

// Annotations of a pool whose replicas an autoscaler owns.
const (
	annotationAutoscalerMin = "cluster.x-k8s.io/cluster-api-autoscaler-node-group-min-size"
	annotationAutoscalerMax = "cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size"
)

// defaultReplicas fills in replicas that nobody has given: the least that an
// autoscaler may set, or 1 (domain.md 1.4).
func defaultReplicas(d *draft) {
	if resource.Field(d.root, "spec", "replicas") != nil {
		return
	}
	least := int64(1)
	annotations := resource.Fields(d.root, "metadata", "annotations")
	if annotations[annotationAutoscalerMin] != nil && annotations[annotationAutoscalerMax] != nil {
		if n, ok := wholeNumber(resource.Text(annotations, annotationAutoscalerMin)); ok {
			least = n
		}
	}
	d.set(least, "spec", "replicas")
}

// removeEmptySets deletes the sets of former templates once the rollout is
// complete: no revision history stays (observed.md 6.6). That is not known in the first
// pass after a change of the specification, and does not happen in a pause.
func (m *Manager) removeEmptySets(d *draft, desired int64, sets []*unstructured.Unstructured, fresh string) error {
	status := resource.Fields(d.root, "status")
	for _, count := range []string{"replicas", "upToDateReplicas", "availableReplicas"} {
		if resource.Int(status, count) != desired {
			return nil
		}
	}
	for _, set := range sets {
		v := m.view(set)
		observed := resource.Int(v.status, "observedGeneration") >= v.generation
		if v.name == fresh || !observed || resource.Int(v.spec, "replicas") != 0 || resource.Int(v.status, "replicas") != 0 {
			continue
		}
		if err := m.remove(actorCore, set); err != nil {
			return err
		}
	}
	return nil
}

// deleteDeployment deletes all sets and waits until they are gone.
func (m *Manager) deleteDeployment(d *draft, sets []*unstructured.Unstructured, machines []*view) (time.Duration, error) {
	summarizeDeployment(d, termsOf(d.root), m.viewsOf(sets), machines, nil)
	if len(sets) == 0 {
		d.condition("Deleting", "True", "Deleting", "Deletion completed")
		return 0, m.letGo(actorCore, d, finalizerDeployment)
	}
	d.condition("Deleting", "True", "Deleting", deletingMachines(machines))
	for _, set := range sets {
		if err := m.remove(actorCore, set); err != nil {
			return 0, err
		}
	}
	return 0, m.commit(actorCore, d)
}

func deletingMachines[M any](machines []M) string {
	if len(machines) == 1 {
		return "Deleting 1 Machine"
	}
	return fmt.Sprintf("Deleting %d Machines", len(machines))
}
