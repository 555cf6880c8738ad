package controllers

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/kubeapi"
)

// paused says whether the controllers of u must leave it alone: its Cluster is
// paused as a whole, or the object itself is by annotation (domain.md 3.7).
// cluster may be nil, and may be u.
func paused(cluster, u *unstructured.Unstructured) bool {
	return cluster != nil && resource.Flag(cluster.Object, "spec", "paused") ||
		resource.Field(u.Object, "metadata", "annotations", annotationPaused) != nil
}

// held is what every controller asks first of all, before deletion too, because
// that does not proceed either: it writes the condition Paused into d where it no
// longer says the truth, and reports whether the caller has to commit and stop.
// A pass that notices that the pause is over only writes so; the next one works.
func (m *Manager) held(d *draft, v *view, cluster *unstructured.Unstructured) bool {
	switch {
	case m.goesOn(v, cluster):
		return false
	case paused(cluster, d.base):
		d.condition("Paused", "True", "Paused", pauseMessage(cluster, d.base))
		return true
	case d.isTrue("Paused"):
		d.condition("Paused", "False", "NotPaused", "")
		return true
	}
	return false
}

// goesOn says that an object is not paused and says so, as nearly all are.
func (m *Manager) goesOn(v *view, cluster *unstructured.Unstructured) bool {
	return v.condition("Paused").Status == "False" && !v.paused && !m.view(cluster).pauses
}

func pauseMessage(cluster, u *unstructured.Unstructured) string {
	if cluster != nil && resource.Flag(cluster.Object, "spec", "paused") {
		return "Cluster spec.paused is set to true"
	}
	return u.GetKind() + " has the " + annotationPaused + " annotation"
}

// pauseChanged says whether a Cluster was paused as a whole or goes on, which
// everything that belongs to it has to notice.
func pauseChanged(c kubeapi.Change) bool {
	return c.Before != nil && c.After != nil &&
		resource.Flag(c.Before.Object, "spec", "paused") != resource.Flag(c.After.Object, "spec", "paused")
}
