package schema

import (
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

const goodCluster = `apiVersion: cluster.x-k8s.io/v1beta2
kind: Cluster
metadata: {name: prod, namespace: team-a}
spec:
  clusterNetwork:
    pods: {cidrBlocks: [192.168.0.0/16]}
    services: {cidrBlocks: [10.96.0.0/12]}
    serviceDomain: cluster.local
  topology:
    classRef: {name: builtin-generic-v3.4.0, namespace: vmware-system-vks-public}
    version: v1.34.1+vmware.1-vkr.4
    variables:
    - {name: vmClass, value: best-effort-small}
    - {name: storageClass, value: vks-gold}
    - name: kubernetes
      value: {certificateRotation: {enabled: true, renewalDaysBeforeExpiry: 90}}
    controlPlane: {replicas: 3}
    workers:
      machineDeployments:
      - {name: np-1, class: node-pool, replicas: 3, failureDomain: zone-a}
      - name: np-2
        class: node-pool
        replicas: 3
        variables: {overrides: [{name: vmClass, value: guaranteed-large}]}
`

const goodClusterV1Beta1 = `apiVersion: cluster.x-k8s.io/v1beta1
kind: Cluster
metadata: {name: old, namespace: team-a}
spec:
  topology:
    class: tanzukubernetescluster
    version: v1.33
    variables:
    - {name: vmClass, value: best-effort-small}
    - {name: storageClass, value: vks-gold}
    - {name: controlPlaneCertificateRotation, value: {activate: true, daysBefore: 30}}
    controlPlane: {replicas: 1, nodeDrainTimeout: 5m0s}
    workers:
      machineDeployments:
      - name: np-1
        class: node-pool
        replicas: 2
        machineHealthCheck: {nodeStartupTimeout: 20m0s}
`

const goodNamespace = `apiVersion: vksync.dev/v1alpha1
kind: VSphereNamespace
metadata: {name: team-a}
spec:
  supervisor: lab
  resources: {memoryLimitMiB: 131072}
  storagePolicies: [{name: vks-gold, limitMiB: 1048576}]
  vmClasses: [best-effort-small]
  permissions: [{subject: admins, domain: lab.example, type: Group, role: Edit}]
  network: {privateCIDRs: [172.26.16.0/20]}
`

// repoOf makes a repo of "path" and "content" pairs.
func repoOf(pairs ...string) fs.FS {
	fsys := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		fsys[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return fsys
}

// summary lists what a Load found: the resources with their places, then the
// problems.
func summary(t *testing.T, fsys fs.FS, root string) string {
	t.Helper()
	desired, problems := Load(fsys, root)
	if diff := cmp.Diff(described(desired, problems), evaluated(t, fsys, root)); diff != "" {
		t.Errorf("an Evaluator differs (-Load +Evaluator):\n%s", diff)
	}
	return described(desired, problems)
}

// evaluated is the same by an Evaluator that uses this process.
func evaluated(t *testing.T, fsys fs.FS, root string) string {
	t.Helper()
	e := NewEvaluator(EvaluatorOptions{})
	desired, problems, err := e.Load(t.Context(), fsys, root)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return described(desired, problems)
}

func described(desired *Desired, problems Problems) string {
	var lines []string
	for addr, o := range desired.Resources.All() {
		lines = append(lines, addr.String()+" at "+o.Source.String())
	}
	for _, o := range desired.Inventories {
		lines = append(lines, o.Addr().String()+" at "+o.Source.String())
	}
	for _, p := range problems {
		lines = append(lines, p.String())
	}
	return strings.Join(lines, "\n")
}

func TestLoad(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		repo fs.FS
		root string
		want string
	}{{
		name: "several documents in one file, with a comment and an empty one",
		repo: repoOf("all.yaml", "# all\n---\n"+goodCluster+"---\n# nothing\n---\n"+goodNamespace),
		want: "VSphereNamespace team-a at all.yaml:30:1\nCluster team-a/prod at all.yaml:3:1",
	}, {
		name: "JSON, and a Kubernetes List",
		repo: repoOf(
			"ns.json", "{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [\n"+
				`  {"apiVersion": "vksync.dev/v1alpha1", "kind": "VSphereNamespace", "metadata": {"name": "a"}, "spec": {"supervisor": "lab"}}]}`),
		want: "VSphereNamespace a at ns.json:2:3",
	}, {
		name: "a CUE file without a package is a unit of its own",
		repo: repoOf(
			"a.cue", "_s: \"lab\"\napiVersion: \"vksync.dev/v1alpha1\", kind: \"VSphereNamespace\"\nmetadata: name: \"a\"\nspec: supervisor: _s\n",
			"b.cue", "_s: 1\nx: [{apiVersion: \"vksync.dev/v1alpha1\", kind: \"VSphereNamespace\"\nmetadata: name: \"b\"\nspec: supervisor: \"lab\"}]\n"),
		want: "VSphereNamespace a at a.cue:1:1\nVSphereNamespace b at b.cue:2:5",
	}, {
		name: "a CUE package sees the files above it, and counts them once",
		repo: repoOf(
			"defaults.cue", "package fleet\n_ns: {apiVersion: \"vksync.dev/v1alpha1\", kind: \"VSphereNamespace\", spec: supervisor: \"lab\"}\ntop: _ns & {metadata: name: \"top\"}\n",
			"eu/a.cue", "package fleet\na: _ns & {metadata: name: \"a\"}\n"),
		want: "VSphereNamespace a at eu/a.cue:2:1\nVSphereNamespace top at defaults.cue:3:1",
	}, {
		name: "imports come from the repo and from the schema",
		repo: repoOf(
			"cue.mod/module.cue", "module: \"example.com/fleet@v0\"\nlanguage: version: \"v0.17.0\"\n",
			"lib/lib.cue", "package lib\nSupervisor: \"lab\"\n",
			"ns/ns.cue", "package ns\nimport (\n\t\"example.com/fleet/lib\"\n\t\"vksync.dev/schema\"\n)\na: schema.#VSphereNamespace & {apiVersion: \"vksync.dev/v1alpha1\", kind: \"VSphereNamespace\", metadata: name: \"a\", spec: supervisor: lib.Supervisor}\n"),
		want: "VSphereNamespace a at ns/ns.cue:6:1",
	}, {
		name: "without cue.mod the repo is vksync.dev/repo",
		repo: repoOf(
			"lib/lib.cue", "package lib\nSupervisor: \"lab\"\n",
			"ns.cue", "import \"vksync.dev/repo/lib\"\na: {apiVersion: \"vksync.dev/v1alpha1\", kind: \"VSphereNamespace\", metadata: name: \"a\", spec: supervisor: lib.Supervisor}\n"),
		want: "VSphereNamespace a at ns.cue:2:1",
	}, {
		name: "other files, dot directories and what is ignored are left alone",
		repo: repoOf(
			".vksyncignore", "# charts\ncharts/\n*.values.yaml\n!keep.values.yaml\n",
			".github/workflows/ci.yaml", "on: push", "charts/web/x.yaml", "a: 1", "prod.values.yaml", "b: 2",
			"kustomization.yaml", "resources: []", "README.md", "# hello", "apps/.vksyncignore", "/x.yaml", "apps/x.yaml", "c: 3",
			"keep.values.yaml", goodNamespace),
		want: "VSphereNamespace team-a at keep.values.yaml:1:1",
	}, {
		name: "only what is below the root",
		repo: repoOf("a/ns.yaml", goodNamespace, "b/cluster.yaml", goodCluster),
		root: "b",
		want: "Cluster team-a/prod at b/cluster.yaml:1:1",
	}, {
		name: "the same address twice",
		repo: repoOf("a.yaml", goodCluster, "b.yaml", goodCluster),
		want: "Cluster team-a/prod at a.yaml:1:1\n" +
			"b.yaml:1:1: metadata.name: Cluster team-a/prod is defined twice, first at a.yaml:1:1\n    remove one of the two, or rename it",
	}, {
		name: "a broken file breaks itself only",
		repo: repoOf("a.yaml", "a: [1", "b.json", "{\"a\": ", "c.cue", "a: {", "d.yaml", goodNamespace),
		want: "VSphereNamespace team-a at d.yaml:1:1\n" +
			"a.yaml:1:1: this is not YAML: did not find expected ',' or ']'\n" +
			"b.json:1:7: this is not JSON: the file ends in the middle of a value\n" +
			"c.cue:1:5: expected '}'",
	}, {
		name: "nothing is downloaded",
		repo: repoOf("a.cue", "import \"example.com/other/x\"\na: x.y\n"),
		want: "a.cue:1:8: the import \"example.com/other/x\" is not in this repo\n" +
			"    packages come from the repo as vksync.dev/repo/..., and from vksync.dev/schema; nothing is downloaded",
	}, {
		name: "an import cycle ends",
		repo: repoOf("a/a.cue", "package a\nimport \"vksync.dev/repo/b\"\nx: b.x\n", "b/b.cue", "package b\nimport \"vksync.dev/repo/a\"\nx: a.x\n"),
		want: "a/a.cue:2:8: the import \"vksync.dev/repo/b\" imports itself\nb/b.cue:2:8: the import \"vksync.dev/repo/a\" imports itself",
	}}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			root := test.root
			if root == "" {
				root = "."
			}
			if diff := cmp.Diff(test.want, summary(t, test.repo, root)); diff != "" {
				t.Errorf("Load (-want +got):\n%s", diff)
			}
		})
	}
}

