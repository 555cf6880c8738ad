package plan_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
)

var savedKey = bytes.Repeat([]byte{7}, plan.KeyBytes)

var from = plan.From{Path: "/fleet", Revision: strings.Repeat("a", 40)}

// scaled is a fleet in which one cluster is to get more workers, and what there is.
func scaled() (*resource.Set, *plan.Observed) {
	desired, observed := fleet(3)
	for addr, o := range desired.All() {
		if addr.Kind == resource.KindCluster {
			o = resource.Object{Unstructured: o.DeepCopy(), Source: o.Source}
			resource.SetField(o.Object, int64(5), "spec", "topology", "controlPlane", "replicas")
			desired.Put(o)
			break
		}
	}
	return desired, observed
}

func save(t testing.TB, p *plan.Plan) *plan.Saved {
	t.Helper()
	s, err := p.Save(savedKey, from, "https://supervisor.example:6443")
	if err != nil {
		t.Fatal(err)
	}
	text, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if !plan.IsSaved(text) {
		t.Errorf("it is not known for a saved plan: %s...", text[:50])
	}
	again, err := plan.ReadSaved(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, again); diff != "" {
		t.Errorf("it does not come back as it was (-before +after):\n%s", diff)
	}
	return again
}

// TestWhatChangedSinceAPlanWasSaved changes one thing at a time.
func TestWhatChangedSinceAPlanWasSaved(t *testing.T) {
	t.Parallel()
	policy := plan.Policy{Source: "repo", Prune: true}
	var addrs []resource.Addr
	desired, _ := scaled()
	for addr := range desired.All() {
		if addr.Kind == resource.KindCluster {
			addrs = append(addrs, addr)
		}
	}
	scaledOne, other := addrs[0], addrs[1]
	// change changes a live object before the plan is made again.
	change := func(addr resource.Addr, value any, path ...string) func(*resource.Set, *plan.Observed) {
		return func(_ *resource.Set, observed *plan.Observed) {
			live, _ := observed.Live.Get(addr)
			live = resource.Object{Unstructured: live.DeepCopy()}
			resource.SetField(live.Object, value, path...)
			observed.Live.Put(live)
		}
	}
	owned := func(name string) resource.Object {
		return resource.NewObject(map[string]any{
			"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster",
			"metadata": map[string]any{"namespace": scaledOne.Namespace, "name": name, "labels": map[string]any{resource.LabelSource: "repo"}},
		})
	}
	for _, test := range []struct {
		name   string
		change func(*resource.Set, *plan.Observed)
		want   []string
	}{
		{"nothing", func(*resource.Set, *plan.Observed) {}, nil},
		{"what nobody compares", change(other, "rv-2", "metadata", "resourceVersion"), nil},
		{"what controllers write", change(other, map[string]any{"host": "10.0.0.9", "port": int64(6443)}, "spec", "controlPlaneEndpoint"), nil},
		{"a label of somebody else", change(other, "x", "metadata", "labels", "billing"), nil},
		{"a field of a resource that is as desired", change(other, int64(7), "spec", "topology", "controlPlane", "replicas"), []string{
			other.String() + ": spec.topology.controlPlane changed since the plan was made",
		}},
		{"a field that is to change", change(scaledOne, "v1.35.0", "spec", "topology", "version"), []string{
			scaledOne.String() + ": spec.topology.version changed since the plan was made",
		}},
		{"a protection", change(other, "true", "metadata", "annotations", resource.AnnotationProtection), []string{
			other.String() + ": metadata.annotations[vksync.dev/deletion-protection] changed since the plan was made",
		}},
		{"another one of the name", change(other, "uid-2", "metadata", "uid"), []string{
			other.String() + ": it was made anew, or its deletion began, since the plan was made",
		}},
		{"one more to delete", func(_ *resource.Set, o *plan.Observed) { o.Live.Put(owned("late")) }, []string{
			"Cluster " + scaledOne.Namespace + "/late: it was not part of the plan when that was made",
		}},
		{"the manifests", func(d *resource.Set, _ *plan.Observed) {
			o, _ := d.Get(other)
			o = resource.Object{Unstructured: o.DeepCopy()}
			resource.SetField(o.Object, "v1.35.0", "spec", "topology", "version")
			d.Put(o)
		}, []string{"the manifests have changed since the plan was made"}},
		{"the place of a manifest", func(d *resource.Set, _ *plan.Observed) {
			o, _ := d.Get(scaledOne)
			o.Source.File = "elsewhere.yaml"
			d.Put(o)
		}, nil},
		{"its machines", func(_ *resource.Set, o *plan.Observed) {
			for i := range 5 {
				o.Live.Put(machineOf(scaledOne, i))
			}
		}, nil},
		{"the API server's mind", func(_ *resource.Set, o *plan.Observed) {
			o.Refused = map[resource.Addr]string{scaledOne: "no more than three"}
		}, []string{scaledOne.String() + ": a check fails that did not when the plan was made: the API server refuses it: no more than three"}},
		{"the API server's answer", func(d *resource.Set, o *plan.Observed) {
			predicted, _ := d.Get(scaledOne)
			predicted = resource.Object{Unstructured: predicted.DeepCopy()}
			resource.SetField(predicted.Object, int64(9), "spec", "topology", "controlPlane", "replicas")
			o.Predicted = map[resource.Addr]resource.Object{scaledOne: predicted}
		}, []string{"the API server's answer to what would be done has changed since the plan was made"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			saved := save(t, plan.Make(first2(scaled()), second2(scaled()), policy))
			d, o := scaled()
			test.change(d, o)
			differences, err := plan.Compare(saved, plan.Make(d, o, policy))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, difference := range differences {
				got = append(got, difference.String())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("differences (-want +got):\n%s", diff)
			}
		})
	}
}

