package conformance

import (
	"net/http"

	"github.com/vksync/vksync/reconcile/resource"
)

var namespaceCases = []testCase{
	{"are active with their name as a label", func(c *client) {
		u := c.want(http.StatusOK, c.get("/api/v1/namespaces/"+c.namespace))
		c.same("phase", resource.Text(u, "status", "phase"), "Active")
		c.same("label", resource.Text(u, "metadata", "labels", "kubernetes.io/metadata.name"), c.namespace)
		c.same("finalizers", resource.Items(u, "spec", "finalizers"), []any{"kubernetes"})
	}},
	{"must be there", func(c *client) {
		c.namespace = "nowhere"
		for _, a := range []answer{c.post(c.configMaps(), configMap("x", nil)), c.apply("a", c.vms("x"), vm("x", nil))} {
			details := c.refused(a, http.StatusNotFound, "NotFound", `namespaces "nowhere" not found`)
			c.same("details", details, content{"name": "nowhere", "kind": "namespaces"})
		}
		c.same("a list there", names(c.want(http.StatusOK, c.get(c.vms()))), []string(nil))
		c.refused(c.get(c.vms("x")), http.StatusNotFound, "NotFound", `virtualmachines.vmoperator.vmware.com "x" not found`)
	}},
	{"take nothing new while they end", func(c *client) {
		c.want(http.StatusCreated, c.post(c.configMaps(), with(configMap("x", nil), []any{"test.vksync.dev/hold"}, "metadata", "finalizers")))
		ending := c.want(http.StatusOK, c.delete("/api/v1/namespaces/"+c.namespace, nil))
		c.same("phase", resource.Text(ending, "status", "phase"), "Terminating")
		details := c.refused(c.post(c.configMaps(), configMap("y", nil)), http.StatusForbidden, "Forbidden",
			`configmaps "y" is forbidden: unable to create new content in namespace `+c.namespace+` because it is being terminated`)
		c.same("details", details, content{"name": "y", "kind": "configmaps", "causes": []any{content{
			"reason": "NamespaceTerminating", "message": "namespace " + c.namespace + " is being terminated", "field": "metadata.namespace",
		}}})
		c.eventually("the content to be deleted", func() string {
			if resource.Field(c.want(http.StatusOK, c.get(c.configMaps("x"))), "metadata", "deletionTimestamp") == nil {
				return "it is not"
			}
			return ""
		})
		c.want(http.StatusOK, c.patch(mergeMedia, c.configMaps("x"), content{"metadata": content{"finalizers": nil}}))
		c.eventually("the namespace to go", func() string {
			if c.get("/api/v1/namespaces/"+c.namespace).code != http.StatusNotFound {
				return "it is there"
			}
			return ""
		})
	}},
	{"are not deleted as a collection", func(c *client) {
		c.refused(c.delete("/api/v1/namespaces", nil), http.StatusMethodNotAllowed, "MethodNotAllowed", "the server does not allow this method on the requested resource")
	}},
	{"have names without dots", func(c *client) {
		c.want(http.StatusUnprocessableEntity, c.post("/api/v1/namespaces", content{"apiVersion": "v1", "kind": "Namespace", "metadata": content{"name": "a.b"}}))
	}},
}
