package controllers

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// A draft is a changed version of a stored object in the making. Stored objects
// are shared and never written to, so a draft copies the maps on the way to what
// it sets, and only those: an unchanged draft costs nothing.
type draft struct {
	base  *unstructured.Unstructured
	root  map[string]any   // base's content until the first change
	owned []map[string]any // the maps that are this draft's own, the root first
	now   time.Time
}

func edit(base *unstructured.Unstructured, now time.Time) *draft {
	return &draft{base: base, root: base.Object, now: now}
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
		d.owned = append(d.owned, d.root)
	}
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
	address := reflect.ValueOf(m).Pointer()
	return slices.ContainsFunc(d.owned, func(own map[string]any) bool { return reflect.ValueOf(own).Pointer() == address })
}

func copyMap(m map[string]any) map[string]any {
	c := make(map[string]any, len(m)+1)
	for k, v := range m {
		c[k] = v
	}
	return c
}

// set writes a scalar unless it is there already.
func (d *draft) set(value any, path ...string) {
	if resource.Field(d.root, path...) == value {
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
	if resource.Field(d.root, path...) == nil {
		return
	}
	last := len(path) - 1
	delete(d.own(path[:last]...), path[last])
}

func (d *draft) label(key, value string) { d.set(value, "metadata", "labels", key) }

func (d *draft) hasFinalizer(name string) bool {
	return slices.Contains(resource.Items(d.root, "metadata", "finalizers"), any(name))
}

func (d *draft) addFinalizer(name string) {
	if !d.hasFinalizer(name) {
		list := resource.Items(d.root, "metadata", "finalizers")
		d.replace(append(slices.Clip(list), name), "metadata", "finalizers")
	}
}

func (d *draft) removeFinalizers(names ...string) {
	var left []any
	list := resource.Items(d.root, "metadata", "finalizers")
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
func introduce(d *draft, finalizers ...string) bool {
	if !d.hasFinalizer(finalizers[0]) {
		for _, f := range finalizers {
			d.addFinalizer(f)
		}
		return true
	}
	if resource.ConditionOf(d.root, "Paused").Type == "" {
		d.condition("Paused", "False", "NotPaused", "")
		return true
	}
	return false
}

// setOwners replaces the owner references.
func (d *draft) setOwners(refs ...any) { d.replace(refs, "metadata", "ownerReferences") }

// condition sets one entry of status.conditions. Its transition time moves only
// when the status does, as metav1.Condition asks.
func (d *draft) condition(kind, status, reason, message string) {
	list := resource.Items(d.root, "status", "conditions")
	at := slices.IndexFunc(list, func(c any) bool { m, _ := c.(map[string]any); return m["type"] == kind })
	since := ""
	if at >= 0 {
		if old, _ := list[at].(map[string]any); old["status"] == status {
			if old["reason"] == reason && old["message"] == message {
				return
			}
			since = resource.Text(old, "lastTransitionTime")
		}
	}
	if since == "" {
		since = stamp(d.now)
	}
	entry := map[string]any{"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": since}
	next := make([]any, len(list), len(list)+1)
	copy(next, list)
	if at >= 0 {
		next[at] = entry
	} else {
		next = append(next, entry)
	}
	d.replace(next, "status", "conditions")
}

// declare adds an entry without reason and message, as net-operator's are.
func (d *draft) declare(kind, status string) {
	d.dropConditions(kind)
	list := resource.Items(d.root, "status", "conditions")
	d.replace(append(slices.Clip(list), map[string]any{"type": kind, "status": status, "lastTransitionTime": stamp(d.now)}), "status", "conditions")
}

// dropConditions removes entries of status.conditions.
func (d *draft) dropConditions(kinds ...string) {
	var left []any
	list := resource.Items(d.root, "status", "conditions")
	for _, c := range list {
		if !slices.Contains(kinds, resource.Text(c, "type")) {
			left = append(left, c)
		}
	}
	if len(left) != len(list) {
		d.replace(left, "status", "conditions")
	}
}

func (d *draft) isTrue(kind string) bool { return isTrue(d.root, kind) }
func (d *draft) isFalse(kind string) bool {
	return resource.ConditionOf(d.root, kind).Status == "False"
}

func isTrue(content map[string]any, kind string) bool {
	return resource.ConditionOf(content, kind).Status == "True"
}

// since is when a condition took its present status; zero when it is absent.
func since(content map[string]any, kind string) time.Time {
	for _, c := range resource.Items(content, "status", "conditions") {
		if resource.Text(c, "type") == kind {
			return parseStamp(resource.Text(c, "lastTransitionTime"))
		}
	}
	return time.Time{}
}

// Times in status carry milliseconds, which Kubernetes' own do not: the
// controllers compute due times from them.
const stampLayout = "2006-01-02T15:04:05.000Z"

func stamp(t time.Time) string { return t.UTC().Format(stampLayout) }

func parseStamp(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t
}

// Reading an object without the copies that unstructured's own getters make.

func nameOf(u *unstructured.Unstructured) string { return resource.Text(u.Object, "metadata", "name") }
func namespaceOf(u *unstructured.Unstructured) string {
	return resource.Text(u.Object, "metadata", "namespace")
}
func uidOf(u *unstructured.Unstructured) string { return resource.Text(u.Object, "metadata", "uid") }
func labelOf(u *unstructured.Unstructured, key string) string {
	return resource.Text(u.Object, "metadata", "labels", key)
}
func hasLabel(u *unstructured.Unstructured, key string) bool {
	return resource.Field(u.Object, "metadata", "labels", key) != nil
}
func deleting(u *unstructured.Unstructured) bool {
	return resource.Text(u.Object, "metadata", "deletionTimestamp") != ""
}
func createdAt(u *unstructured.Unstructured) time.Time {
	return parseStamp(resource.Text(u.Object, "metadata", "creationTimestamp"))
}

// controllerOf is the controlling owner reference, or nil.
func controllerOf(u *unstructured.Unstructured) map[string]any {
	for _, ref := range resource.Items(u.Object, "metadata", "ownerReferences") {
		if m, _ := ref.(map[string]any); resource.Flag(m, "controller") {
			return m
		}
	}
	return nil
}

// ownedBy says whether u has an owner reference to owner.
func ownedBy(u, owner *unstructured.Unstructured) bool {
	uid := uidOf(owner)
	return slices.ContainsFunc(resource.Items(u.Object, "metadata", "ownerReferences"), func(ref any) bool {
		return resource.Text(ref, "uid") == uid
	})
}

// ref makes an owner reference; controllers also block the owner's deletion.
func ref(owner *unstructured.Unstructured, controller bool) map[string]any {
	r := map[string]any{
		"apiVersion": resource.Text(owner.Object, "apiVersion"),
		"kind":       resource.Text(owner.Object, "kind"),
		"name":       nameOf(owner),
		"uid":        uidOf(owner),
	}
	if controller {
		r["controller"], r["blockOwnerDeletion"] = true, true
	}
	return r
}

// contractRef is a v1beta2 reference: group, kind and name.
func contractRef(k kind, name string) map[string]any {
	return map[string]any{"apiGroup": k.Group, "kind": k.Kind, "name": name}
}

// lines joins the messages of a summary condition as Cluster API does.
func lines(messages []string) string { return strings.Join(messages, "\n") }
