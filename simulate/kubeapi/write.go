package kubeapi

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/vksync/vksync/reconcile/resource"
)

// Put creates u or replaces the whole object of its name, status included, and
// returns what is then in the store. It takes over u: the caller must not write
// to it any more. There is no admission. What the API server owns (uid,
// generation, timestamps, managedFields) is kept from the present object,
// whatever u says. Where the object has managedFields, what Put changes outside
// status goes over to actor in them, so that somebody else's later apply of
// another value is a conflict. An object that has none gets none: objects that
// only Put wrote are not tracked, which keeps Put cheap.
//
// A set resourceVersion must be the present one, or the error is a conflict, or
// not-found when the object is gone. A new object in a namespace that is being
// deleted is forbidden. Put writes nothing when nothing would change, and
// removes the object when it is being deleted and no finalizer is left.
func (s *Store) Put(actor string, u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	return s.Replace(actor, Place{}, nil, u)
}

// Replace is Put of what a stored object becomes. If old is no more what is there, the
// error is a conflict, or not-found when the object is gone; nil is whatever is there.
// The place need not be known.
func (s *Store) Replace(actor string, at Place, old, u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := at.record; r.holds(old) && u.Object["apiVersion"] == r.table.stored {
		return s.revise(actor, r, u)
	}
	t, key, err := s.placeOf(u)
	if err != nil {
		return nil, err
	}
	if u.Object["apiVersion"] != t.stored {
		u = s.convert(u, t.Versions[0])
	}
	r := t.find(key.Namespace, key.Name)
	switch {
	case r == nil && old != nil:
		return nil, apierrors.NewNotFound(t.groupResource(), key.Name)
	case r == nil:
		if err := checkContent(u); err != nil {
			return nil, err
		}
		return s.create(write{actor: actor}, t, key, u)
	case old != nil && old != r.object:
		return nil, staleVersion(t, r.name)
	}
	return s.revise(actor, r, u)
}

// revise is update for a writer who does not tell what it is.
func (s *Store) revise(actor string, r *record, u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if err := checkPut(r, u); err != nil {
		return nil, err
	}
	return s.update(write{actor: actor}, r, u)
}

// ReplaceStatus is Replace of what differs from old in its status, and in nothing else,
// as the caller knows who made it so: neither is compared, and what the status holds is
// not checked for what JSON cannot hold.
func (s *Store) ReplaceStatus(actor string, at Place, old, u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := at.record
	if !r.holds(old) {
		t, key, err := s.placeOf(u)
		if err != nil {
			return nil, err
		}
		switch r = t.find(key.Namespace, key.Name); {
		case r == nil:
			return nil, apierrors.NewNotFound(t.groupResource(), key.Name)
		case old != r.object:
			return nil, staleVersion(t, r.name)
		}
	}
	s.advance(actor, r, u, change{status: true})
	return u, nil
}

// Delete removes the object, or marks it as being deleted while it has finalizers.
func (s *Store) Delete(actor string, k Key) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tables.find(k.GK())
	if t == nil {
		return unknownKind(k.GK())
	}
	r := t.find(k.Namespace, k.Name)
	if r == nil {
		return apierrors.NewNotFound(t.groupResource(), k.Name)
	}
	s.erase(actor, r)
	return nil
}

func unknownKind(gk schema.GroupKind) error {
	return fmt.Errorf("kind %s is not registered: add it to kubeapi.Config.Kinds", gk)
}

// placeOf finds where u belongs and checks that it can be there.
func (s *Store) placeOf(u *unstructured.Unstructured) (*table, Key, error) {
	t := s.tables.of(resource.Text(u.Object, "apiVersion"), resource.Text(u.Object, "kind"))
	if t == nil {
		return nil, Key{}, s.unserved(u.GroupVersionKind())
	}
	key := t.keyOf(u)
	switch {
	case key.Name == "":
		return nil, key, fmt.Errorf("a %s without metadata.name", key.Kind)
	case t.Cluster != (key.Namespace == ""):
		return nil, key, fmt.Errorf("%s %q: cluster-scoped is %t but metadata.namespace is %q", key.Kind, key.Name, t.Cluster, key.Namespace)
	}
	return t, key, nil
}

