package plan_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
)

var update = flag.Bool("update", false, "write what the tests get into the golden files")

// A case is what one txtar archive asks: its members are desired.yaml,
// observed.yaml, predicted.yaml (answers of dry runs), settings.json and
// plan.txt, which has the text form of the plan.
type testCase struct {
	Policy  plan.Policy       `json:"policy"`
	Unread  []plan.Unread     `json:"unread"`
	Refused map[string]string `json:"refused"` // by the text of the address
	desired resource.Set
	live    plan.Observed
	want    string
}

func TestPlansReadAsTheGoldensSay(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("finding goldens: %v, %d files", err, len(files))
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			c := readCase(t, archive)
			got := plan.Make(&c.desired, &c.live, c.Policy).Text()
			if *update {
				writeGolden(t, file, archive, got)
				return
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s: plan (-want +got):\n%s", file, diff)
			}
		})
	}
}

func readCase(t *testing.T, archive *txtar.Archive) *testCase {
	t.Helper()
	c := &testCase{}
	c.live.Predicted = map[resource.Addr]resource.Object{}
	c.live.Refused = map[resource.Addr]string{}
	for _, f := range archive.Files {
		switch f.Name {
		case "settings.json":
			decoder := json.NewDecoder(bytes.NewReader(f.Data))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(c); err != nil {
				t.Fatalf("settings.json: %v", err)
			}
		case "desired.yaml":
			for _, o := range objects(t, f) {
				c.desired.Put(o)
			}
		case "observed.yaml":
			for _, o := range objects(t, f) {
				o.Source = resource.Position{}
				c.live.Live.Put(o)
			}
		case "predicted.yaml":
			for _, o := range objects(t, f) {
				c.live.Predicted[o.Addr()] = o
			}
		case "plan.txt":
			c.want = string(f.Data)
		default:
			t.Fatalf("unknown member %s", f.Name)
		}
	}
	c.live.Unread = c.Unread
	for addr := range c.desired.All() {
		if text, refused := c.Refused[addr.String()]; refused {
			c.live.Refused[addr] = text
		}
	}
	return c
}

// objects reads the YAML documents of a member. The position of each is its
// first line.
func objects(t *testing.T, f txtar.File) []resource.Object {
	t.Helper()
	var out []resource.Object
	line := 1
	for document := range strings.SplitSeq(string(f.Data), "---\n") {
		if strings.TrimSpace(document) != "" {
			text, err := yaml.ToJSON([]byte(document))
			if err != nil {
				t.Fatalf("%s:%d: %v", f.Name, line, err)
			}
			u := &unstructured.Unstructured{}
			if err := u.UnmarshalJSON(text); err != nil {
				t.Fatalf("%s:%d: %v", f.Name, line, err)
			}
			out = append(out, resource.Object{Unstructured: u, Source: resource.Position{File: f.Name, Line: line, Col: 1}})
		}
		line += strings.Count(document, "\n") + 1
	}
	return out
}

