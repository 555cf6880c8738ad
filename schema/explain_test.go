package schema

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// good is an accepted manifest of every kind.
var good = map[string]string{
	"Cluster v1beta2":  goodCluster,
	"Cluster v1beta1":  goodClusterV1Beta1,
	"VSphereNamespace": goodNamespace,
	"Inventory":        labText(),
}

func labText() string {
	text, err := lab.ReadFile("lab.yaml")
	if err != nil {
		panic(err)
	}
	return string(text)
}

// The evaluator has had ways of use that ignore closedness without a word, so
// this asks for every kind whether a misspelt field is refused, near the top and
// deep down.
func TestTyposAreRefused(t *testing.T) {
	t.Parallel()
	tests := []struct{ kind, from, to, path string }{
		{"Cluster v1beta2", "spec:", "spek:", "spek"},
		{"Cluster v1beta2", "    version:", "    versio: x\n    version:", "spec.topology.versio"},
		{"Cluster v1beta2", "failureDomain", "failureDomane", "spec.topology.workers.machineDeployments[0].failureDomane"},
		{"Cluster v1beta2", "enabled:", "enable:", "spec.topology.variables[2].value.certificateRotation.enable"},
		{"Cluster v1beta1", "metadata:", "metdata:", "metdata"},
		{"Cluster v1beta1", "    version:", "    versio: x\n    version:", "spec.topology.versio"},
		{"Cluster v1beta1", "nodeStartupTimeout", "nodeStartTimeout", "spec.topology.workers.machineDeployments[0].machineHealthCheck.nodeStartTimeout"},
		{"Cluster v1beta1", "daysBefore", "dayBefore", "spec.topology.variables[2].value.dayBefore"},
		{"VSphereNamespace", "spec:", "spek:", "spek"},
		{"VSphereNamespace", "supervisor:", "superviser:", "spec.superviser"},
		{"VSphereNamespace", "limitMiB", "limitMib", "spec.storagePolicies[0].limitMib"},
		{"VSphereNamespace", "privateCIDRs", "privateCidrs", "spec.network.privateCidrs"},
		{"Inventory", "spec:", "spek:", "spek"},
		{"Inventory", "datacenter:", "datacentre:", "spec.datacentre"},
		{"Inventory", "    hosts:", "    host: []\n    hosts:", "spec.zones[0].host"},
		{"Inventory", "{name: photon,", "{nam: x, name: photon,", "spec.contentLibraries[0].images[0].os.nam"},
	}
	for _, test := range tests {
		text := strings.Replace(good[test.kind], test.from, test.to, 1)
		_, problems := Load(repoOf("a.yaml", text), ".")
		refused := false
		for _, p := range problems {
			refused = refused || p.Path == test.path && p.Message == unknownField
		}
		if !refused {
			t.Errorf("%s with %s: got %v, want an unknown field at %s", test.kind, test.to, problems, test.path)
		}
	}
	for kind, text := range good {
		if _, problems := Load(repoOf("a.yaml", text), "."); problems.Err() != nil {
			t.Errorf("%s as it is: %v", kind, problems)
		}
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	const names = "vmClass, storageClass, volumes, node, kubernetes, osConfiguration, resourceConfiguration, vsphereOptions, bootstrapAddons"
	tests := []struct {
		name string
		edit []string // pairs of old and new text in goodCluster
		want string
	}{{
		"a replica count that etcd cannot vote with", []string{"{replicas: 3}", "{replicas: 2}"},
		"a.yaml:17:30: spec.topology.controlPlane.replicas: must be one of the allowed values (found 2, allowed: 1, 3, 5)",
	}, {
		"a version that YAML reads as a number", []string{"v1.34.1+vmware.1-vkr.4", "1.34"},
		"a.yaml:11:14: spec.topology.version: must be a Kubernetes version, which starts with v; without quotes and v it is read as a number (found 1.34, allowed: v1.34, v1.34.1 or v1.34.1+vmware.1-vkr.4)",
	}, {
		"an unknown class silences what depends on it", []string{"v3.4.0", "v3.9.0"},
		"a.yaml:10:22: spec.topology.classRef.name: must be one of the allowed values (found \"builtin-generic-v3.9.0\", allowed: tanzukubernetescluster, builtin-generic-v3.1.0, builtin-generic-v3.2.0, builtin-generic-v3.3.0, builtin-generic-v3.4.0, builtin-generic-v3.5.0, builtin-generic-v3.6.0, builtin-generic-v3.7.0)",
	}, {
		"no class at all", []string{"name: builtin-generic-v3.4.0, ", ""},
		"a.yaml:10:15: spec.topology.classRef.name: is required\n    name the ClusterClass, as builtin-generic-v3.4.0",
	}, {
		"a shared class without its namespace", []string{", namespace: vmware-system-vks-public", ""},
		"a.yaml:10:15: spec.topology.classRef.namespace: is required (allowed: vmware-system-vks-public)",
	}, {
		"a variable of another class", []string{"name: kubernetes", "name: ntp", "{certificateRotation: {enabled: true, renewalDaysBeforeExpiry: 90}}", "x"},
		"a.yaml:15:13: spec.topology.variables[2].name: must be one of the allowed values (found \"ntp\", allowed: " + names + ")",
	}, {
		"a required variable is not there", []string{"name: vmClass, value: best-effort-small", "name: storageClass, value: vks-gold"},
		"a.yaml:13:5: spec.topology.variables: the variable vmClass is required\n    add {name: vmClass, value: ...}\n" +
			"a.yaml:14:14: spec.topology.variables[1].name: variable \"storageClass\" is given twice, first at a.yaml:13:14 (found \"storageClass\")\n    remove one of the two, or rename it",
	}, {
		"everything in one run: unknown, missing and wrong",
		[]string{"version: v1", "versn: v1", "{replicas: 3}", "{replicas: \"3\"}", "np-2", "np-1", "name: prod", "name: Prod"},
		"a.yaml:3:18: metadata.name: must be a cluster name (found \"Prod\", allowed: lower-case letters, digits and -, starting with a letter, ending with a letter or digit, at most 63 characters)\n" +
			"a.yaml:10:5: spec.topology.version: is required (allowed: v1.34, v1.34.1 or v1.34.1+vmware.1-vkr.4)\n" +
			"a.yaml:11:5: spec.topology.versn: unknown field (allowed: classRef, controlPlane, variables, version, workers)\n    did you mean version?\n" +
			"a.yaml:17:30: spec.topology.controlPlane.replicas: must be one of the allowed values (found \"3\", allowed: 1, 3, 5)\n    write the number without quotes\n" +
			"a.yaml:21:15: spec.topology.workers.machineDeployments[1].name: node pool \"np-1\" is given twice, first at a.yaml:20:16 (found \"np-1\")\n    remove one of the two, or rename it",
	}, {
		"pods and services share addresses", []string{"10.96.0.0/12", "192.168.64.0/20"},
		"a.yaml:7:29: spec.clusterNetwork.services.cidrBlocks[0]: overlaps 192.168.0.0/16 at spec.clusterNetwork.pods.cidrBlocks[0] (found \"192.168.64.0/20\")\n    pods and services need separate ranges",
	}, {
		"a block that does not start where it says", []string{"10.96.0.0/12", "10.96.0.1/12"},
		"a.yaml:7:29: spec.clusterNetwork.services.cidrBlocks[0]: does not start at the first address of the block (found \"10.96.0.1/12\")\n    write 10.96.0.0/12",
	}, {
		"not a block", []string{"10.96.0.0/12", "10.96.0.0"},
		"a.yaml:7:29: spec.clusterNetwork.services.cidrBlocks[0]: must be a CIDR block (found \"10.96.0.0\", allowed: an address and a prefix length, as 10.96.0.0/12)",
	}, {
		"machine pools", []string{"machineDeployments:", "machinePools:"},
		"a.yaml:19:7: spec.topology.workers.machinePools: unknown field (allowed: machineDeployments)\n    VKS has no machine pools; use machineDeployments",
	}, {
		"names too long together", []string{"np-1", "a-node-pool-with-a-name-of-forty-one-chars"},
		"a.yaml:20:16: spec.topology.workers.machineDeployments[0].name: with the cluster's name \"prod\" it is longer than 44 characters, so node names would be cut (found \"a-node-pool-with-a-name-of-forty-one-chars\", allowed: at most 40 characters)\n    shorten the name of the pool or of the cluster",
	}, {
		"too many workers", []string{"replicas: 3,", "replicas: 150,"},
		"a.yaml:20:7: spec.topology.workers.machineDeployments: the node pools have too many workers together (found 153, allowed: 0 to 150)",
	}, {
		"a pool without a size", []string{"replicas: 3,", ""},
		"a.yaml:20:9: spec.topology.workers.machineDeployments[0].replicas: is required (allowed: 0 to 150)\n    give the pool a size, or the annotations cluster.x-k8s.io/cluster-api-autoscaler-node-group-min-size and max-size",
	}, {
		"a rollout that cannot move", []string{"failureDomain: zone-a", "rollout: {strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 0, maxUnavailable: 0%}}}"},
		"a.yaml:20:110: spec.topology.workers.machineDeployments[0].rollout.strategy.rollingUpdate: maxSurge and maxUnavailable are both 0, so nothing could ever be replaced\n    make one of them 1",
	}, {
		"labels", []string{"team-a}", "team-a, labels: {vksync.dev/source: x, 'a b': c, k: 'x y'}}"},
		"a.yaml:3:52: metadata.labels[\"vksync.dev/source\"]: is set by vksync alone\n" +
			"a.yaml:3:74: metadata.labels[\"a b\"]: must be a label key (allowed: an optional DNS name and /, then letters, digits, - _ and ., at most 63 characters)\n" +
			"a.yaml:3:87: metadata.labels.k: must be a label value (found \"x y\", allowed: letters, digits, - _ and ., starting and ending with a letter or digit, at most 63 characters)",
	}, {
		"an empty field", []string{"failureDomain: zone-a", "failureDomain: "},
		"a.yaml:20:68: spec.topology.workers.machineDeployments[0].failureDomain: must be a DNS name (found nothing, allowed: DNS labels of lower-case letters, digits and -, joined by dots)\n    remove the field, or give it a value",
	}, {
		"anchors", []string{"{replicas: 3}", "&x {replicas: 3}"},
		"a.yaml:17:19: YAML anchors and aliases are not accepted\n    write the value out, or use CUE to share it",
	}, {
		"a field twice", []string{"kind: Cluster", "kind: Cluster\nkind: Cluster"},
		"a.yaml:3:1: field \"kind\" is given twice\n    remove one of the two",
	}, {
		"another kind", []string{"kind: Cluster", "kind: Deployment"},
		"a.yaml:2:7: kind: vksync does not manage this kind (found \"cluster.x-k8s.io/v1beta2 Deployment\", allowed: cluster.x-k8s.io/v1beta1 Cluster, cluster.x-k8s.io/v1beta2 Cluster, vksync.dev/v1alpha1 Inventory, vksync.dev/v1alpha1 VSphereNamespace)\n    files that are not for vksync are listed in .vksyncignore, one pattern a line",
	}}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			text := strings.NewReplacer(test.edit...).Replace(goodCluster)
			_, problems := Load(repoOf("a.yaml", text), ".")
			for i := range problems {
				problems[i].Addr.Name = "" // which leaves out the same "in Cluster" everywhere
			}
			if diff := cmp.Diff(test.want, problems.Error()); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// Problems in CUE name the place of the value, not of the template around it.
func TestProblemsInCUE(t *testing.T) {
	t.Parallel()
	const template = `package fleet

import "vksync.dev/schema"

clusters: [Name=string]: schema.#Cluster & {
	apiVersion: "cluster.x-k8s.io/v1beta2"
	kind:       "Cluster"
	metadata: name: Name
	spec: topology: {
		classRef: {name: "builtin-generic-v3.4.0", namespace: "vmware-system-vks-public"}
		version: string | *"v1.34"
		variables: [{name: "vmClass", value: "a"}, {name: "storageClass", value: "b"}]
		controlPlane: replicas: int | *3
	}
}
`
	tests := []struct{ name, cluster, want string }{{
		"a wrong value", "clusters: prod: {\n\tmetadata: namespace: \"a\"\n\tspec: topology: controlPlane: replicas: 2\n}\n",
		"b.cue:5:42: spec.topology.controlPlane.replicas: must be one of the allowed values (found 2, allowed: 1, 3, 5) in Cluster a/prod",
	}, {
		"an unknown field", "clusters: prod: {\n\tmetadata: namespace: \"a\"\n\tspec: topology: versoin: \"v1.33\"\n}\n",
		"b.cue:5:18: spec.topology.versoin: unknown field (allowed: classRef, controlPlane, variables, version, workers) in Cluster a/prod\n    did you mean version?",
	}, {
		"a conflict with the template", "clusters: prod: {\n\tmetadata: namespace: \"a\"\n\tkind: \"Clutser\"\n}\n",
		"a.cue:7:14: clusters.prod.kind: two different values, \"Cluster\" and \"Clutser\"\n    see also b.cue:5:8",
	}, {
		"an unknown reference", "clusters: prod: metadata: namespace: ns\n",
		"b.cue:3:38: clusters.prod.metadata.namespace: reference \"ns\" not found",
	}, {
		"nothing filled in", "clusters: prod: metadata: namespace: string\n",
		"b.cue:3:27: metadata.namespace: has no concrete value (allowed: string)",
	}}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, problems := Load(repoOf("a.cue", template, "b.cue", "package fleet\n\n"+test.cluster), ".")
			if diff := cmp.Diff(test.want, problems.Error()); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// Whatever is wrong with a secret, it is not printed.
func TestSecretsAreHidden(t *testing.T) {
	t.Parallel()
	const canary = "hunter2"
	variable := func(value string) string {
		return strings.Replace(goodCluster, "- name: kubernetes\n      value: {certificateRotation: {enabled: true, renewalDaysBeforeExpiry: 90}}", value, 1)
	}
	repos := map[string][]string{
		"a variable":             {"a.yaml", variable("- {name: volumes, value: hunter2}")},
		"deep in a variable":     {"a.yaml", variable("- {name: osConfiguration, value: {systemProxy: {http: [hunter2]}, sshd: {banner: {x: hunter2}}}}")},
		"by the name of the key": {"a.yaml", strings.Replace(goodNamespace, "supervisor: lab", "supervisor: {password: hunter2}\n  apiToken: hunter2", 1)},
		"in a URL":               {"a.yaml", strings.Replace(goodNamespace, "supervisor: lab", "supervisor: https://user:hunter2@proxy.example", 1)},
		"in a label value":       {"a.yaml", strings.Replace(goodCluster, "team-a}", "team-a, labels: {client-secret: 'hunter2 hunter2'}}", 1)},
		"a conflict in CUE":      {"a.cue", "password: \"hunter2\"\npassword: \"hunter2x\"\n"},
		"a syntax error in CUE":  {"a.cue", "password: \"x\" \"hunter2\"\n"},
		"a URL in CUE":           {"a.cue", "a: \"https://u:hunter2@x\"\na: 1\n"},
		"a syntax error in YAML": {"a.yaml", "password: \"hunter2\" hunter2\n"},
		"a syntax error in JSON": {"a.json", "{\"password\": hunter2}"},
	}
	for name, repo := range repos {
		_, problems := Load(repoOf(repo...), ".")
		if problems.Err() == nil || strings.Contains(problems.Error(), canary) {
			t.Errorf("%s: got %q, want problems without %s", name, problems, canary)
		}
	}
}
