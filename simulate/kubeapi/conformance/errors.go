package conformance

import (
	"net/http"
	"strings"
)

var errorCases = []testCase{
	{"not found", func(c *client) {
		a := c.get(c.clusters("x"))
		details := c.refused(a, http.StatusNotFound, "NotFound", `clusters.cluster.x-k8s.io "x" not found`)
		c.same("details", details, content{"name": "x", "group": "cluster.x-k8s.io", "kind": "clusters"})
		c.same("media type", a.header.Get("Content-Type"), "application/json")
		c.same("metadata", a.body["metadata"], any(content{}))
	}},
	{"unknown paths", func(c *client) {
		for _, path := range []string{"/apis/cluster.x-k8s.io/v1beta2/nothing", "/apis/nobody.example/v1/things", "/api/v1/nothing", "/nothing", c.clusters("x", "nothing"), c.configMaps("x", "nothing")} {
			a := c.get(path)
			c.want(http.StatusNotFound, a)
			if strings.TrimSpace(a.text) != "404 page not found" && a.body["reason"] != any("NotFound") {
				c.Errorf("%s: %s", path, a.text)
			}
		}
	}},
	{"methods that a path does not have", func(c *client) {
		const message = "the server does not allow this method on the requested resource"
		c.refused(c.put(c.configMaps(), configMap("x", nil)), http.StatusMethodNotAllowed, "MethodNotAllowed", message)
		c.refused(c.post(c.configMaps("x"), configMap("x", nil)), http.StatusMethodNotAllowed, "MethodNotAllowed", message)
		c.refused(c.put(c.clusters(), cluster("x", nil)), http.StatusBadRequest, "BadRequest", "name must be provided")
	}},
	{"bodies of an unknown type", func(c *client) {
		c.refused(c.send(request{method: http.MethodPost, path: c.configMaps(), media: "text/plain", body: "x"}), http.StatusUnsupportedMediaType, "UnsupportedMediaType",
			"the body of the request was in an unknown format - accepted media types include: application/json...")
		c.refused(c.patch("text/plain", c.vms("x"), "x"), http.StatusUnsupportedMediaType, "UnsupportedMediaType",
			"the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml...")
		c.want(http.StatusUnsupportedMediaType, c.patch("text/plain", c.configMaps("x"), "x"))
	}},
	{"answers of an unknown type", func(c *client) {
		c.refused(c.send(request{method: http.MethodGet, path: c.vms(), accept: "image/png"}), http.StatusNotAcceptable, "NotAcceptable",
			"only the following media types are accepted: application/json...")
	}},
	{"bodies that are no JSON", func(c *client) {
		c.want(http.StatusBadRequest, c.post(c.vms(), "{"))
		c.want(http.StatusBadRequest, c.post(c.configMaps(), "{"))
		c.want(http.StatusBadRequest, c.post(c.vms(), "[]"))
		c.want(http.StatusBadRequest, c.post(c.vms(), content{"metadata": content{"name": "x"}}))
		c.want(http.StatusBadRequest, c.apply("a", c.vms("x"), "a: b: c"))
	}},
	{"bodies that are too large", func(c *client) {
		c.refused(c.post(c.configMaps(), configMap("x", content{"k": strings.Repeat("x", 4<<20)})), http.StatusRequestEntityTooLarge, "RequestEntityTooLarge",
			"Request entity too large: limit is 3145728")
	}},
	{"a metadata of wrong types", func(c *client) {
		c.want(http.StatusBadRequest, c.post(c.configMaps(), content{"apiVersion": "v1", "kind": "ConfigMap", "metadata": content{"name": "x", "labels": "none"}}))
		c.want(http.StatusBadRequest, c.post(c.vms(), content{"apiVersion": "vmoperator.vmware.com/v1alpha5", "kind": "VirtualMachine", "metadata": content{"name": "x", "labels": "none"}}))
	}},
}
