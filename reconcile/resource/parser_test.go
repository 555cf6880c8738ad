package resource_test

import (
	"encoding/json"
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

func TestParserReadsEscapesAsJSONHasThem(t *testing.T) {
	t.Parallel()
	for _, quoted := range []string{
		`"k:{\"type\":\"Ready\"}"`, `"a\nb\\"`, `"\/"`, `"\t\u00e9\ud83d\ude00"`, `"\"é"`, `"\\\""`, `""`,
	} {
		var want string
		if err := json.Unmarshal([]byte(quoted), &want); err != nil {
			t.Fatal(err)
		}
		var p resource.Parser
		got, err := p.Object([]byte(`{"a":` + quoted + `}`))
		if err != nil || got["a"] != want {
			t.Errorf("%s is %q, %v; want %q", quoted, got["a"], err, want)
		}
	}
	for _, wrong := range []string{`"\`, `"\"`, `"\x"`, "\"\\n\x01\"", `"\u12"`} {
		var p resource.Parser
		if got, err := p.Object([]byte(`{"a":` + wrong + `}`)); err == nil {
			t.Errorf("%s is read as %v", wrong, got)
		}
	}
}
