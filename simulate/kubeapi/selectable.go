package kubeapi

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"

	"github.com/vksync/vksync/reconcile/resource"
)

// selectable are the fields beside name and namespace that a field selector may
// name, of the few kinds that have any.
var selectable = map[string][]string{
	"Event": {
		"involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid", "involvedObject.apiVersion",
		"involvedObject.resourceVersion", "involvedObject.fieldPath", "reason", "reportingComponent", "source", "type",
		"regarding.kind", "regarding.namespace", "regarding.name", "regarding.uid", "regarding.apiVersion",
		"regarding.resourceVersion", "regarding.fieldPath", "reportingController",
	},
	"Secret":    {"type"},
	"Namespace": {"status.phase"},
	"Service":   {"spec.clusterIP", "spec.type"},
}

// selects says whether a field selector may name a field, and words the refusal
// as an API server does for the kind.
func (t *table) selects(field string) error {
	if field == "metadata.name" || field == "metadata.namespace" {
		return nil
	}
	known := selectable[t.Kind.Kind]
	if !t.native() {
		known = nil
	}
	for _, name := range known {
		if name == field {
			return nil
		}
	}
	if t.native() && known == nil {
		return fmt.Errorf(`%q is not a known field selector: only "metadata.name", "metadata.namespace"`, field)
	}
	return fmt.Errorf("field label not supported: %s", field)
}

// fieldsOf are the values of an object that a field selector is about.
func fieldsOf(u *unstructured.Unstructured, selector fields.Selector) fields.Set {
	set := fields.Set{}
	for _, r := range selector.Requirements() {
		set[r.Field] = fieldOf(u, r.Field)
	}
	return set
}

func fieldOf(u *unstructured.Unstructured, field string) string {
	switch {
	case field == "source":
		if component := resource.Text(u.Object, "source", "component"); component != "" {
			return component
		}
		return resource.Text(u.Object, "reportingComponent")
	case field == "reportingController":
		field = "reportingComponent"
	case strings.HasPrefix(field, "regarding."):
		field = "involvedObject" + strings.TrimPrefix(field, "regarding")
	}
	return resource.Text(u.Object, strings.Split(field, ".")...)
}
