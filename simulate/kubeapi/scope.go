package kubeapi

import (
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/vksync/vksync/reconcile/resource"
)

// scope is what a list, a watch or the deletion of a collection covers.
type scope struct {
	namespace string // "" is all
	labels    labels.Selector
	fields    fields.Selector
}

// scope reads labelSelector and fieldSelector.
func (c *call) scope() (scope, error) {
	sc, query := scope{namespace: c.namespace}, c.query
	var err error
	if sc.labels, err = labels.Parse(query.Get("labelSelector")); err != nil {
		return sc, apierrors.NewBadRequest(fmt.Sprintf("unable to parse requirement: %v", err))
	}
	if sc.fields, err = fields.ParseSelector(query.Get("fieldSelector")); err != nil {
		return sc, apierrors.NewBadRequest(err.Error())
	}
	for _, r := range sc.fields.Requirements() {
		if err := c.table.selects(r.Field); err != nil {
			return sc, apierrors.NewBadRequest(err.Error())
		}
	}
	return sc, nil
}

func (sc scope) has(u *unstructured.Unstructured) bool {
	namespace := resource.Text(u.Object, "metadata", "namespace")
	if sc.namespace != "" && namespace != sc.namespace {
		return false
	}
	if !sc.fields.Empty() && !sc.fields.Matches(fieldsOf(u, sc.fields)) {
		return false
	}
	return sc.labels.Empty() || sc.labels.Matches(objectLabels(u))
}

// whole says that nothing of the namespace is left out.
func (sc scope) whole() bool { return sc.labels.Empty() && sc.fields.Empty() }

// first returns what is in scope of objects of its namespace, as they are in order:
// where something is left out no more than a page of limit, if that is not 0, and one.
func (sc scope) first(limit int, objects []stored) []stored {
	if sc.whole() {
		return objects
	}
	var out []stored
	for _, one := range objects {
		if sc.has(one.object) {
			out = append(out, one)
		}
		if limit > 0 && len(out) > limit {
			break
		}
	}
	return out
}

// cluster is the value that the labels must have for clusterLabel; "" when that is open.
func (sc scope) cluster() string {
	value, _ := sc.labels.RequiresExactMatch(clusterLabel)
	return value
}

// scan returns what is in scope, by namespace and name.
func (s *Store) scan(t *table, sc scope) []stored {
	var out []stored
	for _, b := range t.buckets(sc.namespace, sc.cluster()) {
		for _, r := range b {
			if sc.has(r.object) {
				out = append(out, r.stored)
			}
		}
	}
	return out
}

// objectLabels reads the labels of an object without copying them.
func objectLabels(u *unstructured.Unstructured) labels.Labels {
	m, _ := resource.Field(u.Object, "metadata", "labels").(map[string]any)
	return labelMap(m)
}

type labelMap map[string]any

var _ labels.Labels = labelMap(nil)

func (m labelMap) Has(label string) bool { _, ok := m[label]; return ok }

func (m labelMap) Get(label string) string { s, _ := m[label].(string); return s }

func (m labelMap) Lookup(label string) (string, bool) {
	s, ok := m[label].(string)
	return s, ok
}
