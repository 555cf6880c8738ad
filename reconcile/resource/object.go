package resource

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Position is a place in a file of the user. The zero Position is unknown.
type Position struct {
	File string `json:"file,omitempty"`
	// Line and Col count from 1; Col is in bytes.
	Line int `json:"line,omitempty"`
	Col  int `json:"col,omitempty"`
}

// String is file:line:col, as compilers print it; "" when unknown.
func (p Position) String() string {
	switch {
	case p.File == "":
		return ""
	case p.Line == 0:
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Object is one resource with its content. The content is JSON as
// k8s.io/apimachinery decodes it (map[string]any, []any, string, int64,
// float64, bool, nil) and always has apiVersion, kind and metadata.name.
type Object struct {
	*unstructured.Unstructured
	// Supervisor is where the object lives, see Addr.
	Supervisor string
	// Source is where a desired object was written; unknown for observed ones.
	Source Position
}

// NewObject wraps content. It does not copy it.
func NewObject(content map[string]any) Object {
	return Object{Unstructured: &unstructured.Unstructured{Object: content}}
}

// Addr is the name of the object.
func (o Object) Addr() Addr { return AddrOf(o.Unstructured, o.Supervisor) }

// AddrOf is the name of u on a Supervisor.
func AddrOf(u *unstructured.Unstructured, supervisor string) Addr {
	gvk := u.GroupVersionKind()
	return Addr{
		Supervisor: supervisor,
		Group:      gvk.Group,
		Kind:       gvk.Kind,
		Namespace:  u.GetNamespace(),
		Name:       u.GetName(),
	}
}

// The kinds vksync itself names. Cluster API's are in both served versions.
const (
	GroupVksync  = "vksync.dev"
	GroupCluster = "cluster.x-k8s.io"

	KindCluster          = "Cluster"
	KindVSphereNamespace = "VSphereNamespace"
	KindInventory        = "Inventory"
)

// Labels and names by which vksync marks what it owns (DESIGN section 6).
const (
	FieldManager = "vksync"
	LabelSource  = "vksync.dev/source"
	// AnnotationProtection keeps vksync from deleting what carries it: a Cluster,
	// or a vSphere Namespace on whose Kubernetes Namespace it is. Only "false"
	// lifts it without removing it, so that a mistyped "true" does no harm.
	AnnotationProtection = "vksync.dev/deletion-protection"
)
