package plan

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestSplitPath(t *testing.T) {
	t.Parallel()
	tests := map[string][2]string{
		"spec.supervisor":                              {"spec", "supervisor"},
		"spec.topology.version":                        {"spec.topology", "version"},
		"spec.clusterNetwork.pods.cidrBlocks":          {"spec.clusterNetwork", "pods.cidrBlocks"},
		"spec.topology.variables[vmClass]":             {"spec.topology", "variables[vmClass]"},
		"spec.storagePolicies[a].limitMiB":             {"spec.storagePolicies[a]", "limitMiB"},
		"spec.permissions[a.b:Group].role":             {"spec.permissions[a.b:Group]", "role"},
		"metadata.labels[vksync.dev/source]":           {"metadata", "labels[vksync.dev/source]"},
		"metadata.labels.stage":                        {"metadata", "labels.stage"},
		"spec.topology.workers.pools[a].taints[b].key": {"spec.topology.workers.pools[a]", "taints[b].key"},
		"data": {"", "data"},
	}
	for path, want := range tests {
		head, rest := splitPath(path)
		if diff := cmp.Diff(want, [2]string{head, rest}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

func TestChangesKeepToTheWidthOfATerminal(t *testing.T) {
	t.Parallel()
	pool := "spec.topology.workers.machineDeployments[services]."
	list := []any{"best-effort-small", "best-effort-medium", "best-effort-large", "guaranteed-xlarge"}
	var b strings.Builder
	writeChanges(&b, []Change{
		{Path: "spec.vmClasses", New: list},
		{Path: "spec.vmClasses2", Old: list, New: list[:2]},
		{Path: "spec.topology.version", Old: "v1.33.3+vmware.1-vkr.1", New: "v1.34.1+vmware.1-vkr.4", Effect: Rolling, Affects: "control plane and workers"},
		{Path: pool + "replicas", New: 8},
		{Path: pool + "rollout.strategy.rollingUpdate.maxUnavailable", New: 0},
		{Path: pool + "variables.overrides[node].taints[workload:NoSchedule].effect", New: "NoSchedule"},
	})
	want := `      spec
        + vmClasses   ["best-effort-small","best-effort-medium",
                      "best-effort-large","guaranteed-xlarge"]
        ~ vmClasses2  ["best-effort-small","best-effort-medium",
                      "best-effort-large","guaranteed-xlarge"]
                      -> ["best-effort-small","best-effort-medium"]
      ~ spec.topology.version  "v1.33.3+vmware.1-vkr.1"
                               -> "v1.34.1+vmware.1-vkr.4"
                               # rolling replacement: control plane and workers
      spec.topology.workers.machineDeployments[services]
        + replicas  8
        + rollout.strategy.rollingUpdate.maxUnavailable  0
        + variables.overrides[node].taints[workload:NoSchedule].effect
                    "NoSchedule"
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for line := range strings.Lines(b.String()) {
		if n := utf8.RuneCountInString(strings.TrimSpace(line)); n > textWidth {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}
