package conformance

import (
	"net/http"

	"github.com/vksync/vksync/reconcile/resource"
)

func generation(u content) int64 { return resource.Int(u, "metadata", "generation") }

var statusCases = []testCase{
	{"is not set by a creation", func(c *client) {
		u := vm("x", content{"className": "small"})
		u["status"] = content{"powerState": "PoweredOn"}
		c.same("status", c.want(http.StatusCreated, c.post(c.vms(), u))["status"], nil)
	}},
	{"is not set by an update of the whole", func(c *client) {
		made := c.want(http.StatusCreated, c.post(c.vms(), vm("x", content{"className": "small"})))
		u := with(with(made, "PoweredOn", "status", "powerState"), "large", "spec", "className")
		got := c.want(http.StatusOK, c.put(c.vms("x"), u))
		c.same("status", got["status"], nil)
		c.same("spec", got["spec"], any(content{"className": "large"}))
	}},
	{"is all that an update of the status sets", func(c *client) {
		made := c.want(http.StatusCreated, c.post(c.vms(), vm("x", content{"className": "small"})))
		u := with(with(made, "PoweredOn", "status", "powerState"), "large", "spec", "className")
		u = with(u, "v", "metadata", "labels", "k")
		got := c.want(http.StatusOK, c.put(c.vms("x", "status"), u))
		c.same("status", got["status"], any(content{"powerState": "PoweredOn"}))
		c.same("spec", got["spec"], any(content{"className": "small"}))
		c.same("labels", resource.Field(got, "metadata", "labels"), nil)
		c.same("generation", generation(got), int64(1))
		c.same("read", c.want(http.StatusOK, c.get(c.vms("x", "status"))), got)
	}},
	{"can be patched", func(c *client) {
		c.want(http.StatusCreated, c.post(c.vms(), vm("x", content{"className": "small"})))
		got := c.want(http.StatusOK, c.patch(mergeMedia, c.vms("x", "status"), content{"status": content{"powerState": "PoweredOn"}}))
		c.same("status", got["status"], any(content{"powerState": "PoweredOn"}))
		c.same("managers", managers(got), []string{"tester Update", "tester Update status"})
	}},
	{"conflicts by version as the rest", func(c *client) {
		made := c.want(http.StatusCreated, c.post(c.vms(), vm("x", nil)))
		c.want(http.StatusOK, c.put(c.vms("x", "status"), with(made, "1", "status", "k")))
		c.want(http.StatusConflict, c.put(c.vms("x", "status"), with(made, "2", "status", "k")))
	}},
	{"generation counts changes of the spec", func(c *client) {
		made := c.want(http.StatusCreated, c.post(c.vms(), vm("x", content{"className": "small"})))
		c.same("at first", generation(made), int64(1))
		labels := c.want(http.StatusOK, c.patch(mergeMedia, c.vms("x"), content{"metadata": content{"labels": content{"k": "v"}}}))
		c.same("after labels", generation(labels), int64(1))
		spec := c.want(http.StatusOK, c.patch(mergeMedia, c.vms("x"), content{"spec": content{"className": "large"}}))
		c.same("after spec", generation(spec), int64(2))
		given := c.want(http.StatusOK, c.patch(mergeMedia, c.vms("x"), content{"metadata": content{"generation": int64(7)}}))
		c.same("as a client gives it", generation(given), int64(2))
	}},
	{"kinds of Kubernetes itself count none", func(c *client) {
		c.same("generation", resource.Field(c.want(http.StatusCreated, c.post(c.configMaps(), configMap("x", nil))), "metadata", "generation"), nil)
	}},
	{"there is none where the kind has none", func(c *client) {
		c.want(http.StatusCreated, c.post(c.configMaps(), configMap("x", nil)))
		c.want(http.StatusNotFound, c.get(c.configMaps("x", "status")))
	}},
}
