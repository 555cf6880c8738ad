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
	cluster := m.clusterFor(u)
	if cluster == nil {
		return 0, nil
	}
	d := edit(u, m.now())
	if !deleting(u) && !d.hasFinalizer(finalizerDeployment) {
		d.addFinalizer(finalizerDeployment)
		return 0, m.commit(actorCore, d)
	}
	if halts(d, cluster) {
		return 0, m.commit(actorCore, d)
	}
	sets, machines := m.setsOf(u), m.machinesOfDeployment(u)
	if deleting(u) {
		return m.deleteDeployment(d, sets, machines)
	}
	if !ownedBy(u, cluster) {
		d.setOwners(append(slices.Clip(resource.Items(d.root, "metadata", "ownerReferences")), ref(cluster, false))...)
	}
	defaultReplicas(d)
	again, err := m.rollOut(d, cluster, sets)
	if err != nil {
		return 0, err
	}
	summarizeDeployment(d, sets, machines)
	if err := m.removeEmptySets(d, sets); err != nil {
		return 0, err
	}
	return again, m.commit(actorCore, d)
}

func (m *Manager) setsOf(deployment *unstructured.Unstructured) []*unstructured.Unstructured {
	return m.store.List(kindMachineSet.GroupKind, namespaceOf(deployment), map[string]string{
		labelCluster: labelOf(deployment, labelCluster), labelDeployment: nameOf(deployment),
	})
}

func (m *Manager) machinesOfDeployment(deployment *unstructured.Unstructured) []*unstructured.Unstructured {
	return m.store.List(kindMachine.GroupKind, namespaceOf(deployment), map[string]string{
		labelCluster: labelOf(deployment, labelCluster), labelDeployment: nameOf(deployment),
	})
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
// complete: no revision history stays (observed.md 6.6).
func (m *Manager) removeEmptySets(d *draft, sets []*unstructured.Unstructured) error {
	desired := resource.Int(d.root, "spec", "replicas")
	status := resource.Fields(d.root, "status")
	for _, count := range []string{"replicas", "upToDateReplicas", "availableReplicas"} {
		if resource.Int(status, count) != desired {
			return nil
		}
	}
	fresh, _ := sortSets(d, sets)
	for _, set := range sets {
		observed := resource.Int(set.Object, "status", "observedGeneration") >= resource.Int(set.Object, "metadata", "generation")
		if set == fresh || !observed || resource.Int(set.Object, "spec", "replicas") != 0 || resource.Int(set.Object, "status", "replicas") != 0 {
			continue
		}
		if err := m.remove(actorCore, set); err != nil {
			return err
		}
	}
	return nil
}

// deleteDeployment deletes all sets and waits until they are gone.
func (m *Manager) deleteDeployment(d *draft, sets, machines []*unstructured.Unstructured) (time.Duration, error) {
	summarizeDeployment(d, sets, machines)
	if len(sets) == 0 {
		d.condition("Deleting", "True", "Deleting", "Deletion completed")
		return 0, m.letGo(d, finalizerDeployment)
	}
	d.condition("Deleting", "True", "Deleting", deletingMachines(machines))
	for _, set := range sets {
		if err := m.remove(actorCore, set); err != nil {
			return 0, err
		}
	}
	return 0, m.commit(actorCore, d)
}

func deletingMachines(machines []*unstructured.Unstructured) string {
	if len(machines) == 1 {
		return "Deleting 1 Machine"
	}
	return fmt.Sprintf("Deleting %d Machines", len(machines))
}
