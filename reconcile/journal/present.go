package journal

import (
	"cmp"
	"iter"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
)

// Present tells of objects that exist, as of what was there before the journal
// began: those of chosen clusters, a cluster after the other, and there what owns
// before what is owned. For what the clusters of a namespace share, cluster is empty.
func Present(objects iter.Seq[*unstructured.Unstructured], of *phase.Attribution, chosen func(namespace, cluster string) bool) []*Object {
	var out []*Object
	for u := range objects {
		cluster, id := of.Of(u)
		if chosen(HomeOf(u.GetKind(), u.GetNamespace(), u.GetName()), cluster) {
			out = append(out, &Object{Change: resource.Describe(u), Cluster: cluster, PhaseID: id})
		}
	}
	slices.SortFunc(out, func(a, b *Object) int {
		return cmp.Or(
			cmp.Compare(a.home(), b.home()), cmp.Compare(a.Cluster, b.Cluster),
			cmp.Compare(rank(a.Kind), rank(b.Kind)), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.APIVersion, b.APIVersion), cmp.Compare(a.Name, b.Name),
		)
	})
	return out
}

// HomeOf is the namespace that an object is in, or which it is.
func HomeOf(kind, namespace, name string) string {
	if kind == "Namespace" || kind == resource.KindVSphereNamespace {
		return name
	}
	return namespace
}

func (o *Object) home() string { return HomeOf(o.Kind, o.Namespace, o.Name) }
