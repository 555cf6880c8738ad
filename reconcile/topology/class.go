package topology

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/vksync/vksync/reconcile/resource"
)

// rebase refuses a change to a class that the Cluster cannot follow.
func (a Around) rebase(path *field.Path, old, new, class map[string]any) field.ErrorList {
	fromNamespace, fromName := ClassOf(old)
	toNamespace, toName := ClassOf(new)
	if fromNamespace == toNamespace && fromName == toName {
		return nil
	}
	from, known := a.class(fromNamespace, fromName)
	switch {
	case !known || class == nil:
		return nil
	case from == nil:
		was, is := fromNamespace+"/"+fromName, toNamespace+"/"+toName
		return field.ErrorList{field.Forbidden(path.Child("class"), fmt.Sprintf(
			"valid ClusterClass with name %q could not be retrieved, change from class %q to class %q cannot be validated. Error: ClusterClass.cluster.x-k8s.io %q not found",
			was, was, is, fromName))}
	}
	return classesAreCompatible(from, class)
}

// classesAreCompatible refuses that objects of a Cluster would have to become of
// another group or kind.
func classesAreCompatible(from, to map[string]any) field.ErrorList {
	spec := field.NewPath("spec")
	var errs field.ErrorList
	for _, part := range [][]string{{"infrastructure"}, {"controlPlane"}, {"controlPlane", "machineInfrastructure"}} {
		at := append(slices.Clone(part), "templateRef")
		errs = append(errs, templatesAreCompatible(spec.Child(at[0], at[1:]...),
			resource.Fields(from, append([]string{"spec"}, at...)...), resource.Fields(to, append([]string{"spec"}, at...)...))...)
	}
	before := poolClasses(from)
	for i, item := range resource.Items(to, "spec", "workers", "machineDeployments") {
		was, there := before[resource.Text(item, "class")]
		if !there {
			continue
		}
		errs = append(errs, templatesAreCompatible(spec.Child("workers", "machineDeployments").Index(i).Child("infrastructure", "templateRef"),
			resource.Fields(was, "infrastructure", "templateRef"), resource.Fields(item, "infrastructure", "templateRef"))...)
	}
	return errs
}

func templatesAreCompatible(path *field.Path, from, to map[string]any) field.ErrorList {
	group := func(ref map[string]any) string {
		before, _, found := strings.Cut(resource.Text(ref, "apiVersion"), "/")
		if !found {
			return ""
		}
		return before
	}
	var errs field.ErrorList
	if was, is := group(from), group(to); was != is {
		errs = append(errs, field.Forbidden(path.Child("apiVersion"), fmt.Sprintf(
			"group of apiVersion cannot be changed from %q to %q to prevent incompatible changes in the Clusters", was, is)))
	}
	if was, is := resource.Text(from, "kind"), resource.Text(to, "kind"); was != is {
		errs = append(errs, field.Forbidden(path.Child("kind"), fmt.Sprintf(
			"kind cannot be changed from %q to %q to prevent incompatible changes in the Clusters", was, is)))
	}
	return errs
}

// RefuseClass says why a ClusterClass must not change from old to new, or, with new
// nil, not be deleted: users are the Clusters that use it, by namespace and name.
func RefuseClass(old, new map[string]any, users []map[string]any) []Refusal {
	if new == nil {
		return classIsInUse(users)
	}
	var errs field.ErrorList
	seen := map[string]bool{}
	pools := field.NewPath("spec", "workers", "machineDeployments")
	for i, item := range resource.Items(new, "spec", "workers", "machineDeployments") {
		name := resource.Text(item, "class")
		if seen[name] {
			errs = append(errs, field.Invalid(pools.Index(i).Child("class"), name, fmt.Sprintf("MachineDeployment class must be unique. MachineDeployment with class %q is defined more than once", name)))
		}
		seen[name] = true
		errs = append(errs, strategyIsValid(pools.Key(name).Child("rollout", "strategy"), resource.Fields(item, "rollout", "strategy"))...)
	}
	if old == nil {
		return all(WebhookClass, errs)
	}
	errs = append(errs, classesAreCompatible(old, new)...)
	errs = append(errs, versionsInUseStay(new, users)...)
	before, after := poolClasses(old), poolClasses(new)
	for _, cluster := range users {
		for _, pool := range resource.Items(cluster, "spec", "topology", "workers", "machineDeployments") {
			name := resource.Text(pool, "class")
			if before[name] != nil && after[name] == nil {
				errs = append(errs, field.Forbidden(pools, fmt.Sprintf("MachineDeploymentClass %q cannot be deleted because it is used by Cluster %q", name, resource.Text(cluster, "metadata", "name"))))
			}
		}
	}
	return all(WebhookClass, errs)
}

func versionsInUseStay(class map[string]any, users []map[string]any) field.ErrorList {
	versions := resource.Items(class, "spec", "kubernetesVersions")
	if len(versions) == 0 {
		return nil
	}
	var errs field.ErrorList
	for _, cluster := range users {
		v := resource.Text(cluster, "spec", "topology", "version")
		if !slices.Contains(versions, any(v)) {
			errs = append(errs, field.Forbidden(field.NewPath("spec", "kubernetesVersions"), fmt.Sprintf("Kubernetes Version %s is used by Cluster %q but not set in ClusterClass", v, resource.Text(cluster, "metadata", "name"))))
		}
	}
	return errs
}

// namedUsers is how many Clusters an answer names.
const namedUsers = 3

func classIsInUse(users []map[string]any) []Refusal {
	if len(users) == 0 {
		return nil
	}
	var names []string
	for i, cluster := range users {
		if i == namedUsers {
			names = append(names, fmt.Sprintf("... (%d more)", len(users)-namedUsers))
			break
		}
		names = append(names, resource.Text(cluster, "metadata", "namespace")+"/"+resource.Text(cluster, "metadata", "name"))
	}
	text := "ClusterClass cannot be deleted because it is used by Cluster(s): " + strings.Join(names, ", ")
	return []Refusal{{Webhook: WebhookClass, Message: text, Detail: text}}
}
