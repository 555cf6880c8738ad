package topology_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/topology"
)

func TestRefuseGenerated(t *testing.T) {
	t.Parallel()
	kcp := `{spec: {replicas: 3, version: v1.33.1, rollout: {strategy: {rollingUpdate: {maxSurge: 0}}}, kubeadmConfigSpec: {clusterConfiguration: {certificatesDir: /a}}, machineTemplate: {spec: {infrastructureRef: {name: t}}}}}`
	md := `{spec: {clusterName: prod, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {clusterName: prod, version: v1.33.1}}}}`
	tests := []struct{ name, kind, old, patch, want string }{
		{"control plane: template and size", "KubeadmControlPlane", kcp, `{spec: {replicas: 5, machineTemplate: {spec: {infrastructureRef: {name: u}}}, kubeadmConfigSpec: {files: [a]}}}`, ""},
		{"control plane: even", "KubeadmControlPlane", kcp, `{spec: {replicas: 4}}`, `spec.replicas: Forbidden: cannot be an even number when etcd is stacked`},
		{"control plane: none", "KubeadmControlPlane", kcp, `{spec: {replicas: -1}}`, `[spec.replicas: Forbidden: cannot be less than or equal to 0, spec.rollout.strategy.rollingUpdate: Required value: when KubeadmControlPlane is configured to scale-in, replica count needs to be at least 3]`},
		{"control plane: surge", "KubeadmControlPlane", kcp, `{spec: {rollout: {strategy: {rollingUpdate: {maxSurge: 2}}}}}`, `spec.rollout.strategy.rollingUpdate.maxSurge: Required value: value must be 1 or 0`},
		{"control plane: what is fixed", "KubeadmControlPlane", kcp, `{spec: {kubeadmConfigSpec: {clusterConfiguration: {certificatesDir: /b, caCertificateValidityPeriodDays: 9}}}}`,
			`[spec.kubeadmConfigSpec.clusterConfiguration.caCertificateValidityPeriodDays: Forbidden: cannot be modified, spec.kubeadmConfigSpec.clusterConfiguration.certificatesDir: Forbidden: cannot be modified]`},
		{"control plane: skip", "KubeadmControlPlane", kcp, `{spec: {version: v1.35.0}}`, `spec.version: Forbidden: cannot update Kubernetes version from v1.33.1 to v1.35.0`},
		{"control plane: etcd", "KubeadmControlPlane", kcp, `{spec: {kubeadmConfigSpec: {clusterConfiguration: {etcd: {external: {endpoints: [a]}}}}}}`,
			`spec.kubeadmConfigSpec.clusterConfiguration.etcd.external: Forbidden: cannot change between external and local etcd`},
		{"deployment: size and version", "MachineDeployment", md, `{spec: {replicas: 4, template: {spec: {version: v1.34.0}}}}`, ""},
		{"deployment: cluster", "MachineDeployment", md, `{spec: {clusterName: other}}`,
			`[spec.clusterName: Forbidden: field is immutable, spec.clusterName: Invalid value: "other": spec.clusterName and spec.template.spec.clusterName must be set to the same value]`},
		{"deployment: selector", "MachineDeployment", md, `{spec: {selector: {matchLabels: {c: d}}}}`, `spec.template.metadata.labels: Forbidden: must match spec.selector "a=b,c=d"`},
		{"set: cluster", "MachineSet", md, `{spec: {clusterName: other}}`, `spec.clusterName: Forbidden: field is immutable`},
		{"machine: cluster", "Machine", `{spec: {clusterName: prod}}`, `{spec: {clusterName: other, version: nine}}`, `[spec.clusterName: Forbidden: field is immutable, spec.version: Invalid value: "nine": must be a valid semantic version]`},
		{"health check: cluster", "MachineHealthCheck", `{spec: {clusterName: prod}}`, `{spec: {clusterName: other}}`, `spec.clusterName: Forbidden: field is immutable`},
		{"infrastructure machine", "VSphereMachine", `{spec: {className: a, imageName: i, network: {interfaces: {primary: {}}}, powerOffMode: hard}}`, `{spec: {className: b, imageName: j, powerOffMode: soft, providerID: x}}`,
			`[spec.imageName: Forbidden: cannot be modified, spec.className: Forbidden: cannot be modified]`},
		{"template: metadata", "VSphereMachineTemplate", `{spec: {template: {spec: {className: a}}}}`, `{spec: {template: {metadata: {labels: {a: b}}, spec: {powerOffMode: hard}}}}`, ""},
		{"template", "VSphereMachineTemplate", `{spec: {template: {spec: {className: a}}}}`, `{spec: {template: {spec: {className: b}}}}`,
			`spec.template.spec: Forbidden: VSphereMachineTemplate spec.template.spec field is immutable. Please create a new resource instead.`},
		{"virtual machine", "VirtualMachine", `{spec: {className: a, biosUUID: u, powerState: PoweredOn}}`, `{spec: {biosUUID: v, powerState: PoweredOff, instanceUUID: w}}`, `spec.biosUUID: Invalid value: "v": field is immutable`},
		{"subnet set", "SubnetSet", `{spec: {ipv4SubnetSize: 32, accessMode: Private}}`, `{spec: {ipv4SubnetSize: 64, accessMode: null}}`,
			`[spec.ipv4SubnetSize: Invalid value: 64: Value is immutable, spec: Invalid value: "object": accessMode is required once set]`},
		{"another kind", "Secret", `{data: {a: b}}`, `{data: {a: c}}`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			old := content(t, test.old)
			want := ""
			refusals := topology.RefuseGenerated(test.kind, old, patched(old, content(t, test.patch)))
			got := ""
			if len(refusals) > 0 {
				got = topology.Answer("g", test.kind, "x", refusals)
			}
			if test.want != "" {
				webhook := refusals[:min(1, len(refusals))]
				switch {
				case len(webhook) == 0:
					want = test.want
				case webhook[0].Webhook == "":
					want = test.kind + `.g "x" is invalid: ` + test.want
				case webhook[0].Webhook == topology.WebhookVM:
					want = `admission webhook "` + webhook[0].Webhook + `" denied the request: ` + test.want
				default:
					want = `admission webhook "` + webhook[0].Webhook + `" denied the request: ` + test.kind + `.g "x" is invalid: ` + test.want
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestRefuseClass(t *testing.T) {
	t.Parallel()
	class := `{spec: {workers: {machineDeployments: [{class: node-pool}, {class: gpu}]}}}`
	user := func(name, pool string) map[string]any {
		return content(t, `{metadata: {namespace: team, name: `+name+`}, spec: {topology: {version: v1.33.1, workers: {machineDeployments: [{name: a, class: `+pool+`}]}}}}`)
	}
	users := []map[string]any{user("a", "gpu"), user("b", "node-pool"), user("c", "node-pool"), user("d", "node-pool")}
	tests := []struct {
		name, patch string
		users       []map[string]any
		want        string
	}{
		{"deleted", "", nil, ""},
		{"deleted in use", "", users, `ClusterClass.cluster.x-k8s.io "x" is forbidden: ClusterClass cannot be deleted because it is used by Cluster(s): team/a, team/b, team/c, ... (1 more)`},
		{"a class of pools removed", `{spec: {workers: {machineDeployments: [{class: node-pool}]}}}`, users[1:], ""},
		{"a class of pools removed in use", `{spec: {workers: {machineDeployments: [{class: node-pool}]}}}`, users,
			`ClusterClass.cluster.x-k8s.io "x" is invalid: spec.workers.machineDeployments: Forbidden: MachineDeploymentClass "gpu" cannot be deleted because it is used by Cluster "a"`},
		{"another kind", `{spec: {infrastructure: {templateRef: {apiVersion: a/v1, kind: B}}}}`, nil,
			`ClusterClass.cluster.x-k8s.io "x" is invalid: [spec.infrastructure.templateRef.apiVersion: Forbidden: group of apiVersion cannot be changed from "" to "a" to prevent incompatible changes in the Clusters, spec.infrastructure.templateRef.kind: Forbidden: kind cannot be changed from "" to "B" to prevent incompatible changes in the Clusters]`},
		{"versions", `{spec: {kubernetesVersions: [v1.34.0]}}`, users[:1],
			`ClusterClass.cluster.x-k8s.io "x" is invalid: spec.kubernetesVersions: Forbidden: Kubernetes Version v1.33.1 is used by Cluster "a" but not set in ClusterClass`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			old := content(t, class)
			var new map[string]any
			if test.patch != "" {
				new = patched(old, content(t, test.patch))
			}
			got, want := "", test.want
			if refusals := topology.RefuseClass(old, new, test.users); len(refusals) > 0 {
				got = topology.Answer("cluster.x-k8s.io", "ClusterClass", "x", refusals)
			}
			if want != "" {
				want = `admission webhook "validation.clusterclass.cluster.x-k8s.io" denied the request: ` + want
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// Objects come from anywhere: nothing in them makes a rule fail.
func FuzzRefuse(f *testing.F) {
	f.Add([]byte(cluster), []byte(`{"spec":{"topology":{"version":7,"workers":{"machineDeployments":[1,{"name":[]}]}}}}`))
	f.Fuzz(func(t *testing.T, old, new []byte) {
		var a, b map[string]any
		// The API server refuses what is no object before any rule sees it.
		if unmarshal(old, &a) != nil || unmarshal(new, &b) != nil {
			t.Skip("no JSON objects")
		}
		topology.Around{ControlPlane: b, Deployments: []map[string]any{a}, Machines: []map[string]any{b}}.Refuse(a, b)
		topology.RefuseClass(a, b, []map[string]any{b})
		for _, kind := range []string{"KubeadmControlPlane", "MachineDeployment", "MachineSet", "Machine", "VSphereMachine", "VSphereMachineTemplate", "VirtualMachine", "SubnetSet"} {
			topology.RefuseGenerated(kind, a, b)
		}
	})
}