func first2(d *resource.Set, _ *plan.Observed) *resource.Set   { return d }
func second2(_ *resource.Set, o *plan.Observed) *plan.Observed { return o }

// A saved plan holds what may be shown, and of the rest only what nobody can
// recognize without the key.
func TestNoHiddenValueIsInASavedPlan(t *testing.T) {
	t.Parallel()
	const canary = "canary-of-a-password"
	desired, observed := scaled()
	for addr, o := range desired.All() {
		if addr.Kind == resource.KindCluster {
			variables := append(resource.Items(o.Object, "spec", "topology", "variables"), map[string]any{"name": "osConfiguration", "value": map[string]any{"user": canary}})
			o = resource.Object{Unstructured: o.DeepCopy(), Source: o.Source}
			resource.SetField(o.Object, variables, "spec", "topology", "variables")
			desired.Put(o)
			live := resource.Object{Unstructured: o.DeepCopy()}
			resource.SetField(live.Object, int64(1), "spec", "topology", "controlPlane", "replicas")
			observed.Live.Put(live)
		}
	}
	p := plan.Make(desired, observed, plan.Policy{Source: "repo"})
	text, err := save(t, p).Encode()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(text, []byte(canary)) {
		t.Error("the saved plan has a value that is hidden elsewhere")
	}
	other, err := p.Save(bytes.Repeat([]byte{8}, plan.KeyBytes), from)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range save(t, p).Facts {
		if other.Facts[i].Sum == f.Sum {
			t.Errorf("%s of %s has the same hash in two files", f.Aspect, f.Addr)
		}
	}
}

func TestADamagedPlanIsRefused(t *testing.T) {
	t.Parallel()
	desired, observed := scaled()
	text, err := save(t, plan.Make(desired, observed, plan.Policy{Source: "repo"})).Encode()
	if err != nil {
		t.Fatal(err)
	}
	with := func(change func(map[string]any)) []byte {
		var content map[string]any
		if err := json.Unmarshal(text, &content); err != nil {
			t.Fatal(err)
		}
		change(content)
		out, err := json.Marshal(content)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for _, test := range []struct {
		name, want string
		text       []byte
	}{
		{"a manifest", "not a saved plan", []byte("kind: Cluster\n")},
		{"nothing", "not a saved plan", nil},
		{"another version", "version 2, and this vksync reads version 1", with(func(c map[string]any) { c["vksyncPlan"] = 2 })},
		{"a cut file", "not a saved plan", text[:len(text)/2]},
		{"more than a plan", "not a saved plan", append(slices.Clone(text), "{}"...)},
		{"an unknown part", "unknown field", with(func(c map[string]any) { c["run"] = "rm" })},
		{"no key", "a part is missing", with(func(c map[string]any) { delete(c, "key") })},
		{"no source", "a part is missing", with(func(c map[string]any) { c["from"] = map[string]any{} })},
		{"a plan of another version", "its plan is of version", with(func(c map[string]any) { c["plan"] = map[string]any{"schemaVersion": "v9"} })},
		{"facts out of order", "out of order", with(func(c map[string]any) { slices.Reverse(c["facts"].([]any)) })},
		{"a fact without a name", "a fact is incomplete", with(func(c map[string]any) { c["facts"].([]any)[0].(map[string]any)["sum"] = "" })},
	} {
		if _, err := plan.ReadSaved(test.text); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}

func FuzzReadSaved(f *testing.F) {
	desired, observed := scaled()
	text, err := save(f, plan.Make(desired, observed, plan.Policy{Source: "repo", Prune: true})).Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"vksyncPlan":1,"from":{"path":"."},"key":"","content":"","facts":null,"plan":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := plan.ReadSaved(data)
		if err != nil {
			return
		}
		// What is read can be written, read again, and compared.
		again, err := s.Encode()
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if _, err := plan.ReadSaved(again); err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, again)
		}
		desired, observed := scaled()
		if _, err := plan.Compare(s, plan.Make(desired, observed, plan.Policy{Source: "repo"})); err != nil {
			t.Logf("comparing: %v", err) // its plan may hold anything
		}
	})
}

// machineOf is a control-plane machine of a cluster.
func machineOf(cluster resource.Addr, i int) resource.Object {
	return resource.NewObject(map[string]any{
		"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Machine",
		"metadata": map[string]any{
			"name": fmt.Sprintf("%s-%d", cluster.Name, i), "namespace": cluster.Namespace,
			"labels": map[string]any{"cluster.x-k8s.io/cluster-name": cluster.Name, "cluster.x-k8s.io/control-plane": ""},
		},
	})
}
