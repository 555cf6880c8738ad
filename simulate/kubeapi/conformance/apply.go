package conformance

import (
	"net/http"

	"github.com/vksync/vksync/reconcile/resource"
)

var applyCases = []testCase{
	{"creates, then changes, then writes nothing", func(c *client) {
		made := c.want(http.StatusCreated, c.apply("a", c.clusters("x"), cluster("x", nil)))
		c.same("managers", managers(made), []string{"a Apply"})
		c.same("generation", resource.Int(made, "metadata", "generation"), int64(1))
		again := c.want(http.StatusOK, c.apply("a", c.clusters("x"), cluster("x", nil)))
		c.same("resourceVersion of an apply without a change", versionOf(again), versionOf(made))
		changed := c.want(http.StatusOK, c.apply("a", c.clusters("x"), cluster("x", content{"version": "v1.34.0"})))
		c.same("version", resource.Text(changed, "spec", "topology", "version"), "v1.34.0")
		c.same("generation", resource.Int(changed, "metadata", "generation"), int64(2))
	}},
	{"records its entry", func(c *client) {
		made := c.want(http.StatusCreated, c.apply("a", c.vms("x"), vm("x", content{"className": "small"})))
		entry, _ := resource.Items(made, "metadata", "managedFields")[0].(content)
		if resource.Text(entry, "time") == "" {
			c.Error("the entry has no time")
		}
		delete(entry, "time")
		c.same("entry", entry, content{
			"manager": "a", "operation": "Apply", "apiVersion": "vmoperator.vmware.com/v1alpha5", "fieldsType": "FieldsV1",
			"fieldsV1": content{"f:spec": content{".": content{}, "f:className": content{}}},
		})
	}},
	{"takes YAML", func(c *client) {
		made := c.want(http.StatusCreated, c.apply("a", c.configMaps("x"), "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  a: b\n"))
		c.same("data", resource.Field(made, "data"), any(content{"a": "b"}))
	}},
	{"removes what it no longer names", func(c *client) {
		c.want(http.StatusCreated, c.apply("a", c.configMaps("x"), configMap("x", content{"one": "1", "two": "2"})))
		left := c.want(http.StatusOK, c.apply("a", c.configMaps("x"), configMap("x", content{"one": "1"})))
		c.same("data", resource.Field(left, "data"), any(content{"one": "1"}))
	}},
	{"needs a field manager", func(c *client) {
		details := c.refused(c.patch(applyMedia, c.configMaps("x"), configMap("x", nil)), http.StatusUnprocessableEntity, "Invalid",
			"PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch")
		c.same("causes", details["causes"], any([]any{content{"reason": "FieldValueRequired", "message": "Required value: is required for apply patch", "field": "fieldManager"}}))
	}},
	{"dry run creates nothing", func(c *client) {
		made := c.want(http.StatusCreated, c.apply("a", c.clusters("x"), cluster("x", nil), "dryRun", "All"))
		c.same("name", resource.Text(made, "metadata", "name"), "x")
		c.same("version", versionOf(made), "")
		c.want(http.StatusNotFound, c.get(c.clusters("x")))
	}},
	{"dry run changes nothing", func(c *client) {
		made := c.want(http.StatusCreated, c.apply("a", c.clusters("x"), cluster("x", nil)))
		would := c.want(http.StatusOK, c.apply("a", c.clusters("x"), cluster("x", content{"version": "v1.34.0"}), "dryRun", "All"))
		c.same("version", resource.Text(would, "spec", "topology", "version"), "v1.34.0")
		c.same("generation", resource.Int(would, "metadata", "generation"), int64(2))
		c.same("uid", uidOf(would), uidOf(made))
		c.same("what is stored", c.want(http.StatusOK, c.get(c.clusters("x"))), made)
	}},
	{"dry run meets conflicts", func(c *client) {
		c.want(http.StatusCreated, c.apply("a", c.clusters("x"), cluster("x", nil)))
		c.refused(c.apply("b", c.clusters("x"), partOf("x", content{"version": "v1.34.0"}), "dryRun", "All"), http.StatusConflict, "Conflict",
			`Apply failed with 1 conflict: conflict with "a": .spec.topology.version`)
	}},
	{"wants a known dry run", func(c *client) {
		c.refused(c.apply("a", c.configMaps("x"), configMap("x", nil), "dryRun", "Some"), http.StatusUnprocessableEntity, "Invalid",
			"PatchOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: [\"Some\"]: supported values: \"All\"")
	}},
	{"keeps the name of the path", func(c *client) {
		c.refused(c.apply("a", c.configMaps("x"), configMap("y", nil)), http.StatusBadRequest, "BadRequest",
			"the name of the object (y) does not match the name on the URL (x)")
	}},
	{"refuses managed fields", func(c *client) {
		u := with(configMap("x", nil), []any{content{"manager": "m", "operation": "Apply", "apiVersion": "v1"}}, "metadata", "managedFields")
		c.refused(c.apply("a", c.configMaps("x"), u), http.StatusBadRequest, "BadRequest", "metadata.managedFields must be nil")
	}},
	{"refuses another uid", func(c *client) {
		details := c.refused(c.apply("a", c.configMaps("x"), with(configMap("x", nil), "other", "metadata", "uid")), http.StatusConflict, "Conflict",
			`Operation cannot be fulfilled on configmaps "x": uid mismatch: the provided object specified uid other, and no existing object was found`)
		c.same("details", details, content{"name": "x", "kind": "configmaps"})
	}},
	{"refuses an old version", func(c *client) {
		made := c.want(http.StatusCreated, c.apply("a", c.configMaps("x"), configMap("x", content{"k": "1"})))
		c.want(http.StatusOK, c.apply("a", c.configMaps("x"), configMap("x", content{"k": "2"})))
		stale := with(configMap("x", content{"k": "3"}), versionOf(made), "metadata", "resourceVersion")
		c.refused(c.apply("a", c.configMaps("x"), stale), http.StatusConflict, "Conflict",
			`Operation cannot be fulfilled on configmaps "x": the object has been modified; please apply your changes to the latest version and try again`)
	}},
}
