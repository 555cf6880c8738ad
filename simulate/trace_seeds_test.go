package simulate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vksync/vksync/simulate/trace"
)

// Scripts of other shapes than the recording has. MACHINE is a Machine that is there
// after the first step: the first one with a worker's name.
var traceScripts = map[string]string{
	"one control plane, two pools, one removed and another added": seedWorld + seedStep("s1", 1, "a:2", "b:1") + `
- mark: remove
  patch: {spec: {topology: {workers: {machineDeployments: [{class: qs-worker, name: b, replicas: 1}]}}}}
- mark: add
  patch: {spec: {topology: {workers: {machineDeployments: [{class: qs-worker, name: b, replicas: 1}, {class: qs-worker, name: c-d, replicas: 2}]}}}}
- mark: upgrade and scale
  jsonpatch:
  - {op: replace, path: /spec/topology/version, value: v1.36.0}
  - {op: replace, path: /spec/topology/workers/machineDeployments/1/replicas, value: 3}
- mark: delete
  delete: true
`,
	"control planes 1 to 3 and back, paused and resumed": seedWorld + seedStep("s1", 1, "a:1") + `
- mark: more
  jsonpatch: [{op: replace, path: /spec/topology/controlPlane/replicas, value: 3}]
- mark: pause
  patch: {spec: {paused: true}}
- mark: fewer while paused
  jsonpatch: [{op: replace, path: /spec/topology/controlPlane/replicas, value: 1}]
- mark: resume
  patch: {spec: {paused: false}}
`,
	"a machine marked for remediation": seedWorld + seedStep("s1", 3, "a:2") + `
- mark: health check
  apply:
    apiVersion: cluster.x-k8s.io/v1beta2
    kind: MachineHealthCheck
    metadata: {name: s1, namespace: test-s}
    spec:
      clusterName: s1
      selector: {matchLabels: {cluster.x-k8s.io/cluster-name: s1}}
      checks: {nodeStartupTimeoutSeconds: 600, unhealthyNodeConditions: [{type: Ready, status: "False", timeoutSeconds: 300}]}
- mark: remediate
  annotate: {cluster.x-k8s.io/remediate-machine: ""}
  object: {kind: Machine, name: MACHINE}
`,
	"templates of the class and variables of a pool rotated": seedWorld + seedStep("s1", 1, "a:2") + `
- mark: control-plane template
  apply:
    apiVersion: vmware.infrastructure.cluster.x-k8s.io/v1beta2
    kind: VSphereMachineTemplate
    metadata: {name: larger, namespace: test-s}
    spec: {template: {spec: {className: large, storageClass: gold}}}
  jsonpatch: [{op: replace, path: /spec/controlPlane/machineInfrastructure/templateRef/name, value: larger}]
  object: {kind: ClusterClass, name: qs}
- mark: pool variable
  patch: {spec: {topology: {workers: {machineDeployments: [{class: qs-worker, name: a, replicas: 2, variables: {overrides: [{name: vmClass, value: huge}]}}]}}}}
`,
	"a missing image": "world: {networkProvider: plain, missingImages: [v1.35.0]}\n" + seedSteps + seedStep("s1", 1, "a:1") + `
- mark: delete
  delete: true
`,
	"load balancer, two clusters, namespace deleted": "world: {networkProvider: vsphere-network, zones: 2}\n" + seedSteps + seedStep("s1", 1, "a:1") + seedStep("s2", 3, "a:2") + `
- mark: namespace delete
  delete: {kind: Namespace, name: test-s}
`,
	"NSX-T":   "world: {networkProvider: nsx-t}\n" + seedSteps + seedStep("s1", 3, "a:2"),
	"NSX VPC": "world: {networkProvider: nsx-vpc, zones: 3}\n" + seedSteps + seedStep("s1", 3, "a:2"),
}

const (
	seedSteps = "ignore: [cns.vmware.com/*]\ncluster: s1\nsteps:"
	seedWorld = "world: {networkProvider: plain, controlPlaneEndpoint: given, zones: 1}\n" + seedSteps
)

