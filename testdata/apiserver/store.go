package apiserver

import (
	"cmp"
	"context"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/controllers"
	"github.com/vksync/vksync/simulate/kubeapi"
)

// A store is a real API server as simulated controllers see it: what they read
// comes from watches and from their own writes, so that they read what they
// wrote. Kinds that the server does not serve are kept in memory.
//
// Everything but Get and List is called by one goroutine.
type store struct {
	ctx     context.Context
	client  dynamic.Interface
	kinds   map[schema.GroupKind]kind // those that are served
	observe func(kubeapi.Change)

	written uint64          // versions of what is kept in memory
	gone    map[string]bool // uids of what was deleted, whose late events are to be ignored

	mu      sync.RWMutex // guards what is below
	objects map[kubeapi.Key]*unstructured.Unstructured
}

var _ controllers.Store = (*store)(nil)

// kind is how a kind is served.
type kind struct {
	schema.GroupVersionResource
	cluster, status bool
}

// Get is what was last seen or written.
func (s *store) Get(k kubeapi.Key) *unstructured.Unstructured {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.objects[k]
}

// List is by namespace and name.
func (s *store) List(gk schema.GroupKind, namespace string, labels map[string]string) []*unstructured.Unstructured {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []*unstructured.Unstructured
	for k, u := range s.objects {
		if k.GK() == gk && (namespace == "" || k.Namespace == namespace) && hasLabels(u, labels) {
			out = append(out, u)
		}
	}
	slices.SortFunc(out, func(a, b *unstructured.Unstructured) int {
		return cmp.Or(cmp.Compare(a.GetNamespace(), b.GetNamespace()), cmp.Compare(a.GetName(), b.GetName()))
	})
	return out
}

// OfCluster is by namespace and name.
func (s *store) OfCluster(gk schema.GroupKind, namespace, cluster string) []*unstructured.Unstructured {
	return s.List(gk, namespace, map[string]string{"cluster.x-k8s.io/cluster-name": cluster})
}

// Dependents is by kind, namespace and name.
func (s *store) Dependents(uid string) []*unstructured.Unstructured {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []*unstructured.Unstructured
	for _, u := range s.objects {
		if isOwned(u, uid) {
			out = append(out, u)
		}
	}
	slices.SortFunc(out, func(a, b *unstructured.Unstructured) int {
		return cmp.Or(cmp.Compare(a.GetKind(), b.GetKind()), cmp.Compare(a.GetNamespace(), b.GetNamespace()), cmp.Compare(a.GetName(), b.GetName()))
	})
	return out
}

func isOwned(u *unstructured.Unstructured, uid string) bool {
	return slices.ContainsFunc(resource.Items(u.Object, "metadata", "ownerReferences"), func(r any) bool { return resource.Text(r, "uid") == uid })
}

func hasLabels(u *unstructured.Unstructured, labels map[string]string) bool {
	for key, value := range labels {
		if resource.Text(u.Object, "metadata", "labels", key) != value {
			return false
		}
	}
	return true
}

// Put creates u or writes what differs from what was last seen, its status apart.
func (s *store) Put(actor string, u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	key := keyOf(u)
	k, isServed := s.kinds[key.GK()]
	old := s.Get(key)
	var stored *unstructured.Unstructured
	var err error
	switch {
	case !isServed:
		stored = s.remember(old, u)
	case old == nil:
		stored, err = s.create(actor, k, u)
	default:
		stored, err = s.update(actor, k, old, u)
	}
	if err != nil {
		return nil, behind(err, k, key)
	}
	s.took(actor, old, stored)
	return stored, nil
}

// Replace is Put: u carries the resourceVersion of what it was made from.
func (s *store) Replace(actor string, _ kubeapi.Place, _, u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	return s.Put(actor, u)
}

// ReplaceStatus is Put too: what differs is found out anyway.
func (s *store) ReplaceStatus(actor string, _ kubeapi.Place, _, u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	return s.Put(actor, u)
}

// behind makes a conflict, after which controllers look again, of errors that
// only say that the watches have not told everything yet.
func behind(err error, k kind, key kubeapi.Key) error {
	if apierrors.IsNotFound(err) || apierrors.IsAlreadyExists(err) {
		return apierrors.NewConflict(k.GroupResource(), key.Name, err)
	}
	return err
}

func (s *store) at(k kind, namespace string) dynamic.ResourceInterface {
	if k.cluster {
		return s.client.Resource(k.GroupVersionResource)
	}
	return s.client.Resource(k.GroupVersionResource).Namespace(namespace)
}

func (s *store) create(actor string, k kind, u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	made, err := s.at(k, u.GetNamespace()).Create(s.ctx, u, metav1.CreateOptions{FieldManager: actor})
	if err != nil || !k.status || u.Object["status"] == nil {
		return made, err
	}
	return s.updateStatus(actor, k, made, u)
}

