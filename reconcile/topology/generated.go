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

// generated are the kinds that controllers make of a Cluster, with what refuses an
// edit of one by hand. Old is nil for a creation.
var generated = map[string]func(old, new map[string]any) []Refusal{
	"KubeadmControlPlane":    RefuseControlPlane,
	"MachineDeployment":      refuseDeployment,
	"MachineSet":             refuseSet,
	"Machine":                refuseMachine,
	"MachineHealthCheck":     refuseHealthCheck,
	"VSphereMachine":         refuseInfraMachine,
	"VSphereMachineTemplate": refuseTemplate,
	"VirtualMachine":         refuseVM,
	"SubnetSet":              refuseSubnetSet,
}

// RefuseGenerated says why an object that belongs to a Cluster must not become new
// (domain.md 3.8); nothing when it may, and for other kinds.
func RefuseGenerated(kind string, old, new map[string]any) []Refusal {
	if refuse := generated[kind]; refuse != nil {
		return refuse(old, new)
	}
	return nil
}

// owned refuses that an object changes hands between Clusters.
func owned(old, new map[string]any) field.ErrorList {
	if old != nil && resource.Text(old, "spec", "clusterName") != resource.Text(new, "spec", "clusterName") {
		return field.ErrorList{field.Forbidden(field.NewPath("spec", "clusterName"), "field is immutable")}
	}
	return nil
}

func refuseDeployment(old, new map[string]any) []Refusal {
	spec := field.NewPath("spec")
	errs := selects(new)
	errs = append(errs, owned(old, new)...)
	errs = append(errs, templateOfSameCluster(new)...)
	errs = append(errs, strategyIsValid(spec.Child("rollout", "strategy"), resource.Fields(new, "spec", "rollout", "strategy"))...)
	return all(WebhookDeployment, append(errs, machineVersionIsValid(spec.Child("template", "spec", "version"), resource.Text(new, "spec", "template", "spec", "version"))...))
}

func refuseSet(old, new map[string]any) []Refusal {
	errs := selects(new)
	errs = append(errs, owned(old, new)...)
	return all(WebhookSet, append(errs, machineVersionIsValid(field.NewPath("spec", "template", "spec", "version"), resource.Text(new, "spec", "template", "spec", "version"))...))
}

func refuseMachine(old, new map[string]any) []Refusal {
	errs := owned(old, new)
	return all(WebhookMachine, append(errs, machineVersionIsValid(field.NewPath("spec", "version"), resource.Text(new, "spec", "version"))...))
}

func refuseHealthCheck(old, new map[string]any) []Refusal {
	return all(WebhookHealthCheck, owned(old, new))
}

// selects refuses a selector that the machines of the own template do not answer to.
func selects(o map[string]any) field.ErrorList {
	wanted := resource.Fields(o, "spec", "selector", "matchLabels")
	labels := resource.Fields(o, "spec", "template", "metadata", "labels")
	var terms []string
	matches := true
	for _, key := range slices.Sorted(maps.Keys(wanted)) {
		terms = append(terms, fmt.Sprintf("%s=%v", key, wanted[key]))
		matches = matches && labels[key] == wanted[key]
	}
	if matches {
		return nil
	}
	return field.ErrorList{field.Forbidden(field.NewPath("spec", "template", "metadata", "labels"), fmt.Sprintf("must match spec.selector %q", strings.Join(terms, ",")))}
}

func templateOfSameCluster(o map[string]any) field.ErrorList {
	own, template := resource.Text(o, "spec", "clusterName"), resource.Text(o, "spec", "template", "spec", "clusterName")
	if own == template {
		return nil
	}
	return field.ErrorList{field.Invalid(field.NewPath("spec", "clusterName"), own, "spec.clusterName and spec.template.spec.clusterName must be set to the same value")}
}

// machineVersionIsValid refuses what is no version; none is allowed.
func machineVersionIsValid(path *field.Path, text string) field.ErrorList {
	if text == "" {
		return nil
	}
	if _, ok := parse(text); !ok {
		return field.ErrorList{field.Invalid(path, text, "must be a valid semantic version")}
	}
	return nil
}

// refuseInfraMachine: what vm-operator cannot change, CAPV does not let anybody change.
func refuseInfraMachine(old, new map[string]any) []Refusal {
	return all(WebhookInfraMachine, fixed(old, new, func(path *field.Path, _ any) *field.Error {
		return field.Forbidden(path, "cannot be modified")
	}, "imageName", "className", "storageClass", "minHardwareVersion", "network.interfaces"))
}

// refuseTemplate: another machine is another template. The text is that of CAPV's
// template of the other mode; that of the Supervisor's is unverified.
func refuseTemplate(old, new map[string]any) []Refusal {
	if old == nil || reflect.DeepEqual(templateSpec(old), templateSpec(new)) {
		return nil
	}
	return []Refusal{of(WebhookInfraTemplate, field.Forbidden(field.NewPath("spec", "template", "spec"),
		"VSphereMachineTemplate spec.template.spec field is immutable. Please create a new resource instead."))}
}

// templateSpec is what a template says of machines. To say nothing of how they are
// powered off is to say hard.
func templateSpec(o map[string]any) map[string]any {
	spec := maps.Clone(resource.Fields(o, "spec", "template", "spec"))
	if spec["powerOffMode"] == "hard" || spec["powerOffMode"] == "" {
		delete(spec, "powerOffMode")
	}
	return spec
}

// refuseVM: fields that a VirtualMachine keeps for life (domain.md 1.12).
func refuseVM(old, new map[string]any) []Refusal {
	return all(WebhookVM, fixed(old, new, immutable,
		"imageName", "image", "biosUUID", "instanceUUID", "reserved.resourcePolicyName", "storageClass", "className"))
}

// refuseSubnetSet are rules of the kind's schema, which the API server applies itself.
func refuseSubnetSet(old, new map[string]any) []Refusal {
	out := all("", fixed(old, new, func(path *field.Path, value any) *field.Error {
		return field.Invalid(path, value, "Value is immutable")
	}, "ipv4SubnetSize", "accessMode"))
	spec := field.NewPath("spec")
	for i, r := range out {
		name := strings.TrimPrefix(r.Path, "spec.")
		if resource.Field(new, "spec", name) == nil { // it is the spec that is wrong then
			out[i] = of("", field.Invalid(spec, "object", name+" is required once set"))
		}
	}
	return out
}

func immutable(path *field.Path, value any) *field.Error {
	return field.Invalid(path, value, "field is immutable")
}

// fixed are the fields of the spec that have a value and lose it, or get another.
func fixed(old, new map[string]any, refuse func(path *field.Path, value any) *field.Error, names ...string) field.ErrorList {
	var errs field.ErrorList
	for _, name := range names {
		at := append([]string{"spec"}, strings.Split(name, ".")...)
		was, is := resource.Field(old, at...), resource.Field(new, at...)
		if was != nil && was != "" && !reflect.DeepEqual(was, is) {
			errs = append(errs, refuse(field.NewPath(at[0], at[1:]...), is))
		}
	}
	return errs
}
