package controllers

import (
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// bootstrapMatches says whether a KubeadmConfig is as wanted, apart from what the
// bootstrap controller fills in and from what only the first machine or only the
// others need. The first machine's need not be as wanted for a first machine if it is
// what is wanted for the others: both are to be configured alike.
func bootstrapMatches(config *unstructured.Unstructured, wanted map[string]any) bool {
	has := resource.Fields(config.Object, "spec")
	if has["initConfiguration"] == nil {
		return sameBootstrap(has, wanted, "joinConfiguration")
	}
	return sameBootstrap(asJoining(has, wanted), wanted, "joinConfiguration") || sameBootstrap(has, wanted, "initConfiguration")
}

func sameBootstrap(has, wanted map[string]any, role string) bool {
	return resource.Equal(comparable(has, role), comparable(wanted, role))
}

// asJoining is the configuration of the first machine as it would be had it joined.
func asJoining(spec, wanted map[string]any) map[string]any {
	first := resource.Fields(spec, "initConfiguration")
	joining := map[string]any{"controlPlane": map[string]any{"localAPIEndpoint": first["localAPIEndpoint"]}}
	for _, field := range []string{"timeouts", "patches", "skipPhases", "nodeRegistration"} {
		joining[field] = first[field]
	}
	joining["caCertPath"] = resource.Field(wanted, "joinConfiguration", "caCertPath")
	out := copyMap(spec)
	out["joinConfiguration"] = joining
	return out
}

// comparable is a kubeadm configuration without what does not count when two are
// compared; empty if there is nothing in it that does.
func comparable(spec map[string]any, role string) map[string]any {
	out := withoutEmpty(spec)
	for _, part := range []string{"initConfiguration", "joinConfiguration"} {
		if part != role {
			delete(out, part)
		}
	}
	leaveOut(out, "discovery", role)
	leaveOut(out, "controlPlaneComponentHealthCheckSeconds", role, "timeouts")
	for _, field := range []string{"controlPlaneEndpoint", "clusterName", "dns"} {
		leaveOut(out, field, "clusterConfiguration")
	}
	return out
}

// withoutEmpty is a copy of content without what is not set or empty. Taints that are
// empty say that there are none, which is something.
func withoutEmpty(content map[string]any) map[string]any {
	out := maps.Clone(content)
	if out == nil {
		out = map[string]any{}
	}
	for key, value := range out {
		inner, isMap := value.(map[string]any)
		list, isList := value.([]any)
		if isMap {
			inner = withoutEmpty(inner)
			out[key] = inner
		}
		if value == nil || isMap && len(inner) == 0 || isList && len(list) == 0 && key != "taints" {
			delete(out, key)
		}
	}
	return out
}

// leaveOut takes a field out of content, and what is empty then.
func leaveOut(content map[string]any, field string, path ...string) {
	if len(path) == 0 {
		delete(content, field)
		return
	}
	inner := resource.Fields(content, path[0])
	leaveOut(inner, field, path[1:]...)
	if len(inner) == 0 {
		delete(content, path[0])
	}
}