// unserved is why there is no table for a kind in a version.
func (s *Store) unserved(gvk schema.GroupVersionKind) error {
	if t := s.tables.find(gvk.GroupKind()); t != nil {
		return fmt.Errorf("%s has no version %q, only %q", gvk.GroupKind(), gvk.Version, t.Versions)
	}
	return unknownKind(gvk.GroupKind())
}

// checkContent refuses what JSON cannot hold.
func checkContent(u *unstructured.Unstructured) error { return ofContent(u, checkJSON(u.Object)) }

// ofContent says in whose content an error was found.
func ofContent(u *unstructured.Unstructured, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s/%s: %w", u.GetKind(), u.GetNamespace(), u.GetName(), err)
}

// checkPut compares what u says about the version it was made from with what is there.
func checkPut(r *record, u *unstructured.Unstructured) error {
	if resource.SameMap(metadata(u), metadata(r.object)) {
		return nil
	}
	if v := versionOf(u); v != "" && v != formatVersion(r.version) {
		return staleVersion(r.table, r.name)
	}
	if uid := uidOf(u); uid != "" && uid != r.uid {
		return wrongUID(r, uid)
	}
	return nil
}

func staleVersion(t *table, name string) error {
	return apierrors.NewConflict(t.groupResource(), name,
		errors.New("the object has been modified; please apply your changes to the latest version and try again"))
}

// wrongUID is worded as a real API server words it.
func wrongUID(r *record, uid string) error {
	const failed = "Precondition failed"
	return apierrors.NewConflict(r.table.groupResource(), r.name,
		fmt.Errorf("%s: UID in precondition: %s, UID in object meta: %s", failed, uid, r.uid))
}

// write says how to write an object.
type write struct {
	actor string
	// fields are the object's new managedFields. Nil keeps the present ones, less
	// what actor changes with this write.
	fields []any
	// dry makes the object as it would be stored, and stores nothing.
	dry bool
}

// create stores a new object.
func (s *Store) create(w write, t *table, key Key, u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if v := versionOf(u); v != "" {
		return nil, apierrors.NewNotFound(t.groupResource(), key.Name)
	}
	if err := s.checkNamespace(t, key); err != nil {
		return nil, err
	}
	meta := ownMetadata(u)
	for _, name := range serverFields {
		delete(meta, name)
	}
	meta["uid"] = s.config.UID(key, s.created+1)
	meta["creationTimestamp"] = s.now()
	if t.generations() {
		meta["generation"] = int64(1)
	}
	if len(w.fields) > 0 {
		meta["managedFields"] = w.fields
	}
	if t.isNamespace() {
		activate(u, meta)
	}
	if w.dry {
		return u, nil
	}
	s.internConditions(u)
	s.version++
	s.created++
	r := s.insert(t, key, u, s.version)
	s.adopt(r)
	s.publish(r, Change{After: u, Actor: w.actor, Version: s.version})
	return u, nil
}

// update replaces the content of r, unless nothing changes.
func (s *Store) update(w write, r *record, u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	t, old, fields := r.table, r.object, w.fields
	change, err := differences(old, u)
	if err != nil {
		return nil, ofContent(u, err)
	}
	if !change.any() && (fields == nil || sameManagers(fields, managedFields(old))) {
		return old, nil
	}
	if err := checkFinalizers(t, old, u); err != nil {
		return nil, err
	}
	if fields == nil {
		fields = managedFields(old)
		if len(fields) > 0 && (change.spec || change.metadata) {
			if fields, err = s.transfer(w.actor, t, old, u); err != nil {
				return nil, err
			}
		}
	}
	setServerFields(u, old, fields)
	if generation, ok := metadata(u)["generation"].(int64); ok && change.spec {
		ownMetadata(u)["generation"] = generation + 1
	}
	if w.dry {
		return u, nil
	}
	if deleting(old) && len(finalizers(u)) == 0 && !t.isNamespace() {
		s.drop(w.actor, r)
		return u, nil
	}
	s.advance(w.actor, r, u, change)
	return u, nil
}

