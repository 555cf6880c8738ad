package trace

import (
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// Played is the line of a recording for one write in a played world: before is
// nil for a creation, after for a removal. It reports false when nothing of what
// a recording holds is different.
func Played(t int64, before, after *unstructured.Unstructured, actor string) (Change, bool) {
	u := after
	if u == nil {
		u = before
	}
	gvk := u.GroupVersionKind()
	c := Change{T: t, Verb: Modified, Writers: []string{actor},
		ID: ID{Group: gvk.Group, Kind: gvk.Kind, Namespace: u.GetNamespace(), Name: u.GetName()}}
	if after == nil {
		c.Verb = Deleted
		return c, true
	}
	old := map[string]any{}
	if before == nil {
		c.Verb = Added
	} else {
		old = before.Object
	}
	differs := before == nil
	if now := ownersOf(after.Object); !slices.Equal(now, ownersOf(old)) {
		c.Owners, differs = &now, true
	}
	if now := finalizersOf(after.Object); !slices.Equal(now, finalizersOf(old)) {
		c.Finalizers, differs = &now, true
	}
	if now := textsOf(after.Object, "labels"); !maps.Equal(now, textsOf(old, "labels")) {
		c.Labels, differs = &now, true
	}
	c.Annotations = annotationsChanged(textsOf(old, "annotations"), textsOf(after.Object, "annotations"))
	c.Conditions = conditionsChanged(old, after.Object)
	if now := resource.Text(after.Object, "status", "phase"); now != resource.Text(old, "status", "phase") {
		c.Phase = now
	}
	marked := resource.Text(after.Object, "metadata", "deletionTimestamp") != ""
	c.Deleting = marked && resource.Text(old, "metadata", "deletionTimestamp") == ""
	return c, differs || len(c.Annotations) > 0 || len(c.Conditions) > 0 || c.Phase != "" || c.Deleting
}

func ownersOf(content map[string]any) []string {
	out := []string{}
	for _, ref := range resource.Items(content, "metadata", "ownerReferences") {
		owner := resource.Text(ref, "kind") + "/" + resource.Text(ref, "name")
		if m, _ := ref.(map[string]any); m != nil {
			if resource.Flag(m, "controller") {
				owner += "*"
			}
			if resource.Flag(m, "blockOwnerDeletion") {
				owner += "!"
			}
		}
		out = append(out, owner)
	}
	return out
}

func finalizersOf(content map[string]any) []string {
	out := []string{}
	for _, f := range resource.Items(content, "metadata", "finalizers") {
		if text, ok := f.(string); ok {
			out = append(out, text)
		}
	}
	return out
}

func textsOf(content map[string]any, field string) map[string]string {
	out := map[string]string{}
	for key, value := range resource.Fields(content, "metadata", field) {
		text, _ := value.(string)
		out[key] = text
	}
	return out
}

func annotationsChanged(old, now map[string]string) (out []string) {
	for _, key := range slices.Sorted(maps.Keys(now)) {
		if value, there := old[key]; !there || value != now[key] {
			out = append(out, key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(old)) {
		if _, there := now[key]; !there {
			out = append(out, key+"=null")
		}
	}
	return out
}

func conditionsChanged(old, now map[string]any) map[string]string {
	was := conditionValues(old)
	is := conditionValues(now)
	out := map[string]string{}
	for kind, value := range is {
		if was[kind] != value {
			out[kind] = value
		}
	}
	for kind := range was {
		if _, there := is[kind]; !there {
			out[kind] = ""
		}
	}
	return out
}

func conditionValues(content map[string]any) map[string]string {
	out := map[string]string{}
	for _, c := range resource.ConditionsOf(content) {
		out[c.Type] = strings.Join([]string{c.Status, c.Reason}, "/")
	}
	return out
}
