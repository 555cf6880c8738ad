package resource

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Diff describes the step from before to after; either may be nil, not both.
// It reports false when nothing that a Change holds is different, so that
// bookkeeping writes do not reach a journal.
func Diff(before, after *unstructured.Unstructured) (Change, bool) {
	return new(Differ).Diff(before, after)
}

// A Differ describes one step after the other. What a Change points to is good until
// the next one, for which the same room is used.
type Differ struct {
	conditions []Condition
	replicas   Replicas
}

// Diff is the function Diff.
func (d *Differ) Diff(before, after *unstructured.Unstructured) (Change, bool) {
	if after == nil {
		return about(Deleted, before), true
	}
	var c Change
	var old map[string]any
	if before == nil {
		c = about(Created, after)
	} else {
		c, old = about(Updated, after), before.Object
	}
	differs := c.diffMetadata(before, after)
	differs = d.diffState(&c, old, after.Object) || differs
	return c, differs
}

// DiffState is Diff of two versions whose metadata are known to say the same.
func (d *Differ) DiffState(before, after *unstructured.Unstructured) (Change, bool) {
	c := about(Updated, after)
	differs := d.diffState(&c, before.Object, after.Object)
	return c, differs
}

// about is a change of u without anything that differs.
func about(verb Verb, u *unstructured.Unstructured) Change {
	metadata := Fields(u.Object, "metadata")
	return Change{
		Verb:       verb,
		APIVersion: Text(u.Object, "apiVersion"),
		Kind:       Text(u.Object, "kind"),
		Namespace:  Text(metadata, "namespace"),
		Name:       Text(metadata, "name"),
		Deleting:   Text(metadata, "deletionTimestamp") != "",
	}
}

// diffMetadata takes in how the metadata differs, from nothing for a creation.
func (c *Change) diffMetadata(before, after *unstructured.Unstructured) (differs bool) {
	var old map[string]any
	if before != nil {
		old = Fields(before.Object, "metadata")
	}
	now := Fields(after.Object, "metadata")
	differs = before == nil || (Text(old, "deletionTimestamp") != "") != c.Deleting
	if is, was := Items(now, "ownerReferences"), Items(old, "ownerReferences"); !SameList(is, was) {
		if owners := ownersIn(is); !slices.Equal(owners, ownersIn(was)) {
			c.Owners, differs = owners, true
		}
	}
	if before == nil || !sameTexts(Fields(now, "labels"), Fields(old, "labels")) {
		c.Labels, differs = after.GetLabels(), true
	}
	if !SameList(Items(now, "finalizers"), Items(old, "finalizers")) {
		if f := after.GetFinalizers(); !slices.Equal(f, finalizersOf(before)) {
			c.Finalizers, differs = f, true
		}
	}
	return differs
}

// ownersIn lists owner references in their stored order.
func ownersIn(refs []any) []Owner {
	if len(refs) == 0 {
		return nil
	}
	out := make([]Owner, 0, len(refs))
	for _, item := range refs {
		ref, _ := item.(map[string]any)
		out = append(out, Owner{Kind: Text(ref, "kind"), Name: Text(ref, "name"), Controller: Flag(ref, "controller")})
	}
	return out
}

// sameTexts says whether two maps hold the same strings.
func sameTexts(a, b map[string]any) bool {
	if SameMap(a, b) {
		return true
	}
	if len(a) != len(b) {
		return false
	}
	for key := range a {
		if _, there := b[key]; !there || Text(a, key) != Text(b, key) {
			return false
		}
	}
	return true
}

func finalizersOf(u *unstructured.Unstructured) []string {
	if u == nil {
		return nil
	}
	return u.GetFinalizers()
}

// diffState takes in how far the state of an object differs.
func (d *Differ) diffState(c *Change, old, content map[string]any) (differs bool) {
	is, was := Fields(content, "status"), Fields(old, "status")
	c.Replicas = d.changedReplicas(Fields(old, "spec"), was, Fields(content, "spec"), is)
	if !SameMap(is, was) {
		c.Conditions = d.changedConditions(Items(was, "conditions"), Items(is, "conditions"))
		if phase := Text(is, "phase"); phase != Text(was, "phase") {
			c.Phase = phase
		}
	}
	return len(c.Conditions) > 0 || c.Phase != "" || c.Replicas != nil
}

// changedReplicas are the counts when any of them differs.
func (d *Differ) changedReplicas(oldSpec, oldStatus, spec, status map[string]any) *Replicas {
	if spec["replicas"] == nil && oldSpec["replicas"] == nil {
		return nil
	}
	d.replicas = replicasOf(spec, status)
	if d.replicas == replicasOf(oldSpec, oldStatus) {
		return nil
	}
	return &d.replicas
}

func replicasOf(spec, status map[string]any) Replicas {
	return Replicas{
		Desired:   Int(spec, "replicas"),
		Current:   Int(status, "replicas"),
		Ready:     Int(status, "readyReplicas"),
		Available: Int(status, "availableReplicas"),
		UpToDate:  Int(status, "upToDateReplicas"),
	}
}

// changedConditions are those of after that before has not, and the empty ones of
// types that only before has, by type.
func (d *Differ) changedConditions(before, after []any) []Condition {
	if SameList(before, after) {
		return nil
	}
	changed := d.conditions[:0]
	for i, item := range after {
		if sameItem(before, after, i) {
			continue
		}
		if c := conditionOf(item); !says(ofType(before, i, c.Type), c) {
			changed = append(changed, c)
		}
	}
	for i, item := range before {
		if sameItem(before, after, i) {
			continue
		}
		if kind := Text(item, "type"); ofType(after, i, kind) == nil {
			changed = append(changed, Condition{Type: kind})
		}
	}
	d.conditions = changed
	if len(changed) == 0 {
		return nil
	}
	slices.SortFunc(changed, func(a, b Condition) int { return strings.Compare(a.Type, b.Type) })
	return changed
}

// says reports that an item of a list of conditions is c.
func says(item any, c Condition) bool {
	return Text(item, "type") == c.Type && Text(item, "status") == c.Status &&
		Text(item, "reason") == c.Reason && Text(item, "message") == c.Message
}

// sameItem says whether two lists have one and the same map in memory at a place.
func sameItem(a, b []any, i int) bool {
	return i < len(a) && i < len(b) && SameItem(a[i], b[i])
}

// ofType finds a condition by its type, nil where there is none. Writers keep the
// order, so it is looked for at a place first.
func ofType(conditions []any, at int, kind string) any {
	if at < len(conditions) && Text(conditions[at], "type") == kind {
		return conditions[at]
	}
	for _, item := range conditions {
		if Text(item, "type") == kind {
			return item
		}
	}
	return nil
}