// advance makes u the next version of r.
func (s *Store) advance(actor string, r *record, u *unstructured.Unstructured, is change) {
	old := r.object
	s.version++
	r.stored = stored{u, s.version}
	if is.metadata && s.index(r) {
		s.adopt(r)
	}
	s.publish(r, Change{Before: old, After: u, SameMetadata: !is.metadata, Actor: actor, Version: s.version})
	if r.table.isNamespace() {
		s.finishNamespace(r.name)
	}
}

// erase starts or ends the deletion of r.
func (s *Store) erase(actor string, r *record) {
	if len(finalizers(r.object)) == 0 && !r.table.isNamespace() {
		s.drop(actor, r)
		return
	}
	s.mark(actor, r)
}

// mark sets the deletion timestamp; it does nothing where there is one already.
func (s *Store) mark(actor string, r *record, finalizers ...any) {
	t, old := r.table, r.object
	if deleting(old) {
		return
	}
	u := &unstructured.Unstructured{Object: maps.Clone(old.Object)}
	meta := ownMetadata(u)
	meta["deletionTimestamp"] = s.now()
	meta["deletionGracePeriodSeconds"] = int64(0)
	if generation, ok := meta["generation"].(int64); ok {
		meta["generation"] = generation + 1
	}
	if len(finalizers) > 0 {
		have, _ := meta["finalizers"].([]any)
		meta["finalizers"] = slices.Concat(have, finalizers)
	}
	if t.isNamespace() {
		u.Object["status"] = map[string]any{"phase": "Terminating"}
	}
	s.version++
	r.stored = stored{u, s.version}
	s.publish(r, Change{Before: old, After: u, Actor: actor, Version: s.version})
	if t.isNamespace() {
		s.emptyNamespace(r.name)
	}
}

// drop takes r out of the store.
func (s *Store) drop(actor string, r *record) {
	owners := r.owners
	s.version++
	s.remove(r)
	s.publish(r, Change{Before: r.object, Actor: actor, Version: s.version})
	s.orphaned(r.uid)
	for _, uid := range owners {
		s.finishForeground(uid)
	}
	if r.namespace != "" {
		s.finishNamespace(r.namespace)
	}
}

func (s *Store) publish(r *record, c Change) {
	c.Key, c.Place = r.key(), Place{r}
	s.history.remember(r.table, c)
	r.table.tell(c)
	for _, f := range s.subscribers {
		f(c)
	}
}

func (s *Store) now() string { return s.clock.Now().UTC().Format(time.RFC3339) }

// serverFields are the parts of metadata that only the API server writes.
var serverFields = [...]string{
	"uid", "resourceVersion", "generation", "creationTimestamp",
	"deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "managedFields",
}

// ownMetadata gives u a metadata map that nothing else shares: a writer may have
// copied only what it changed.
func ownMetadata(u *unstructured.Unstructured) map[string]any {
	meta := maps.Clone(metadata(u))
	if meta == nil {
		meta = map[string]any{}
	}
	u.Object["metadata"] = meta
	return meta
}

// setServerFields gives u the server fields of old, and fields as managedFields. Nearly
// every writer has left them alone: then u keeps the metadata that it has.
func setServerFields(u, old *unstructured.Unstructured, fields []any) {
	oldMeta := metadata(old)
	if sameServerFields(metadata(u), oldMeta) && resource.SameList(fields, managedFields(old)) {
		return
	}
	meta := ownMetadata(u)
	for _, name := range serverFields {
		if value, ok := oldMeta[name]; ok {
			meta[name] = value
		} else {
			delete(meta, name)
		}
	}
	if len(fields) > 0 {
		meta["managedFields"] = fields
	} else {
		delete(meta, "managedFields")
	}
}

