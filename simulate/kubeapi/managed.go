package kubeapi

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/vksync/vksync/reconcile/resource"
)

// fieldManager merges what is applied and keeps managedFields, for one served
// version of a kind or of its status.
type fieldManager = *managedfields.FieldManager

type fieldManagerKey struct {
	gvk         schema.GroupVersionKind
	subresource string
}

// manager returns the field manager for requests in a version of a kind.
func (s *Store) manager(t *table, version, subresource string) (fieldManager, error) {
	key := fieldManagerKey{t.gvk(version), subresource}
	if m := s.managers[key]; m != nil {
		return m, nil
	}
	if s.types == nil {
		types, err := newFieldTypes()
		if err != nil {
			return nil, err
		}
		s.types = types
	}
	hub := t.gvk(t.Versions[0]).GroupVersion()
	m, err := managedfields.NewDefaultCRDFieldManager(s.types, converter{s}, noDefaults{}, emptyObjects{},
		key.gvk, hub, subresource, resetFields(t, subresource))
	if err != nil {
		return nil, fmt.Errorf("managing fields of %s: %w", key.gvk, err)
	}
	s.managers[key] = m
	return m, nil
}

// resetFields are what a request cannot set, so that nobody owns it by asking.
func resetFields(t *table, subresource string) map[fieldpath.APIVersion]fieldpath.Filter {
	var reset *fieldpath.Set
	switch {
	case subresource != "":
		reset = fieldpath.NewSet(fieldpath.MakePathOrDie("metadata"), fieldpath.MakePathOrDie("spec"))
	case t.Status:
		reset = fieldpath.NewSet(fieldpath.MakePathOrDie("status"))
	default:
		return nil
	}
	filters := map[fieldpath.APIVersion]fieldpath.Filter{}
	for _, v := range t.Versions {
		filters[fieldpath.APIVersion(t.apiVersion(v))] = fieldpath.NewExcludeSetFilter(reset)
	}
	return filters
}

// ask is a request as far as field management is concerned.
type ask struct {
	version     string // of the kind, as requested
	subresource string
	manager     string
}

// track returns the managedFields of u after a write other than an apply: what
// differs from old goes over to the manager. old is nil for a creation.
func (s *Store) track(t *table, a ask, old, u *unstructured.Unstructured) ([]any, error) {
	fields, err := s.updated(t, a, old, u)
	return s.dated(fields, old), err
}

// updated is what track returns, undated.
func (s *Store) updated(t *table, a ask, old, u *unstructured.Unstructured) ([]any, error) {
	m, err := s.manager(t, a.version, a.subresource)
	if err != nil {
		return nil, err
	}
	live := old
	if live == nil {
		live = s.empty(t, t.Versions[0])
	}
	u = &unstructured.Unstructured{Object: maps.Clone(u.Object)}
	ownMetadata(u)
	out, err := m.Update(live, u, a.manager)
	if err != nil {
		return nil, err
	}
	return s.undated(out.(*unstructured.Unstructured), live), nil
}

// transfer tracks what a Put changes in an object that has managedFields.
func (s *Store) transfer(actor string, t *table, old, u *unstructured.Unstructured) ([]any, error) {
	// Server fields that u does not carry are no change.
	u = &unstructured.Unstructured{Object: maps.Clone(u.Object)}
	setServerFields(u, old, managedFields(old))
	if t.Status { // which nobody owns by a Put, and is the most of many an object
		old = &unstructured.Unstructured{Object: maps.Clone(old.Object)}
		delete(old.Object, "status")
		delete(u.Object, "status")
	}
	var d difference
	d.of(old.Object, u.Object)
	h := handover{table: t, actor: actor, change: string(d.text), before: managedFields(old)}
	if after, known := s.ownerships.find(t, actor, h.change, h.before); known {
		return s.dated(after, old), nil
	}
	var err error
	if h.after, err = s.updated(t, ask{version: t.Versions[0], manager: actor}, old, u); err != nil {
		return nil, fmt.Errorf("tracking the fields that %s writes to %s %s/%s: %w", actor,
			t.Kind.Kind, u.GetNamespace(), u.GetName(), err)
	}
	if !d.listed {
		s.ownerships.remember(h)
	}
	return s.dated(h.after, old), nil
}

// merge does a server-side apply: it returns what patch, in the requested
// version, makes of old, in the stored version, with its managedFields apart. It does
// not say what the status is where the request cannot set it.
// old is nil for a creation.
func (s *Store) merge(t *table, a ask, old, patch *unstructured.Unstructured, force bool) (*unstructured.Unstructured, []any, error) {
	m, err := s.manager(t, a.version, a.subresource)
	if err != nil {
		return nil, nil, err
	}
	live := old
	if live == nil {
		live = s.empty(t, t.Versions[0])
	}
	own := &unstructured.Unstructured{Object: maps.Clone(live.Object)}
	ownMetadata(own)
	if t.Status && a.subresource == "" { // it is the most of many an object
		delete(own.Object, "status")
	}
	merged, err := m.Apply(own, patch, a.manager, force)
	if err != nil {
		return nil, nil, err
	}
	u := merged.(*unstructured.Unstructured)
	return u, s.dated(s.undated(u, live), live), nil
}

