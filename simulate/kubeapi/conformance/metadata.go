package conformance

import (
	"net/http"

	"github.com/vksync/vksync/reconcile/resource"
)

const (
	partialMedia     = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
	partialListMedia = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
)

var metadataCases = []testCase{
	{"of one object", func(c *client) {
		made := c.want(http.StatusCreated, c.post(c.vms(), labelled(vm("x", content{"className": "small"}), "k", "v")))
		got := c.want(http.StatusOK, c.send(request{method: http.MethodGet, path: c.vms("x"), accept: partialMedia}))
		c.same("answer", got, content{"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": made["metadata"]})
	}},
	{"of a list", func(c *client) {
		made := c.want(http.StatusCreated, c.post(c.vms(), vm("x", content{"className": "small"})))
		list := c.want(http.StatusOK, c.send(request{method: http.MethodGet, path: c.vms(), accept: partialListMedia}))
		c.same("kind", []any{list["kind"], list["apiVersion"]}, []any{"PartialObjectMetadataList", "meta.k8s.io/v1"})
		c.same("metadata", resource.Field(resource.Items(list, "items")[0], "metadata"), made["metadata"])
		c.same("spec", resource.Field(resource.Items(list, "items")[0], "spec"), nil)
	}},
	{"on a watch", func(c *client) {
		made := c.want(http.StatusCreated, c.post(c.vms(), vm("x", content{"className": "small"})))
		event := c.follow(c.vms(), partialMedia).next()
		c.same("event", event, content{"type": "ADDED", "object": content{
			"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": made["metadata"],
		}})
	}},
	{"of what a write made", func(c *client) {
		got := c.want(http.StatusCreated, c.send(request{method: http.MethodPost, path: c.vms(), accept: partialMedia, body: vm("x", content{"className": "small"})}))
		c.same("kind", got["kind"], any("PartialObjectMetadata"))
		c.same("spec", got["spec"], nil)
	}},
}