func writeGolden(t *testing.T, file string, archive *txtar.Archive, got string) {
	t.Helper()
	written := false
	for i := range archive.Files {
		if archive.Files[i].Name == "plan.txt" {
			archive.Files[i].Data, written = []byte(got), true
		}
	}
	if !written {
		archive.Files = append(archive.Files, txtar.File{Name: "plan.txt", Data: []byte(got)})
	}
	if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

// fleet is n clusters in one namespace, as desired and as they are when that has
// been reached.
func fleet(n int) (*resource.Set, *plan.Observed) {
	desired, observed := &resource.Set{}, &plan.Observed{}
	namespace := map[string]any{
		"apiVersion": "vksync.dev/v1alpha1", "kind": "VSphereNamespace", "metadata": map[string]any{"name": "team"},
		"spec": map[string]any{"supervisor": "lab", "vmClasses": []any{"small"}, "storagePolicies": []any{map[string]any{"name": "gold"}}},
	}
	desired.Put(resource.NewObject(namespace))
	live := resource.NewObject(namespace).DeepCopy()
	live.Object["status"] = map[string]any{"configStatus": "RUNNING"}
	observed.Live.Put(resource.Object{Unstructured: live})
	observed.Live.Put(resource.NewObject(map[string]any{
		"apiVersion": "v1", "kind": "Namespace",
		"metadata": map[string]any{"name": "team", "labels": map[string]any{resource.LabelSource: "repo"}},
	}))
	for i := range n {
		want := cluster(fmt.Sprintf("c%05d", i))
		desired.Put(want)
		is := want.DeepCopy()
		is.SetLabels(map[string]string{resource.LabelSource: "repo", "run.tanzu.vmware.com/tkr": "v1.34.1---vmware.1-vkr.4"})
		is.SetGeneration(1)
		resource.SetField(is.Object, "v1.34.1+vmware.1-vkr.4", "spec", "topology", "version")
		is.Object["status"] = map[string]any{
			"observedGeneration": int64(1),
			"conditions":         []any{map[string]any{"type": "Available", "status": "True"}},
		}
		observed.Live.Put(resource.Object{Unstructured: is})
	}
	return desired, observed
}

func cluster(name string) resource.Object {
	return resource.NewObject(map[string]any{
		"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster",
		"metadata": map[string]any{"namespace": "team", "name": name},
		"spec": map[string]any{"topology": map[string]any{
			"classRef": map[string]any{"name": "builtin-generic-v3.4.0", "namespace": "vmware-system-vks-public"},
			"version":  "v1.34",
			"variables": []any{
				map[string]any{"name": "vmClass", "value": "small"},
				map[string]any{"name": "storageClass", "value": "gold"},
			},
			"controlPlane": map[string]any{"replicas": int64(3)},
			"workers": map[string]any{"machineDeployments": []any{
				map[string]any{"name": "np", "class": "node-pool", "replicas": int64(5)},
			}},
		}},
	})
}

var policy = plan.Policy{Source: "repo"}

func TestWhatIsAsDesiredNeedsNothing(t *testing.T) {
	t.Parallel()
	desired, observed := fleet(20)
	asked, same := plan.NeedsDryRun(desired, observed, policy)
	if len(asked) != 0 || len(same) != 20 {
		t.Errorf("dry runs are asked for %v, want none; %d clusters are as desired, want all", asked, len(same))
	}
	for _, observed.Same = range []map[resource.Addr]bool{nil, same} {
		if p := plan.Make(desired, observed, policy); !p.Empty() {
			t.Errorf("the plan is not empty:\n%s", p.Text())
		}
	}
}

func TestTheOrderOfWhatComesInDoesNotShow(t *testing.T) {
	t.Parallel()
	desired, observed := fleet(12)
	backwards := func(s *resource.Set) *resource.Set {
		var list []resource.Object
		for _, o := range s.All() {
			list = append([]resource.Object{o}, list...)
		}
		out := &resource.Set{}
		for _, o := range list {
			out.Put(o)
		}
		return out
	}
	empty := &plan.Observed{}
	if a, b := plan.Make(desired, empty, policy), plan.Make(backwards(desired), &plan.Observed{}, policy); a.Digest() != b.Digest() || a.Text() != b.Text() {
		t.Errorf("two orders of the same desired set give two plans:\n%s", cmp.Diff(a.Text(), b.Text()))
	}
	other := &plan.Observed{Live: *backwards(&observed.Live)}
	var nothing resource.Set
	pruning := plan.Policy{Source: "repo", Prune: true}
	if a, b := plan.Make(&nothing, observed, pruning), plan.Make(&nothing, other, pruning); a.Digest() != b.Digest() || a.Empty() {
		t.Errorf("two orders of the same observed set give two plans, or none:\n%s", cmp.Diff(a.Text(), b.Text()))
	}
}

func TestSecretsReachNoFormOfAPlan(t *testing.T) {
	t.Parallel()
	const canary = "hunter2-canary"
	want := cluster("c")
	variables := append(resource.Items(want.Object, "spec", "topology", "variables"),
		map[string]any{"name": "extensionCert", "value": map[string]any{"content": canary}},
		map[string]any{"name": "kubernetes", "value": map[string]any{"adminPassword": canary, "endpointFQDNs": []any{"https://user:" + canary + "@api.example"}}},
	)
	resource.SetField(want.Object, variables, "spec", "topology", "variables")
	want.SetAnnotations(map[string]string{"example.com/registry-token": canary, "example.com/proxy": "http://u:" + canary + "@proxy"})
	for _, exists := range []bool{false, true} {
		desired, observed := fleet(1)
		desired.Put(want)
		if exists {
			is := cluster("c")
			is.SetLabels(map[string]string{resource.LabelSource: "repo"})
			observed.Live.Put(is)
		} else {
			observed.Refused = map[resource.Addr]string{want.Addr(): "no: https://u:" + canary + "@webhook"}
		}
		p := plan.Make(desired, observed, policy)
		form, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(p.Text(), canary) || bytes.Contains(form, []byte(canary)) {
			t.Errorf("exists %v: the canary shows in\n%s\n%s", exists, p.Text(), form)
		}
		if !strings.Contains(p.Text(), "variables[extensionCert]") {
			t.Errorf("exists %v: a hidden variable is not shown as changed:\n%s", exists, p.Text())
		}
	}
}

func TestWhatASavedWorldDidNotKeepIsNoDifference(t *testing.T) {
	t.Parallel()
	desired, observed := fleet(1)
	want := cluster("c00000")
	add := func(o resource.Object, value any) resource.Object {
		variables := append(resource.Items(o.Object, "spec", "topology", "variables"), map[string]any{"name": "extensionCert", "value": value})
		resource.SetField(o.Object, variables, "spec", "topology", "variables")
		return o
	}
	desired.Put(add(want, "secret"))
	live, _ := observed.Live.Get(want.Addr())
	observed.Live.Put(add(live, resource.NotKept))
	if p := plan.Make(desired, observed, policy); !p.Empty() {
		t.Errorf("the plan is not empty:\n%s", p.Text())
	}
}

func BenchmarkNoChangeIn1000Clusters(b *testing.B) {
	desired, observed := fleet(1000)
	for b.Loop() {
		asked, same := plan.NeedsDryRun(desired, observed, policy)
		if len(asked) != 0 {
			b.Fatal("dry runs are needed")
		}
		observed.Same = same
		if !plan.Make(desired, observed, policy).Empty() {
			b.Fatal("the plan is not empty")
		}
	}
}
