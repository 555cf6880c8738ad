package apiserver

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// loosen has a definition take what the simulated controllers write, which is
// what vksync looks at and less than the real ones write. What is left are the
// types, the defaults, and which lists are merged by which keys.
func loosen(d *unstructured.Unstructured) {
	for _, v := range resource.Items(d.Object, "spec", "versions") {
		loosenSchema(resource.Fields(v, "schema", "openAPIV3Schema"), nil)
	}
}

// limits are what a schema refuses content by.
var limits = []string{
	"required", "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "minimum", "maximum",
	"pattern", "enum", "x-kubernetes-validations", "oneOf", "anyOf", "allOf", "not",
}

// loosenSchema takes the limits from a schema and all below it. The keys of a
// list that is merged by them stay required.
func loosenSchema(schema map[string]any, keys []any) {
	required := slices.Clone(keys)
	for _, name := range limits {
		delete(schema, name)
	}
	if len(required) > 0 {
		schema["required"] = required
	}
	properties := resource.Fields(schema, "properties")
	for _, p := range properties {
		if inner, ok := p.(map[string]any); ok {
			loosenSchema(inner, nil)
		}
	}
	if items := resource.Fields(schema, "items"); items != nil {
		loosenSchema(items, resource.Items(schema, "x-kubernetes-list-map-keys"))
	}
	if values := resource.Fields(schema, "additionalProperties"); values != nil {
		loosenSchema(values, nil)
	}
	if len(properties) > 0 {
		schema["x-kubernetes-preserve-unknown-fields"] = true
	}
}
