package conformance

import (
	"net/http"
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
)

const modified = "the object has been modified; please apply your changes to the latest version and try again"

var lockingCases = []testCase{
	{"an update of an old version is refused", func(c *client) {
		made := c.want(http.StatusCreated, c.post(c.clusters(), cluster("x", nil)))
		c.want(http.StatusOK, c.put(c.clusters("x"), with(made, "v1.34.0", "spec", "topology", "version")))
		details := c.refused(c.put(c.clusters("x"), with(made, "v1.35.0", "spec", "topology", "version")), http.StatusConflict, "Conflict",
			`Operation cannot be fulfilled on clusters.cluster.x-k8s.io "x": `+modified)
		c.same("details", details, content{"name": "x", "group": "cluster.x-k8s.io", "kind": "clusters"})
	}},
	{"an update without a change writes nothing", func(c *client) {
		made := c.want(http.StatusCreated, c.post(c.clusters(), cluster("x", nil)))
		c.same("resourceVersion", versionOf(c.want(http.StatusOK, c.put(c.clusters("x"), made))), versionOf(made))
	}},
	{"a custom resource is updated by version only", func(c *client) {
		c.want(http.StatusCreated, c.post(c.clusters(), cluster("x", nil)))
		details := c.refused(c.put(c.clusters("x"), cluster("x", nil)), http.StatusUnprocessableEntity, "Invalid",
			`clusters.cluster.x-k8s.io "x" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update`)
		c.same("causes", details["causes"], any([]any{content{
			"reason": "FieldValueInvalid", "message": "Invalid value: 0: must be specified for an update", "field": "metadata.resourceVersion",
		}}))
	}},
	{"a ConfigMap is updated without", func(c *client) {
		c.want(http.StatusCreated, c.post(c.configMaps(), configMap("x", nil)))
		c.want(http.StatusOK, c.put(c.configMaps("x"), configMap("x", content{"k": "v"})))
	}},
	{"a patch may name a version", func(c *client) {
		made := c.want(http.StatusCreated, c.post(c.configMaps(), configMap("x", nil)))
		c.want(http.StatusOK, c.patch(mergeMedia, c.configMaps("x"), content{"metadata": content{"resourceVersion": versionOf(made)}, "data": content{"k": "1"}}))
		c.refused(c.patch(mergeMedia, c.configMaps("x"), content{"metadata": content{"resourceVersion": versionOf(made)}, "data": content{"k": "2"}}),
			http.StatusConflict, "Conflict", `Operation cannot be fulfilled on configmaps "x": `+modified)
	}},
	{"an update of another uid is refused", func(c *client) {
		made := c.want(http.StatusCreated, c.post(c.configMaps(), configMap("x", nil)))
		a := c.put(c.configMaps("x"), with(configMap("x", nil), "other", "metadata", "uid"))
		c.refused(a, http.StatusConflict, "Conflict", `Operation cannot be fulfilled on configmaps "x": ...`)
		if end := "Precondition failed: UID in precondition: other, UID in object meta: " + uidOf(made); !strings.HasSuffix(resource.Text(a.body, "message"), end) {
			c.Errorf("the message does not end with %q: %s", end, a.text)
		}
	}},
	{"a deletion may name uid and version", func(c *client) {
		made := c.want(http.StatusCreated, c.post(c.configMaps(), configMap("x", nil)))
		c.refused(c.delete(c.configMaps("x"), content{"preconditions": content{"uid": "other"}}), http.StatusConflict, "Conflict",
			`Operation cannot be fulfilled on ConfigMap "x": the UID in the precondition (other) does not match the UID in record (`+uidOf(made)+
				`). The object might have been deleted and then recreated`)
		c.refused(c.delete(c.configMaps("x"), content{"preconditions": content{"resourceVersion": "1"}}), http.StatusConflict, "Conflict",
			`Operation cannot be fulfilled on ConfigMap "x": the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (`+versionOf(made)+
				`). The object might have been modified`)
		c.want(http.StatusOK, c.delete(c.configMaps("x"), content{"preconditions": content{"uid": uidOf(made), "resourceVersion": versionOf(made)}}))
	}},
	{"a deletion of a custom resource too", func(c *client) {
		made := c.want(http.StatusCreated, c.post(c.vms(), vm("x", nil)))
		details := c.refused(c.delete(c.vms("x"), content{"preconditions": content{"uid": "other"}}), http.StatusConflict, "Conflict",
			`Operation cannot be fulfilled on VirtualMachine.vmoperator.vmware.com "x": the UID in the precondition (other) does not match the UID in record (`+uidOf(made)+
				`). The object might have been deleted and then recreated`)
		c.same("details", details, content{"name": "x", "group": "vmoperator.vmware.com", "kind": "VirtualMachine"})
	}},
	{"what exists is not created again", func(c *client) {
		c.want(http.StatusCreated, c.post(c.clusters(), cluster("x", nil)))
		details := c.refused(c.post(c.clusters(), cluster("x", nil)), http.StatusConflict, "AlreadyExists", `clusters.cluster.x-k8s.io "x" already exists`)
		c.same("details", details, content{"name": "x", "group": "cluster.x-k8s.io", "kind": "clusters"})
	}},
	{"what is new has no version", func(c *client) {
		c.refused(c.post(c.configMaps(), with(configMap("x", nil), "1", "metadata", "resourceVersion")), http.StatusInternalServerError, "",
			"resourceVersion should not be set on objects to be created")
	}},
	{"what is missing is not updated", func(c *client) {
		c.refused(c.put(c.clusters("x"), with(cluster("x", nil), "1", "metadata", "resourceVersion")), http.StatusNotFound, "NotFound", `clusters.cluster.x-k8s.io "x" not found`)
	}},
	{"versions grow over all kinds", func(c *client) {
		first := c.want(http.StatusCreated, c.post(c.configMaps(), configMap("x", nil)))
		second := c.want(http.StatusCreated, c.post(c.clusters(), cluster("x", nil)))
		if a, b := versionOf(first), versionOf(second); len(a) > len(b) || len(a) == len(b) && a >= b {
			c.Errorf("versions %s and then %s", a, b)
		}
	}},
	{"a dry run of a creation has a uid and no version", func(c *client) {
		would := c.want(http.StatusCreated, c.post(c.configMaps(), configMap("x", nil), "dryRun", "All"))
		c.same("resourceVersion", versionOf(would), "")
		if uidOf(would) == "" || resource.Text(would, "metadata", "creationTimestamp") == "" {
			c.Errorf("no uid or time in %v", would)
		}
		c.want(http.StatusNotFound, c.get(c.configMaps("x")))
	}},
}
