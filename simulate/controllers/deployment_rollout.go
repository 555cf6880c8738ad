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
func (m *Manager) rollOut(d *draft, asks terms, cluster *unstructured.Unstructured, sets []*unstructured.Unstructured, last propagated) (propagated, time.Duration, error) {
	is := propagated{fresh: last.fresh, sets: sets, carried: m.carriedBy(sets)}
	if !is.carriesSame(last) || !asks.after.IsZero() {
		is.fresh = m.fitting(d, sets)
	}
	fresh, old := m.sortSets(sets, is.fresh)
	if fresh == nil && !asks.paused {
		if last.missing = m.missingTemplates(d.base); len(last.missing) > 0 {
			return last, faultRetry, nil // no set can be made, and none is touched before
		}
	}
	r := rollout{terms: asks}
	if fresh != nil {
		r.fresh = countSet(m.view(fresh))
	}
	for _, set := range old {
		r.old = append(r.old, countSet(m.view(set)))
	}
	next := r.plan()
	if fresh != nil || !r.paused { // in a pause no set may be of the present template, and none is made
		is.revision = m.nextRevision(fresh, old)
	}
	for _, set := range old {
		if m.knows(set, last, is, next) {
			continue
		}
		if err := m.updateSet(d, set, resource.Text(set.Object, "metadata", "annotations", annotationRevision), r.onDelete, next); err != nil {
			return is, 0, err
		}
	}
	var err error
	switch {
	case fresh == nil && r.paused:
	case fresh == nil:
		err = m.createSet(d, cluster, is.revision, next[r.fresh.name])
	case !m.knows(fresh, last, is, next):
		err = m.updateSet(d, fresh, is.revision, false, next)
	}
	if is.revision != last.revision || is.revision == "" {
		d.set(is.revision, "metadata", "annotations", annotationRevision)
	}
	return is, m.untilRollout(asks.after), err
}

// propagated is what a deployment was propagated to: its sets, as they were before,
// and what they carried, which of them is of the present template, and its revision.
type propagated struct {
	fresh, revision string
	sets            []*unstructured.Unstructured
	carried         []contents
	missing         []string // templates without which there can be no set
}

// carriedBy is what each of some sets carries.
func (m *Manager) carriedBy(sets []*unstructured.Unstructured) []contents {
	carried := make([]contents, len(sets))
	for i, set := range sets {
		carried[i] = m.contentsOf(set)
	}
	return carried
}

// knows says whether a set has from its deployment what it is to have: nothing that
// is propagated has changed since, and it is not to be scaled.
func (m *Manager) knows(set *unstructured.Unstructured, last, is propagated, next map[string]int64) bool {
	_, scaled := next[m.view(set).name]
	return !scaled && is.fresh == last.fresh && is.revision == last.revision && slices.ContainsFunc(last.carried, m.contentsOf(set).same)
}

// carriesSame says whether there are the same sets as before, and carry the same: then
// the one of the present template is the one that it was.
func (is propagated) carriesSame(last propagated) bool {
	return slices.EqualFunc(is.carried, last.carried, contents.same)
}

func countSet(set *view) setCount {
	return setCount{
		name:      set.name,
		wanted:    resource.Int(set.spec, "replicas"),
		total:     resource.Int(set.status, "replicas"),
		available: resource.Int(set.status, "availableReplicas"),
	}
}

// untilRollout is the time to rollout.after; zero when it is unset or over.
func (m *Manager) untilRollout(after time.Time) time.Duration {
	if after.IsZero() {
		return 0
	}
	return max(after.Sub(m.now())+hop, 0)
}

// nextRevision is one more than the highest of the old sets, or what the present
// one has if that is higher.
func (m *Manager) nextRevision(fresh *unstructured.Unstructured, old []*unstructured.Unstructured) string {
	revision := func(set *unstructured.Unstructured) int64 {
		n, _ := strconv.ParseInt(resource.Text(m.view(set).annotations, annotationRevision), 10, 64)
		return n
	}
	highest := int64(0)
	for _, set := range old {
		highest = max(highest, revision(set))
	}
	return strconv.FormatInt(max(highest+1, revision(fresh)), 10)
}
