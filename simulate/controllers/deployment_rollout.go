package controllers

import (
	"slices"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// rollOut writes the sets as they should be now, and the revision. It returns what
// the deployment was propagated to and when rollout.after will have passed. last is
// what it, as it is, was propagated to already.
func (m *Manager) rollOut(d *draft, cluster *unstructured.Unstructured, sets []*unstructured.Unstructured, last propagated) (propagated, time.Duration, error) {
	fresh, old := m.sortSets(d, sets)
	r := rollout{desired: resource.Int(d.root, "spec", "replicas"), onDelete: onDelete(d.root), paused: resource.Flag(d.root, "spec", "paused")}
	r.maxSurge, r.maxUnavailable = surgeOf(d.root)
	if fresh != nil {
		r.fresh = countSet(m.view(fresh))
	}
	for _, set := range old {
		r.old = append(r.old, countSet(m.view(set)))
	}
	next := r.plan()
	is := propagated{fresh: r.fresh.name, revision: nextRevision(fresh, old), sets: sets}
	for _, set := range old {
		if last.knows(set, is, next) {
			continue
		}
		if err := m.updateSet(d, set, resource.Text(set.Object, "metadata", "annotations", annotationRevision), r.onDelete, next); err != nil {
			return is, 0, err
		}
	}
	var err error
	switch {
	case fresh == nil && r.paused:
		return is, 0, nil
	case fresh == nil:
		err = m.createSet(d, cluster, is.revision, next[r.fresh.name])
	case !last.knows(fresh, is, next):
		err = m.updateSet(d, fresh, is.revision, false, next)
	}
	d.set(is.revision, "metadata", "annotations", annotationRevision)
	return is, m.untilRollout(d), err
}

// propagated is what a deployment was propagated to: its sets, as they were before,
// which of them is of the present template, and its revision.
type propagated struct {
	fresh, revision string
	sets            []*unstructured.Unstructured
}

// knows says whether a set has from its deployment what it is to have: nothing that
// is propagated has changed since, and it is not to be scaled.
func (last propagated) knows(set *unstructured.Unstructured, is propagated, next map[string]int64) bool {
	if _, scaled := next[nameOf(set)]; scaled || is.fresh != last.fresh || is.revision != last.revision {
		return false
	}
	return slices.ContainsFunc(last.sets, func(before *unstructured.Unstructured) bool { return carriesSame(set, before) })
}

func countSet(set *view) setCount {
	most, _ := wholeNumber(resource.Text(set.annotations, annotationMax))
	return setCount{
		name:      set.name,
		wanted:    resource.Int(set.spec, "replicas"),
		total:     resource.Int(set.status, "replicas"),
		available: resource.Int(set.status, "availableReplicas"),
		most:      most,
	}
}

// untilRollout is the time to rollout.after; zero when it is unset or over.
func (m *Manager) untilRollout(d *draft) time.Duration {
	after := rolloutAfter(d.root)
	if after.IsZero() {
		return 0
	}
	return max(after.Sub(m.now())+hop, 0)
}

// nextRevision is one more than the highest of the old sets, or what the present
// one has if that is higher.
func nextRevision(fresh *unstructured.Unstructured, old []*unstructured.Unstructured) string {
	revision := func(set *unstructured.Unstructured) int64 {
		n, _ := strconv.ParseInt(resource.Text(contentOf(set), "metadata", "annotations", annotationRevision), 10, 64)
		return n
	}
	highest := int64(0)
	for _, set := range old {
		highest = max(highest, revision(set))
	}
	return strconv.FormatInt(max(highest+1, revision(fresh)), 10)
}
