package conformance

import (
	"net/http"
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
)

const subdomain = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"

var nameCases = []testCase{
	{"must be a subdomain", func(c *client) {
		details := c.refused(c.post(c.configMaps(), configMap("Not_A_Name", nil)), http.StatusUnprocessableEntity, "Invalid",
			`ConfigMap "Not_A_Name" is invalid: metadata.name: Invalid value: "Not_A_Name": `+subdomain)
		c.same("details", details, content{"name": "Not_A_Name", "kind": "ConfigMap", "causes": []any{content{
			"reason": "FieldValueInvalid", "message": `Invalid value: "Not_A_Name": ` + subdomain, "field": "metadata.name",
		}}})
	}},
	{"must be a subdomain for custom resources too", func(c *client) {
		details := c.refused(c.post(c.clusters(), cluster("Not_A_Name", nil)), http.StatusUnprocessableEntity, "Invalid",
			`Cluster.cluster.x-k8s.io "Not_A_Name" is invalid: metadata.name: Invalid value: "Not_A_Name": `+subdomain)
		c.same("group and kind", []any{details["group"], details["kind"]}, []any{"cluster.x-k8s.io", "Cluster"})
	}},
	{"are needed", func(c *client) {
		c.refused(c.post(c.vms(), vm("", nil)), http.StatusUnprocessableEntity, "Invalid",
			`VirtualMachine.vmoperator.vmware.com "" is invalid: metadata.name: Required value: name or generateName is required`)
	}},
	{"are made", func(c *client) {
		seen := map[string]bool{}
		for range 3 {
			u := vm("", nil)
			u["metadata"] = content{"generateName": "pool-"}
			made := c.want(http.StatusCreated, c.post(c.vms(), u))
			name := resource.Text(made, "metadata", "name")
			if suffix, ok := strings.CutPrefix(name, "pool-"); !ok || len(suffix) != 5 || seen[name] {
				c.Errorf("made the name %q", name)
			}
			c.same("generateName", resource.Text(made, "metadata", "generateName"), "pool-")
			seen[name] = true
		}
	}},
	{"a kind must be that of the path", func(c *client) {
		c.want(http.StatusBadRequest, c.post(c.configMaps(), vm("x", nil)))
		c.refused(c.post(c.vms(), configMap("x", nil)), http.StatusBadRequest, "BadRequest",
			"the API version in the data (v1) does not match the expected API version (vmoperator.vmware.com/v1alpha5)")
	}},
	{"a namespace must be that of the path", func(c *client) {
		c.refused(c.post(c.configMaps(), with(configMap("x", nil), "other", "metadata", "namespace")), http.StatusBadRequest, "BadRequest",
			"the namespace of the provided object does not match the namespace sent on the request")
	}},
	{"labels must be valid", func(c *client) {
		details := c.refused(c.post(c.configMaps(), labelled(configMap("x", nil), "k", "not a value")), http.StatusUnprocessableEntity, "Invalid",
			`ConfigMap "x" is invalid: metadata.labels: Invalid value: "not a value": a valid label must be...`)
		c.same("field", resource.Text(resource.Items(details, "causes")[0], "field"), "metadata.labels")
	}},
}
