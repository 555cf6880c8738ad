package kubeapi

import (
	"fmt"
	"math"
	"reflect"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

func metadata(u *unstructured.Unstructured) map[string]any {
	m, _ := u.Object["metadata"].(map[string]any)
	return m
}

func uidOf(u *unstructured.Unstructured) string { return resource.Text(u.Object, "metadata", "uid") }

func versionOf(u *unstructured.Unstructured) string {
	return resource.Text(u.Object, "metadata", "resourceVersion")
}

func deleting(u *unstructured.Unstructured) bool {
	return resource.Field(u.Object, "metadata", "deletionTimestamp") != nil
}

func finalizers(u *unstructured.Unstructured) []any {
	l, _ := resource.Field(u.Object, "metadata", "finalizers").([]any)
	return l
}

func managedFields(u *unstructured.Unstructured) []any {
	l, _ := resource.Field(u.Object, "metadata", "managedFields").([]any)
	return l
}

func ownersOf(u *unstructured.Unstructured) []string {
	refs, _ := resource.Field(u.Object, "metadata", "ownerReferences").([]any)
	if len(refs) == 0 {
		return nil
	}
	owners := make([]string, 0, len(refs))
	for _, ref := range refs {
		owners = append(owners, resource.Text(ref, "uid"))
	}
	return owners
}

func hasLabels(u *unstructured.Unstructured, labels map[string]string) bool {
	if len(labels) == 0 {
		return true
	}
	have, _ := resource.Field(u.Object, "metadata", "labels").(map[string]any)
	for key, want := range labels {
		if got, ok := have[key].(string); !ok || got != want {
			return false
		}
	}
	return true
}

// same reports whether two JSON values are equal. Writers that copy only what
// they change make it cheap: maps and lists that are shared are not visited.
func same(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && sameMap(a, b)
	case []any:
		b, ok := b.([]any)
		return ok && sameList(a, b)
	case string:
		b, ok := b.(string)
		return ok && a == b
	case int64:
		b, ok := b.(int64)
		return ok && a == b
	case bool:
		b, ok := b.(bool)
		return ok && a == b
	case float64:
		b, ok := b.(float64)
		return ok && a == b
	case nil:
		return b == nil
	}
	return false
}

func sameMap(a, b map[string]any) bool {
	if len(a) != len(b) {
		return false
	}
	if sharedMap(a, b) {
		return true
	}
	for key, value := range a {
		other, ok := b[key]
		if !ok || !same(value, other) {
			return false
		}
	}
	return true
}

func sameList(a, b []any) bool {
	if len(a) != len(b) {
		return false
	}
	if len(a) == 0 || sharedList(a, b) {
		return true
	}
	for i := range a {
		if !same(a[i], b[i]) {
			return false
		}
	}
	return true
}

// checkJSON finds values that JSON as apimachinery decodes it cannot hold, such
// as int or []string: they would break deep copies far away from whoever made them.
// What v shares with old, which was checked when it was stored, is not visited.
func checkJSON(v, old any) error {
	switch v := v.(type) {
	case map[string]any:
		before, _ := old.(map[string]any)
		if before != nil && sharedMap(v, before) {
			return nil
		}
		for key, value := range v {
			if err := checkJSON(value, before[key]); err != nil {
				return fmt.Errorf(".%s%w", key, err)
			}
		}
	case []any:
		before, _ := old.([]any)
		if sharedList(v, before) {
			return nil
		}
		for i, value := range v {
			var was any
			if i < len(before) {
				was = before[i]
			}
			if err := checkJSON(value, was); err != nil {
				return fmt.Errorf("[%d]%w", i, err)
			}
		}
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf(" is %v, which JSON cannot hold", v)
		}
	case string, int64, bool, nil:
	default:
		return fmt.Errorf(" holds %T: use map[string]any, []any, string, int64, float64, bool or nil", v)
	}
	return nil
}

// sharedMap reports whether two maps are one and the same.
func sharedMap(a, b map[string]any) bool {
	return reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer()
}

// sharedItem reports whether two items of lists are one and the same map.
func sharedItem(a, b any) bool {
	x, _ := a.(map[string]any)
	y, _ := b.(map[string]any)
	return x != nil && y != nil && sharedMap(x, y)
}

// sharedList reports whether two lists are one and the same; no two empty ones are.
func sharedList(a, b []any) bool {
	return len(a) > 0 && len(a) == len(b) && &a[0] == &b[0]
}
