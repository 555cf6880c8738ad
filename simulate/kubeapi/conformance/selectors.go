package conformance

import (
	"net/http"
)

var selectorCases = []testCase{
	{"labels", func(c *client) {
		for name, labels := range map[string]content{"a": {"tier": "front", "env": "prod"}, "b": {"tier": "back", "env": "prod"}, "c": {"env": "test"}, "d": nil} {
			u := vm(name, nil)
			if labels != nil {
				u = with(u, labels, "metadata", "labels")
			}
			c.want(http.StatusCreated, c.post(c.vms(), u))
		}
		for selector, want := range map[string][]string{
			"env=prod":                      {"a", "b"},
			"env==prod,tier=back":           {"b"},
			"env!=prod":                     {"c", "d"},
			"tier":                          {"a", "b"},
			"!tier":                         {"c", "d"},
			"env in (prod, test)":           {"a", "b", "c"},
			"env notin (prod)":              {"c", "d"},
			"tier in (front),env in (prod)": {"a"},
		} {
			c.same(selector, names(c.want(http.StatusOK, c.get(c.vms(), "labelSelector", selector))), want)
		}
	}},
	{"labels that cannot be", func(c *client) {
		c.want(http.StatusBadRequest, c.get(c.vms(), "labelSelector", "a in prod"))
		c.want(http.StatusBadRequest, c.get(c.vms(), "labelSelector", "a=b=c"))
	}},
	{"fields", func(c *client) {
		for _, name := range []string{"a", "b", "c"} {
			c.want(http.StatusCreated, c.post(c.vms(), vm(name, nil)))
		}
		for selector, want := range map[string][]string{
			"metadata.name=a":                              {"a"},
			"metadata.name!=a":                             {"b", "c"},
			"metadata.name=none":                           nil,
			"metadata.namespace=" + c.namespace:            {"a", "b", "c"},
			"metadata.namespace=other":                     nil,
			"metadata.name!=a,metadata.namespace!=nowhere": {"b", "c"},
		} {
			c.same(selector, names(c.want(http.StatusOK, c.get(c.vms(), "fieldSelector", selector))), want)
		}
	}},
	{"fields that cannot be", func(c *client) {
		c.refused(c.get(c.vms(), "fieldSelector", "spec.className=small"), http.StatusBadRequest, "BadRequest", "field label not supported: spec.className")
		c.refused(c.get(c.configMaps(), "fieldSelector", "data.a=b"), http.StatusBadRequest, "BadRequest",
			`"data.a" is not a known field selector: only "metadata.name", "metadata.namespace"`)
	}},
}
