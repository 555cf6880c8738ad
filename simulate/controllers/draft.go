package controllers

import (
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// A draft is a changed version of a stored object in the making. Stored objects
// are shared and never written to, so a draft copies the maps on the way to what
// it sets, and only those: an unchanged draft costs nothing.
type draft struct {
	base  *unstructured.Unstructured
	view  *view            // of base, nil where nobody asked for it
	root  map[string]any   // base's content until the first change
	owned []map[string]any // the maps that are this draft's own, the root first
	now   time.Time
	wide  bool // whether more was copied than the status

	conditions conditions
}

func edit(base *unstructured.Unstructured, now time.Time) *draft {
	return &draft{base: base, root: base.Object, now: now}
}

// draft is a draft of u, which shares the conditions that it writes.
func (m *Manager) draft(u *unstructured.Unstructured) *draft {
	d := edit(u, m.now())
	d.conditions.shared = m.shared
	return d
}

// edit is a draft of u that need not read again what its view knows.
func (m *Manager) edit(u *unstructured.Unstructured) *draft {
	d := m.draft(u)
	d.view = m.view(u)
	return d
}

func (d *draft) changed() bool { return len(d.owned) > 0 }

// object is the result. The draft must not be used any more.
func (d *draft) object() *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: d.root}
}

// own returns the map at path as one that may be written to, making it if absent.
func (d *draft) own(path ...string) map[string]any {
	if len(d.owned) == 0 {
		d.root = copyMap(d.root)
		d.owned = append(make([]map[string]any, 0, 4), d.root)
	}
	d.wide = d.wide || len(path) == 0 || path[0] != "status"
	at := d.root
	for _, step := range path {
		child, _ := at[step].(map[string]any)
		if !d.owns(child) {
			child = copyMap(child)
			at[step] = child
			d.owned = append(d.owned, child)
		}
		at = child
	}
	return at
}

func (d *draft) owns(m map[string]any) bool {
	return slices.ContainsFunc(d.owned, func(own map[string]any) bool { return resource.SameMap(own, m) })
}

// field is what a field says. As long as nothing is changed, the view knows where to look.
func (d *draft) field(path ...string) any {
	if d.view != nil && !d.changed() && len(path) > 1 {
		switch path[0] {
		case "spec":
			return resource.Field(d.view.spec, path[1:]...)
		case "status":
			return resource.Field(d.view.status, path[1:]...)
		}
	}
	return resource.Field(d.root, path...)
}

// generation is that of the specification which the object has.
func (d *draft) generation() int64 {
	if d.view != nil {
		return d.view.generation
	}
	return resource.Int(d.root, "metadata", "generation")
}

// deleting says whether the object is to go.
func (d *draft) deleting() bool {
	if d.view != nil {
		return d.view.deleting
	}
	return deleting(d.base)
}

// anotherStatus says that the draft is another than its object for sure, in nothing but
// the status. Nearly all drafts are, and their conditions tell: those are compared by
// what was read of them already. Other changes may have been taken back.
func (d *draft) anotherStatus() bool {
	return !d.wide && d.conditions.differ() && resource.SameList(resource.Items(d.root, "status", "conditions"), d.conditions.items)
}

func copyMap(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return maps.Clone(m)
}

// set writes a scalar unless it is there already.
func (d *draft) set(value any, path ...string) {
	if d.field(path...) == value {
		return
	}
	last := len(path) - 1
	d.own(path[:last]...)[path[last]] = value
}

// replace writes a map or a list without looking at what is there.
func (d *draft) replace(value any, path ...string) {
	last := len(path) - 1
	d.own(path[:last]...)[path[last]] = value
}

// unset removes a field.
func (d *draft) unset(path ...string) {
	if d.field(path...) == nil {
		return
	}
	last := len(path) - 1
	delete(d.own(path[:last]...), path[last])
}

// observeGeneration says of which specification the status is.
func (d *draft) observeGeneration() { d.set(d.generation(), "status", "observedGeneration") }

func (d *draft) label(key, value string) { d.set(value, "metadata", "labels", key) }

func (d *draft) finalizers() []any {
	if d.view != nil && !d.changed() {
		return d.view.finalizers
	}
	return resource.Items(d.root, "metadata", "finalizers")
}

func (d *draft) hasFinalizer(name string) bool { return slices.Contains(d.finalizers(), any(name)) }

func (d *draft) addFinalizer(name string) {
	if !d.hasFinalizer(name) {
		d.replace(append(slices.Clip(d.finalizers()), name), "metadata", "finalizers")
	}
}

func (d *draft) removeFinalizers(names ...string) {
	var left []any
	list := d.finalizers()
	for _, f := range list {
		if name, _ := f.(string); !slices.Contains(names, name) {
			left = append(left, f)
		}
	}
	if len(left) != len(list) {
		d.replace(left, "metadata", "finalizers")
	}
}

// introduce is what the first reconciles of a new object do, each in a pass of
// its own: the finalizers, then the condition Paused (observed.md 6.2). It
// reports whether it had anything to do.
func introduce(d *draft, v *view, finalizers ...string) bool {
	if !v.hasFinalizer(finalizers[0]) {
		for _, f := range finalizers {
			d.addFinalizer(f)
		}
		return true
	}
	if !d.has("Paused") {
		d.condition("Paused", "False", "NotPaused", "")
		return true
	}
	return false
}

// setOwners replaces the owner references.
func (d *draft) setOwners(refs ...any) { d.replace(refs, "metadata", "ownerReferences") }

// addOwner has one owner more.
func (d *draft) addOwner(owner map[string]any) {
	d.setOwners(append(slices.Clip(resource.Items(d.root, "metadata", "ownerReferences")), owner)...)
}
