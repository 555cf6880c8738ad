package conformance

import (
	"net/http"
	"slices"
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
)

const aggregatedMedia = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"

// named finds the item of a list by a field.
func named(list []any, field, value string) content {
	i := slices.IndexFunc(list, func(item any) bool { return resource.Text(item, field) == value })
	if i < 0 {
		return nil
	}
	return list[i].(content)
}

func sorted(list []any) []string {
	var out []string
	for _, item := range list {
		s, _ := item.(string)
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

var allVerbs = []string{"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}

var discoveryCases = []testCase{
	{"groups", func(c *client) {
		groups := c.want(http.StatusOK, c.get("/apis"))
		c.same("kind", groups["kind"], any("APIGroupList"))
		group := named(resource.Items(groups, "groups"), "name", "cluster.x-k8s.io")
		c.same("preferred", resource.Text(group, "preferredVersion", "groupVersion"), "cluster.x-k8s.io/v1beta2")
		core := c.want(http.StatusOK, c.get("/api"))
		c.same("core", core["versions"], any([]any{"v1"}))
		one := c.want(http.StatusOK, c.get("/apis/cluster.x-k8s.io"))
		c.same("one", one["kind"], any("APIGroup"))
	}},
	{"resources", func(c *client) {
		list := c.want(http.StatusOK, c.get("/apis/cluster.x-k8s.io/v1beta2"))
		c.same("kind", list["kind"], any("APIResourceList"))
		c.same("groupVersion", list["groupVersion"], any("cluster.x-k8s.io/v1beta2"))
		r := named(resource.Items(list, "resources"), "name", "clusters")
		c.same("kind", r["kind"], any("Cluster"))
		c.same("singular", r["singularName"], any("cluster"))
		c.same("namespaced", r["namespaced"], any(true))
		c.same("short", r["shortNames"], any([]any{"cl"}))
		c.same("categories", r["categories"], any([]any{"cluster-api"}))
		c.same("verbs", sorted(resource.Items(r, "verbs")), allVerbs)
		status := named(resource.Items(list, "resources"), "name", "clusters/status")
		c.same("verbs of the status", sorted(resource.Items(status, "verbs")), []string{"get", "patch", "update"})
	}},
	{"all at once", func(c *client) {
		for path, want := range map[string][3]string{"/api": {"", "v1", "configmaps"}, "/apis": {"cluster.x-k8s.io", "v1beta2", "clusters"}} {
			a := c.send(request{method: http.MethodGet, path: path, accept: aggregatedMedia})
			c.want(http.StatusOK, a)
			c.same("kind", a.body["kind"], any("APIGroupDiscoveryList"))
			if media := a.header.Get("Content-Type"); !strings.Contains(media, "as=APIGroupDiscoveryList") {
				c.Errorf("%s: media type %s", path, media)
			}
			var group content
			for _, item := range resource.Items(a.body, "items") {
				if resource.Text(item, "metadata", "name") == want[0] {
					group = item.(content)
				}
			}
			version := named(resource.Items(group, "versions"), "version", want[1])
			r := named(resource.Items(version, "resources"), "resource", want[2])
			c.same("scope", r["scope"], any("Namespaced"))
			c.same("verbs", sorted(resource.Items(r, "verbs")), allVerbs)
			c.same("kind", resource.Text(r, "responseKind", "kind") != "", true)
		}
	}},
	{"version", func(c *client) {
		v := c.want(http.StatusOK, c.get("/version"))
		for _, field := range []string{"major", "minor", "gitVersion", "platform"} {
			if resource.Text(v, field) == "" {
				c.Errorf("no %s in %v", field, v)
			}
		}
	}},
	{"health", func(c *client) {
		for _, path := range []string{"/healthz", "/readyz", "/livez"} {
			a := c.get(path)
			c.want(http.StatusOK, a)
			c.same(path, a.text, "ok")
		}
	}},
	{"OpenAPI", func(c *client) {
		var document content
		c.eventually("the kinds to be described", func() string {
			index := c.want(http.StatusOK, c.get("/openapi/v3"))
			at := resource.Text(resource.Fields(index, "paths", "apis/cluster.x-k8s.io/v1beta2"), "serverRelativeURL")
			path, query, _ := strings.Cut(at, "?")
			if path == "" {
				return "the group is not in the index"
			}
			document = c.want(http.StatusOK, c.get(path, strings.Split(query, "=")...))
			return ""
		})
		patch := resource.Fields(document, "paths", "/apis/cluster.x-k8s.io/v1beta2/namespaces/{namespace}/clusters/{name}", "patch")
		c.same("kind", resource.Field(patch, "x-kubernetes-group-version-kind"), any(content{"group": "cluster.x-k8s.io", "version": "v1beta2", "kind": "Cluster"}))
		for _, name := range []string{"dryRun", "fieldManager", "fieldValidation", "force"} {
			if named(resource.Items(patch, "parameters"), "name", name) == nil {
				c.Errorf("patch has no parameter %s", name)
			}
		}
		if resource.Field(patch, "requestBody", "content", applyMedia) == nil {
			c.Error("patch takes no apply")
		}
	}},
}
