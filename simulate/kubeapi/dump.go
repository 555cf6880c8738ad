package kubeapi

import (
	"fmt"
	"maps"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// All returns everything in the store, shared and read only, by group, kind, namespace
// and name.
func (s *Store) All() []*unstructured.Unstructured {
	return s.each(func(r *record) *unstructured.Unstructured { return r.object })
}

// Dump is All for Restore: objects carry their resourceVersions. It holds Secrets in
// the clear.
func (s *Store) Dump() []*unstructured.Unstructured { return s.each((*record).shown) }

func (s *Store) each(form func(*record) *unstructured.Unstructured) []*unstructured.Unstructured {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*unstructured.Unstructured
	for _, t := range s.order {
		for _, b := range t.buckets("", "") {
			for _, r := range b {
				all = append(all, form(r))
			}
		}
	}
	return all
}

// Restore fills an empty store with what Dump returned, or with objects read
// from a live API: uid, resourceVersion, timestamps and managedFields stay. An
// object without uid or resourceVersion gets one. Nobody is told of a Change.
// The version of the store is then the highest of the objects', and the garbage
// collector and the namespace controller take up what they had not finished.
// With an error the store is of no use.
func (s *Store) Restore(objects []*unstructured.Unstructured) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.version > 0 {
		return fmt.Errorf("restoring a world of %d objects: the store is not empty", len(objects))
	}
	for _, u := range objects {
		if err := s.restore(u); err != nil {
			return fmt.Errorf("restoring %s %s/%s: %w", u.GetKind(), u.GetNamespace(), u.GetName(), err)
		}
	}
	// Uids are drawn by count, and there were at most as many creations as writes.
	s.version = max(s.version, s.created)
	s.created = s.version
	s.history.forget(s.version)
	s.resume()
	return nil
}

func (s *Store) restore(u *unstructured.Unstructured) error {
	t, key, err := s.placeOf(u)
	if err != nil {
		return err
	}
	if err := checkContent(u); err != nil {
		return err
	}
	if t.find(key.Namespace, key.Name) != nil {
		return fmt.Errorf("it is there twice")
	}
	u = &unstructured.Unstructured{Object: maps.Clone(s.convert(u, t.Versions[0]).Object)}
	meta := ownMetadata(u)
	s.created++
	if uidOf(u) == "" {
		meta["uid"] = s.config.UID(key, s.created)
	}
	if s.uids[uidOf(u)] != nil {
		return fmt.Errorf("its uid %s is taken by %v", uidOf(u), s.uids[uidOf(u)].key())
	}
	version, err := strconv.ParseUint(versionOf(u), 10, 64)
	if err != nil {
		version = s.created
	}
	delete(meta, "resourceVersion")
	s.version = max(s.version, version)
	s.internConditions(u)
	s.insert(t, key, u, version)
	return nil
}

// resume starts again what the clock of the saved world still had to do.
func (s *Store) resume() {
	for _, t := range s.order {
		for _, b := range t.buckets("", "") {
			for _, r := range b {
				s.adopt(r)
				s.finishForeground(r.uid)
				if t.isNamespace() && deleting(r.object) {
					s.emptyNamespace(r.name)
				}
			}
		}
	}
}
