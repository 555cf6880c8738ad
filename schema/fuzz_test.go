package schema

import (
	"testing"
)

// Whatever a file holds, loading it ends, and every resource that comes out has
// a name, a known kind and a place.
func fuzzLoad(f *testing.F, file string) {
	f.Fuzz(func(t *testing.T, text string) {
		desired, problems := Load(repoOf(file, text), ".")
		for addr, o := range desired.Resources.All() {
			if addr.Name == "" || kindDefinitions[o.GetAPIVersion()+" "+o.GetKind()] == "" || o.Source.File != file {
				t.Errorf("%v at %v came out of %q", addr, o.Source, text)
			}
		}
		for _, p := range problems {
			if p.Message == "" || p.Pos.File != file {
				t.Errorf("problem %+v of %q has no message or no place", p, text)
			}
		}
	})
}

func FuzzYAML(f *testing.F) {
	for _, text := range []string{goodCluster, goodClusterV1Beta1, goodNamespace, "a: &x [1]\nb: *x\n", "- é: [ü, {", "--- \n---\n!!int a"} {
		f.Add(text)
	}
	fuzzLoad(f, "a.yaml")
}

func FuzzJSON(f *testing.F) {
	for _, text := range []string{`{"apiVersion": "vksync.dev/v1alpha1", "kind": "VSphereNamespace", "metadata": {"name": "a"}, "spec": {"supervisor": "lab"}}`, `[1, 1e400, {"a": null`, `{"a": 1, "a": 2}`} {
		f.Add(text)
	}
	fuzzLoad(f, "a.json")
}

func FuzzCUE(f *testing.F) {
	for _, text := range []string{
		"apiVersion: \"vksync.dev/v1alpha1\"\nkind: \"VSphereNamespace\"\nmetadata: name: \"a\"\nspec: supervisor: \"lab\"\n",
		"package x\nimport \"vksync.dev/schema\"\na: schema.#Cluster & {kind: \"Cluster\"}\n",
		"a: \"\\(b)\"\nb: #\"\\#(a)\"#\nc: [for x in [1] {x}]\n", "a: {b: 1 | *2, c?: int, #d: 3}", "@if(x)\n", "a: _|_",
	} {
		f.Add(text)
	}
	fuzzLoad(f, "a.cue")
}
