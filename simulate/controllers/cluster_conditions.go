package controllers

import (
	"slices"

	"github.com/vksync/vksync/reconcile/resource"
)

// summarizeCluster computes phase, counts and all conditions that sum up what
// belongs to the Cluster, whether it lives or goes (domain.md 1.1, observed.md 6.4).
// What there is no news of stays as it was.
func (m *Manager) summarizeCluster(d *draft, f family, n news) {
	if n.infrastructure {
		infrastructureCondition(d, f.infrastructure)
		d.set(clusterPhase(d), "status", "phase")
	}
	if n.controlPlane || n.infrastructure {
		controlPlaneConditions(d, f)
	}
	if n.deployments {
		merge(d, "WorkersAvailable", "Available", f.deployments, "NoWorkers")
	}
	if n.controlPlanes {
		mergeMachines(d, "ControlPlaneMachines", f.controlPlanes)
	}
	if n.workers {
		mergeMachines(d, "WorkerMachines", f.workers)
	}
	if n.controlPlane || n.deployments {
		active := f.deployments
		if f.controlPlane != nil {
			active = append(slices.Clip(active), f.controlPlane)
		}
		for _, activity := range []string{"RollingOut", "ScalingUp", "ScalingDown"} {
			mergeActivity(d, activity, active)
		}
	}
	if n.controlPlanes || n.workers {
		remediating(d, f.controlPlanes, f.workers)
	}
	clusterAvailable(d, contentOf(m.classFor(d.base)))
	countReplicas(d, f, n)
	d.observeGeneration()
}

// mergeMachines sums up Machines. One that is too new to have said whether it is up to
// date does not count for that.
func mergeMachines(d *draft, prefix string, machines []*view) {
	merge(d, prefix+"Ready", "Ready", machines, "NoReplicas")
	merge(d, prefix+"UpToDate", "UpToDate", slices.DeleteFunc(slices.Clone(machines), func(machine *view) bool {
		return unsaid(machine) && d.now.Sub(machine.createdAt()) <= upToDateGrace
	}), "NoReplicas")
}

func infrastructureCondition(d *draft, infrastructure *view) {
	kind := "InfrastructureReady"
	switch {
	case infrastructure != nil:
		mirror(d, kind, "Ready", infrastructure, "VSphereCluster status.initialization.provisioned is false")
	case resource.Flag(d.root, "status", "initialization", "infrastructureProvisioned"):
		d.condition(kind, "False", "ObjectDeleted", "VSphereCluster has been deleted")
	default:
		d.condition(kind, "False", "ObjectDoesNotExist", "VSphereCluster does not exist")
	}
}

// controlPlaneConditions: once initialized is initialized for good.
func controlPlaneConditions(d *draft, f family) {
	const waiting = "KubeadmControlPlane status.initialization.controlPlaneInitialized is false"
	begun := resource.Flag(d.root, "status", "initialization", "controlPlaneInitialized")
	switch {
	case d.isTrue("ControlPlaneInitialized"):
	case begun || f.controlPlane.initialized("controlPlaneInitialized"):
		d.condition("ControlPlaneInitialized", "True", "Initialized", "")
	case f.controlPlane != nil:
		d.condition("ControlPlaneInitialized", "False", "NotInitialized", "Control plane not yet initialized")
	case f.infrastructure != nil: // which the controller looks for in place of the control plane
		d.condition("ControlPlaneInitialized", "Unknown", "InternalError", seeLogs)
	default:
		d.condition("ControlPlaneInitialized", "Unknown", "ObjectDoesNotExist", "KubeadmControlPlane does not exist")
	}
	switch {
	case f.controlPlane != nil:
		mirror(d, "ControlPlaneAvailable", "Available", f.controlPlane, waiting)
	case begun:
		d.condition("ControlPlaneAvailable", "False", "ObjectDeleted", "KubeadmControlPlane has been deleted")
	default:
		d.condition("ControlPlaneAvailable", "False", "ObjectDoesNotExist", "KubeadmControlPlane does not exist")
	}
}

// remediating is true while the owner of a machine that failed its health check has
// to replace it.
func remediating(d *draft, lists ...[]*view) {
	var names []string
	for _, machines := range lists {
		for _, machine := range machines {
			if machine.remediationAsked() {
				names = append(names, machine.name)
			}
		}
	}
	if len(names) == 0 {
		d.condition("Remediating", "False", "NotRemediating", "")
		return
	}
	d.condition("Remediating", "True", "Remediating", "* "+nameList("Machine", names))
}

// clusterAvailable sums up the conditions that decide whether a Cluster can be
// used. An upgrade under way, or one that waits, does not count against it.
func clusterAvailable(d *draft, class map[string]any) {
	gates := resource.Items(d.root, "spec", "availabilityGates")
	if gates == nil {
		gates = resource.Items(class, "spec", "availabilityGates")
	}
	status, reason := "True", "Available"
	issues := newSummary()
	count := func(kind string, negative bool) {
		c := d.conditionOf(kind)
		good := "True"
		if negative {
			good = "False"
		}
		switch {
		case c.Status == good:
			return
		case c.Type == "":
			c.Status, c.Message = "Unknown", "Condition "+kind+" not yet reported"
		case c.Status != "Unknown":
			c.Status = "False"
		}
		switch {
		case c.Status == "False":
			status, reason = "False", "NotAvailable"
		case status == "True":
			status, reason = "Unknown", "AvailableUnknown"
		}
		issues = issues.add(kind, c.Message)
	}
	count("Deleting", true)
	for _, kind := range []string{"RemoteConnectionProbe", "InfrastructureReady", "ControlPlaneAvailable", "WorkersAvailable"} {
		count(kind, false)
	}
	switch d.conditionOf("TopologyReconciled").Reason {
	case "ReconcileFailed", "ClusterClassNotReconciled":
		count("TopologyReconciled", false)
	}
	for _, gate := range gates {
		count(resource.Text(gate, "conditionType"), resource.Text(gate, "polarity") == "Negative")
	}
	d.summarize("Available", status, reason, issues)
}
