package controllers

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A family is what belongs to a Cluster and what its status is made of; objects
// that do not exist are nil.
type family struct {
	infrastructure, controlPlane        *view
	deployments, controlPlanes, workers []*view
	as                                  familyAs
}

// familyAs is as what a pass found a family.
type familyAs struct {
	infrastructure, controlPlane        *view
	deployments, controlPlanes, workers uint64 // versions of the kin
	// unsaid says of the Machines of the control plane and of the workers that some have
	// not said yet whether they are up to date, which counts only after a while.
	unsaidControlPlanes, unsaidWorkers bool
}

// familyOf is the family of a Cluster as it is, and goes on to be.
func (m *Manager) familyOf(cluster *view, infrastructure, controlPlane *unstructured.Unstructured) family {
	var f family
	if infrastructure != nil {
		f.infrastructure = m.view(infrastructure)
	}
	if controlPlane != nil {
		f.controlPlane = m.view(controlPlane)
	}
	f.as.infrastructure, f.as.controlPlane = f.infrastructure, f.controlPlane
	if k := m.kin[clusterName{cluster.namespace, cluster.name}]; k != nil {
		f.deployments, f.controlPlanes, f.workers = k.deployments.views, k.controlPlanes.views, k.workers.views
		f.as.deployments, f.as.controlPlanes, f.as.workers = k.deployments.version, k.controlPlanes.version, k.workers.version
	}
	return f
}

// kept is the family as it is now, whoever leaves it.
func (f family) kept() family {
	f.deployments, f.controlPlanes, f.workers = slices.Clone(f.deployments), slices.Clone(f.controlPlanes), slices.Clone(f.workers)
	return f
}

// news is which parts of a family may say something else than when it was last
// summed up.
type news struct{ infrastructure, controlPlane, deployments, controlPlanes, workers bool }

var allNews = news{true, true, true, true, true}

// since compares a family with what the pass took in that left the Cluster as it is.
func (f *family) since(taken any) news {
	last, known := taken.(familyAs)
	n := allNews
	if known {
		n = news{
			infrastructure: f.as.infrastructure != last.infrastructure,
			controlPlane:   f.as.controlPlane != last.controlPlane,
			deployments:    f.as.deployments != last.deployments,
			controlPlanes:  f.as.controlPlanes != last.controlPlanes || last.unsaidControlPlanes,
			workers:        f.as.workers != last.workers || last.unsaidWorkers,
		}
	}
	f.as.unsaidControlPlanes = n.controlPlanes && slices.ContainsFunc(f.controlPlanes, unsaid)
	f.as.unsaidWorkers = n.workers && slices.ContainsFunc(f.workers, unsaid)
	return n
}

// unsaid says that a Machine has not said yet whether it is up to date.
func unsaid(machine *view) bool { return machine.condition("UpToDate").Type == "" }
