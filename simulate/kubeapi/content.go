package kubeapi

import (
	"fmt"
	"math"

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

// ownersOf are the uids of owner references.
func ownersOf(refs []any) []string {
	if len(refs) == 0 {
		return nil
	}
	owners := make([]string, 0, len(refs))
	for _, ref := range refs {
		owners = append(owners, resource.Text(ref, "uid"))
	}
	return owners
}

// same reports whether two JSON values are equal.
func same(a, b any) bool {
	differs, err := compare(a, b)
	return !differs && err == nil
}

// checkJSON finds values that JSON as apimachinery decodes it cannot hold, such
// as int or []string: they would break deep copies far away from whoever made them.
func checkJSON(v any) error {
	_, err := compare(v, nil)
	return err
}

// compare says whether v differs from what it was, and checks what is new in it
// like checkJSON. Writers that copy only what they change make it cheap: maps and
// lists that are shared are not visited.
func compare(v, was any) (differs bool, err error) {
	switch v := v.(type) {
	case map[string]any:
		before, ok := was.(map[string]any)
		differs, err = compareMap(v, before)
		return differs || !ok, err
	case []any:
		before, ok := was.([]any)
		differs, err = compareList(v, before)
		return differs || !ok, err
	case string:
		before, ok := was.(string)
		return !ok || v != before, nil
	case int64:
		before, ok := was.(int64)
		return !ok || v != before, nil
	case bool:
		before, ok := was.(bool)
		return !ok || v != before, nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return true, fmt.Errorf(" is %v, which JSON cannot hold", v)
		}
		before, ok := was.(float64)
		return !ok || v != before, nil
	case nil:
		return was != nil, nil
	}
	return true, fmt.Errorf(" holds %T: use map[string]any, []any, string, int64, float64, bool or nil", v)
}

func compareMap(m, before map[string]any) (differs bool, err error) {
	if resource.SameMap(m, before) {
		return false, nil
	}
	differs = len(m) != len(before)
	for key, value := range m {
		was, had := before[key]
		other, err := compare(value, was)
		if err != nil {
			return true, fmt.Errorf(".%s%w", key, err)
		}
		differs = differs || other || !had
	}
	return differs, nil
}

func compareList(list, before []any) (differs bool, err error) {
	if resource.SameList(list, before) {
		return false, nil
	}
	differs = len(list) != len(before)
	for i, value := range list {
		var was any
		if i < len(before) {
			was = before[i]
		}
		other, err := compare(value, was)
		if err != nil {
			return true, fmt.Errorf("[%d]%w", i, err)
		}
		differs = differs || other
	}
	return differs, nil
}
