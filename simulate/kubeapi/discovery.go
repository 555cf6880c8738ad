package kubeapi

import (
	"net/http"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// servedVersion is the Kubernetes version that the API says it is.
const servedVersion = "v1.34.1"

// discover answers what is about the API itself, and reports whether it did.
func (h handler) discover(w http.ResponseWriter, r *http.Request, steps []string) bool {
	var answer map[string]any
	switch path := strings.Join(steps, "/"); {
	case path == "healthz" || path == "livez" || path == "readyz":
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok"))
		return true
	case path == "version":
		answer = map[string]any{"major": "1", "minor": "34", "gitVersion": servedVersion, "gitCommit": "",
			"gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z", "goVersion": "", "compiler": "gc", "platform": "linux/amd64"}
	case path == "api" || path == "apis":
		h.discoverGroups(w, r, path == "api")
		return true
	case len(steps) == 2 && steps[0] == "apis":
		answer = h.store.group(steps[1])
	case len(steps) == 2 && steps[0] == "api":
		answer = h.store.resources("", steps[1])
	case len(steps) == 3 && steps[0] == "apis":
		answer = h.store.resources(steps[1], steps[2])
	}
	if answer == nil {
		return false
	}
	respond(w, http.StatusOK, appendJSON(nil, answer))
	return true
}

// discoverGroups lists the core group or the others; at once with all their
// resources for clients that know how to read that.
func (h handler) discoverGroups(w http.ResponseWriter, r *http.Request, core bool) {
	if media, ok := aggregated(r.Header); ok {
		w.Header().Set("Content-Type", media)
		w.Header().Set("Vary", "Accept")
		_, _ = w.Write(appendJSON(nil, h.store.everything(core)))
		return
	}
	answer := map[string]any{"kind": "APIVersions", "versions": []any{"v1"}, "serverAddressByClientCIDRs": []any{}}
	if !core {
		groups := []any{}
		for _, name := range h.store.groups() {
			if name != "" {
				groups = append(groups, h.store.group(name))
			}
		}
		answer = map[string]any{"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
	}
	respond(w, http.StatusOK, appendJSON(nil, answer))
}

// aggregated reports whether the client's first choice among what can be had is
// aggregated discovery, and the media type to answer with.
func aggregated(h http.Header) (string, bool) {
	for clause := range strings.SplitSeq(strings.Join(h.Values("Accept"), ","), ",") {
		m := mediaTypeOf(clause)
		if m.name != "application/json" {
			continue
		}
		if p := m.parameters; p["as"] == "APIGroupDiscoveryList" && p["g"] == "apidiscovery.k8s.io" && p["v"] == "v2" {
			return "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", true
		}
		if m.parameters["as"] == "" {
			return "", false
		}
	}
	return "", false
}

// groups are the names of the groups, sorted.
func (s *Store) groups() []string {
	var names []string
	for _, t := range s.order { // fixed after New
		for _, gvk := range t.gvks() {
			names = append(names, gvk.Group)
		}
	}
	for _, r := range reviews {
		names = append(names, r.group)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// versions are those of a group, preferred first; none for an unknown group.
func (s *Store) versions(group string) []string {
	var names []string
	seen := map[string]bool{}
	for _, t := range s.order {
		for _, gvk := range t.gvks() {
			if gvk.Group == group && !seen[gvk.Version] {
				seen[gvk.Version] = true
				names = append(names, gvk.Version)
			}
		}
	}
	if len(reviewsIn(group, "v1")) > 0 && !seen["v1"] {
		names = append(names, "v1")
	}
	return names
}

func (s *Store) group(name string) map[string]any {
	var versions []any
	for _, v := range s.versions(name) {
		versions = append(versions, map[string]any{"groupVersion": name + "/" + v, "version": v})
	}
	if name == "" || len(versions) == 0 {
		return nil
	}
	return map[string]any{"kind": "APIGroup", "apiVersion": "v1", "name": name, "versions": versions, "preferredVersion": versions[0]}
}

func (s *Store) resources(group, version string) map[string]any {
	var resources []any
	for _, t := range s.in(group, version) {
		entry := func(name string, verbs ...any) map[string]any {
			return map[string]any{"name": name, "singularName": strings.ToLower(t.Kind.Kind), "namespaced": !t.Cluster, "kind": t.Kind.Kind, "verbs": verbs}
		}
		whole := entry(t.Resource, t.verbs()...)
		if len(t.ShortNames) > 0 {
			whole["shortNames"] = anys(t.ShortNames)
		}
		if len(t.Categories) > 0 {
			whole["categories"] = anys(t.Categories)
		}
		resources = append(resources, whole)
		if t.Status {
			part := entry(t.Resource+"/status", "get", "patch", "update")
			part["singularName"] = ""
			resources = append(resources, part)
		}
	}
	for _, r := range reviewsIn(group, version) {
		resources = append(resources, r.entry())
	}
	if resources == nil {
		return nil
	}
	groupVersion := version
	if group != "" {
		groupVersion = group + "/" + version
	}
	return map[string]any{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": groupVersion, "resources": resources}
}

// everything is aggregated discovery (apidiscovery.k8s.io/v2) of the core group
// or of all others.
func (s *Store) everything(core bool) map[string]any {
	items := []any{}
	for _, group := range s.groups() {
		if (group == "") != core {
			continue
		}
		var versions []any
		for _, v := range s.versions(group) {
			var resources []any
			for _, t := range s.in(group, v) {
				resources = append(resources, t.discovery(schema.GroupVersion{Group: group, Version: v}))
			}
			for _, r := range reviewsIn(group, v) {
				resources = append(resources, r.discovery())
			}
			versions = append(versions, map[string]any{"version": v, "freshness": "Current", "resources": resources})
		}
		items = append(items, map[string]any{"metadata": map[string]any{"name": group, "creationTimestamp": nil}, "versions": versions})
	}
	return map[string]any{"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": map[string]any{}, "items": items}
}

func (t *table) discovery(gv schema.GroupVersion) map[string]any {
	scope := "Namespaced"
	if t.Cluster {
		scope = "Cluster"
	}
	kind := map[string]any{"group": gv.Group, "version": gv.Version, "kind": t.Kind.Kind}
	entry := map[string]any{
		"resource": t.Resource, "responseKind": kind, "scope": scope,
		"singularResource": strings.ToLower(t.Kind.Kind), "verbs": t.verbs(),
	}
	if len(t.ShortNames) > 0 {
		entry["shortNames"] = anys(t.ShortNames)
	}
	if len(t.Categories) > 0 {
		entry["categories"] = anys(t.Categories)
	}
	if t.Status {
		entry["subresources"] = []any{map[string]any{
			"subresource": "status", "responseKind": kind, "verbs": []any{"get", "patch", "update"},
		}}
	}
	return entry
}

func (t *table) verbs() []any {
	verbs := []any{"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}
	if t.isNamespace() {
		return append(verbs[:2:2], verbs[3:]...)
	}
	return verbs
}

// in returns the kinds that are served in a version of a group.
func (s *Store) in(group, version string) []*table {
	var tables []*table
	for _, t := range s.order {
		if _, ok := t.version(schema.GroupVersion{Group: group, Version: version}); ok {
			tables = append(tables, t)
		}
	}
	return tables
}

func anys(names []string) []any {
	out := make([]any, len(names))
	for i, name := range names {
		out[i] = name
	}
	return out
}
