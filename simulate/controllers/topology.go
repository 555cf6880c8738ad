package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// reconcileTopology turns a Cluster's topology into the objects that the other
// controllers work on (domain.md E2-E8; observed.md 6.1 step 2), and carries
// replica counts over to them later.
func (m *Manager) reconcileTopology(cluster *unstructured.Unstructured) (time.Duration, error) {
	if deleting(cluster) || paused(cluster, cluster) {
		return 0, nil
	}
	if !edit(cluster, m.now()).hasFinalizer(finalizerCluster) {
		return 0, nil // the cluster controller comes first
	}
	if resource.Text(cluster.Object, "spec", "infrastructureRef", "name") == "" {
		return 0, m.generateTopology(cluster)
	}
	if err := m.dropShim(cluster); err != nil {
		return 0, err
	}
	if err := m.syncControlPlane(cluster); err != nil {
		return 0, err
	}
	return 0, m.syncDeployments(cluster)
}

// generateTopology makes everything in one pass, one object after the other,
// before anything of it is ready.
func (m *Manager) generateTopology(cluster *unstructured.Unstructured) error {
	namespace, name := namespaceOf(cluster), nameOf(cluster)
	shim, err := m.create(actorTopology, kindSecret, map[string]any{
		"metadata": map[string]any{
			"namespace": namespace, "name": name + "-shim",
			"ownerReferences": []any{ref(cluster, false)},
		},
		"type": secretType,
	})
	if err != nil {
		return err
	}
	class := classOf(cluster)
	infrastructure, err := m.create(actorTopology, kindVSphereCluster, map[string]any{
		"metadata": m.topologyMeta(cluster, kindVSphereCluster, name+"-", nil, shim, class+"-cluster", "VSphereClusterTemplate."+groupVMware),
		"spec":     m.infrastructureSpec(),
	})
	if err != nil {
		return err
	}
	template, err := m.createMachineTemplate(cluster, nil)
	if err != nil {
		return err
	}
	topology := resource.Fields(cluster.Object, "spec", "topology")
	controlPlane, err := m.create(actorTopology, kindControlPlane, map[string]any{
		"metadata": m.topologyMeta(cluster, kindControlPlane, name+"-", nil, shim, class+"-control-plane", "KubeadmControlPlaneTemplate."+groupControlPlane),
		"spec": map[string]any{
			"replicas":          controlPlaneReplicas(topology),
			"version":           resource.Text(topology, "version"),
			"kubeadmConfigSpec": map[string]any{"format": "cloud-config"},
			"machineTemplate": map[string]any{
				"spec": map[string]any{"infrastructureRef": contractRef(kindVSphereTemplate, nameOf(template))},
			},
		},
	})
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
	for _, md := range deploymentsOf(topology) {
		if err := m.createDeployment(cluster, md); err != nil {
			return err
		}
	}
	d = edit(m.store.Get(keyOf(cluster)), m.now())
	d.condition("TopologyReconciled", "True", "ReconcileSucceeded", "")
	return m.commit(actorTopology, d)
}

// topologyMeta is the metadata of a generated object; owner is the Cluster, or
// the shim for the two objects that the Cluster comes to own later.
func (m *Manager) topologyMeta(cluster *unstructured.Unstructured, k kind, base string, md map[string]any, owner *unstructured.Unstructured, from, fromKind string) map[string]any {
	namespace, name := namespaceOf(cluster), nameOf(cluster)
	labels := map[string]any{labelCluster: name, labelTopologyOwned: ""}
	if md != nil {
		labels[labelTopologyDeployment] = resource.Text(md, "name")
	}
	meta := map[string]any{
		"namespace": namespace,
		"name":      generatedName(base, m.suffix(k, namespace, base)),
		"labels":    labels,
	}
	if owner != nil {
		meta["ownerReferences"] = []any{ref(owner, false)}
	}
	if from != "" {
		meta["annotations"] = map[string]any{annotationClonedFrom: from, annotationClonedFromKind: fromKind}
	}
	return meta
}