func (s *store) update(actor string, k kind, old, u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	stored := old
	if differs(old, u, k.status) {
		next := &unstructured.Unstructured{Object: maps.Clone(u.Object)}
		meta := maps.Clone(resource.Fields(u.Object, "metadata"))
		meta["resourceVersion"] = cmp.Or(u.GetResourceVersion(), old.GetResourceVersion())
		next.Object["metadata"] = meta
		var err error
		if stored, err = s.at(k, u.GetNamespace()).Update(s.ctx, next, metav1.UpdateOptions{FieldManager: actor}); err != nil {
			return nil, err
		}
	}
	if !k.status || isGone(stored) || reflect.DeepEqual(old.Object["status"], u.Object["status"]) {
		return stored, nil
	}
	return s.updateStatus(actor, k, stored, u)
}

func (s *store) updateStatus(actor string, k kind, stored, u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	next := &unstructured.Unstructured{Object: maps.Clone(stored.Object)}
	next.Object["status"] = u.Object["status"]
	return s.at(k, u.GetNamespace()).UpdateStatus(s.ctx, next, metav1.UpdateOptions{FieldManager: actor})
}

// differs compares all that the main resource of a kind can write.
func differs(old, u *unstructured.Unstructured, status bool) bool {
	comparable := func(u *unstructured.Unstructured) map[string]any {
		out := maps.Clone(u.Object)
		if status {
			delete(out, "status")
		}
		meta := maps.Clone(resource.Fields(u.Object, "metadata"))
		for _, name := range []string{"uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields"} {
			delete(meta, name)
		}
		out["metadata"] = meta
		return out
	}
	return !reflect.DeepEqual(comparable(old), comparable(u))
}

// isGone reports whether a write that answered with u was the end of it.
func isGone(u *unstructured.Unstructured) bool {
	return u.GetDeletionTimestamp() != nil && len(u.GetFinalizers()) == 0 && u.GetKind() != "Namespace"
}

// Delete deletes the object, or marks it while it has finalizers.
func (s *store) Delete(actor string, key kubeapi.Key) error {
	old := s.Get(key)
	k, isServed := s.kinds[key.GK()]
	if old == nil {
		return apierrors.NewNotFound(k.GroupResource(), key.Name)
	}
	if !isServed {
		s.forget(actor, old)
		return nil
	}
	if err := s.at(k, key.Namespace).Delete(s.ctx, key.Name, metav1.DeleteOptions{}); err != nil {
		return err
	}
	left, err := s.at(k, key.Namespace).Get(s.ctx, key.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err), err == nil && left.GetUID() != old.GetUID():
		s.dropped(actor, old)
		return nil
	case err != nil:
		return err
	}
	s.took(actor, old, left)
	return nil
}

// took notes what a write of the controllers has made.
func (s *store) took(actor string, old, u *unstructured.Unstructured) {
	if old == u {
		return
	}
	if isGone(u) {
		s.dropped(actor, old)
		return
	}
	key := keyOf(u)
	s.mu.Lock()
	s.objects[key] = u
	s.mu.Unlock()
	s.observe(kubeapi.Change{Key: key, Before: old, After: u, Actor: actor, Version: version(u)})
}

func (s *store) dropped(actor string, old *unstructured.Unstructured) {
	s.gone[string(old.GetUID())] = true
	s.forget(actor, old)
}

// forget takes an object, and what it owned in memory, out of the store.
func (s *store) forget(actor string, old *unstructured.Unstructured) {
	gone := keyOf(old)
	s.mu.Lock()
	delete(s.objects, gone)
	var orphans []*unstructured.Unstructured
	for key, u := range s.objects {
		if _, isServed := s.kinds[key.GK()]; !isServed && isOwned(u, string(old.GetUID())) {
			orphans = append(orphans, u)
		}
	}
	s.mu.Unlock()
	s.observe(kubeapi.Change{Key: gone, Before: old, Actor: actor})
	for _, u := range orphans {
		s.forget("garbage-collector", u)
	}
}

// seen takes in what a watch tells, unless something later is known.
func (s *store) seen(u *unstructured.Unstructured) {
	have := s.Get(keyOf(u))
	if s.gone[string(u.GetUID())] || have != nil && have.GetUID() == u.GetUID() && version(have) >= version(u) {
		return
	}
	s.took("", have, u)
}

// vanished takes in that a watch tells of a deletion.
func (s *store) vanished(u *unstructured.Unstructured) {
	if have := s.Get(keyOf(u)); have != nil && have.GetUID() == u.GetUID() {
		s.forget("", have)
	}
}

func version(u *unstructured.Unstructured) uint64 {
	v, err := strconv.ParseUint(u.GetResourceVersion(), 10, 64)
	if err != nil {
		return 0
	}
	return v
}

func keyOf(u *unstructured.Unstructured) kubeapi.Key {
	return kubeapi.Key{Group: u.GroupVersionKind().Group, Kind: u.GetKind(), Namespace: u.GetNamespace(), Name: u.GetName()}
}

// remember keeps an object of a kind that the server does not serve.
func (s *store) remember(old, u *unstructured.Unstructured) *unstructured.Unstructured {
	if old != nil && !differs(old, u, false) {
		return old
	}
	s.written++
	u = u.DeepCopy()
	u.SetResourceVersion(strconv.FormatUint(s.written, 10))
	if old == nil {
		u.SetUID(newUID())
		u.SetCreationTimestamp(metav1.Now())
	}
	return u
}
