package kubeapi

import (
	"net/url"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// includeIn reads how much of the objects a table shall carry beside its cells.
func includeIn(query url.Values) (metav1.IncludeObjectPolicy, error) {
	switch include := metav1.IncludeObjectPolicy(query.Get("includeObject")); include {
	case "", metav1.IncludeMetadata:
		return metav1.IncludeMetadata, nil
	case metav1.IncludeNone, metav1.IncludeObject:
		return include, nil
	default:
		return "", apierrors.NewBadRequest("Unable to convert to Table as requested: includeObject: Invalid value: \"" + string(include) +
			"\": must be 'Metadata', 'Object', 'None', or empty")
	}
}

// headers are the column definitions of the kind's table.
func (t *table) headers() []any {
	columns := t.columns()
	out := make([]any, len(columns))
	for i, c := range columns {
		out[i] = c.definition()
	}
	return out
}

// row is the line of a table about u, in the stored version.
func (s *Store) row(t *table, u *unstructured.Unstructured, f form, now time.Time) map[string]any {
	columns := t.columns()
	cells := make([]any, len(columns))
	for i, c := range columns {
		cells[i] = c.cell(u.Object, now)
	}
	row := map[string]any{"cells": cells, "object": nil}
	switch f.include {
	case metav1.IncludeMetadata:
		row["object"] = partial(u.Object, f)
	case metav1.IncludeObject:
		row["object"] = s.convert(u, f.version).Object
	}
	return row
}

// tableOfOne is the table with the one line about u. headed says whether it
// defines its columns, which on a watch only the first does.
func (s *Store) tableOfOne(t *table, u *unstructured.Unstructured, f form, headed bool) map[string]any {
	out := map[string]any{
		"kind": asTable, "apiVersion": f.metaVersion, "columnDefinitions": nil,
		"metadata": map[string]any{"resourceVersion": versionOf(u)},
		"rows":     []any{s.row(t, u, f, s.clock.Now())},
	}
	if headed {
		out["columnDefinitions"] = t.headers()
	}
	return out
}

// partial is the metadata of an object alone.
func partial(content map[string]any, f form) map[string]any {
	return map[string]any{"kind": asMetadata, "apiVersion": f.metaVersion, "metadata": content["metadata"]}
}

// bookmarkObject is an object of the kind that says nothing but how far a watch is.
func bookmarkObject(t *table, version string, i item) *unstructured.Unstructured {
	meta := map[string]any{"resourceVersion": formatVersion(i.version), "creationTimestamp": nil}
	if i.ended {
		meta["annotations"] = map[string]any{metav1.InitialEventsAnnotationKey: "true"}
	}
	return &unstructured.Unstructured{Object: map[string]any{"kind": t.Kind.Kind, "apiVersion": t.apiVersion(version), "metadata": meta}}
}
