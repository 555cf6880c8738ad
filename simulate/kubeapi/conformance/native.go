package conformance

import (
	"net/http"

	"github.com/vksync/vksync/reconcile/resource"
)

var nativeCases = []testCase{
	{"a Lease is held by version", func(c *client) {
		path := func(more ...string) string { return c.in("apis/coordination.k8s.io/v1", "leases", more) }
		made := c.want(http.StatusCreated, c.post(path(), content{"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": content{"name": "x"},
			"spec": content{"holderIdentity": "one", "leaseDurationSeconds": int64(15), "renewTime": "2026-01-01T00:00:00.123456Z"}}))
		c.same("time", resource.Text(made, "spec", "renewTime"), "2026-01-01T00:00:00.123456Z")
		c.want(http.StatusOK, c.put(path("x"), with(made, "two", "spec", "holderIdentity")))
		c.want(http.StatusConflict, c.put(path("x"), with(made, "one", "spec", "holderIdentity")))
		c.same("generation", resource.Field(made, "metadata", "generation"), nil)
	}},
	{"Events are found by what they are about", func(c *client) {
		events := func(more ...string) string { return c.in("api/v1", "events", more) }
		for _, about := range []string{"a", "b"} {
			c.want(http.StatusCreated, c.post(events(), content{"apiVersion": "v1", "kind": "Event", "metadata": content{"name": "of-" + about},
				"involvedObject": content{"apiVersion": "vmoperator.vmware.com/v1alpha5", "kind": "VirtualMachine", "namespace": c.namespace, "name": about, "uid": "u-" + about},
				"reason":         "Tested", "message": "it works", "type": "Normal", "count": int64(2),
				"firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:00:00Z", "source": content{"component": "tester"},
			}))
		}
		for selector, want := range map[string][]string{
			"involvedObject.name=a": {"of-a"},
			"involvedObject.kind=VirtualMachine,involvedObject.namespace=" + c.namespace + ",involvedObject.uid=u-b": {"of-b"},
			"type!=Normal":                         nil,
			"reason=Tested,involvedObject.name!=a": {"of-b"},
			"source=tester":                        {"of-a", "of-b"},
		} {
			c.same(selector, names(c.want(http.StatusOK, c.get(events(), "fieldSelector", selector))), want)
		}
		other := c.want(http.StatusOK, c.get(c.in("apis/events.k8s.io/v1", "events", []string{"of-a"})))
		c.same("apiVersion", other["apiVersion"], any("events.k8s.io/v1"))
		c.same("regarding", resource.Text(other, "regarding", "name"), "a")
		c.same("note", other["note"], any("it works"))
		c.same("count", other["deprecatedCount"], any(int64(2)))
		c.same("message", other["message"], nil)
	}},
	{"an Event of the new group is one of the old", func(c *client) {
		c.want(http.StatusCreated, c.post(c.in("apis/events.k8s.io/v1", "events", nil), content{"apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": content{"name": "x"},
			"eventTime": "2026-01-01T00:00:00.000000Z", "reportingController": "vksync.dev/vksync", "reportingInstance": "one", "action": "Apply", "reason": "Tested", "type": "Normal", "note": "it works",
			"regarding": content{"kind": "ConfigMap", "namespace": c.namespace, "name": "a"},
		}))
		old := c.want(http.StatusOK, c.get(c.in("api/v1", "events", []string{"x"})))
		c.same("message", old["message"], any("it works"))
		c.same("involvedObject", resource.Text(old, "involvedObject", "name"), "a")
		c.same("reportingComponent", old["reportingComponent"], any("vksync.dev/vksync"))
	}},
	{"Secrets are found by type", func(c *client) {
		secrets := c.in("api/v1", "secrets", nil)
		for name, kind := range map[string]string{"a": "Opaque", "b": "test.vksync.dev/own"} {
			c.want(http.StatusCreated, c.post(secrets, content{"apiVersion": "v1", "kind": "Secret", "metadata": content{"name": name}, "type": kind, "data": content{"k": "dg=="}}))
		}
		c.same("names", names(c.want(http.StatusOK, c.get(secrets, "fieldSelector", "type=test.vksync.dev/own"))), []string{"b"})
	}},
	{"a Secret is Opaque unless it says otherwise", func(c *client) {
		made := c.want(http.StatusCreated, c.post(c.in("api/v1", "secrets", nil), content{"apiVersion": "v1", "kind": "Secret", "metadata": content{"name": "x"}, "stringData": content{"k": "v"}}))
		c.same("type", made["type"], any("Opaque"))
		c.same("data", made["data"], any(content{"k": "dg=="}))
		c.same("stringData", made["stringData"], nil)
	}},
	{"anybody here may do anything", func(c *client) {
		made := c.want(http.StatusCreated, c.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", content{
			"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
			"spec": content{"resourceAttributes": content{"verb": "create", "group": "cluster.x-k8s.io", "resource": "clusters", "namespace": c.namespace}},
		}))
		c.same("allowed", resource.Flag(made, "status", "allowed"), true)
	}},
}
