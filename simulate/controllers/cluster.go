package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// reconcileCluster adopts what the topology made, copies the endpoint, passes
// the two barriers, takes everything down again in its order, and sums all of it
// up in conditions (domain.md 1.1, E10, E19, E41, E52).
func (m *Manager) reconcileCluster(cluster *unstructured.Unstructured) (time.Duration, error) {
	d, v := m.edit(cluster), m.view(cluster)
	if !v.deleting && !v.hasFinalizer(finalizerCluster) {
		d.addFinalizer(finalizerCluster)
		return 0, m.commit(actorCore, d)
	}
	if m.held(d, v, cluster) {
		return 0, m.commit(actorCore, d)
	}
	if v.references().class.name != "" && d.has("Paused") && m.classFor(cluster) == nil {
		return 0, nil // not even a deletion goes on without the class
	}
	if v.deleting {
		return m.deleteCluster(d, cluster)
	}
	if introduce(d, v, finalizerCluster) {
		return 0, m.commit(actorCore, d)
	}
	if r := v.references(); r.class.name != "" && r.infrastructure.name == "" {
		return 0, m.awaitTopology(d, cluster)
	}
	infrastructure, controlPlane := m.infrastructureOf(cluster), m.controlPlaneOf(cluster)
	f := m.familyOf(v, infrastructure, controlPlane)
	n := f.since(v.taken)
	if n.infrastructure {
		if err := m.adopt(cluster, infrastructure); err != nil {
			return 0, err
		}
		copyInfrastructure(d, f.infrastructure)
	}
	if n.controlPlane {
		if err := m.adopt(cluster, controlPlane); err != nil {
			return 0, err
		}
		if f.controlPlane.initialized("controlPlaneInitialized") {
			d.set(true, "status", "initialization", "controlPlaneInitialized")
		}
	}
	again := m.probeConnection(d, cluster)
	d.condition("Deleting", "False", "NotDeleting", "")
	m.summarizeCluster(d, f, n)
	return again, m.settle(actorCore, d, f.as)
}

// adopt makes the Cluster an owner of u, if there is one: the controller of what its
// topology made. The shim stays an owner until the topology controller takes it out.
func (m *Manager) adopt(cluster, u *unstructured.Unstructured) error {
	if u == nil || m.view(u).ownedBy(m.view(cluster)) {
		return nil
	}
	d := edit(u, m.now())
	generated := resource.Fields(cluster.Object, "spec", "topology") != nil
	d.addOwner(ref(cluster, generated))
	d.label(labelCluster, nameOf(cluster))
	return m.commit(actorCore, d)
}

// copyInfrastructure takes over the endpoint and the barrier.
func copyInfrastructure(d *draft, infrastructure *view) {
	if !infrastructure.initialized("provisioned") {
		return
	}
	endpoint := resource.Fields(infrastructure.spec, "controlPlaneEndpoint")
	d.set(resource.Text(endpoint, "host"), "spec", "controlPlaneEndpoint", "host")
	d.set(resource.Int(endpoint, "port"), "spec", "controlPlaneEndpoint", "port")
	d.set(true, "status", "initialization", "infrastructureProvisioned")
	if resource.Field(d.root, "status", "failureDomains") == nil {
		if domains := resource.Items(infrastructure.status, "failureDomains"); domains != nil {
			d.replace(domains, "status", "failureDomains")
		}
	}
}

// probeConnection plays the cluster cache: a connection is tried every 30 s
// until the workload API answers, also while the Cluster is deleted. One that was made
// holds for longer than that takes. The result is when to look again.
func (m *Manager) probeConnection(d *draft, cluster *unstructured.Unstructured) time.Duration {
	if d.isTrue("RemoteConnectionProbe") {
		return 0
	}
	at, known := m.connectionTime(cluster)
	if known && !at.After(m.now()) {
		d.condition("RemoteConnectionProbe", "True", "ProbeSucceeded", "")
		return 0
	}
	d.condition("RemoteConnectionProbe", "False", "ProbeFailed", "Remote connection not established yet")
	if known {
		return at.Sub(m.now()) + hop
	}
	return 0
}

// clusterPhase says nothing of nodes (domain.md 1.1).
func clusterPhase(d *draft) string {
	switch {
	case d.deleting():
		return "Deleting"
	case resource.Flag(d.root, "status", "initialization", "infrastructureProvisioned") && resource.Text(d.root, "spec", "controlPlaneEndpoint", "host") != "":
		return "Provisioned"
	case resource.Text(d.root, "spec", "infrastructureRef", "name") != "":
		return "Provisioning"
	}
	return "Pending"
}

func (m *Manager) workersOf(namespace, cluster string) []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	for _, u := range m.ofCluster(kindMachine, namespace, cluster) {
		if !m.view(u).controlPlane {
			out = append(out, u)
		}
	}
	return out
}
