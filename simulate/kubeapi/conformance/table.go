package conformance

import (
	"fmt"
	"net/http"

	"github.com/vksync/vksync/reconcile/resource"
)

const tableMedia = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"

func (c *client) table(path string, query ...string) answer {
	return c.send(request{method: http.MethodGet, path: path, accept: tableMedia, query: pairs(query)})
}

// columns are those of a table as "NAME TYPE", with the format and the priority where there are any.
func columns(table content) []string {
	var out []string
	for _, d := range resource.Items(table, "columnDefinitions") {
		line := resource.Text(d, "name") + " " + resource.Text(d, "type")
		if f := resource.Text(d, "format"); f != "" {
			line += " " + f
		}
		if p := resource.Int(d, "priority"); p > 0 {
			line += fmt.Sprintf(" %d", p)
		}
		out = append(out, line)
	}
	return out
}

var clusterColumns = []string{
	"Name string name", "ClusterClass string", "Available string", "CP Desired integer", "CP Current integer 10", "CP Ready integer 10",
	"CP Available integer", "CP Up-to-date integer", "W Desired integer", "W Current integer 10", "W Ready integer 10", "W Available integer",
	"W Up-to-date integer", "Paused string 10", "Phase string", "Age date", "Version string",
}

var tableCases = []testCase{
	{"of custom resources", func(c *client) {
		c.want(http.StatusCreated, c.post(c.clusters(), cluster("x", nil)))
		c.want(http.StatusOK, c.patch(mergeMedia, c.clusters("x", "status"), content{"status": content{
			"phase": "Provisioned", "controlPlane": content{"desiredReplicas": int64(3)},
			"conditions": []any{content{"type": "Available", "status": "True", "reason": "Fine", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}},
		}}))
		table := c.want(http.StatusOK, c.table(c.clusters()))
		c.same("kind", []any{table["kind"], table["apiVersion"]}, []any{"Table", "meta.k8s.io/v1"})
		c.same("columns", columns(table), clusterColumns)
		rows := resource.Items(table, "rows")
		c.same("rows", len(rows), 1)
		cells := resource.Items(rows[0], "cells")
		age, _ := cells[15].(string)
		if age == "" || age[len(age)-1] != 's' {
			c.Errorf("age %q", age)
		}
		cells[15] = nil
		c.same("cells", cells, []any{"x", "class", "True", int64(3), nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, "Provisioned", nil, "v1.33.3"})
		c.same("object", resource.Text(rows[0], "object", "kind"), "PartialObjectMetadata")
		c.same("name", resource.Text(rows[0], "object", "metadata", "name"), "x")
		c.same("spec", resource.Field(rows[0], "object", "spec"), nil)
	}},
	{"of one object", func(c *client) {
		made := c.want(http.StatusCreated, c.post(c.clusters(), cluster("x", nil)))
		table := c.want(http.StatusOK, c.table(c.clusters("x")))
		c.same("kind", table["kind"], any("Table"))
		c.same("rows", len(resource.Items(table, "rows")), 1)
		c.same("version", versionOf(table), versionOf(made))
	}},
	{"with as much of the object as asked for", func(c *client) {
		made := c.want(http.StatusCreated, c.post(c.vms(), vm("x", nil)))
		whole := c.want(http.StatusOK, c.table(c.vms(), "includeObject", "Object"))
		c.same("object", resource.Field(resource.Items(whole, "rows")[0], "object"), any(made))
		none := c.want(http.StatusOK, c.table(c.vms(), "includeObject", "None"))
		c.same("no object", resource.Field(resource.Items(none, "rows")[0], "object"), nil)
		c.want(http.StatusBadRequest, c.table(c.vms(), "includeObject", "Some"))
	}},
	{"in pages", func(c *client) {
		c.some(3)
		first := c.want(http.StatusOK, c.table(c.configMaps(), "limit", "2"))
		c.same("rows", len(resource.Items(first, "rows")), 2)
		c.same("remaining", resource.Int(first, "metadata", "remainingItemCount"), int64(1))
		second := c.want(http.StatusOK, c.table(c.configMaps(), "limit", "2", "continue", next(first)))
		c.same("rows", len(resource.Items(second, "rows")), 1)
	}},
	{"of nothing", func(c *client) {
		table := c.want(http.StatusOK, c.table(c.clusters()))
		c.same("columns", columns(table), clusterColumns)
		c.same("rows", len(resource.Items(table, "rows")), 0)
	}},
	{"on a watch has its headers once", func(c *client) {
		c.want(http.StatusCreated, c.post(c.clusters(), cluster("a", nil)))
		s := c.follow(c.clusters(), tableMedia)
		first := s.next()
		c.same("columns", columns(resource.Fields(first, "object")), clusterColumns)
		c.want(http.StatusCreated, c.post(c.clusters(), cluster("b", nil)))
		second := s.next()
		c.same("type", resource.Text(second, "type"), "ADDED")
		c.same("kind", resource.Text(second, "object", "kind"), "Table")
		c.same("columns", resource.Field(second, "object", "columnDefinitions"), nil)
		c.same("name", resource.Items(resource.Items(second, "object", "rows")[0], "cells")[0], any("b"))
	}},
	{"of the kinds of Kubernetes itself", func(c *client) {
		for path, want := range map[string][]string{
			"/api/v1/namespaces":                               {"Name string name", "Status string", "Age string"},
			c.configMaps():                                     {"Name string name", "Data string", "Age string"},
			c.in("api/v1", "secrets", nil):                     {"Name string name", "Type string", "Data string", "Age string"},
			c.in("apis/coordination.k8s.io/v1", "leases", nil): {"Name string name", "Holder string", "Age string"},
			c.in("api/v1", "resourcequotas", nil):              {"Name string name", "Request string", "Limit string", "Age string"},
			c.in("api/v1", "events", nil):                      eventColumns,
			c.in("apis/events.k8s.io/v1", "events", nil):       eventColumns,
		} {
			c.same(path, columns(c.want(http.StatusOK, c.table(path))), want)
		}
		c.want(http.StatusCreated, c.post(c.configMaps(), configMap("x", content{"a": "1", "b": "2"})))
		row := resource.Items(c.want(http.StatusOK, c.table(c.configMaps())), "rows")[0]
		c.same("cells", resource.Items(row, "cells")[:2], []any{"x", int64(2)})
	}},
}

var eventColumns = []string{
	"Last Seen string", "Type string", "Reason string", "Object string", "Subobject string 1", "Source string 1", "Message string",
	"First Seen string 1", "Count string 1", "Name string name 1",
}
