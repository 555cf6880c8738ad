package kubeapi

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	namespaceKind       = "Namespace"
	namespaceController = "namespace-controller"
	// namespaceDelay is how long the namespace controller takes to see a change.
	namespaceDelay = 50 * time.Millisecond
	// namespacePatience is how long it waits at most before it tries again.
	namespacePatience = time.Minute
)

func (t *table) isNamespace() bool { return t.Group == "" && t.Kind.Kind == namespaceKind }

// activate is what the API server adds to a new namespace.
func activate(u *unstructured.Unstructured, meta map[string]any) {
	labels, _ := meta["labels"].(map[string]any)
	labels = maps.Clone(labels)
	if labels == nil {
		labels = map[string]any{}
	}
	labels["kubernetes.io/metadata.name"] = meta["name"]
	meta["labels"] = labels
	u.Object["spec"] = map[string]any{"finalizers": []any{"kubernetes"}}
	u.Object["status"] = map[string]any{"phase": "Active"}
}

// emptyNamespace has the namespace controller delete all content at once, in no
// order of dependence (observed.md 6.7, n1), and remove the namespace when
// nothing is left. What admission refuses to delete it tries again, less and less often.
func (s *Store) emptyNamespace(name string) { s.emptyNamespaceAfter(name, namespaceDelay) }

func (s *Store) emptyNamespaceAfter(name string, delay time.Duration) {
	s.clock.AfterFunc(delay, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		r := s.terminating(name)
		if r == nil {
			return
		}
		refused := s.eraseContent(name)
		left := s.content(name)
		switch {
		case len(left) == 0:
			s.finishNamespace(name)
		case delay == namespaceDelay:
			s.reportRemaining(r, left)
		}
		if refused {
			s.emptyNamespaceAfter(name, min(2*delay, namespacePatience))
		}
	})
}

// eraseContent deletes all that is in a namespace and says whether admission refused some.
func (s *Store) eraseContent(namespace string) (refused bool) {
	for _, r := range s.content(namespace) {
		switch {
		case !r.lives() || deleting(r.object):
		case s.config.Admit != nil && s.config.Admit(Request{Verb: "delete", Old: r.object, Manager: namespaceController, Get: s.get, List: s.list}) != nil:
			refused = true
		default:
			s.erase(namespaceController, r)
		}
	}
	return refused
}

// finishNamespace removes a namespace that is being deleted once it is empty and
// has no finalizer of its own. It is called whenever that may have become true.
func (s *Store) finishNamespace(name string) {
	if r := s.terminating(name); r == nil || !s.finished(r) {
		return
	}
	s.clock.AfterFunc(namespaceDelay, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if r := s.terminating(name); r != nil && s.finished(r) {
			s.drop(namespaceController, r)
		}
	})
}

func (s *Store) finished(r *record) bool {
	if len(finalizers(r.object)) > 0 {
		return false
	}
	for _, t := range s.order {
		if len(t.in(r.name)) > 0 && !t.Cluster {
			return false
		}
	}
	return true
}

// terminating finds the namespace if it is being deleted.
func (s *Store) terminating(name string) *record {
	t := s.tables.of("v1", namespaceKind)
	if r := t.find("", name); r != nil && deleting(r.object) {
		return r
	}
	return nil
}

// content returns what is in a namespace.
func (s *Store) content(namespace string) []*record {
	var all []*record
	for _, t := range s.order {
		if !t.Cluster {
			all = append(all, t.in(namespace)...)
		}
	}
	return all
}

// reportRemaining says in the namespace's conditions what its deletion waits for.
func (s *Store) reportRemaining(r *record, left []*record) {
	resources, held := map[string]int{}, map[string]int{}
	for _, l := range left {
		resources[l.table.groupResource().String()]++
		for _, f := range finalizers(l.object) {
			held[fmt.Sprint(f)]++
		}
	}
	u := &unstructured.Unstructured{Object: maps.Clone(r.object.Object)}
	now := s.now()
	condition := func(kind, reason, message string) map[string]any {
		return map[string]any{"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": now}
	}
	u.Object["status"] = map[string]any{
		"phase": "Terminating",
		"conditions": []any{
			condition("NamespaceContentRemaining", "SomeResourcesRemain",
				"Some resources are remaining: "+counted(resources, "%s has %d resource instances")),
			condition("NamespaceFinalizersRemaining", "SomeFinalizersRemain",
				"Some content in the namespace has finalizers remaining: "+counted(held, "%s in %d resource instances")),
		},
	}
	// The namespace is there and gets no finalizer, so this cannot fail.
	_, _ = s.update(write{actor: namespaceController}, r, u)
}

func counted(counts map[string]int, format string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf(format, name, counts[name]))
	}
	return strings.Join(parts, ", ")
}
