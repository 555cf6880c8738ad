package kubeapi

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
)

// fieldTypes knows which lists are merged item by item. Every kind has
// ObjectMeta; Cluster API's kinds have conditions, and Cluster has its topology
// (domain.md 1.1; list-map keys as in the CRDs of Cluster API 1.14). All other
// lists are owned as a whole, all other maps field by field, as for a custom
// resource without a schema.
type fieldTypes struct {
	managedfields.TypeConverter // of kinds without a schema
	parser                      *typed.Parser
}

func newFieldTypes() (*fieldTypes, error) {
	parser, err := typed.NewParser(fieldSchema)
	if err != nil {
		return nil, fmt.Errorf("reading the schema of mergeable lists: %w", err)
	}
	return &fieldTypes{managedfields.NewDeducedTypeConverter(), parser}, nil
}

// ObjectToTyped gives u the type of its kind.
func (f *fieldTypes) ObjectToTyped(o runtime.Object, options ...typed.ValidationOptions) (*typed.TypedValue, error) {
	u, ok := o.(*unstructured.Unstructured)
	if !ok {
		return nil, fmt.Errorf("typing %T: only unstructured objects are known", o)
	}
	return f.parser.Type(typeName(u.GroupVersionKind())).FromUnstructured(u.Object, options...)
}

func typeName(gvk schema.GroupVersionKind) string {
	capi := gvk.Group == "cluster.x-k8s.io" || strings.HasSuffix(gvk.Group, ".cluster.x-k8s.io")
	switch {
	case !capi || gvk.Version != "v1beta1" && gvk.Version != "v1beta2":
		return "object"
	case gvk.Group == "cluster.x-k8s.io" && gvk.Kind == "Cluster":
		return "cluster-" + gvk.Version
	}
	return "object-" + gvk.Version
}

const fieldSchema typed.YAMLObject = `types:
- name: atomic
  scalar: untyped
  list: {elementType: {namedType: atomic}, elementRelationship: atomic}
  map: {elementType: {namedType: atomic}, elementRelationship: atomic}
- name: deduced
  scalar: untyped
  list: {elementType: {namedType: atomic}, elementRelationship: atomic}
  map: {elementType: {namedType: deduced}, elementRelationship: separable}
- name: metadata
  map:
    elementType: {namedType: deduced}
    fields:
    - name: finalizers
      type: {list: {elementType: {scalar: string}, elementRelationship: associative}}
    - name: ownerReferences
      type: {list: {elementType: {namedType: ownerReference}, elementRelationship: associative, keys: [uid]}}
- name: ownerReference
  map: {elementType: {namedType: atomic}, elementRelationship: atomic}
- name: object
  scalar: untyped
  map:
    elementType: {namedType: deduced}
    fields:
    - {name: metadata, type: {namedType: metadata}}
- name: object-v1beta2
  map:
    elementType: {namedType: deduced}
    fields:
    - {name: metadata, type: {namedType: metadata}}
    - {name: status, type: {namedType: conditioned}}
- name: object-v1beta1
  map:
    elementType: {namedType: deduced}
    fields:
    - {name: metadata, type: {namedType: metadata}}
    - {name: status, type: {namedType: status-v1beta1}}
- name: cluster-v1beta2
  map:
    elementType: {namedType: deduced}
    fields:
    - {name: metadata, type: {namedType: metadata}}
    - {name: spec, type: {namedType: clusterSpec}}
    - {name: status, type: {namedType: conditioned}}
- name: cluster-v1beta1
  map:
    elementType: {namedType: deduced}
    fields:
    - {name: metadata, type: {namedType: metadata}}
    - {name: spec, type: {namedType: clusterSpec}}
    - {name: status, type: {namedType: status-v1beta1}}
- name: conditioned
  map:
    elementType: {namedType: deduced}
    fields:
    - name: conditions
      type: {list: {elementType: {namedType: deduced}, elementRelationship: associative, keys: [type]}}
- name: status-v1beta1
  map:
    elementType: {namedType: deduced}
    fields:
    - {name: v1beta2, type: {namedType: conditioned}}
- name: clusterSpec
  map:
    elementType: {namedType: deduced}
    fields:
    - {name: availabilityGates, type: {namedType: gates}}
    - {name: topology, type: {namedType: topology}}
- name: gates
  list: {elementType: {namedType: deduced}, elementRelationship: associative, keys: [conditionType]}
- name: topology
  map:
    elementType: {namedType: deduced}
    fields:
    - {name: variables, type: {namedType: named}}
    - {name: controlPlane, type: {namedType: part}}
    - {name: workers, type: {namedType: workers}}
- name: workers
  map:
    elementType: {namedType: deduced}
    fields:
    - name: machineDeployments
      type: {list: {elementType: {namedType: part}, elementRelationship: associative, keys: [name]}}
    - name: machinePools
      type: {list: {elementType: {namedType: part}, elementRelationship: associative, keys: [name]}}
- name: part
  map:
    elementType: {namedType: deduced}
    fields:
    - {name: readinessGates, type: {namedType: gates}}
    - name: variables
      type:
        map:
          elementType: {namedType: deduced}
          fields:
          - {name: overrides, type: {namedType: named}}
- name: named
  list: {elementType: {namedType: deduced}, elementRelationship: associative, keys: [name]}
`
