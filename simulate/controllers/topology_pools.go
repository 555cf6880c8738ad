package controllers

import (
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// deploymentsByPool finds the MachineDeployments of a Cluster by the name of their pool.
func (m *Manager) deploymentsByPool(cluster *unstructured.Unstructured) map[string]*unstructured.Unstructured {
	out := map[string]*unstructured.Unstructured{}
	for _, u := range m.ofCluster(kindMachineDeployment, namespaceOf(cluster), nameOf(cluster)) {
		if pool := labelOf(u, labelTopologyDeployment); pool != "" {
			out[pool] = u
		}
	}
	return out
}

// syncDeployments makes new pools, patches those that are there and may be
// changed now, and removes those that are no longer asked for, in this order. A
// new pool waits while the control plane is made or upgraded.
func (m *Manager) syncDeployments(cluster *unstructured.Unstructured, pools []part, existing map[string]*unstructured.Unstructured, up *upgrade) error {
	wanted := map[string]bool{}
	for _, p := range pools {
		wanted[p.pool] = true
		switch {
		case existing[p.pool] != nil:
		case !up.stable():
			up.creations = append(up.creations, p.pool)
		default:
			if err := m.createDeployment(cluster, p); err != nil {
				return err
			}
		}
	}
	for i, p := range pools {
		u := existing[p.pool]
		if u == nil || deleting(u) {
			continue
		}
		if err := m.syncHealthCheck(cluster, p, nameOf(u)); err != nil {
			return err
		}
		if !up.admits(u, pools, i) {
			continue
		}
		if err := m.patchDeployment(cluster, u, p); err != nil {
			return err
		}
	}
	for _, u := range m.ofCluster(kindMachineDeployment, namespaceOf(cluster), nameOf(cluster)) {
		if wanted[labelOf(u, labelTopologyDeployment)] || !hasLabel(u, labelTopologyOwned) {
			continue
		}
		if err := m.removeDeployment(u); err != nil {
			return err
		}
	}
	return nil
}

// removeDeployment: the MachineHealthCheck goes first, so that nobody replaces
// machines on their way out (domain.md 3.1). Templates go with the deployment.
func (m *Manager) removeDeployment(u *unstructured.Unstructured) error {
	if err := m.remove(actorTopology, m.get(kindMachineHealthCheck, namespaceOf(u), nameOf(u))); err != nil {
		return err
	}
	return m.remove(actorTopology, u)
}

func (m *Manager) createDeployment(cluster *unstructured.Unstructured, p part) error {
	template, err := m.machineTemplate(cluster, p, "")
	if err != nil {
		return err
	}
	bootstrap, err := m.bootstrapTemplate(cluster, p, "")
	if err != nil {
		return err
	}
	d := edit(&unstructured.Unstructured{Object: map[string]any{
		"metadata": m.topologyMeta(cluster, kindMachineDeployment, nameOf(cluster)+"-"+p.pool+"-", p.pool, nil, "", ""),
		"spec":     map[string]any{"replicas": firstReplicas(p.content)},
	}}, m.now())
	p.writeDeployment(d, cluster, template, bootstrap)
	made, err := m.create(actorTopology, kindMachineDeployment, d.root)
	if err != nil {
		return err
	}
	return m.syncHealthCheck(cluster, p, nameOf(made))
}

func (m *Manager) patchDeployment(cluster, u *unstructured.Unstructured, p part) error {
	spec := resource.Fields(u.Object, "spec", "template", "spec")
	template, err := m.machineTemplate(cluster, p, resource.Text(spec, "infrastructureRef", "name"))
	if err != nil {
		return err
	}
	bootstrap, err := m.bootstrapTemplate(cluster, p, resource.Text(spec, "bootstrap", "configRef", "name"))
	if err != nil {
		return err
	}
	d := edit(u, m.now())
	p.writeDeployment(d, cluster, template, bootstrap)
	return m.commit(actorTopology, d)
}

// writeDeployment writes what the topology owns of a MachineDeployment. Replicas
// that it does not give belong to an autoscaler and stay.
func (p part) writeDeployment(d *draft, cluster *unstructured.Unstructured, template, bootstrap string) {
	own := topologyLabels(cluster, p.pool)
	labels, annotations := p.metadata("labels"), p.metadata("annotations")
	for key, value := range own {
		labels[key] = value
	}
	delete(annotations, annotationDeferUpgrade)
	delete(annotations, annotationHoldSequence)
	d.desireMetadata(labels, annotations, "spec", "template", "metadata")
	d.desire(own, "spec", "selector", "matchLabels")
	d.desire(nameOf(cluster), "spec", "clusterName")
	if p.content["replicas"] != nil {
		d.desire(deploymentReplicas(p.content), "spec", "replicas")
	}
	rollout := p.rollout()
	d.desire(rollout["after"], "spec", "rollout", "after")
	d.desire(rollout["strategy"], "spec", "rollout", "strategy")
	d.desire(p.setting("deletion", "order"), "spec", "deletion", "order")
	d.desire(p.setting("healthCheck", "remediation", "maxInFlight"), "spec", "remediation", "maxInFlight")
	d.desire(p.deploymentMachines(cluster, template, bootstrap), "spec", "template", "spec")
}

// deploymentMachines is spec.template.spec of a MachineDeployment.
func (p part) deploymentMachines(cluster *unstructured.Unstructured, template, bootstrap string) map[string]any {
	machine := map[string]any{
		"clusterName":       nameOf(cluster),
		"version":           p.version,
		"bootstrap":         map[string]any{"configRef": contractRef(kindKubeadmConfigTemplate, bootstrap)},
		"infrastructureRef": contractRef(kindVSphereTemplate, template),
	}
	if zone, _ := p.setting("failureDomain").(string); zone != "" {
		machine["failureDomain"] = zone
	}
	if v := p.setting("minReadySeconds"); v != nil {
		machine["minReadySeconds"] = v
	}
	p.machineFields(machine)
	return machine
}

// firstReplicas is what the webhook of MachineDeployments makes of replicas that a
// new pool does not give: the least that an autoscaler may set, or 1.
func firstReplicas(md map[string]any) int64 {
	if md["replicas"] == nil {
		least := resource.Text(md, "metadata", "annotations", "cluster.x-k8s.io/cluster-api-autoscaler-node-group-min-size")
		if n, err := strconv.ParseInt(least, 10, 32); err == nil && n >= 0 {
			return n
		}
	}
	return deploymentReplicas(md)
}
