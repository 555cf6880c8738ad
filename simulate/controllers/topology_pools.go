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
func (m *Manager) syncDeployments(cluster *unstructured.Unstructured, pools []part, up *upgrade) error {
	wanted := map[string]bool{}
	for _, p := range pools {
		wanted[p.pool] = true
		switch {
		case up.pools[p.pool] != nil:
		case !up.stable():
			up.creations = append(up.creations, p.pool)
		default:
			if err := m.createDeployment(cluster, p); err != nil {
				return err
			}
		}
	}
	for i, p := range pools {
		u := up.pools[p.pool]
		if u == nil {
			continue
		}
		if err := m.syncHealthCheck(cluster, p, nameOf(u)); err != nil {
			return err
		}
		var admitted bool
		if p.version, admitted = up.admits(u, pools, i); !admitted || deleting(u) {
			continue
		}
		if err := m.patchDeployment(cluster, u, p, up.changed); err != nil {
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
	p.sayDeployment(application{draft: d}, cluster, template, bootstrap)
	made, err := m.create(actorTopology, kindMachineDeployment, d.root)
	if err != nil {
		return err
	}
	return m.syncHealthCheck(cluster, p, nameOf(made))
}

func (m *Manager) patchDeployment(cluster, u *unstructured.Unstructured, p part, changed bool) error {
	home := m.view(cluster)
	if !changed && m.settledFor(home, p, u) {
		return nil
	}
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
	p.sayDeployment(application{d, changed || deploymentVersion(u) != p.version}, cluster, template, bootstrap)
	if !d.changed() {
		m.settleFor(home, p, u)
	}
	return m.commit(actorTopology, d)
}

// sayDeployment says what the topology owns of a MachineDeployment. Replicas that
// it does not give belong to an autoscaler and stay.
func (p part) sayDeployment(a application, cluster *unstructured.Unstructured, template, bootstrap string) {
	own := topologyLabels(cluster, p.pool)
	labels, annotations := p.metadata("labels"), p.metadata("annotations")
	for key, value := range own {
		labels[key] = value
	}
	delete(annotations, annotationDeferUpgrade)
	delete(annotations, annotationHoldSequence)
	a.sayMetadata(labels, annotations, "spec", "template", "metadata")
	a.say(own, "spec", "selector", "matchLabels")
	a.say(nameOf(cluster), "spec", "clusterName")
	if p.content["replicas"] != nil {
		a.say(deploymentReplicas(p.content), "spec", "replicas")
	}
	rollout := p.rollout()
	a.say(rollout["after"], "spec", "rollout", "after")
	a.say(rollout["strategy"], "spec", "rollout", "strategy")
	a.say(p.setting("deletion", "order"), "spec", "deletion", "order")
	a.say(p.setting("healthCheck", "remediation", "maxInFlight"), "spec", "remediation", "maxInFlight")

	machine := func(value any, path ...string) {
		a.say(value, append([]string{"spec", "template", "spec"}, path...)...)
	}
	machine(nameOf(cluster), "clusterName")
	machine(p.version, "version")
	machine(contractRef(kindKubeadmConfigTemplate, bootstrap), "bootstrap", "configRef")
	machine(contractRef(kindVSphereTemplate, template), "infrastructureRef")
	machine(p.setting("failureDomain"), "failureDomain")
	machine(p.setting("minReadySeconds"), "minReadySeconds")
	a.sayMachines(p, "spec", "template", "spec")
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