// createMachineTemplate makes the VSphereMachineTemplate of the control plane
// (md nil) or of a node pool.
func (m *Manager) createMachineTemplate(cluster *unstructured.Unstructured, md map[string]any) (*unstructured.Unstructured, error) {
	base := nameOf(cluster) + "-"
	overrides := resource.Field(cluster.Object, "spec", "topology", "controlPlane")
	if md != nil {
		base += resource.Text(md, "name") + "-"
		overrides = md
	}
	topology := resource.Fields(cluster.Object, "spec", "topology")
	return m.create(actorTopology, kindVSphereTemplate, map[string]any{
		"metadata": m.topologyMeta(cluster, kindVSphereTemplate, base, md, cluster, classOf(cluster)+"-machine", "VSphereMachineTemplate."+groupVMware),
		"spec": map[string]any{"template": map[string]any{"spec": map[string]any{
			"className":    variable(topology, overrides, "vmClass"),
			"storageClass": variable(topology, overrides, "storageClass"),
			"imageName":    m.imageFor(cluster, overrides),
			"powerOffMode": "trySoft",
		}}},
	})
}

func (m *Manager) createDeployment(cluster *unstructured.Unstructured, md map[string]any) error {
	pool := resource.Text(md, "name")
	base := nameOf(cluster) + "-" + pool + "-"
	template, err := m.createMachineTemplate(cluster, md)
	if err != nil {
		return err
	}
	bootstrap, err := m.create(actorTopology, kindKubeadmConfigTemplate, map[string]any{
		"metadata": m.topologyMeta(cluster, kindKubeadmConfigTemplate, base, md, cluster, classOf(cluster)+"-bootstrap", "KubeadmConfigTemplate."+groupBootstrap),
		"spec":     map[string]any{"template": map[string]any{"spec": map[string]any{"format": "cloud-config"}}},
	})
	if err != nil {
		return err
	}
	machine := map[string]any{
		"clusterName":       nameOf(cluster),
		"version":           resource.Text(cluster.Object, "spec", "topology", "version"),
		"bootstrap":         map[string]any{"configRef": contractRef(kindKubeadmConfigTemplate, nameOf(bootstrap))},
		"infrastructureRef": contractRef(kindVSphereTemplate, nameOf(template)),
	}
	if zone := resource.Text(md, "failureDomain"); zone != "" {
		machine["failureDomain"] = zone
	}
	_, err = m.create(actorTopology, kindMachineDeployment, map[string]any{
		"metadata": m.topologyMeta(cluster, kindMachineDeployment, base, md, nil, "", ""),
		"spec": map[string]any{
			"clusterName": nameOf(cluster),
			"replicas":    deploymentReplicas(md),
			"template":    map[string]any{"spec": machine},
		},
	})
	return err
}

// dropShim removes the shim once the Cluster owns what it stood in for.
func (m *Manager) dropShim(cluster *unstructured.Unstructured) error {
	shim := m.get(kindSecret, namespaceOf(cluster), nameOf(cluster)+"-shim")
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
		d := edit(u, m.now())
		d.setOwners(ref(cluster, true))
		if err := m.commit(actorTopology, d); err != nil {
			return err
		}
	}
	return nil
}

func (m *Manager) syncControlPlane(cluster *unstructured.Unstructured) error {
	controlPlane := m.controlPlaneOf(cluster)
	if controlPlane == nil {
		return nil
	}
	d := edit(controlPlane, m.now())
	d.set(controlPlaneReplicas(resource.Fields(cluster.Object, "spec", "topology")), "spec", "replicas")
	return m.commit(actorTopology, d)
}

// syncDeployments scales, adds and removes MachineDeployments. One that is added
// waits until the control plane is there (MachineDeploymentsCreatePending).
func (m *Manager) syncDeployments(cluster *unstructured.Unstructured) error {
	wanted := map[string]bool{}
	existing := map[string]*unstructured.Unstructured{}
	for _, u := range m.ofCluster(kindMachineDeployment, namespaceOf(cluster), nameOf(cluster)) {
		existing[labelOf(u, labelTopologyDeployment)] = u
	}
	for _, md := range deploymentsOf(resource.Fields(cluster.Object, "spec", "topology")) {
		pool := resource.Text(md, "name")
		wanted[pool] = true
		u := existing[pool]
		if u == nil {
			if !initialized(cluster, "controlPlaneInitialized") {
				continue
			}
			if err := m.createDeployment(cluster, md); err != nil {
				return err
			}
			continue
		}
		d := edit(u, m.now())
		d.set(deploymentReplicas(md), "spec", "replicas")
		if !deleting(u) {
			d.addFinalizer(finalizerDeploymentTopology)
		}
		if err := m.commit(actorTopology, d); err != nil {
			return err
		}
	}
	for _, u := range m.ofCluster(kindMachineDeployment, namespaceOf(cluster), nameOf(cluster)) {
		if wanted[labelOf(u, labelTopologyDeployment)] {
			continue
		}
		if err := m.remove(actorTopology, u); err != nil {
			return err
		}
	}
	return nil
}
