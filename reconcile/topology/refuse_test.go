package topology_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/vksync/vksync/reconcile/topology"
)

// content reads YAML as the API server's JSON is read.
func content(t *testing.T, text string) map[string]any {
	t.Helper()
	var out map[string]any
	if err := yaml.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("reading %q: %v", text, err)
	}
	return out
}

// cluster is a Cluster as it stands; the tests change it by a merge patch.
const cluster = `
metadata: {namespace: team, name: prod}
spec:
  clusterNetwork: {pods: {cidrBlocks: [192.168.0.0/16]}}
  controlPlaneRef: {kind: KubeadmControlPlane, name: prod-x}
  infrastructureRef: {kind: VSphereCluster, name: prod-y}
  topology:
    classRef: {name: builtin-generic-v3.4.0, namespace: vmware-system-vks-public}
    version: v1.33.3+vmware.1-vkr.1
    controlPlane: {replicas: 3}
    variables: [{name: vmClass, value: small}, {name: storageClass, value: gold}]
    workers: {machineDeployments: [{class: node-pool, name: np-1, replicas: 3}]}
`

// classes are the ClusterClasses there are.
var classes = map[string]string{
	"vmware-system-vks-public/builtin-generic-v3.4.0": `
spec:
  infrastructure: {templateRef: {apiVersion: vmware.infrastructure.cluster.x-k8s.io/v1beta2, kind: VSphereClusterTemplate}}
  workers: {machineDeployments: [{class: node-pool}]}
status: {variables: [{name: vmClass, definitions: [{required: true}]}, {name: storageClass, definitions: [{required: true}]}]}
`,
	"team/plain":  `{spec: {infrastructure: {templateRef: {apiVersion: vmware.infrastructure.cluster.x-k8s.io/v1beta2, kind: VSphereClusterTemplate}}, workers: {machineDeployments: [{class: node-pool}]}}}`,
	"team/docker": `{spec: {infrastructure: {templateRef: {apiVersion: infrastructure.cluster.x-k8s.io/v1beta2, kind: DockerClusterTemplate}}, workers: {machineDeployments: [{class: node-pool}]}}}`,
	"team/scaled": `{spec: {infrastructure: {templateRef: {apiVersion: vmware.infrastructure.cluster.x-k8s.io/v1beta2, kind: VSphereClusterTemplate}}, workers: {machineDeployments: [{class: node-pool, metadata: {annotations: {cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size: "5"}}}]}}}`,
}

func around(t *testing.T) topology.Around {
	return topology.Around{Class: func(namespace, name string) (map[string]any, bool) {
		text, there := classes[namespace+"/"+name]
		if !there {
			return nil, true
		}
		return content(t, text), true
	}}
}

// patched is content with another laid over it; null takes away, lists are replaced.
func patched(old, patch map[string]any) map[string]any {
	out := map[string]any{}
	for key, v := range old {
		out[key] = v
	}
	for key, v := range patch {
		below, isMap := v.(map[string]any)
		was, wasMap := out[key].(map[string]any)
		switch {
		case v == nil:
			delete(out, key)
		case isMap && wasMap:
			out[key] = patched(was, below)
		default:
			out[key] = v
		}
	}
	return out
}

