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
	plan    upgradePlan
	pools   map[string]*unstructured.Unstructured // MachineDeployments by pool, as they were found
	changed bool                                  // nobody has looked at this form of the Cluster before
	// Of the control plane. Provisioning is before its first machine, upgrading
	// while a machine of another version is left, waiting while pools have to take its
	// version before it takes another.
	provisioning, pending, starting, upgrading, waitsForPools bool
	controlPlaneVersion                                       string

	// MachineDeployments by name, and pools that are not made yet.
	running, waiting, deferred, creations []string
	concurrency                           int
}

// upgradeOf looks at a Cluster with a control plane. Pools that are on their way out
// count like the others.
func (m *Manager) upgradeOf(cluster, controlPlane *unstructured.Unstructured, existing map[string]*unstructured.Unstructured) (*upgrade, error) {
	up := &upgrade{to: resource.Text(cluster.Object, "spec", "topology", "version"), pools: existing, concurrency: 1, changed: !looked(m.view(cluster))}
	if n, err := strconv.Atoi(resource.Text(cluster.Object, "metadata", "annotations", annotationConcurrency)); err == nil && n > 0 {
		up.concurrency = n
	}
	var err error
	listed := listedVersions(contentOf(m.classFor(cluster)))
	if up.plan, err = planUpgrade(listed, up.to, resource.Text(controlPlane.Object, "spec", "version"), lowestVersion(existing)); err != nil {
		return nil, err
	}
	for _, u := range existing {
		if m.isUpgrading(u) {
			up.running = append(up.running, nameOf(u))
		}
	}
	up.controlPlaneVersion = up.next(controlPlane)
	return up, nil
}

// next is the version that the control plane is to have now. It takes a new one
// only while neither it nor a pool is still busy with the one before.
func (up *upgrade) next(controlPlane *unstructured.Unstructured) string {
	spec := resource.Text(controlPlane.Object, "spec", "version")
	status := resource.Text(controlPlane.Object, "status", "version")
	up.provisioning = status == ""
	up.upgrading = status != "" && status != spec
	up.pending = spec != up.to
	up.waitsForPools = len(up.plan.workers) > 0 && up.plan.workers[0] == spec
	if !up.pending || up.provisioning || up.upgrading || up.waitsForPools || len(up.running) > 0 {
		return spec
	}
	up.pending, up.starting = false, true
	return up.plan.controlPlane[0]
}

// stable says whether pools may be made.
func (up *upgrade) stable() bool {
	return !up.provisioning && !up.pending && !up.starting && !up.upgrading
}

// ready says whether pools may follow the control plane.
func (up *upgrade) ready() bool {
	return !up.provisioning && !up.starting && !up.upgrading && (!up.pending || up.waitsForPools)
}

// admits says whether a pool that exists may be changed in this pass, and to which
// version. One that takes a new version now counts as running from then on.
func (up *upgrade) admits(u *unstructured.Unstructured, pools []part, at int) (to string, ok bool) {
	name, has := nameOf(u), deploymentVersion(u)
	switch {
	case has == up.to:
		return has, true
	case deferred(pools, at):
		up.deferred = append(up.deferred, name)
	case len(up.running) >= up.concurrency || !up.ready() || len(up.plan.workers) == 0 || up.plan.workers[0] == has:
		up.waiting = append(up.waiting, name)
	default:
		up.running = append(up.running, name)
		return up.plan.workers[0], true
	}
	return has, false
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
	if len(up.plan.controlPlane)+len(up.plan.workers) > 0 {
		return up.controlPlaneVersion
	}
	return ""
}

// looked says whether the last pass was over the present form of the Cluster, to its end.
func looked(cluster *view) bool {
	report := cluster.topologyReport()
	switch resource.Text(report, "reason") {
	case "", "ReconcileFailed", "Paused":
		return false
	}
	return resource.Int(report, "observedGeneration") == cluster.generation
}