// What a user wrote is what is applied: no defaults, and whole numbers stay whole.
func TestContentIsWhatWasWritten(t *testing.T) {
	t.Parallel()
	fromCUE := `apiVersion: "vksync.dev/v1alpha1"
kind: "VSphereNamespace"
metadata: name: "team-a"
spec: {
	supervisor: "lab"
	resources: memoryLimitMiB: 64 * 2048
	storagePolicies: [{name: "vks-gold", limitMiB: 1048576}]
	vmClasses: ["best-effort-small"]
	permissions: [{subject: "admins", domain: "lab.example", type: "Group", role: "Edit"}]
	network: privateCIDRs: ["172.26.16.0/20"]
}
`
	fromJSON := `{"apiVersion": "vksync.dev/v1alpha1", "kind": "VSphereNamespace", "metadata": {"name": "team-a"}, "spec": {
		"supervisor": "lab", "resources": {"memoryLimitMiB": 131072}, "storagePolicies": [{"name": "vks-gold", "limitMiB": 1048576}],
		"vmClasses": ["best-effort-small"], "permissions": [{"subject": "admins", "domain": "lab.example", "type": "Group", "role": "Edit"}],
		"network": {"privateCIDRs": ["172.26.16.0/20"]}}}`
	want := map[string]any{
		"apiVersion": "vksync.dev/v1alpha1", "kind": "VSphereNamespace",
		"metadata": map[string]any{"name": "team-a"},
		"spec": map[string]any{
			"supervisor":      "lab",
			"resources":       map[string]any{"memoryLimitMiB": int64(131072)},
			"storagePolicies": []any{map[string]any{"name": "vks-gold", "limitMiB": int64(1048576)}},
			"vmClasses":       []any{"best-effort-small"},
			"permissions":     []any{map[string]any{"subject": "admins", "domain": "lab.example", "type": "Group", "role": "Edit"}},
			"network":         map[string]any{"privateCIDRs": []any{"172.26.16.0/20"}},
		},
	}
	for name, text := range map[string]string{"a.yaml": goodNamespace, "a.cue": fromCUE, "a.json": fromJSON} {
		desired, problems := Load(repoOf(name, text), ".")
		if problems.Err() != nil {
			t.Errorf("%s: %v", name, problems)
		}
		for _, o := range desired.Resources.All() {
			if diff := cmp.Diff(want, o.Object); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	}
}

func TestExampleFleet(t *testing.T) {
	t.Parallel()
	want := `VSphereNamespace data at namespaces.yaml:50:1
VSphereNamespace payments at namespaces.yaml:2:1
VSphereNamespace platform at namespaces.yaml:77:1
VSphereNamespace shop at namespaces.yaml:27:1
Cluster data/analytics at clusters/data.cue:4:11
Cluster data/lake-dev at clusters/data.cue:21:11
Cluster payments/payments-dev at clusters/payments-dev.yaml:2:1
Cluster payments/payments-prod at clusters/payments-prod.yaml:2:1
Cluster payments/payments-stage at clusters/payments.cue:3:11
Cluster platform/ci at clusters/platform.cue:18:11
Cluster platform/observability at clusters/platform.cue:10:11
Cluster platform/tools at clusters/platform.cue:3:11
Cluster shop/shop-ap at clusters/shop.cue:7:12
Cluster shop/shop-dev at clusters/shop.cue:15:11
Cluster shop/shop-eu at clusters/shop.cue:7:12
Cluster shop/shop-us at clusters/shop.cue:7:12`
	if diff := cmp.Diff(want, summary(t, os.DirFS("../testdata/fleet"), ".")); diff != "" {
		t.Errorf("Load (-want +got):\n%s", diff)
	}
}

func TestLab(t *testing.T) {
	t.Parallel()
	if got := LabInventory().GetName(); got != "lab" || Lab().Resources.Len() != 0 {
		t.Errorf("the lab is %q with %d resources, want lab with none", got, Lab().Resources.Len())
	}
}
