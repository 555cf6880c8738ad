package topology

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/vksync/vksync/reconcile/resource"
)

// mayChange are the fields of a KubeadmControlPlane that an update may change; one
// that ends in a star, whatever is below it. In kubeadmConfigSpec they leave out
// what machines that run could not follow.
var mayChange = strings.Fields(`
	metadata.* spec.replicas spec.version spec.remediation spec.remediation.* spec.machineNaming spec.machineNaming.* spec.rollout spec.rollout.*
	spec.machineTemplate.metadata spec.machineTemplate.metadata.* spec.machineTemplate.spec spec.machineTemplate.spec.*
	` + below("spec.kubeadmConfigSpec", `
		bootCommands preKubeadmCommands postKubeadmCommands files verbosity users ntp ntp.* ignition ignition.* diskSetup diskSetup.* format mounts`) +
	below("spec.kubeadmConfigSpec.clusterConfiguration", `
		etcd etcd.* dns dns.* imageRepository featureGates featureGates.* apiServer apiServer.* controllerManager controllerManager.*
		scheduler scheduler.* certificateValidityPeriodDays encryptionAlgorithm`) +
	below("spec.kubeadmConfigSpec.initConfiguration", `
		nodeRegistration nodeRegistration.* patches patches.directory skipPhases bootstrapTokens localAPIEndpoint localAPIEndpoint.* timeouts timeouts.*`) +
	below("spec.kubeadmConfigSpec.joinConfiguration", `
		nodeRegistration nodeRegistration.* patches patches.directory skipPhases caCertPath controlPlane controlPlane.* discovery discovery.* timeouts timeouts.*`))

// below puts fields below another one.
func below(parent, fields string) string {
	var out strings.Builder
	for _, f := range strings.Fields(fields) {
		out.WriteString(" " + parent + "." + f)
	}
	return out.String()
}

// RefuseControlPlane says why a KubeadmControlPlane must not change from old to new.
// Old is nil for a creation. Whether CoreDNS can be migrated is not looked at.
func RefuseControlPlane(old, new map[string]any) []Refusal {
	errs := controlPlaneIsValid(new)
	if old == nil {
		return all(WebhookControlPlane, errs)
	}
	for _, p := range changedFields(old, new) {
		if !slices.ContainsFunc(mayChange, func(allowed string) bool { return covers(allowed, p) }) {
			errs = append(errs, field.Forbidden(field.NewPath(p), "cannot be modified"))
		}
	}
	was, is := resource.Text(old, "spec", "version"), resource.Text(new, "spec", "version")
	from, okFrom := parse(was)
	to, okTo := parse(is)
	if okFrom && okTo && !before(to, from.WithMinor(from.Minor()+2).WithPatch(0)) {
		errs = append(errs, field.Forbidden(field.NewPath("spec", "version"), fmt.Sprintf("cannot update Kubernetes version from %s to %s", was, is)))
	}
	if external(old) != external(new) {
		errs = append(errs, field.Forbidden(field.NewPath("spec", "kubeadmConfigSpec", "clusterConfiguration", "etcd", "external"), "cannot change between external and local etcd"))
	}
	return all(WebhookControlPlane, errs)
}

// controlPlaneIsValid are the rules that look at one KubeadmControlPlane alone.
func controlPlaneIsValid(o map[string]any) field.ErrorList {
	spec := field.NewPath("spec")
	var errs field.ErrorList
	size := resource.Field(o, "spec", "replicas")
	n := resource.Int(o, "spec", "replicas")
	switch {
	case size == nil:
		errs = append(errs, field.Required(spec.Child("replicas"), "is required"))
	case n <= 0:
		errs = append(errs, field.Forbidden(spec.Child("replicas"), "cannot be less than or equal to 0"))
	}
	if size != nil && n%2 == 0 && !external(o) {
		errs = append(errs, field.Forbidden(spec.Child("replicas"), "cannot be an even number when etcd is stacked"))
	}
	text := resource.Text(o, "spec", "version")
	if !strings.HasPrefix(text, "v") {
		errs = append(errs, field.Invalid(spec.Child("version"), text, "must start with v"))
	}
	if _, ok := parse(text); !ok {
		errs = append(errs, field.Invalid(spec.Child("version"), text, "must be a valid semantic version"))
	}
	strategy := resource.Fields(o, "spec", "rollout", "strategy")
	surge, given := surgeOf(strategy)
	rolling := spec.Child("rollout", "strategy", "rollingUpdate")
	if given && surge == 0 && size != nil && n < 3 {
		errs = append(errs, field.Required(rolling, "when KubeadmControlPlane is configured to scale-in, replica count needs to be at least 3"))
	}
	if given && surge != 0 && surge != 1 {
		errs = append(errs, field.Required(rolling.Child("maxSurge"), "value must be 1 or 0"))
	}
	return errs
}

// surgeOf is maxSurge of a strategy, which may also be a number written as text.
func surgeOf(strategy map[string]any) (surge int64, given bool) {
	v := resource.Field(strategy, "rollingUpdate", "maxSurge")
	if text, ok := v.(string); ok {
		var n int64
		if _, err := fmt.Sscanf(text, "%d", &n); err != nil {
			return 0, true
		}
		return n, true
	}
	return resource.Int(v), v != nil
}

func external(controlPlane map[string]any) bool {
	return len(resource.Fields(controlPlane, "spec", "kubeadmConfigSpec", "clusterConfiguration", "etcd", "external")) > 0
}

// changedFields are the fields of metadata and spec that differ, down to what is no
// map, or is one only before or after, in order.
func changedFields(old, new map[string]any) []string {
	var out []string
	var walk func(at string, old, new any)
	walk = func(at string, old, new any) {
		was, wasMap := old.(map[string]any)
		is, isMap := new.(map[string]any)
		if !isMap || !wasMap && old != nil {
			if !reflect.DeepEqual(old, new) {
				out = append(out, at)
			}
			return
		}
		keys := map[string]bool{}
		for _, content := range []map[string]any{was, is} {
			for key := range content {
				keys[key] = true
			}
		}
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			walk(at+"."+key, was[key], is[key])
		}
	}
	for _, top := range []string{"metadata", "spec"} {
		walk(top, old[top], new[top])
	}
	return out
}

// covers says whether a field is one that is allowed.
func covers(allowed, p string) bool {
	if prefix, star := strings.CutSuffix(allowed, "*"); star {
		return strings.HasPrefix(p, prefix)
	}
	return allowed == p
}
