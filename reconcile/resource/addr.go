package resource

import (
	"cmp"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Addr names one resource. Two Addrs are the same resource when they are equal.
// The API version is not part of the name: a v1beta1 and a v1beta2 Cluster of
// one name are one resource.
type Addr struct {
	// Supervisor is the name of the Supervisor the resource lives on; empty is
	// the only one there is.
	Supervisor string `json:"supervisor,omitempty"`
	// Group is the API group; empty is the Kubernetes core group.
	Group string `json:"group,omitempty"`
	Kind  string `json:"kind"`
	// Namespace is empty for cluster-scoped kinds and for vSphere Namespaces.
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
}

// GroupKind is the kind of the resource.
func (a Addr) GroupKind() schema.GroupKind { return schema.GroupKind{Group: a.Group, Kind: a.Kind} }

// String is the form users read: "Cluster team-a/prod", "VSphereNamespace team-a",
// with "@supervisor" behind it where one is named.
func (a Addr) String() string {
	var b strings.Builder
	b.WriteString(a.Kind)
	b.WriteByte(' ')
	if a.Namespace != "" {
		b.WriteString(a.Namespace)
		b.WriteByte('/')
	}
	b.WriteString(a.Name)
	if a.Supervisor != "" {
		b.WriteByte('@')
		b.WriteString(a.Supervisor)
	}
	return b.String()
}

// Compare orders addresses by Supervisor, namespace, kind, group and name.
func (a Addr) Compare(b Addr) int {
	return cmp.Or(
		cmp.Compare(a.Supervisor, b.Supervisor),
		cmp.Compare(a.Namespace, b.Namespace),
		cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.Group, b.Group),
		cmp.Compare(a.Name, b.Name),
	)
}
