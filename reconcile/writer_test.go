package reconcile

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// by is an object that managers wrote, each as {manager, subresource, time}.
func by(entries ...[3]string) *unstructured.Unstructured {
	var fields []any
	for _, e := range entries {
		fields = append(fields, map[string]any{"manager": e[0], "operation": "Update", "subresource": e[1], "time": e[2]})
	}
	return &unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{"managedFields": fields}}}
}

func TestWhoMadeAChange(t *testing.T) {
	t.Parallel()
	const one, two = "2026-01-01T00:00:01Z", "2026-01-01T00:00:02Z"
	user, spec, status := [3]string{"kubectl", "", one}, [3]string{"manager", "", one}, [3]string{"manager", "status", two}
	for _, test := range []struct {
		name          string
		before, after *unstructured.Unstructured
		want          string
	}{
		{"a creation", nil, by(user), "kubectl"},
		{"a creation with a status", nil, by(user, status), "manager"},
		{"a new manager", by(user), by(user, spec), "manager"},
		{"a later write", by(user, spec), by([3]string{"kubectl", "", two}, spec), "kubectl"},
		{"a write within the same second", by(user, status), by(user, status), "manager"},
		{"a deletion", by(user), nil, ""},
		{"a server that does not tell", by(), by(), ""},
	} {
		if got := writer(test.before, test.after); got != test.want {
			t.Errorf("%s: made by %q, want %q", test.name, got, test.want)
		}
	}
}
