package controllers

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// awaitTopology is all there is to do for a Cluster whose topology was not generated:
// nothing of it is looked for, so nobody knows anything of it.
func (m *Manager) awaitTopology(d *draft, cluster *unstructured.Unstructured) error {
	const waiting = "Waiting for cluster topology to be reconciled"
	m.probeConnection(d, cluster)
	d.set(clusterPhase(d), "status", "phase")
	d.condition("InfrastructureReady", "False", "ObjectDoesNotExist", waiting)
	d.condition("ControlPlaneAvailable", "False", "ObjectDoesNotExist", waiting)
	d.condition("ControlPlaneInitialized", "Unknown", "ObjectDoesNotExist", waiting)
	for _, kind := range []string{
		"WorkersAvailable", "ControlPlaneMachinesReady", "WorkerMachinesReady", "ControlPlaneMachinesUpToDate", "WorkerMachinesUpToDate",
		"RollingOut", "ScalingUp", "ScalingDown", "Remediating",
	} {
		d.condition(kind, "Unknown", "InternalError", seeLogs)
	}
	d.condition("Deleting", "False", "NotDeleting", "")
	clusterAvailable(d, contentOf(m.classFor(cluster)))
	d.observeGeneration()
	return m.commit(actorCore, d)
}