func TestRefuseUpdate(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, patch, want string }{
		{"nothing", `{}`, ""},
		{"up by one minor", `{spec: {topology: {version: v1.34.1+vmware.1-vkr.4}}}`, ""},
		{"another build", `{spec: {topology: {version: v1.33.3+vmware.0-vkr.1}}}`, ""},
		{"down", `{spec: {topology: {version: v1.32.1}}}`,
			`admission webhook "validation.cluster.cluster.x-k8s.io" denied the request: Cluster.cluster.x-k8s.io "prod" is invalid: spec.topology.version: Invalid value: "v1.32.1": version cannot be decreased from "1.33.3+vmware.1-vkr.1" to "1.32.1"`},
		{"a skip", `{spec: {topology: {version: v1.35.0}}}`,
			`admission webhook "validation.cluster.cluster.x-k8s.io" denied the request: Cluster.cluster.x-k8s.io "prod" is invalid: spec.topology.version: Invalid value: "v1.35.0": version cannot be increased from "1.33.3+vmware.1-vkr.1" to "1.35.0"`},
		{"a skip, lifted", `{metadata: {annotations: {unsafe.topology.cluster.x-k8s.io/disable-update-version-check: ""}}, spec: {topology: {version: v1.35.0}}}`, ""},
		{"no version", `{spec: {topology: {version: latest}}}`,
			`admission webhook "validation.cluster.cluster.x-k8s.io" denied the request: Cluster.cluster.x-k8s.io "prod" is invalid: [spec.topology.version: Invalid value: "latest": must start with v, spec.topology.version: Invalid value: "latest": version must be a valid semantic version]`},
		{"even", `{spec: {topology: {controlPlane: {replicas: 2}}}}`,
			`admission webhook "capi.validating.tanzukubernetescluster.run.tanzu.vmware.com" denied the request: spec.topology.controlPlane.replicas: Invalid value: 2: must be an odd number`},
		{"none", `{spec: {topology: {controlPlane: {replicas: 0}}}}`,
			`admission webhook "capi.validating.tanzukubernetescluster.run.tanzu.vmware.com" denied the request: spec.topology.controlPlane.replicas: Invalid value: 0: must be an odd number`},
		{"even, of another's class", `{spec: {topology: {classRef: {name: plain, namespace: null}, controlPlane: {replicas: 2}, variables: null}}}`, ""},
		{"network", `{spec: {clusterNetwork: {pods: {cidrBlocks: [10.0.0.0/16]}}}}`,
			`admission webhook "capi.validating.tanzukubernetescluster.run.tanzu.vmware.com" denied the request: spec.clusterNetwork is immutable and cannot be updated`},
		{"network and replicas", `{spec: {clusterNetwork: {serviceDomain: a.local}, topology: {controlPlane: {replicas: 4}}}}`,
			`admission webhook "capi.validating.tanzukubernetescluster.run.tanzu.vmware.com" denied the request: spec.clusterNetwork is immutable and cannot be updated, spec.topology.controlPlane.replicas: Invalid value: 4: must be an odd number`},
		{"no block", `{spec: {topology: {classRef: {name: plain, namespace: null}}, clusterNetwork: {pods: {cidrBlocks: [10.0.0.0]}}}}`,
			`admission webhook "validation.cluster.cluster.x-k8s.io" denied the request: Cluster.cluster.x-k8s.io "prod" is invalid: spec.clusterNetwork.pods.cidrBlocks[0]: Invalid value: "10.0.0.0": invalid CIDR address: 10.0.0.0`},
		{"class that is missing", `{spec: {topology: {classRef: {name: nope, namespace: null}}}}`,
			`admission webhook "validation.cluster.cluster.x-k8s.io" denied the request: Cluster.cluster.x-k8s.io "prod" is invalid: spec.topology.class: Internal error: ClusterClass team/nope not found`},
		{"class that does not fit", `{spec: {topology: {classRef: {name: docker, namespace: null}}}}`,
			`admission webhook "validation.cluster.cluster.x-k8s.io" denied the request: Cluster.cluster.x-k8s.io "prod" is invalid: [spec.infrastructure.templateRef.apiVersion: Forbidden: group of apiVersion cannot be changed from "vmware.infrastructure.cluster.x-k8s.io" to "infrastructure.cluster.x-k8s.io" to prevent incompatible changes in the Clusters, spec.infrastructure.templateRef.kind: Forbidden: kind cannot be changed from "VSphereClusterTemplate" to "DockerClusterTemplate" to prevent incompatible changes in the Clusters]`},
		{"class of a pool", `{spec: {topology: {workers: {machineDeployments: [{class: gpu, name: np-1}, {class: node-pool, name: np-1}, {class: node-pool}]}}}}`,
			`admission webhook "validation.cluster.cluster.x-k8s.io" denied the request: Cluster.cluster.x-k8s.io "prod" is invalid: [spec.topology.workers.machineDeployments[0].class: Invalid value: "gpu": MachineDeploymentClass with name "gpu" does not exist in ClusterClass "builtin-generic-v3.4.0", spec.topology.workers.machineDeployments[1].name: Invalid value: "np-1": name must be unique. MachineDeployment with name "np-1" is defined more than once, spec.topology.workers.machineDeployments[2].name: Required value: name must not be empty]`},
		{"topology removed", `{spec: {topology: null}}`,
			`admission webhook "validation.cluster.cluster.x-k8s.io" denied the request: Cluster.cluster.x-k8s.io "prod" is invalid: spec.topology: Forbidden: cannot be removed from an existing Cluster`},
		{"references removed", `{spec: {infrastructureRef: null, controlPlaneRef: null}}`,
			`admission webhook "validation.cluster.cluster.x-k8s.io" denied the request: Cluster.cluster.x-k8s.io "prod" is invalid: [spec.infrastructureRef: Forbidden: cannot be removed, spec.controlPlaneRef: Forbidden: cannot be removed]`},
		{"no surge at all", `{spec: {topology: {workers: {machineDeployments: [{class: node-pool, name: np-1, rollout: {strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}}}]}}}}`,
			`admission webhook "validation.cluster.cluster.x-k8s.io" denied the request: Cluster.cluster.x-k8s.io "prod" is invalid: spec.topology.workers.machineDeployments[np-1].rollout.strategy.rollingUpdate: Invalid value: "0": maxUnavailable and maxSurge cannot both be 0`},
		{"autoscaled and sized", `{spec: {topology: {workers: {machineDeployments: [{class: node-pool, name: np-1, replicas: 3, metadata: {annotations: {cluster.x-k8s.io/cluster-api-autoscaler-node-group-min-size: "1"}}}]}}}}`,
			`admission webhook "validation.cluster.cluster.x-k8s.io" denied the request: Cluster.cluster.x-k8s.io "prod" is invalid: spec.topology.workers.machineDeployments[np-1].replicas: Invalid value: 3: cannot be set for cluster "prod" in namespace "team" if the same MachineDeploymentTopology has autoscaler annotations`},
		{"autoscaled by its class", `{spec: {topology: {classRef: {name: scaled, namespace: null}}}}`,
			`admission webhook "validation.cluster.cluster.x-k8s.io" denied the request: Cluster.cluster.x-k8s.io "prod" is invalid: spec.topology.workers.machineDeployments[np-1].replicas: Invalid value: 3: cannot be set for cluster "prod" in namespace "team" if the source class "node-pool" of this MachineDeploymentTopology has autoscaler annotations`},
		{"concurrency", `{metadata: {annotations: {topology.cluster.x-k8s.io/upgrade-concurrency: "0"}}}`,
			`admission webhook "validation.cluster.cluster.x-k8s.io" denied the request: Cluster.cluster.x-k8s.io "prod" is invalid: metadata.annotations.topology.cluster.x-k8s.io/upgrade-concurrency: Invalid value: "0": value cannot be less than 1`},
		{"variables", `{spec: {topology: {variables: [{name: vmClass, value: small}, {name: colour, value: {a: 1}}]}}}`,
			`admission webhook "default.cluster.cluster.x-k8s.io" denied the request: Cluster.cluster.x-k8s.io "prod" is invalid: [spec.topology.variables: Required value: required variable "storageClass" must be set, spec.topology.variables[colour]: Invalid value: "{\"a\":1}": variable is not defined]`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			old := content(t, cluster)
			refusals := around(t).Refuse(old, patched(old, content(t, test.patch)))
			got := ""
			if len(refusals) > 0 {
				got = topology.Answer("cluster.x-k8s.io", "Cluster", "prod", refusals)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// A creation is judged alone: a class that is not there yet is only warned of.
func TestRefuseCreation(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		patch string
		want  []string
	}{
		"sound":          {`{}`, nil},
		"without class":  {`{spec: {topology: {classRef: null}}}`, []string{"spec.topology.class: Required value: classRef.name cannot be empty"}},
		"missing class":  {`{spec: {topology: {classRef: {name: nope, namespace: null}}}}`, nil},
		"nothing at all": {`{spec: null}`, []string{"spec: Forbidden: one of spec.controlPlaneRef, spec.infrastructureRef or spec.topology must be set"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, r := range around(t).Refuse(nil, patched(content(t, cluster), content(t, test.patch))) {
				got = append(got, r.Message)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestRefuseAnUpgradeWhileOneIsUnderWay(t *testing.T) {
	t.Parallel()
	const has, next = "v1.33.3+vmware.1-vkr.1", "v1.34.1"
	reached := `{metadata: {name: prod-x}, spec: {version: "` + has + `"}, status: {versions: [{version: "` + has + `"}]}}`
	md := func(name, version string) string {
		return `{metadata: {name: ` + name + `}, spec: {template: {spec: {version: "` + version + `"}}}}`
	}
	machine := func(of, version string) string {
		return `{metadata: {labels: {cluster.x-k8s.io/deployment-name: ` + of + `}}, spec: {version: "` + version + `"}}`
	}
	tests := []struct {
		name, controlPlane    string
		deployments, machines []string
		want                  string
	}{
		{"done", reached, []string{md("a", has)}, []string{machine("a", has), machine("b", "v1.32.0")}, ""},
		{"not begun", `{spec: {version: v1.32.1}, status: {versions: [{version: v1.32.1}]}}`, nil, nil,
			`Cluster.spec.topology.version 1.33.3+vmware.1-vkr.1 was not propagated to control plane yet (control plane version 1.32.1)`},
		{"first machine", `{spec: {version: "` + has + `"}}`, nil, nil, "control plane is currently provisioning"},
		{"control plane", `{spec: {version: "` + has + `"}, status: {versions: [{version: v1.32.1}, {version: "` + has + `"}]}}`, nil, nil, "control plane is still completing a previous upgrade"},
		{"a pool not begun", reached, []string{md("a", "v1.32.1"), md("b", has)}, nil, "there are still MachineDeployments completing a previous upgrade: [a]"},
		{"machines of pools", reached, []string{md("a", has), md("b", has)}, []string{machine("a", "v1.32.1"), machine("b", "v1.32.1")}, "there are still MachineDeployments completing a previous upgrade: [a, b]"},
		{"both", `{spec: {version: "` + has + `"}, status: {version: v1.32.1}}`, []string{md("a", "v1.32.1")}, nil,
			"[control plane is still completing a previous upgrade, there are still MachineDeployments completing a previous upgrade: [a]]"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := around(t)
			a.ControlPlane = content(t, test.controlPlane)
			for _, d := range test.deployments {
				a.Deployments = append(a.Deployments, content(t, d))
			}
			for _, m := range test.machines {
				a.Machines = append(a.Machines, content(t, m))
			}
			old := content(t, cluster)
			want := []topology.Refusal{}
			if test.want != "" {
				want = []topology.Refusal{{
					Webhook: topology.WebhookCluster, Path: "spec.topology.version",
					Message: `spec.topology.version: Invalid value: "v1.34.1": version cannot be changed: ` + test.want, Detail: "version cannot be changed: " + test.want,
				}}
			}
			got := a.Refuse(old, patched(old, content(t, `{spec: {topology: {version: `+next+`}}}`)))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// Where nothing but the Cluster is known, its own status tells of an upgrade.
// alone knows nothing beside the Cluster.
var alone topology.Around

func TestRefuseByTheClusterAlone(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]int{"ReconcileSucceeded": 0, "ClusterUpgrading": 1, "MachineDeploymentsUpgradePending": 1} {
		status := "False"
		if want == 0 {
			status = "True"
		}
		old := patched(content(t, cluster), content(t, `{status: {conditions: [{type: TopologyReconciled, status: "`+status+`", reason: `+reason+`}]}}`))
		got := alone.Refuse(old, patched(old, content(t, `{spec: {topology: {version: v1.34.1}}}`)))
		if len(got) != want {
			t.Errorf("%s: got %+v", reason, got)
		}
		if other := alone.Refuse(old, patched(old, content(t, `{spec: {topology: {controlPlane: {replicas: 5}}}}`))); len(other) > 0 {
			t.Errorf("%s: scaling is refused, too: %+v", reason, other)
		}
	}
}

func TestRefuseWhileSystemChecksFail(t *testing.T) {
	t.Parallel()
	old := patched(content(t, cluster), content(t, `{status: {conditions: [{type: SystemChecksSucceeded, status: "False", message: "PodDisruptionBudgets blocking rollouts"}]}}`))
	for patch, want := range map[string]int{
		`{spec: {topology: {version: v1.34.1}}}`:            1,
		`{spec: {topology: {controlPlane: {replicas: 1}}}}`: 0,
		`{metadata: {annotations: {kubernetes.vmware.com/dangerous-skip-misconfigured-software-check-for-update: ""}}, spec: {topology: {version: v1.34.1}}}`: 0,
	} {
		if got := alone.Refuse(old, patched(old, content(t, patch))); len(got) != want {
			t.Errorf("%s: got %+v, want %d", patch, got, want)
		}
	}
}

func unmarshal(text []byte, out *map[string]any) error { return yaml.Unmarshal(text, out) }
