package kubeapi

import (
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

const (
	collector = "garbage-collector"
	// collectDelay is how long the garbage collector takes to see a change.
	collectDelay = 50 * time.Millisecond

	foregroundFinalizer = "foregroundDeletion"
)

// orphaned has the garbage collector look at the dependents of an object that
// is gone: those that no living object owns are deleted. References to owners
// that are gone stay on objects that have other owners.
func (s *Store) orphaned(uid string) {
	if len(s.owned[uid]) == 0 {
		return
	}
	s.clock.AfterFunc(collectDelay, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, r := range slices.Clone(s.owned[uid]) {
			if s.ownerless(r) {
				s.collect(r)
			}
		}
	})
}

// adopt has the garbage collector look at an object that got owners none of
// which lives.
func (s *Store) adopt(r *record) {
	if len(r.owners) == 0 || !s.ownerless(r) {
		return
	}
	uid := r.uid
	s.clock.AfterFunc(collectDelay, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if r := s.uids[uid]; r != nil && len(r.owners) > 0 && s.ownerless(r) {
			s.collect(r)
		}
	})
}

func (s *Store) ownerless(r *record) bool {
	return !slices.ContainsFunc(r.owners, func(uid string) bool { return s.uids[uid] != nil })
}

// collect deletes r, which may be gone already.
func (s *Store) collect(r *record) {
	if r.lives() {
		s.erase(collector, r)
	}
}

// eraseForeground deletes r after its dependents: it is marked and held by a
// finalizer until none that blocks its deletion is left.
func (s *Store) eraseForeground(actor string, r *record) {
	uid := r.uid
	s.mark(actor, r, foregroundFinalizer)
	s.clock.AfterFunc(collectDelay, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, d := range slices.Clone(s.owned[uid]) {
			if !slices.ContainsFunc(d.owners, s.remains) {
				s.collectForeground(d)
			}
		}
		s.finishForeground(uid)
	})
}

// collectForeground passes a foreground deletion on to a dependent.
func (s *Store) collectForeground(r *record) {
	if !r.lives() {
		return
	}
	if len(s.owned[r.uid]) > 0 {
		s.eraseForeground(collector, r)
		return
	}
	s.erase(collector, r)
}

// remains reports whether the object of that uid lives and is not waiting for
// its dependents to go.
func (s *Store) remains(uid string) bool {
	owner := s.uids[uid]
	return owner != nil && !slices.Contains(finalizers(owner.object), any(foregroundFinalizer))
}

// finishForeground ends the foreground deletion of an object once no dependent
// blocks it. It is called whenever that may have become true.
func (s *Store) finishForeground(uid string) {
	if !s.unblocked(uid) {
		return
	}
	s.clock.AfterFunc(collectDelay, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.unblocked(uid) {
			return
		}
		r := s.uids[uid]
		u := withMetadata(r.object, "finalizers", without(finalizers(r.object), foregroundFinalizer))
		// The object is there and loses a finalizer, so this cannot fail.
		_, _ = s.update(write{actor: collector}, r, u)
	})
}

func (s *Store) unblocked(uid string) bool {
	r := s.uids[uid]
	if r == nil || s.remains(uid) {
		return false
	}
	return !slices.ContainsFunc(s.owned[uid], func(d *record) bool { return blocks(d.object, uid) })
}

func blocks(u *unstructured.Unstructured, owner string) bool {
	refs, _ := resource.Field(u.Object, "metadata", "ownerReferences").([]any)
	return slices.ContainsFunc(refs, func(ref any) bool {
		return resource.Text(ref, "uid") == owner && resource.Field(ref, "blockOwnerDeletion") == true
	})
}

// abandon takes the reference to an owner from all its dependents, so that they
// outlive it.
func (s *Store) abandon(uid string) {
	for _, r := range slices.Clone(s.owned[uid]) {
		refs, _ := resource.Field(r.object.Object, "metadata", "ownerReferences").([]any)
		left := slices.DeleteFunc(slices.Clone(refs), func(ref any) bool { return resource.Text(ref, "uid") == uid })
		// The object is there and gets no finalizer, so this cannot fail.
		_, _ = s.update(write{actor: collector}, r, withMetadata(r.object, "ownerReferences", left))
	}
}

// withMetadata copies u as far as needed to replace one list of its metadata.
func withMetadata(u *unstructured.Unstructured, name string, list []any) *unstructured.Unstructured {
	u = &unstructured.Unstructured{Object: maps.Clone(u.Object)}
	meta := ownMetadata(u)
	if len(list) == 0 {
		delete(meta, name)
	} else {
		meta[name] = list
	}
	return u
}

func without(list []any, item any) []any {
	return slices.DeleteFunc(slices.Clone(list), func(i any) bool { return i == item })
}
