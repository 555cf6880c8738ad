package kubeapi

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// openAPI answers below /openapi/v3: an index, and a document for every group
// and version with its paths, their parameters, and schemas that know the top
// level of objects. That is what kubectl needs to apply, to patch and to explain
// a little. It reports whether there is such a document.
func (h handler) openAPI(w http.ResponseWriter, r *http.Request, steps []string) bool {
	if len(steps) < 2 || steps[0] != "openapi" || steps[1] != "v3" {
		return false
	}
	if len(steps) == 2 {
		respond(w, http.StatusOK, appendJSON(nil, h.store.openAPIIndex()))
		return true
	}
	for _, gv := range h.store.groupVersions() {
		if strings.Join(steps[2:], "/") == pathOf(gv) {
			respond(w, http.StatusOK, appendJSON(nil, h.store.openAPIOf(gv)))
			return true
		}
	}
	return false
}

// pathOf is where the kinds of a group and version are served.
func pathOf(gv schema.GroupVersion) string {
	if gv.Group == "" {
		return "api/" + gv.Version
	}
	return "apis/" + gv.String()
}

// groupVersions are all that is served, by group, preferred version first.
func (s *Store) groupVersions() []schema.GroupVersion {
	var out []schema.GroupVersion
	for _, group := range s.groups() {
		for _, version := range s.versions(group) {
			out = append(out, schema.GroupVersion{Group: group, Version: version})
		}
	}
	return out
}

func (s *Store) openAPIIndex() map[string]any {
	paths := map[string]any{}
	for _, gv := range s.groupVersions() {
		digest := sha256.Sum256(appendJSON(nil, s.openAPIOf(gv)))
		paths[pathOf(gv)] = map[string]any{"serverRelativeURL": "/openapi/v3/" + pathOf(gv) + "?hash=" + strings.ToUpper(hex.EncodeToString(digest[:]))}
	}
	return map[string]any{"paths": paths}
}

func (s *Store) openAPIOf(gv schema.GroupVersion) map[string]any {
	schemas := map[string]any{metaSchema: map[string]any{
		"description": "ObjectMeta is metadata that all persisted resources must have.",
		"type":        "object", "x-kubernetes-preserve-unknown-fields": true,
	}}
	paths := map[string]any{}
	for _, t := range s.in(gv.Group, gv.Version) {
		schemas[schemaName(gv, t.Kind.Kind)] = t.openAPISchema(gv)
		all, one := "/"+pathOf(gv)+"/"+t.Resource, ""
		if !t.Cluster {
			paths[all] = t.openAPIPath(gv, "get")
			all = "/" + pathOf(gv) + "/namespaces/{namespace}/" + t.Resource
		}
		one = all + "/{name}"
		paths[all] = t.openAPIPath(gv, "get", "post", "delete")
		paths[one] = t.openAPIPath(gv, "get", "put", "patch", "delete")
		if t.Status {
			paths[one+"/status"] = t.openAPIPath(gv, "get", "put", "patch")
		}
	}
	return map[string]any{
		"openapi": "3.0.0", "info": map[string]any{"title": "Kubernetes", "version": servedVersion},
		"paths": paths, "components": map[string]any{"schemas": schemas},
	}
}

const metaSchema = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

// schemaName names a schema as those of custom resources are: the group
// backwards, the version and the kind.
func schemaName(gv schema.GroupVersion, kind string) string {
	parts := strings.Split(gv.Group, ".")
	name := ""
	for i := len(parts) - 1; i >= 0; i-- {
		name += parts[i] + "."
	}
	return strings.TrimPrefix(name, ".") + gv.Version + "." + kind
}

func (t *table) openAPIKind(gv schema.GroupVersion) map[string]any {
	return map[string]any{"group": gv.Group, "version": gv.Version, "kind": t.Kind.Kind}
}

func (t *table) openAPISchema(gv schema.GroupVersion) map[string]any {
	described := func(kind, text string) map[string]any {
		return map[string]any{"type": kind, "description": text}
	}
	properties := map[string]any{
		"apiVersion": described("string", "APIVersion defines the versioned schema of this representation of an object."),
		"kind":       described("string", "Kind is a string value representing the REST resource this object represents."),
		"metadata":   map[string]any{"description": "Standard object's metadata.", "allOf": []any{map[string]any{"$ref": "#/components/schemas/" + metaSchema}}},
	}
	out := map[string]any{
		"type": "object", "properties": properties, "x-kubernetes-group-version-kind": []any{t.openAPIKind(gv)},
		"x-kubernetes-preserve-unknown-fields": true,
		"description":                          t.Kind.Kind + " of the simulated Supervisor, which checks its content where it acts on it, not by a schema.",
	}
	if !t.native() {
		for _, part := range []string{"spec", "status"} {
			properties[part] = described("object", "The "+part+" of the "+t.Kind.Kind+".")
			properties[part].(map[string]any)["x-kubernetes-preserve-unknown-fields"] = true
		}
	}
	return out
}

// openAPIPath describes the requests of one path.
func (t *table) openAPIPath(gv schema.GroupVersion, methods ...string) map[string]any {
	out := map[string]any{}
	for _, method := range methods {
		operation := map[string]any{
			"x-kubernetes-group-version-kind": t.openAPIKind(gv),
			"x-kubernetes-action":             method,
			"responses":                       map[string]any{"200": map[string]any{"description": "OK"}},
		}
		if method == "post" || method == "put" || method == "patch" {
			parameters := []any{}
			for _, name := range []string{"dryRun", "fieldManager", "fieldValidation", "force"} {
				parameters = append(parameters, map[string]any{"name": name, "in": "query", "schema": map[string]any{"type": "string", "uniqueItems": true}})
			}
			operation["parameters"] = parameters
		}
		if method == "patch" {
			content := map[string]any{}
			for _, media := range t.patches() {
				// kubectl would compute strategic patches by these schemas, which do
				// not know the fields, rather than by its own types, which do.
				if media != types.StrategicMergePatchType {
					content[string(media)] = map[string]any{"schema": map[string]any{"type": "object"}}
				}
			}
			operation["requestBody"] = map[string]any{"content": content, "required": true}
		}
		out[method] = operation
	}
	return out
}
