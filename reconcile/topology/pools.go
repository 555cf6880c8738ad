package topology

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/vksync/vksync/reconcile/resource"
)

// poolsFitClass refuses node pools that their ClusterClass does not know, and two of
// one name.
func poolsFitClass(path *field.Path, topology map[string]any, name string, class map[string]any) field.ErrorList {
	var errs field.ErrorList
	if versions := resource.Items(class, "spec", "kubernetesVersions"); len(versions) > 0 {
		asked, found := resource.Text(topology, "version"), false
		for _, v := range versions {
			found = found || v == asked
		}
		if !found {
			errs = append(errs, field.Invalid(path.Child("version"), asked, "version must match one of the versions defined in the ClusterClass"))
		}
	}
	classes := poolClasses(class)
	seen := map[string]bool{}
	for i, pool := range resource.Items(topology, "workers", "machineDeployments") {
		at := path.Child("workers", "machineDeployments").Index(i)
		if kind := resource.Text(pool, "class"); classes[kind] == nil {
			errs = append(errs, field.Invalid(at.Child("class"), kind, fmt.Sprintf("MachineDeploymentClass with name %q does not exist in ClusterClass %q", kind, name)))
		}
		own := resource.Text(pool, "name")
		switch {
		case own == "":
			errs = append(errs, field.Required(at.Child("name"), "name must not be empty"))
		case seen[own]:
			errs = append(errs, field.Invalid(at.Child("name"), own, fmt.Sprintf("name must be unique. MachineDeployment with name %q is defined more than once", own)))
		}
		seen[own] = true
	}
	return errs
}

// poolClasses are the classes of node pools in a ClusterClass, by name.
func poolClasses(class map[string]any) map[string]map[string]any {
	out := map[string]map[string]any{}
	for _, item := range resource.Items(class, "spec", "workers", "machineDeployments") {
		if content := resource.Fields(item); content != nil {
			out[resource.Text(content, "class")] = content
		}
	}
	return out
}

// autoscalerOwnsReplicas refuses a size for a node pool that the cluster autoscaler
// sizes: by the annotations of the pool, or of its class, which may be nil.
func autoscalerOwnsReplicas(path *field.Path, cluster, class map[string]any) field.ErrorList {
	var errs field.ErrorList
	of := fmt.Sprintf("cannot be set for cluster %q in namespace %q if the ", resource.Text(cluster, "metadata", "name"), resource.Text(cluster, "metadata", "namespace"))
	classes := poolClasses(class)
	for _, pool := range resource.Items(cluster, "spec", "topology", "workers", "machineDeployments") {
		if resource.Field(pool, "replicas") == nil {
			continue
		}
		at := path.Child("workers", "machineDeployments").Key(resource.Text(pool, "name")).Child("replicas")
		if autoscaled(pool) {
			errs = append(errs, field.Invalid(at, resource.Int(pool, "replicas"), of+"same MachineDeploymentTopology has autoscaler annotations"))
		}
		if kind := resource.Text(pool, "class"); autoscaled(classes[kind]) {
			errs = append(errs, field.Invalid(at, resource.Int(pool, "replicas"), of+fmt.Sprintf("source class %q of this MachineDeploymentTopology has autoscaler annotations", kind)))
		}
	}
	return errs
}

// autoscaled says whether a pool, or a class of pools, has a limit for the cluster
// autoscaler.
func autoscaled(pool any) bool {
	for _, end := range []string{"min", "max"} {
		if resource.Field(pool, "metadata", "annotations", "cluster.x-k8s.io/cluster-api-autoscaler-node-group-"+end+"-size") != nil {
			return true
		}
	}
	return false
}

// variables refuses values of variables that the class does not define, and the lack
// of one that it requires. The schema of a variable is not looked at. Nothing is
// refused as long as the class says nothing of its variables.
func (a Around) variables(cluster map[string]any) field.ErrorList {
	class, _ := a.class(ClassOf(cluster))
	definitions := resource.Items(class, "status", "variables")
	if len(definitions) == 0 {
		return nil
	}
	path := field.NewPath("spec", "topology")
	topology := resource.Fields(cluster, "spec", "topology")
	values := resource.Items(topology, "variables")
	var errs field.ErrorList
	for _, d := range definitions {
		name := resource.Text(d, "name")
		if required(d) && !has(values, name) {
			errs = append(errs, field.Required(path.Child("variables"), fmt.Sprintf("required variable %q must be set", name)))
		}
	}
	errs = append(errs, variablesAreKnown(path.Child("variables"), values, definitions)...)
	errs = append(errs, variablesAreKnown(path.Child("controlPlane", "variables", "overrides"), resource.Items(topology, "controlPlane", "variables", "overrides"), definitions)...)
	for _, pool := range resource.Items(topology, "workers", "machineDeployments") {
		at := path.Child("workers", "machineDeployments").Key(resource.Text(pool, "name")).Child("variables", "overrides")
		errs = append(errs, variablesAreKnown(at, resource.Items(pool, "variables", "overrides"), definitions)...)
	}
	return errs
}

func variablesAreKnown(path *field.Path, values, definitions []any) field.ErrorList {
	var errs field.ErrorList
	for _, v := range values {
		if name := resource.Text(v, "name"); !has(definitions, name) {
			errs = append(errs, field.Invalid(path.Key(name), raw(resource.Field(v, "value")), "variable is not defined"))
		}
	}
	return errs
}

// required says whether a definition asks for a value and has none of its own.
func required(definition any) bool {
	list := resource.Items(definition, "definitions")
	if len(list) == 0 {
		return false
	}
	return resource.Flag(list[0], "required") && resource.Field(list[0], "schema", "openAPIV3Schema", "default") == nil
}

func has(list []any, name string) bool {
	for _, item := range list {
		if resource.Text(item, "name") == name {
			return true
		}
	}
	return false
}

// raw is a value as JSON, which is how the answer quotes it.
func raw(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}