// seedStep is a step that creates a cluster; pools are "name:replicas".
func seedStep(name string, controlPlane int, pools ...string) string {
	var list []string
	for _, pool := range pools {
		name, replicas, _ := strings.Cut(pool, ":")
		list = append(list, fmt.Sprintf("{class: qs-worker, name: %s, replicas: %s}", name, replicas))
	}
	return fmt.Sprintf(`
- mark: %[1]s create
  apply:
    apiVersion: cluster.x-k8s.io/v1beta2
    kind: Cluster
    metadata: {name: %[1]s, namespace: test-s, labels: {cluster.x-k8s.io/cluster-name: %[1]s}}
    spec:
      clusterNetwork: {pods: {cidrBlocks: [192.168.0.0/16]}, services: {cidrBlocks: [10.96.0.0/12]}}
      topology:
        classRef: {name: qs}
        version: v1.35.0
        controlPlane: {replicas: %[2]d}
        workers: {machineDeployments: [%[3]s]}
`, name, controlPlane, strings.Join(list, ", "))
}

// TestTraceIsTheSameWithOtherNames plays the same with other random names, and has
// one of the two be the recording.
func TestTraceIsTheSameWithOtherNames(t *testing.T) {
	t.Parallel()
	for name, text := range traceScripts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			script := seedScript(t, text)
			latencies := traceLatencies(&trace.Recording{})
			recorded := playTraceIn(t, script, &trace.Recording{}, 1, latencies)
			played := playTraceIn(t, script, recorded, 2, latencies)
			parts, other := splitTrace(t, recorded, script), splitTrace(t, played, script)
			for _, step := range trace.Compare(parts, other) {
				for _, d := range step {
					t.Error(d)
				}
			}
			for _, p := range parts {
				if p.From == p.To && !strings.Contains(p.Step.Mark, "paused") {
					t.Errorf("nothing happens in step %q", p.Step.Mark)
				}
			}
		})
	}
}

// seedScript decodes a script, and has it name a machine of the world it will be
// recorded in.
func seedScript(t *testing.T, text string) *trace.Script {
	t.Helper()
	decode := func(text string) *trace.Script {
		script, err := trace.DecodeScript("script", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return script
	}
	if !strings.Contains(text, "MACHINE") {
		return decode(text)
	}
	first := decode(text)
	first.Steps = first.Steps[:1]
	for _, c := range playTrace(t, first, &trace.Recording{}, 1).Changes {
		if c.Verb == trace.Added && c.ID.Kind == "Machine" && strings.HasPrefix(c.ID.Name, "s1-a-") {
			return decode(strings.ReplaceAll(text, "MACHINE", c.ID.Name))
		}
	}
	t.Fatal("no worker was made")
	return nil
}

func splitTrace(t testing.TB, r *trace.Recording, s *trace.Script) []trace.Part {
	t.Helper()
	parts, err := trace.Split(r, s, trace.NamesOf(r.Changes))
	if err != nil {
		t.Fatal(err)
	}
	return parts
}

// TestTraceRotatesWithItsClass changes nothing but a ClusterClass.
func TestTraceRotatesWithItsClass(t *testing.T) {
	t.Parallel()
	script := seedScript(t, traceScripts["templates of the class and variables of a pool rotated"])
	within, replaced := "", map[string][]string{}
	for _, c := range playTrace(t, script, &trace.Recording{}, 1).Changes {
		switch {
		case c.Verb == trace.Mark && c.Mark != "settled":
			within = c.Mark
		case c.Verb == trace.Deleted && c.ID.Kind == "Machine":
			pool := strings.HasPrefix(c.ID.Name, "s1-a-")
			replaced[within] = append(replaced[within], map[bool]string{true: "worker", false: "control plane"}[pool])
		}
	}
	for step, want := range map[string][]string{"control-plane template": {"control plane"}, "pool variable": {"worker", "worker"}} {
		if !slices.Equal(replaced[step], want) {
			t.Errorf("step %q replaced %v, want %v", step, replaced[step], want)
		}
	}
}
