package plan

import "github.com/vksync/vksync/reconcile/resource"

// annotationPaused stops the controllers of the object that carries it, whatever
// its value (domain.md 3.7).
const annotationPaused = "cluster.x-k8s.io/paused"

// Protected says whether an object may not be deleted by its own word.
func Protected(o resource.Object) bool {
	if o.Unstructured == nil {
		return false
	}
	value, there := o.GetAnnotations()[resource.AnnotationProtection]
	return there && value != "false"
}

// Paused says whether the controllers of a Cluster leave it alone: its changes
// have no effect, and its deletion does not proceed.
func Paused(o resource.Object) bool {
	_, annotated := o.GetAnnotations()[annotationPaused]
	return annotated || resource.Flag(o.Object, "spec", "paused")
}
