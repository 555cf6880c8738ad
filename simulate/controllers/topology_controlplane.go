package controllers

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/reconcile/topology"
)

// createControlPlane makes the KubeadmControlPlane of a new Cluster. Its name is
// drawn first, because its MachineHealthCheck has the same and comes before it,
// as the machine template does (domain.md E5).
func (m *Manager) createControlPlane(cluster, shim *unstructured.Unstructured, p part) (*unstructured.Unstructured, error) {
	from := resource.Text(p.class, "templateRef", "name")
	if from == "" {
		from = classOf(cluster) + "-control-plane"
	}
	meta := m.topologyMeta(cluster, kindControlPlane, nameOf(cluster)+"-", "", shim, from, "KubeadmControlPlaneTemplate."+groupControlPlane)
	if err := m.syncHealthCheck(cluster, p, resource.Text(meta, "name")); err != nil {
		return nil, err
	}
	template, err := m.machineTemplate(cluster, p, "")
	if err != nil {
		return nil, err
	}
	d := edit(&unstructured.Unstructured{Object: map[string]any{"metadata": meta}}, m.now())
	p.sayControlPlane(application{draft: d}, cluster, template)
	return m.create(actorTopology, kindControlPlane, d.root)
}

// refused is why a pass ended: a webhook did not take what the topology asks for. That
// is no fault of the simulation, and the Cluster reports it.
type refused struct{ error }

// syncControlPlane patches the control plane, unless it has to wait for its turn to
// be upgraded. Its former machine template goes right after it points to another,
// while machines made from that still run (observed.md 6.6).
func (m *Manager) syncControlPlane(cluster, u *unstructured.Unstructured, p part, up *upgrade) error {
	if deleting(u) {
		return nil
	}
	if err := m.syncHealthCheck(cluster, p, nameOf(u)); err != nil {
		return err
	}
	home := m.view(cluster)
	if up.pending || !up.changed && m.settledFor(home, p, u) {
		return nil
	}
	said := func(template string) *draft {
		d := edit(m.store.Get(keyOf(u)), m.now())
		p.sayControlPlane(application{d, up.changed || resource.Text(u.Object, "spec", "version") != p.version}, cluster, template)
		return d
	}
	current := resource.Text(u.Object, "spec", "machineTemplate", "spec", "infrastructureRef", "name")
	d := said(current)
	if d.changed() { // which a template of another name does not matter for
		if err := answer(d.object(), topology.RefuseControlPlane(u.Object, d.root)); err != nil {
			return refused{fmt.Errorf("failed to patch %s %s/%s: %w", kindControlPlane.Kind, namespaceOf(u), nameOf(u), err)}
		}
	}
	template, err := m.machineTemplate(cluster, p, current)
	if err != nil {
		return err
	}
	if template != current {
		d = said(template)
	}
	if !d.changed() {
		m.settleFor(home, p, u)
	}
	if err := m.commit(actorTopology, d); err != nil {
		return err
	}
	if template == current {
		return nil
	}
	return m.remove(actorTopology, m.get(kindVSphereTemplate, namespaceOf(u), current))
}

// sayControlPlane says what the topology owns of a KubeadmControlPlane.
func (p part) sayControlPlane(a application, cluster *unstructured.Unstructured, template string) {
	labels := p.metadata("labels")
	for key, value := range topologyLabels(cluster, "") {
		labels[key] = value
	}
	a.sayMetadata(labels, p.metadata("annotations"), "spec", "machineTemplate", "metadata")
	a.say(controlPlaneReplicas(p.topology), "spec", "replicas")
	a.say(p.version, "spec", "version")
	a.sayKubeadm(p)
	a.say(contractRef(kindVSphereTemplate, template), "spec", "machineTemplate", "spec", "infrastructureRef")
	a.sayMachines(p, "spec", "machineTemplate", "spec")
	a.say(p.rollout()["after"], "spec", "rollout", "after")
}
