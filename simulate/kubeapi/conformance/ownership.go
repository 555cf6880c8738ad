package conformance

import (
	"net/http"

	"github.com/vksync/vksync/reconcile/resource"
)

var ownershipCases = []testCase{
	{"a conflict names the manager and the field", func(c *client) {
		c.want(http.StatusCreated, c.apply("a", c.clusters("x"), cluster("x", nil)))
		details := c.refused(c.apply("b", c.clusters("x"), partOf("x", content{"version": "v1.34.0"})), http.StatusConflict, "Conflict",
			`Apply failed with 1 conflict: conflict with "a": .spec.topology.version`)
		c.same("details", details, content{"causes": []any{
			content{"reason": "FieldManagerConflict", "message": `conflict with "a"`, "field": ".spec.topology.version"},
		}})
	}},
	{"conflicts are grouped by manager", func(c *client) {
		c.want(http.StatusCreated, c.apply("a", c.configMaps("x"), configMap("x", content{"one": "1", "two": "2"})))
		details := c.refused(c.apply("b", c.configMaps("x"), configMap("x", content{"one": "!", "two": "!"})), http.StatusConflict, "Conflict",
			"Apply failed with 2 conflicts: conflicts with \"a\":\n- .data.one\n- .data.two")
		c.same("causes", len(resource.Items(details, "causes")), 2)
	}},
	{"a conflict with an update says so", func(c *client) {
		c.want(http.StatusCreated, c.post(c.configMaps(), configMap("x", content{"k": "1"}), "fieldManager", "editor"))
		details := c.refused(c.apply("b", c.configMaps("x"), configMap("x", content{"k": "2"})), http.StatusConflict, "Conflict",
			`Apply failed with 1 conflict: conflict with "editor" using v1: .data.k`)
		c.same("causes", details["causes"], any([]any{
			content{"reason": "FieldManagerConflict", "message": `conflict with "editor" using v1`, "field": ".data.k"},
		}))
	}},
	{"force takes over", func(c *client) {
		c.want(http.StatusCreated, c.apply("a", c.clusters("x"), cluster("x", nil)))
		taken := c.want(http.StatusOK, c.apply("b", c.clusters("x"), partOf("x", content{"version": "v1.34.0"}), "force", "true"))
		path := []string{"f:spec", "f:topology", "f:version"}
		c.same("b owns the version", owns(taken, "b", path...), true)
		c.same("a owns the version", owns(taken, "a", path...), false)
		c.same("a owns the rest", owns(taken, "a", "f:spec", "f:topology", "f:classRef", "f:name"), true)
	}},
	{"equal values are shared", func(c *client) {
		c.want(http.StatusCreated, c.apply("a", c.configMaps("x"), configMap("x", content{"k": "v", "only": "a"})))
		shared := c.want(http.StatusOK, c.apply("b", c.configMaps("x"), configMap("x", content{"k": "v"})))
		c.same("managers", managers(shared), []string{"a Apply", "b Apply"})
		kept := c.want(http.StatusOK, c.apply("a", c.configMaps("x"), configMap("x", content{"only": "a"})))
		c.same("data after one let go", kept["data"], any(content{"k": "v", "only": "a"}))
		gone := c.want(http.StatusOK, c.apply("b", c.configMaps("x"), configMap("x", nil)))
		c.same("data after both let go", gone["data"], any(content{"only": "a"}))
		c.same("managers", managers(gone), []string{"a Apply"})
	}},
	{"an update takes over what it changes", func(c *client) {
		made := c.want(http.StatusCreated, c.apply("a", c.configMaps("x"), configMap("x", content{"one": "1", "two": "2"})))
		edited := c.want(http.StatusOK, c.put(c.configMaps("x"), with(made, "!", "data", "one"), "fieldManager", "editor"))
		c.same("managers", managers(edited), []string{"a Apply", "editor Update"})
		c.same("editor owns one", owns(edited, "editor", "f:data", "f:one"), true)
		c.same("a owns one", owns(edited, "a", "f:data", "f:one"), false)
		c.same("a owns two", owns(edited, "a", "f:data", "f:two"), true)
	}},
	{"the user agent is the manager of updates", func(c *client) {
		made := c.want(http.StatusCreated, c.post(c.configMaps(), configMap("x", content{"k": "1"})))
		c.same("managers", managers(made), []string{"tester Update"})
	}},
	{"lists with keys are merged by key", func(c *client) {
		c.want(http.StatusCreated, c.apply("a", c.clusters("x"), cluster("x", pools("one", "two"))))
		both := c.want(http.StatusOK, c.apply("b", c.clusters("x"), partOf("x", pools("three"))))
		c.same("pools", poolNames(both), []string{"one", "two", "three"})
		fewer := c.want(http.StatusOK, c.apply("a", c.clusters("x"), cluster("x", pools("two"))))
		c.same("pools", poolNames(fewer), []string{"two", "three"})
		c.same("a owns two", owns(fewer, "a", "f:spec", "f:topology", "f:workers", "f:machineDeployments", `k:{"name":"two"}`), true)
	}},
	{"lists without keys are owned as a whole", func(c *client) {
		network := func(blocks ...any) content {
			u := cluster("x", nil)
			resource.SetField(u, blocks, "spec", "clusterNetwork", "pods", "cidrBlocks")
			return u
		}
		c.want(http.StatusCreated, c.apply("a", c.clusters("x"), network("10.0.0.0/16")))
		c.refused(c.apply("b", c.clusters("x"), network("10.0.0.0/16", "10.1.0.0/16")), http.StatusConflict, "Conflict",
			`Apply failed with 1 conflict: conflict with "a": .spec.clusterNetwork.pods.cidrBlocks`)
	}},
	{"finalizers are a set", func(c *client) {
		one := with(configMap("x", nil), []any{"test.vksync.dev/one"}, "metadata", "finalizers")
		two := with(configMap("x", nil), []any{"test.vksync.dev/two"}, "metadata", "finalizers")
		c.want(http.StatusCreated, c.apply("a", c.configMaps("x"), one))
		both := c.want(http.StatusOK, c.apply("b", c.configMaps("x"), two))
		c.same("finalizers", resource.Items(both, "metadata", "finalizers"), []any{"test.vksync.dev/one", "test.vksync.dev/two"})
		left := c.want(http.StatusOK, c.apply("a", c.configMaps("x"), configMap("x", nil)))
		c.same("finalizers", resource.Items(left, "metadata", "finalizers"), []any{"test.vksync.dev/two"})
	}},
	{"status is owned apart", func(c *client) {
		c.want(http.StatusCreated, c.apply("a", c.vms("x"), vm("x", content{"className": "small"})))
		u := vm("x", nil)
		u["status"] = content{"powerState": "PoweredOn"}
		set := c.want(http.StatusOK, c.apply("b", c.vms("x", "status"), u))
		c.same("managers", managers(set), []string{"a Apply", "b Apply status"})
		c.same("status", set["status"], any(content{"powerState": "PoweredOn"}))
	}},
	{"managed fields can be given up", func(c *client) {
		c.want(http.StatusCreated, c.apply("a", c.configMaps("x"), configMap("x", content{"k": "1"})))
		reset := c.want(http.StatusOK, c.patch(mergeMedia, c.configMaps("x"), content{"metadata": content{"managedFields": []any{content{}}}}))
		c.same("managers", managers(reset), []string(nil))
	}},
}
