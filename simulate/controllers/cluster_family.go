package controllers

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A family is what belongs to a Cluster and what its status is made of; objects
// that do not exist are nil.
type family struct {
	infrastructure, controlPlane *view
	deployments                  []*view
	controlPlanes, workers       []*view // Machines
}

func (m *Manager) familyOf(cluster *view, infrastructure, controlPlane *unstructured.Unstructured) family {
	f := family{deployments: m.viewsOf(m.ofCluster(kindMachineDeployment, cluster.namespace, cluster.name))}
	if infrastructure != nil {
		f.infrastructure = m.view(infrastructure)
	}
	if controlPlane != nil {
		f.controlPlane = m.view(controlPlane)
	}
	for _, machine := range m.viewsOf(m.ofCluster(kindMachine, cluster.namespace, cluster.name)) {
		if machine.controlPlane {
			f.controlPlanes = append(f.controlPlanes, machine)
		} else {
			f.workers = append(f.workers, machine)
		}
	}
	return f
}

// news is which parts of a family may say something else than when it was last
// summed up.
type news struct{ infrastructure, controlPlane, deployments, controlPlanes, workers bool }

var allNews = news{true, true, true, true, true}

// since compares a family with what the pass took in that left the Cluster as it is.
func (f family) since(taken any) news {
	last, known := taken.(family)
	if !known {
		return allNews
	}
	return news{
		infrastructure: f.infrastructure != last.infrastructure,
		controlPlane:   f.controlPlane != last.controlPlane,
		deployments:    !slices.Equal(f.deployments, last.deployments),
		controlPlanes:  !slices.Equal(f.controlPlanes, last.controlPlanes) || slices.ContainsFunc(f.controlPlanes, unsaid),
		workers:        !slices.Equal(f.workers, last.workers) || slices.ContainsFunc(f.workers, unsaid),
	}
}

// unsaid says that a Machine has not said yet whether it is up to date, which counts
// only after a while.
func unsaid(machine *view) bool { return machine.condition("UpToDate").Type == "" }
