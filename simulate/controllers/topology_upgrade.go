package controllers

import (
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// Annotations that steer an upgrade (domain.md 3.3).
const (
	annotationConcurrency  = "topology.cluster.x-k8s.io/upgrade-concurrency"
	annotationDeferUpgrade = "topology.cluster.x-k8s.io/defer-upgrade"
	annotationHoldSequence = "topology.cluster.x-k8s.io/hold-upgrade-sequence"
)

// An upgrade is how far the parts of a Cluster are on the way to its version. The
// control plane goes first; pools follow in the order of the list, few at a time.
// A part whose turn has not come is pending, and all its other changes wait with it,
// so that its machines are replaced once.
type upgrade struct {
	to      string
	changed bool // nobody has looked at this form of the Cluster before
	// Of the control plane. Provisioning is before its first machine, upgrading
	// while a machine of another version is left.
	provisioning, pending, starting, upgrading bool
	controlPlaneVersion                        string

	// MachineDeployments by name, and pools that are not made yet.
	running, waiting, deferred, creations []string
	behind                                bool // one of them had another version before this pass
	concurrency                           int
}

// upgradeOf looks at a Cluster with a control plane.
func (m *Manager) upgradeOf(cluster, controlPlane *unstructured.Unstructured, pools []part, existing map[string]*unstructured.Unstructured) *upgrade {
	up := &upgrade{to: resource.Text(cluster.Object, "spec", "topology", "version"), concurrency: 1, changed: !looked(m.view(cluster))}
	if n, err := strconv.Atoi(resource.Text(cluster.Object, "metadata", "annotations", annotationConcurrency)); err == nil && n > 0 {
		up.concurrency = n
	}
	for _, p := range pools {
		u := existing[p.pool]
		if u == nil {
			continue
		}
		up.behind = up.behind || deploymentVersion(u) != up.to
		if m.isUpgrading(u) {
			up.running = append(up.running, nameOf(u))
		}
	}
	up.controlPlaneVersion = up.next(controlPlane)
	return up
}

// next is the version that the control plane is to have now. It takes a new one
// only while neither it nor a pool is still busy with the one before.
func (up *upgrade) next(controlPlane *unstructured.Unstructured) string {
	spec := resource.Text(controlPlane.Object, "spec", "version")
	status := resource.Text(controlPlane.Object, "status", "version")
	up.provisioning = status == ""
	up.upgrading = status != "" && status != spec
	up.pending = spec != up.to
	if !up.pending || up.provisioning || up.upgrading || len(up.running) > 0 {
		return spec
	}
	up.pending, up.starting = false, true
	return up.to
}

// stable says whether pools may follow, or be made.
func (up *upgrade) stable() bool {
	return !up.provisioning && !up.pending && !up.starting && !up.upgrading
}

// admits says whether a pool that exists may be changed in this pass. One that
// takes the new version now counts as running from then on.
func (up *upgrade) admits(u *unstructured.Unstructured, pools []part, at int) bool {
	name := nameOf(u)
	switch {
	case deploymentVersion(u) == up.to:
		return true
	case deferred(pools, at):
		up.deferred = append(up.deferred, name)
	case len(up.running) >= up.concurrency || !up.stable():
		up.waiting = append(up.waiting, name)
	default:
		up.running = append(up.running, name)
		return true
	}
	return false
}

// deferred says whether the pool, or one before it in the list, is held back by annotation.
func deferred(pools []part, at int) bool {
	has := func(p part, key string) bool {
		return resource.Field(p.content, "metadata", "annotations", key) != nil
	}
	return has(pools[at], annotationDeferUpgrade) ||
		slices.ContainsFunc(pools[:at+1], func(p part) bool { return has(p, annotationHoldSequence) })
}

// isUpgrading says whether a machine of a MachineDeployment still has another version.
func (m *Manager) isUpgrading(deployment *unstructured.Unstructured) bool {
	v := m.view(deployment)
	k := m.kin[clusterName{v.namespace, v.cluster}]
	if k == nil {
		return false
	}
	behind := func(machine *view) bool { return isBehind(machine, v) }
	return slices.ContainsFunc(k.workers.views, behind) || slices.ContainsFunc(k.controlPlanes.views, behind)
}

// behind says whether a Machine has a MachineDeployment upgrading.
func (m *Manager) behind(machine *view) bool {
	k := m.kin[clusterName{machine.namespace, machine.cluster}]
	return k != nil && slices.ContainsFunc(k.deployments.views, func(deployment *view) bool { return isBehind(machine, deployment) })
}

// isBehind says whether a Machine is of the pool of a MachineDeployment, and of another
// version.
func isBehind(machine, deployment *view) bool {
	return machine.labels[labelTopologyDeployment] == any(deployment.label(labelTopologyDeployment)) &&
		resource.Text(machine.spec, "version") != resource.Text(deployment.spec, "template", "spec", "version")
}

func deploymentVersion(u *unstructured.Unstructured) string {
	return resource.Text(u.Object, "spec", "template", "spec", "version")
}

// inProgress says whether anything of the upgrade, or of what waits for one, is left.
func (up *upgrade) inProgress() bool {
	return up.pending || up.starting || up.upgrading ||
		len(up.running)+len(up.waiting)+len(up.deferred)+len(up.creations) > 0
}

// step is the version to note on the Cluster while it is upgraded; "" is none. It
// is there as long as some part has not begun.
func (up *upgrade) step() string {
	if up.pending || up.starting || up.behind {
		return up.controlPlaneVersion
	}
	return ""
}

// looked says whether the last pass was over the present form of the Cluster.
func looked(cluster *view) bool {
	report := cluster.topologyReport()
	return report != nil && resource.Int(report, "observedGeneration") == cluster.generation
}
