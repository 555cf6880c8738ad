package plan

import (
	"maps"
	"strings"
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

// canonical is the content of o that vksync compares: labels, annotations and
// spec, a Cluster's in the shape of v1beta2 (domain.md 1.1), so that a manifest
// of v1beta1 can be held against an object the server shows as v1beta2. The
// content of o is not written to, and may be shared by the result.
func canonical(o resource.Object) map[string]any {
	out := map[string]any{"metadata": map[string]any{
		"labels":      resource.Fields(o.Object, "metadata", "labels"),
		"annotations": resource.Fields(o.Object, "metadata", "annotations"),
	}}
	spec := resource.Fields(o.Object, "spec")
	if o.GetKind() == resource.KindCluster && strings.HasSuffix(o.GetAPIVersion(), "/v1beta1") {
		spec = modernSpec(spec)
	}
	out["spec"] = spec
	return out
}

// modernSpec turns the spec of a v1beta1 Cluster into that of a v1beta2 one.
func modernSpec(spec map[string]any) map[string]any {
	old := resource.Fields(spec, "topology")
	if old == nil {
		return spec
	}
	topology := maps.Clone(old)
	rename(topology, "class", "classRef", "name")
	rename(topology, "classNamespace", "classRef", "namespace")
	rename(topology, "rolloutAfter", "rollout", "after")
	if cp := resource.Fields(topology, "controlPlane"); cp != nil {
		topology["controlPlane"] = modernPart(cp)
	}
	if workers := resource.Fields(topology, "workers"); workers != nil {
		workers = maps.Clone(workers)
		for _, list := range []string{"machineDeployments", "machinePools"} {
			if items := resource.Items(workers, list); items != nil {
				workers[list] = modernParts(items)
			}
		}
		topology["workers"] = workers
	}
	spec = maps.Clone(spec)
	spec["topology"] = topology
	return spec
}

func modernParts(items []any) []any {
	out := make([]any, 0, len(items))
	for _, item := range items {
		if part, ok := item.(map[string]any); ok {
			item = modernPart(part)
		}
		out = append(out, item)
	}
	return out
}

// modernPart turns one control plane or node pool of a v1beta1 topology.
func modernPart(old map[string]any) map[string]any {
	part := maps.Clone(old)
	for _, name := range []string{"nodeDrainTimeout", "nodeVolumeDetachTimeout", "nodeDeletionTimeout"} {
		renameSeconds(part, name, "deletion", name+"Seconds")
	}
	rename(part, "strategy", "rollout", "strategy")
	rename(part, "rolloutAfter", "rollout", "after")
	if check := resource.Fields(part, "machineHealthCheck"); check != nil {
		delete(part, "machineHealthCheck")
		part["healthCheck"] = modernCheck(check)
	}
	return part
}

// modernCheck turns a MachineHealthCheck class.
func modernCheck(old map[string]any) map[string]any {
	check := maps.Clone(old)
	rename(check, "enable", "enabled")
	renameSeconds(check, "nodeStartupTimeout", "checks", "nodeStartupTimeoutSeconds")
	rename(check, "maxUnhealthy", "remediation", "triggerIf", "unhealthyLessThanOrEqualTo")
	rename(check, "unhealthyRange", "remediation", "triggerIf", "unhealthyInRange")
	conditions := resource.Items(check, "unhealthyConditions")
	if conditions == nil {
		return check
	}
	delete(check, "unhealthyConditions")
	modern := make([]any, 0, len(conditions))
	for _, c := range conditions {
		condition := maps.Clone(resource.Fields(c))
		renameSeconds(condition, "timeout", "timeoutSeconds")
		modern = append(modern, condition)
	}
	put(check, modern, "checks", "unhealthyNodeConditions")
	return check
}

// rename moves the value of a key, if there is one, to a path.
func rename(content map[string]any, from string, to ...string) {
	if value, there := content[from]; there {
		delete(content, from)
		put(content, value, to...)
	}
}

// renameSeconds does so with a duration, which becomes whole seconds.
func renameSeconds(content map[string]any, from string, to ...string) {
	d, err := time.ParseDuration(resource.Text(content, from))
	if err != nil {
		return
	}
	delete(content, from)
	put(content, int64(d/time.Second), to...)
}

// put writes value at path, copying every map on the way, since they may be shared.
func put(content map[string]any, value any, path ...string) {
	for _, key := range path[:len(path)-1] {
		next := maps.Clone(resource.Fields(content, key))
		if next == nil {
			next = map[string]any{}
		}
		content[key] = next
		content = next
	}
	content[path[len(path)-1]] = value
}
