package resource_test

import (
	"reflect"
	"testing"

	"github.com/vksync/vksync/reconcile/resource"
)

func TestEqualObjectsAreOneMapWhereTheyAreShared(t *testing.T) {
	t.Parallel()
	same := func(p *resource.Parser) bool {
		t.Helper()
		if _, err := p.Object([]byte(`{"a":{"x":1`)); err == nil {
			t.Error("an object that is cut off was read")
		}
		o, err := p.Object([]byte(`{"a":{"x":1},"b":[{"x":1}],"c":{"x":2}}`))
		if err != nil {
			t.Fatal(err)
		}
		a, b, c := resource.Fields(o, "a"), resource.Items(o, "b")[0], resource.Fields(o, "c")
		if a["x"] != int64(1) || c["x"] != int64(2) {
			t.Errorf("read %v", o)
		}
		return reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer()
	}
	if same(new(resource.Parser)) {
		t.Error("equal objects are one map although nobody asked for that")
	}
	if !same(&resource.Parser{Shared: true}) {
		t.Error("equal objects are two maps")
	}
}
