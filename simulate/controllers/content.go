package controllers

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

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

// Times in status carry milliseconds, which Kubernetes' own do not: the
// controllers compute due times from them.
const stampLayout = "2006-01-02T15:04:05.000Z"

func stamp(t time.Time) string { return t.UTC().Format(stampLayout) }

func parseStamp(s string) time.Time {
	if s == "" {
		return time.Time{} // as most are that are asked for: no error has to be made of it
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t
}
