package resource_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/resource"
)

func TestVersionsShareThePartsThatStay(t *testing.T) {
	t.Parallel()
	const stays, odd = `{"type":"Ready","message":"as it was"}`, `{"message":"in } braces","nested":{"a":[{"b":"c"}]},"none":{}}`
	text := func(version int) string {
		return fmt.Sprintf(`{"metadata":{"resourceVersion":"%d"},"status":{"conditions":[%s, %s,{"type":"New","n":%d},"%s"]}}`,
			version, stays, odd, version, stays[:1])
	}
	var p resource.Parser
	var before []any
	for version := range 3 {
		got, err := p.Version([]byte(text(version)))
		if err != nil {
			t.Fatal(err)
		}
		var alone resource.Parser
		want, err := alone.Object([]byte(text(version)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("version %d (-want +got):\n%s", version, diff)
		}
		now := resource.Items(got, "status", "conditions")
		if version > 0 && reflect.ValueOf(before[0]).Pointer() != reflect.ValueOf(now[0]).Pointer() {
			t.Errorf("version %d has a copy of what did not change", version)
		}
		before = now
	}
}

func TestWhatManagersHoldIsOneMapWhereItIsAlike(t *testing.T) {
	t.Parallel()
	var p resource.Parser
	set := func(name, time string) map[string]any {
		t.Helper()
		o, err := p.Version(fmt.Appendf(nil, `{"metadata":{"managedFields":[{"fieldsV1":{"f:spec":{"f:a":{},".":{}}},"time":%q}],"name":%q,"uid":%q}}`, time, name, name))
		if err != nil {
			t.Fatal(err)
		}
		return resource.Fields(resource.Items(o, "metadata", "managedFields")[0], "fieldsV1")
	}
	first := set("a", "1")
	if diff := cmp.Diff(map[string]any{"f:spec": map[string]any{"f:a": map[string]any{}, ".": map[string]any{}}}, first); diff != "" {
		t.Error(diff)
	}
	for _, other := range []map[string]any{set("a", "2"), set("b", "1")} {
		if !resource.SameMap(first, other) {
			t.Error("the same fields are two maps")
		}
	}
}
