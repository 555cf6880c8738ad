package topology

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/vksync/vksync/reconcile/resource"
)

// Around is what the webhooks read beside the Cluster that is written. The zero
// Around knows nothing: a rule that needs what is not known refuses nothing, but
// for that of an upgrade under way, of which the Cluster itself says enough.
type Around struct {
	// Class gives the content of a ClusterClass; nil when there is none of the
	// name. Known is false when that cannot be told.
	Class func(namespace, name string) (class map[string]any, known bool)
	// ControlPlane is the content of the Cluster's KubeadmControlPlane; nil when it
	// is not known.
	ControlPlane map[string]any
	// Deployments and Machines are those of the Cluster. They count only together
	// with ControlPlane.
	Deployments, Machines []map[string]any
}

// Refuse says why a Cluster of the content old must not become new, which has the
// shape of v1beta2; nothing when it may. Old is nil for a creation. Refusals are grouped by webhook, in the order in which their answers come.
// What VKS's release resolver answers is not among them: it takes the releases.
func (a Around) Refuse(old, new map[string]any) []Refusal {
	out := all(WebhookClusterValues, a.variables(new))
	out = append(out, vks(old, new)...)
	return append(out, all(WebhookCluster, a.cluster(old, new))...)
}

// cluster are the rules of Cluster API's validation, in its order.
func (a Around) cluster(old, new map[string]any) field.ErrorList {
	var errs field.ErrorList
	name := resource.Text(new, "metadata", "name")
	for _, wrong := range validation.IsValidLabelValue(name) {
		errs = append(errs, field.Invalid(field.NewPath("metadata", "name"), name, "must be a valid label value "+wrong))
	}
	spec := field.NewPath("spec")
	errs = append(errs, keepRef(spec, "infrastructureRef", old, new)...)
	if !defined(new, "controlPlaneRef") && !defined(new, "infrastructureRef") && !defined(new, "topology") {
		errs = append(errs, field.Forbidden(spec, "one of spec.controlPlaneRef, spec.infrastructureRef or spec.topology must be set"))
	}
	errs = append(errs, keepRef(spec, "controlPlaneRef", old, new)...)
	for _, blocks := range []string{"pods", "services"} {
		errs = append(errs, blocksAreValid(spec.Child("clusterNetwork", blocks, "cidrBlocks"), resource.Items(new, "spec", "clusterNetwork", blocks, "cidrBlocks"))...)
	}
	path := spec.Child("topology")
	if defined(new, "topology") {
		errs = append(errs, a.topology(path, old, new)...)
	}
	if old != nil && defined(old, "topology") && !defined(new, "topology") {
		errs = append(errs, field.Forbidden(path, "cannot be removed from an existing Cluster"))
	}
	return errs
}

// topology are the rules for spec.topology.
func (a Around) topology(path *field.Path, old, new map[string]any) field.ErrorList {
	namespace, name := ClassOf(new)
	if name == "" {
		return field.ErrorList{field.Required(path.Child("class"), "classRef.name cannot be empty")}
	}
	content := resource.Fields(new, "spec", "topology")
	errs := versionIsValid(path.Child("version"), resource.Text(content, "version"))
	errs = append(errs, rolloutsAreValid(path, content)...)
	errs = append(errs, concurrencyIsValid(new)...)
	class, known := a.class(namespace, name)
	if class != nil {
		errs = append(errs, poolsFitClass(path, content, name, class)...)
	}
	errs = append(errs, autoscalerOwnsReplicas(path, new, class)...)
	if old == nil {
		return errs // a class that is missing is only warned of then
	}
	if known && class == nil {
		return append(errs, field.InternalError(path.Child("class"), fmt.Errorf("ClusterClass %s/%s not found", namespace, name)))
	}
	if _, before := ClassOf(old); before == "" {
		if annotated(new, "unsafe.topology.cluster.x-k8s.io/disable-update-class-name-check") {
			return errs
		}
		return append(errs, field.Forbidden(path.Child("class"), "classRef cannot be set on an existing Cluster"))
	}
	errs = append(errs, a.versionStep(path.Child("version"), old, new, class)...)
	return append(errs, a.rebase(path, old, new, class)...)
}

// class looks a ClusterClass up.
func (a Around) class(namespace, name string) (class map[string]any, known bool) {
	if a.Class == nil {
		return nil, false
	}
	return a.Class(namespace, name)
}

// keepRef refuses that a reference which the topology controller has set is taken away.
// Nobody refuses that it is set by hand: the controller then fights for it.
func keepRef(spec *field.Path, ref string, old, new map[string]any) field.ErrorList {
	if old != nil && defined(old, ref) && !defined(new, ref) {
		return field.ErrorList{field.Forbidden(spec.Child(ref), "cannot be removed")}
	}
	return nil
}

// defined says whether there is anything in a part of the spec.
func defined(cluster map[string]any, part string) bool {
	return len(resource.Fields(cluster, "spec", part)) > 0
}

func annotated(o map[string]any, key string) bool {
	_, there := resource.Fields(o, "metadata", "annotations")[key]
	return there
}
