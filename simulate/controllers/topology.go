package controllers

import (
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// syncTopology makes the objects that the other controllers work on be what a
// Cluster's topology asks for: all of it recomputed in each pass, written where it
// differs, and held back where an upgrade has to go first (domain.md E2-E8, 3.2,
// 3.3; observed.md 6.1 step 2, 6.6).
func (m *Manager) syncTopology(cluster *unstructured.Unstructured) error {
	if resource.Fields(cluster.Object, "spec", "topology") == nil {
		return nil
	}
	if !deleting(cluster) && !edit(cluster, m.now()).hasFinalizer(finalizerCluster) {
		return nil // the cluster controller comes first
	}
	if deleting(cluster) || paused(cluster, cluster) {
		return m.reportTopology(cluster, nil, nil)
	}
	up, unread := m.readTopology(cluster)
	if unread == nil {
		err := m.applyTopology(cluster, up)
		if no := (refused{}); errors.As(err, &no) {
			unread = fmt.Errorf("error reconciling the Cluster topology: %w", no.error)
		} else if err != nil {
			return err
		}
	}
	return m.reportTopology(m.store.Get(keyOf(cluster)), up, unread)
}

// readTopology looks at all that a pass needs before it writes anything. The upgrade is
// nil while nothing was generated yet; the error is one that the Cluster reports.
func (m *Manager) readTopology(cluster *unstructured.Unstructured) (*upgrade, error) {
	if err := m.classReady(cluster); err != nil {
		return nil, err
	}
	if resource.Text(cluster.Object, "spec", "infrastructureRef", "name") == "" {
		return nil, nil
	}
	existing := m.deploymentsByPool(cluster)
	if err := m.allThere(cluster, existing); err != nil {
		return nil, fmt.Errorf("error reading current state of the Cluster topology: %w", err)
	}
	up, err := m.upgradeOf(cluster, m.controlPlaneOf(cluster), existing)
	if err != nil {
		return nil, fmt.Errorf("error computing the desired state of the Cluster topology: %w", err)
	}
	return up, nil
}

// applyTopology is one pass over everything, in the order of the real controller:
// infrastructure, control plane, the references to both, pools.
func (m *Manager) applyTopology(cluster *unstructured.Unstructured, up *upgrade) error {
	controlPlane, pools := m.partsOf(cluster)
	if up == nil {
		return m.generateTopology(cluster, controlPlane, pools)
	}
	if err := m.dropShim(cluster); err != nil {
		return err
	}
	controlPlane.version = up.controlPlaneVersion
	if err := m.syncControlPlane(cluster, m.controlPlaneOf(cluster), controlPlane, up); err != nil {
		return err
	}
	if err := m.noteStep(cluster, up); err != nil {
		return err
	}
	return m.syncDeployments(cluster, pools, up)
}

// noteStep keeps the annotation that tells owners of machines which version may be made now.
func (m *Manager) noteStep(cluster *unstructured.Unstructured, up *upgrade) error {
	d := edit(cluster, m.now())
	if step := up.step(); step != "" {
		d.set(step, "metadata", "annotations", annotationUpgradeStep)
	} else {
		d.unset("metadata", "annotations", annotationUpgradeStep)
	}
	return m.commit(actorTopology, d)
}

// shimSuffix ends the name of the Secret that owns what is made until the Cluster does.
const shimSuffix = "-shim"

// generateTopology makes everything in one pass, one object after the other,
// before anything of it is ready.
func (m *Manager) generateTopology(cluster *unstructured.Unstructured, p part, pools []part) error {
	namespace, name := namespaceOf(cluster), nameOf(cluster)
	shim, err := m.create(actorTopology, kindSecret, map[string]any{
		"metadata": map[string]any{
			"namespace": namespace, "name": name + shimSuffix,
			"ownerReferences": []any{ref(cluster, false)},
		},
		"type": secretType,
	})
	if err != nil {
		return err
	}
	infrastructure, err := m.createInfrastructure(cluster, shim)
	if err != nil {
		return err
	}
	controlPlane, err := m.createControlPlane(cluster, shim, p)
	if err != nil {
		return err
	}
	d := edit(cluster, m.now())
	d.replace(contractRef(kindVSphereCluster, nameOf(infrastructure)), "spec", "infrastructureRef")
	d.replace(contractRef(kindControlPlane, nameOf(controlPlane)), "spec", "controlPlaneRef")
	d.label(labelCluster, name)
	d.label(labelTopologyOwned, "")
	if err := m.commit(actorTopology, d); err != nil {
		return err
	}
	for _, pool := range pools {
		if err := m.createDeployment(cluster, pool); err != nil {
			return err
		}
	}
	return nil
}

func (m *Manager) createInfrastructure(cluster, shim *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	from := resource.Text(contentOf(m.classFor(cluster)), "spec", "infrastructure", "templateRef", "name")
	if from == "" {
		from = classOf(cluster) + "-cluster"
	}
	return m.create(actorTopology, kindVSphereCluster, map[string]any{
		"metadata": m.topologyMeta(cluster, kindVSphereCluster, nameOf(cluster)+"-", "", shim, from, "VSphereClusterTemplate."+groupVMware),
		"spec":     m.infrastructureSpec(),
	})
}

// topologyMeta is the metadata of a generated object; owner is the Cluster, or
// the shim for the two objects that the Cluster comes to own later.
func (m *Manager) topologyMeta(cluster *unstructured.Unstructured, k kind, base, pool string, owner *unstructured.Unstructured, from, fromKind string) map[string]any {
	namespace := namespaceOf(cluster)
	meta := map[string]any{
		"namespace": namespace,
		"name":      generatedName(base, m.suffix(k, cluster, base)),
		"labels":    topologyLabels(cluster, pool),
	}
	if owner != nil {
		meta["ownerReferences"] = []any{m.ownerRef(owner)}
	}
	if from != "" {
		meta["annotations"] = m.origins.shared(map[string]any{annotationClonedFrom: from, annotationClonedFromKind: fromKind})
	}
	return meta
}

// topologyLabels are on everything that the topology controller makes.
func topologyLabels(cluster *unstructured.Unstructured, pool string) map[string]any {
	labels := map[string]any{labelCluster: nameOf(cluster), labelTopologyOwned: ""}
	if pool != "" {
		labels[labelTopologyDeployment] = pool
	}
	return labels
}

// dropShim removes the shim once the Cluster owns what it stood in for.
func (m *Manager) dropShim(cluster *unstructured.Unstructured) error {
	shim := m.get(kindSecret, namespaceOf(cluster), nameOf(cluster)+shimSuffix)
	if shim == nil {
		return nil
	}
	infrastructure, controlPlane := m.infrastructureOf(cluster), m.controlPlaneOf(cluster)
	if infrastructure == nil || controlPlane == nil || !ownedBy(infrastructure, cluster) || !ownedBy(controlPlane, cluster) {
		return nil
	}
	if err := m.remove(actorTopology, shim); err != nil {
		return err
	}
	for _, u := range []*unstructured.Unstructured{infrastructure, controlPlane} {
		d := edit(m.store.Get(keyOf(u)), m.now())
		d.setOwners(ref(cluster, true))
		if err := m.commit(actorTopology, d); err != nil {
			return err
		}
	}
	return nil
}
