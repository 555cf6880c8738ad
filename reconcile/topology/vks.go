package topology

import (
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/vksync/vksync/reconcile/resource"
)

// vks are the rules of VKS's own validation, which words its answers itself.
func vks(old, new map[string]any) []Refusal {
	topology := resource.Fields(new, "spec", "topology")
	if _, class := ClassOf(new); !VKS(class) {
		return nil
	}
	var out []Refusal
	if old != nil && defined(old, "clusterNetwork") && !sameNetwork(old, new) {
		// The text is from field notes, whose last word is cut off.
		out = append(out, worded("spec.clusterNetwork", "spec.clusterNetwork is immutable and cannot be updated"))
	}
	if n := replicas(resource.Field(topology, "controlPlane", "replicas")); n < 1 || n%2 == 0 {
		// That it refuses is documented; the words are unverified.
		out = append(out, of(WebhookVKS, field.Invalid(field.NewPath("spec", "topology", "controlPlane", "replicas"), n, "must be an odd number")))
	}
	return append(out, systemChecks(old, new)...)
}

// worded is a refusal that says nothing but why.
func worded(path, text string) Refusal {
	return Refusal{Webhook: WebhookVKS, Path: path, Message: text, Detail: text}
}

// replicas is a number of machines: 1 when nothing is said.
func replicas(v any) int64 {
	if v == nil {
		return 1
	}
	return resource.Int(v)
}

// sameNetwork compares what VKS lets nobody change: not whether a field that has no
// value is written down.
func sameNetwork(old, new map[string]any) bool {
	return reflect.DeepEqual(dense(resource.Field(old, "spec", "clusterNetwork")), dense(resource.Field(new, "spec", "clusterNetwork")))
}

// dense is content without what is empty.
func dense(v any) any {
	content, ok := v.(map[string]any)
	if !ok {
		return v
	}
	out := map[string]any{}
	for key, value := range content {
		switch value = dense(value); x := value.(type) {
		case nil:
		case string:
			if x != "" {
				out[key] = x
			}
		case []any:
			if len(x) > 0 {
				out[key] = x
			}
		case map[string]any:
			if len(x) > 0 {
				out[key] = x
			}
		default:
			out[key] = x
		}
	}
	return out
}

// systemChecks refuses that machines are replaced by another version or class while
// VKS's own look at the cluster says that it would not go well (VKS 3.5 and later).
// The text is from field notes.
func systemChecks(old, new map[string]any) []Refusal {
	const condition = "SystemChecksSucceeded"
	c := resource.ConditionOf(old, condition)
	if old == nil || c.Status == "" || c.Status == "True" || annotated(new, "kubernetes.vmware.com/dangerous-skip-misconfigured-software-check-for-update") {
		return nil
	}
	for _, part := range []string{"version", "classRef"} {
		if reflect.DeepEqual(resource.Field(old, "spec", "topology", part), resource.Field(new, "spec", "topology", part)) {
			continue
		}
		return []Refusal{worded("spec.topology."+part, strings.TrimSuffix("update cannot be initiated: "+condition+" condition is not True. Message: "+c.Message, " Message: "))}
	}
	return nil
}