func (s *Store) empty(t *table, version string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": t.apiVersion(version), "kind": t.Kind.Kind, "metadata": map[string]any{},
	}}
}

// thisWrite is the time of undated managedFields to which apimachinery gave the time of
// day.
const thisWrite = ""

// undated returns the managedFields of u with what is not the time of a write before
// marked. Trees of fields that are equal to known ones are shared.
func (s *Store) undated(u, old *unstructured.Unstructured) []any {
	before := timesOf(old)
	var fields []any
	for _, entry := range managedFields(u) {
		e := maps.Clone(entry.(map[string]any))
		if was, known := before[managerName(e)]; !known || was != e["time"] {
			e["time"] = thisWrite
		}
		if tree, ok := e["fieldsV1"].(map[string]any); ok {
			e["fieldsV1"] = s.ownerships.shared(tree)
		}
		fields = append(fields, e)
	}
	return fields
}

// dated gives undated managedFields the time that they have in old, or the store's, in
// the order that this gives them.
func (s *Store) dated(undated []any, old *unstructured.Unstructured) []any {
	before, now := timesOf(old), s.now()
	var fields []any
	for _, entry := range undated {
		e := maps.Clone(entry.(map[string]any))
		was := before[managerName(e)]
		switch {
		case e["time"] == thisWrite:
			e["time"] = now
		case was != nil:
			e["time"] = was
		default:
			delete(e, "time")
		}
		fields = append(fields, e)
	}
	slices.SortFunc(fields, func(a, b any) int {
		return cmp.Or(
			cmp.Compare(resource.Text(a, "operation"), resource.Text(b, "operation")),
			seconds(a).Compare(seconds(b)),
			cmp.Compare(resource.Text(a, "manager"), resource.Text(b, "manager")),
			cmp.Compare(resource.Text(a, "apiVersion"), resource.Text(b, "apiVersion")),
			cmp.Compare(resource.Text(a, "subresource"), resource.Text(b, "subresource")),
		)
	})
	return fields
}

// timesOf are when the managers of an object wrote last.
func timesOf(u *unstructured.Unstructured) map[string]any {
	times := map[string]any{}
	if u == nil {
		return times
	}
	for _, entry := range managedFields(u) {
		times[managerName(entry)] = resource.Field(entry, "time")
	}
	return times
}

func managerName(entry any) string {
	return resource.Text(entry, "operation") + "\x00" + resource.Text(entry, "manager") + "\x00" +
		resource.Text(entry, "apiVersion") + "\x00" + resource.Text(entry, "subresource")
}

func seconds(entry any) time.Time {
	t, _ := time.Parse(time.RFC3339, resource.Text(entry, "time"))
	return t
}

// sameManagers compares managedFields without their times: a request that
// changes nothing but those is no write.
func sameManagers(a, b []any) bool {
	if len(a) != len(b) {
		return false
	}
	fields := map[string]any{}
	for _, entry := range a {
		fields[managerName(entry)] = resource.Field(entry, "fieldsV1")
	}
	for _, entry := range b {
		f, known := fields[managerName(entry)]
		if !known || !same(f, resource.Field(entry, "fieldsV1")) {
			return false
		}
	}
	return true
}

// converter lets apimachinery convert between the versions of a store's kinds.
type converter struct{ store *Store }

var _ runtime.ObjectConvertor = converter{}

// ConvertToVersion converts to a version that the kind is served in.
func (c converter) ConvertToVersion(in runtime.Object, to runtime.GroupVersioner) (runtime.Object, error) {
	u, ok := in.(*unstructured.Unstructured)
	if !ok {
		return nil, fmt.Errorf("converting %T: only unstructured objects are known", in)
	}
	t := c.store.tables.find(u.GroupVersionKind().GroupKind())
	if t == nil {
		return nil, runtime.NewNotRegisteredErrForTarget("kubeapi", nil, to)
	}
	target, ok := to.KindForGroupVersionKinds(t.gvks())
	version, known := t.version(target.GroupVersion())
	if !ok || !known {
		return nil, runtime.NewNotRegisteredErrForTarget("kubeapi", nil, to)
	}
	return c.store.convert(u, version), nil
}

// Convert is not used by field management.
func (c converter) Convert(in, out, _ any) error {
	return fmt.Errorf("converting %T into %T: only whole objects are converted", in, out)
}

// ConvertFieldLabel is not used by field management.
func (c converter) ConvertFieldLabel(_ schema.GroupVersionKind, label, value string) (string, string, error) {
	return label, value, nil
}

// noDefaults: what defaults there are is up to admission.
type noDefaults struct{}

func (noDefaults) Default(runtime.Object) {}

type emptyObjects struct{}

func (emptyObjects) New(gvk schema.GroupVersionKind) (runtime.Object, error) {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(gvk)
	return u, nil
}
