package controllers

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// summarizeCluster computes phase, counts and all conditions that sum up what
// belongs to the Cluster, whether it lives or goes (domain.md 1.1, observed.md 6.4).
func (m *Manager) summarizeCluster(d *draft, f family) {
	infrastructureCondition(d, f.infrastructure)
	controlPlaneConditions(d, f.controlPlane)
	merge(d, "WorkersAvailable", "Available", f.deployments, "NoWorkers")
	for _, part := range []struct {
		prefix   string
		machines []*unstructured.Unstructured
	}{{"ControlPlaneMachines", f.controlPlanes}, {"WorkerMachines", f.workers}} {
		merge(d, part.prefix+"Ready", "Ready", part.machines, "NoReplicas")
		// One that is too new to have said whether it is up to date does not count.
		merge(d, part.prefix+"UpToDate", "UpToDate", slices.DeleteFunc(slices.Clone(part.machines), func(u *unstructured.Unstructured) bool {
			return !hasCondition(u, "UpToDate") && d.now.Sub(createdAt(u)) <= upToDateGrace
		}), "NoReplicas")
	}
	active := slices.Clone(f.deployments)
	if f.controlPlane != nil {
		active = append(active, f.controlPlane)
	}
	for _, activity := range []string{"RollingOut", "ScalingUp", "ScalingDown"} {
		mergeActivity(d, activity, active)
	}
	remediating(d, slices.Concat(f.controlPlanes, f.workers))
	clusterAvailable(d, contentOf(m.classFor(d.base)))
	countReplicas(d, f)
	d.set(clusterPhase(d), "status", "phase")
	d.set(resource.Int(d.root, "metadata", "generation"), "status", "observedGeneration")
}

func infrastructureCondition(d *draft, infrastructure *unstructured.Unstructured) {
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
func controlPlaneConditions(d *draft, controlPlane *unstructured.Unstructured) {
	const waiting = "KubeadmControlPlane status.initialization.controlPlaneInitialized is false"
	begun := resource.Flag(d.root, "status", "initialization", "controlPlaneInitialized")
	if begun {
		d.condition("ControlPlaneInitialized", "True", "Initialized", "")
	} else {
		d.condition("ControlPlaneInitialized", "False", "NotInitialized", waiting)
	}
	switch {
	case controlPlane != nil:
		mirror(d, "ControlPlaneAvailable", "Available", controlPlane, waiting)
	case begun:
		d.condition("ControlPlaneAvailable", "False", "ObjectDeleted", "KubeadmControlPlane has been deleted")
	default:
		d.condition("ControlPlaneAvailable", "False", "ObjectDoesNotExist", "KubeadmControlPlane does not exist")
	}
}

// remediating is true while the owner of a machine that failed its health check has
// to replace it.
func remediating(d *draft, machines []*unstructured.Unstructured) {
	var names []string
	for _, machine := range machines {
		if resource.ConditionOf(machine.Object, "HealthCheckSucceeded").Status == "False" && resource.ConditionOf(machine.Object, "OwnerRemediated").Status == "False" {
			names = append(names, nameOf(machine))
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
	status := "True"
	var issues []string
	count := func(kind string, negative bool) {
		c := resource.ConditionOf(d.root, kind)
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
		if status == "True" || c.Status == "False" {
			status = c.Status
		}
		issues = append(issues, bullet(kind, c.Message))
	}
	count("Deleting", true)
	for _, kind := range []string{"RemoteConnectionProbe", "InfrastructureReady", "ControlPlaneAvailable", "WorkersAvailable"} {
		count(kind, false)
	}
	switch resource.ConditionOf(d.root, "TopologyReconciled").Reason {
	case "ReconcileFailed", "ClusterClassNotReconciled":
		count("TopologyReconciled", false)
	}
	for _, gate := range gates {
		count(resource.Text(gate, "conditionType"), resource.Text(gate, "polarity") == "Negative")
	}
	reason := map[string]string{"True": "Available", "False": "NotAvailable", "Unknown": "AvailableUnknown"}[status]
	d.condition("Available", status, reason, lines(issues))
}
