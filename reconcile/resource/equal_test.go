package resource_test

import (
	"reflect"
	"testing"

	"github.com/vksync/vksync/reconcile/resource"
)

func TestEqualIsDeepEquality(t *testing.T) {
	t.Parallel()
	values := []any{
		nil, "", "a", int64(1), int64(2), 1.0, true, false,
		map[string]any(nil), map[string]any{}, map[string]any{"a": nil}, map[string]any{"b": nil}, map[string]any{"a": []any{"x"}}, map[string]any{"a": []any{"y"}},
		[]any(nil), []any{}, []any{nil}, []any{"a"}, []any{"a", "b"}, []any{map[string]any{"a": int64(1)}}, []any{map[string]any{"a": 1.0}},
	}
	for _, a := range values {
		for _, b := range values {
			if got, want := resource.Equal(a, b), reflect.DeepEqual(a, b); got != want {
				t.Errorf("%#v and %#v are equal: %t, want %t", a, b, got, want)
			}
		}
	}
}