func sameServerFields(meta, old map[string]any) bool {
	return resource.SameMap(meta, old) || !slices.ContainsFunc(serverFields[:], func(name string) bool {
		value, given := meta[name]
		was, had := old[name]
		return given != had || !same(value, was)
	})
}

// change is where two versions of an object differ, server fields aside.
type change struct{ metadata, spec, status bool }

func (c change) any() bool { return c.metadata || c.spec || c.status }

// note adds a field at the top of an object. All that is neither metadata nor
// status counts as spec.
func (c *change) note(name string) {
	switch name {
	case "metadata":
		c.metadata = true
	case "status":
		c.status = true
	default:
		c.spec = true
	}
}

// differences compares u with what it is to replace, and fails where JSON cannot
// hold what is new in it.
func differences(old, u *unstructured.Unstructured) (c change, err error) {
	for name, value := range u.Object {
		was, had := old.Object[name]
		var differs bool
		if name == "metadata" {
			differs, err = metadataDiffers(metadata(old), metadata(u))
		} else {
			differs, err = compare(value, was)
		}
		if err != nil {
			return c, fmt.Errorf(".%s%w", name, err)
		}
		if differs || !had {
			c.note(name)
		}
	}
	for name := range old.Object {
		if _, kept := u.Object[name]; !kept {
			c.note(name)
		}
	}
	return c, nil
}

func metadataDiffers(old, meta map[string]any) (differs bool, err error) {
	if resource.SameMap(old, meta) {
		return false, nil
	}
	for name, value := range meta {
		if isServerField(name) {
			continue
		}
		other, err := compare(value, old[name])
		if err != nil {
			return true, fmt.Errorf(".%s%w", name, err)
		}
		differs = differs || other
	}
	for name := range old {
		if _, kept := meta[name]; !kept && !isServerField(name) {
			return true, nil
		}
	}
	return differs, nil
}

func isServerField(name string) bool { return slices.Contains(serverFields[:], name) }

// checkFinalizers refuses new finalizers on an object that is being deleted.
func checkFinalizers(t *table, old, u *unstructured.Unstructured) error {
	if !deleting(old) {
		return nil
	}
	before := finalizers(old)
	for _, f := range finalizers(u) {
		if !slices.Contains(before, f) {
			return apierrors.NewInvalid(t.gk, resource.Text(u.Object, "metadata", "name"), field.ErrorList{
				field.Forbidden(field.NewPath("metadata", "finalizers"),
					fmt.Sprintf("no new finalizers can be added if the object is being deleted, found new finalizers []string{%q}", f)),
			})
		}
	}
	return nil
}

// generations reports whether objects of the kind count changes of their spec.
// Those of Kubernetes itself that are served here do not.
func (t *table) generations() bool { return !t.native() }

// native reports whether the kind is one of Kubernetes itself, not a custom resource.
func (t *table) native() bool {
	switch t.Group {
	case "", "coordination.k8s.io", "storage.k8s.io":
		return true
	}
	return false
}

// checkNamespace refuses new objects in a namespace that is being deleted.
func (s *Store) checkNamespace(t *table, k Key) error {
	ns := s.get(Key{Kind: namespaceKind, Name: k.Namespace})
	if k.Namespace == "" || ns == nil || !deleting(ns) {
		return nil
	}
	err := apierrors.NewForbidden(t.groupResource(), k.Name,
		fmt.Errorf("unable to create new content in namespace %s because it is being terminated", k.Namespace))
	err.ErrStatus.Details.Causes = []metav1.StatusCause{{
		Type:    "NamespaceTerminating", // k8s.io/api/core/v1.NamespaceTerminatingCause
		Message: fmt.Sprintf("namespace %s is being terminated", k.Namespace),
		Field:   "metadata.namespace",
	}}
	return err
}
