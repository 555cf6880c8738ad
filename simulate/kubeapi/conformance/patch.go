package conformance

import (
	"net/http"

	"github.com/vksync/vksync/reconcile/resource"
)

var patchCases = []testCase{
	{"merge patch sets and removes", func(c *client) {
		c.want(http.StatusCreated, c.post(c.vms(), vm("x", content{"keep": "k", "drop": "d", "list": []any{int64(1), int64(2)}})))
		u := c.want(http.StatusOK, c.patch(mergeMedia, c.vms("x"), content{"spec": content{"drop": nil, "new": content{"deep": "n"}, "list": []any{int64(3)}}}))
		c.same("spec", u["spec"], any(content{"keep": "k", "new": content{"deep": "n"}, "list": []any{int64(3)}}))
	}},
	{"JSON patch does its operations in order", func(c *client) {
		c.want(http.StatusCreated, c.post(c.vms(), vm("x", content{"a": "1", "list": []any{"x", "z"}})))
		u := c.want(http.StatusOK, c.patch(jsonPatchMedia, c.vms("x"), `[
			{"op":"test","path":"/spec/a","value":"1"}, {"op":"replace","path":"/spec/a","value":"2"},
			{"op":"add","path":"/spec/list/1","value":"y"}, {"op":"add","path":"/spec/list/-","value":"end"},
			{"op":"copy","from":"/spec/a","path":"/spec/b"}, {"op":"move","from":"/spec/b","path":"/spec/c~1d"},
			{"op":"remove","path":"/spec/list/0"}]`))
		c.same("spec", u["spec"], any(content{"a": "2", "c/d": "2", "list": []any{"y", "z", "end"}}))
	}},
	{"a JSON patch whose test fails changes nothing", func(c *client) {
		made := c.want(http.StatusCreated, c.post(c.vms(), vm("x", content{"a": "1"})))
		c.refused(c.patch(jsonPatchMedia, c.vms("x"), `[{"op":"replace","path":"/spec/a","value":"2"},{"op":"test","path":"/spec/a","value":"1"}]`),
			http.StatusUnprocessableEntity, "Invalid", "the server rejected our request due to an error in our request...")
		c.same("what is stored", c.want(http.StatusOK, c.get(c.vms("x"))), made)
	}},
	{"a JSON patch of what is not there is refused", func(c *client) {
		c.want(http.StatusCreated, c.post(c.vms(), vm("x", nil)))
		c.want(http.StatusUnprocessableEntity, c.patch(jsonPatchMedia, c.vms("x"), `[{"op":"remove","path":"/spec/none"}]`))
		c.want(http.StatusBadRequest, c.patch(jsonPatchMedia, c.vms("x"), `{"op":"remove"}`))
	}},
	{"strategic patches merge lists by their keys", func(c *client) {
		c.want(http.StatusCreated, c.post(c.configMaps(), with(configMap("x", content{"a": "1"}), []any{"test.vksync.dev/one"}, "metadata", "finalizers")))
		u := c.want(http.StatusOK, c.patch(strategicMedia, c.configMaps("x"), content{"metadata": content{"finalizers": []any{"test.vksync.dev/two"}}, "data": content{"a": nil, "b": "2"}}))
		c.same("finalizers", resource.Items(u, "metadata", "finalizers"), []any{"test.vksync.dev/two", "test.vksync.dev/one"})
		c.same("data", u["data"], any(content{"b": "2"}))
		u = c.want(http.StatusOK, c.patch(strategicMedia, c.configMaps("x"), content{"metadata": content{"$deleteFromPrimitiveList/finalizers": []any{"test.vksync.dev/one"}}}))
		c.same("finalizers", resource.Items(u, "metadata", "finalizers"), []any{"test.vksync.dev/two"})
	}},
	{"custom resources take no strategic patch", func(c *client) {
		c.want(http.StatusCreated, c.post(c.vms(), vm("x", nil)))
		c.refused(c.patch(strategicMedia, c.vms("x"), content{}), http.StatusUnsupportedMediaType, "UnsupportedMediaType",
			"the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml...")
	}},
	{"an empty patch writes nothing", func(c *client) {
		made := c.want(http.StatusCreated, c.post(c.vms(), vm("x", content{"a": "1"})))
		c.same("resourceVersion", versionOf(c.want(http.StatusOK, c.patch(mergeMedia, c.vms("x"), content{}))), versionOf(made))
	}},
	{"a patch cannot rename", func(c *client) {
		c.want(http.StatusCreated, c.post(c.configMaps(), configMap("x", nil)))
		c.refused(c.patch(mergeMedia, c.configMaps("x"), content{"metadata": content{"name": "y"}}), http.StatusBadRequest, "BadRequest",
			"the name of the object (y) does not match the name on the URL (x)")
	}},
	{"what is missing is not patched", func(c *client) {
		c.refused(c.patch(mergeMedia, c.vms("x"), content{"spec": content{}}), http.StatusNotFound, "NotFound", `virtualmachines.vmoperator.vmware.com "x" not found`)
	}},
}
