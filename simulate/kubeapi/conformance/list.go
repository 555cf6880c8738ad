package conformance

import (
	"fmt"
	"net/http"

	"github.com/vksync/vksync/reconcile/resource"
)

// some makes n ConfigMaps c0, c1 and so on.
func (c *client) some(n int) {
	c.Helper()
	for i := range n {
		c.want(http.StatusCreated, c.post(c.configMaps(), configMap(fmt.Sprintf("c%d", i), nil)))
	}
}

func next(list content) string { return resource.Text(list, "metadata", "continue") }

var listCases = []testCase{
	{"is ordered by name", func(c *client) {
		for _, name := range []string{"b", "c", "a"} {
			c.want(http.StatusCreated, c.post(c.vms(), vm(name, nil)))
		}
		list := c.want(http.StatusOK, c.get(c.vms()))
		c.same("kind", resource.Text(list, "kind"), "VirtualMachineList")
		c.same("apiVersion", resource.Text(list, "apiVersion"), "vmoperator.vmware.com/v1alpha5")
		c.same("names", names(list), []string{"a", "b", "c"})
		c.same("kind of an item", resource.Text(resource.Items(list, "items")[0], "kind"), "VirtualMachine")
	}},
	{"an empty list has items", func(c *client) {
		list := c.want(http.StatusOK, c.get(c.vms()))
		if items, ok := list["items"].([]any); !ok || len(items) != 0 {
			c.Errorf("items are %v", list["items"])
		}
	}},
	{"comes in pages", func(c *client) {
		c.some(5)
		first := c.want(http.StatusOK, c.get(c.configMaps(), "limit", "2"))
		c.same("names", names(first), []string{"c0", "c1"})
		c.same("remaining", resource.Int(first, "metadata", "remainingItemCount"), int64(3))
		second := c.want(http.StatusOK, c.get(c.configMaps(), "limit", "2", "continue", next(first)))
		c.same("names", names(second), []string{"c2", "c3"})
		c.same("remaining", resource.Int(second, "metadata", "remainingItemCount"), int64(1))
		third := c.want(http.StatusOK, c.get(c.configMaps(), "limit", "2", "continue", next(second)))
		c.same("names", names(third), []string{"c4"})
		c.same("continue", next(third), "")
		c.same("remaining", resource.Field(third, "metadata", "remainingItemCount"), nil)
	}},
	{"pages are of one moment", func(c *client) {
		c.some(4)
		first := c.want(http.StatusOK, c.get(c.configMaps(), "limit", "2"))
		c.want(http.StatusOK, c.delete(c.configMaps("c3"), nil))
		c.want(http.StatusCreated, c.post(c.configMaps(), configMap("c2a", nil)))
		c.want(http.StatusOK, c.patch(mergeMedia, c.configMaps("c2"), content{"data": content{"k": "new"}}))
		second := c.want(http.StatusOK, c.get(c.configMaps(), "limit", "2", "continue", next(first)))
		c.same("names", names(second), []string{"c2", "c3"})
		c.same("content", resource.Field(resource.Items(second, "items")[0], "data"), nil)
		c.same("version", versionOf(second), versionOf(first))
	}},
	{"pages hold what a selector leaves", func(c *client) {
		for i := range 6 {
			u := configMap(fmt.Sprintf("c%d", i), nil)
			c.want(http.StatusCreated, c.post(c.configMaps(), labelled(u, "odd", fmt.Sprint(i%2))))
		}
		first := c.want(http.StatusOK, c.get(c.configMaps(), "limit", "2", "labelSelector", "odd=1"))
		c.same("names", names(first), []string{"c1", "c3"})
		c.same("remaining", resource.Field(first, "metadata", "remainingItemCount"), nil)
		second := c.want(http.StatusOK, c.get(c.configMaps(), "limit", "2", "labelSelector", "odd=1", "continue", next(first)))
		c.same("names", names(second), []string{"c5"})
	}},
	{"pages that are too old are gone", func(c *client) {
		c.some(4)
		first := c.want(http.StatusOK, c.get(c.configMaps(), "limit", "2"))
		c.want(http.StatusOK, c.delete(c.configMaps("c2"), nil))
		c.server.Compact(c.T)
		old := c.get(c.configMaps(), "limit", "2", "continue", next(first))
		c.refused(old, http.StatusGone, "Expired", "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results...")
		again := resource.Text(old.body, "metadata", "continue")
		if again == "" {
			c.Fatal("there is no token to go on with")
		}
		rest := c.want(http.StatusOK, c.get(c.configMaps(), "limit", "2", "continue", again))
		c.same("names", names(rest), []string{"c3"})
	}},
	{"a token must be one", func(c *client) {
		c.refused(c.get(c.configMaps(), "limit", "2", "continue", "nonsense"), http.StatusBadRequest, "BadRequest", "invalid continue token: continue key is not valid: ...")
	}},
	{"a token excludes a version", func(c *client) {
		c.some(3)
		first := c.want(http.StatusOK, c.get(c.configMaps(), "limit", "2"))
		c.refused(c.get(c.configMaps(), "limit", "2", "continue", next(first), "resourceVersion", "1"), http.StatusBadRequest, "BadRequest",
			"specifying resource version is not allowed when using continue")
	}},
	{"a version from the future is refused", func(c *client) {
		details := c.refused(c.get(c.configMaps(), "resourceVersion", "999999999999"), http.StatusGatewayTimeout, "Timeout", "Timeout: Too large resource version: 999999999999, current: ...")
		c.same("causes", details["causes"], any([]any{content{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}}))
	}},
	{"a version must be a number", func(c *client) {
		c.want(http.StatusBadRequest, c.get(c.configMaps(), "resourceVersion", "abc"))
	}},
	{"a version is the oldest that will do", func(c *client) {
		c.some(2)
		last := c.want(http.StatusCreated, c.post(c.configMaps(), configMap("c2", nil)))
		list := c.want(http.StatusOK, c.get(c.configMaps(), "resourceVersion", versionOf(last), "resourceVersionMatch", "NotOlderThan"))
		c.same("names", names(list), []string{"c0", "c1", "c2"})
	}},
	{"all namespaces at once", func(c *client) {
		c.want(http.StatusCreated, c.post(c.vms(), vm("x", nil)))
		list := c.want(http.StatusOK, c.get("/apis/vmoperator.vmware.com/v1alpha5/virtualmachines", "fieldSelector", "metadata.namespace="+c.namespace))
		c.same("names", names(list), []string{"x"})
	}},
}
