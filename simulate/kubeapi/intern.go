package kubeapi

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// Conditions are most of what a fleet's objects are made of, and most are the
// same in many objects: same type, reason and second. Sharing them brings 80,000
// objects of 3 KB from 650 to 380 MiB (BenchmarkPut).

// internLimit is how many conditions are remembered; the cache starts anew when
// it is full.
const internLimit = 1 << 13

// condition is all that a condition usually holds.
type condition struct {
	kind, status, reason, message, since, severity string
	generation                                     int64
}

// internConditions replaces the items of a new object's status.conditions by equal
// ones that were stored before. Who changes an object shares what it writes itself.
func (s *Store) internConditions(u *unstructured.Unstructured) {
	list := resource.Items(u.Object, "status", "conditions")
	if len(list) == 0 {
		return
	}
	// What u holds may be held by others too.
	status := maps.Clone(u.Object["status"].(map[string]any))
	list = slices.Clone(list)
	for i, item := range list {
		list[i] = s.interned(item)
	}
	status["conditions"] = list
	u.Object["status"] = status
}

func (s *Store) interned(item any) any {
	m, ok := item.(map[string]any)
	if !ok {
		return item
	}
	generation, _ := m["observedGeneration"].(int64)
	key := condition{
		resource.Text(m, "type"), resource.Text(m, "status"), resource.Text(m, "reason"), resource.Text(m, "message"),
		resource.Text(m, "lastTransitionTime"), resource.Text(m, "severity"), generation,
	}
	if known, ok := s.conditions[key]; ok && same(known, m) {
		return known
	}
	if len(s.conditions) >= internLimit {
		clear(s.conditions)
	}
	s.conditions[key] = m
	return m
}
