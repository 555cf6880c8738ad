package conformance

import (
	"net/http"

	"github.com/vksync/vksync/reconcile/resource"
)

// ownedBy makes owner an owner of u that it waits for when it is deleted in the foreground.
func ownedBy(u content, owners ...content) content {
	var refs []any
	for _, o := range owners {
		refs = append(refs, content{
			"apiVersion": resource.Text(o, "apiVersion"), "kind": resource.Text(o, "kind"),
			"name": resource.Text(o, "metadata", "name"), "uid": uidOf(o), "blockOwnerDeletion": true,
		})
	}
	return with(u, refs, "metadata", "ownerReferences")
}

func (c *client) gone(path string) {
	c.Helper()
	c.eventually(path+" to go", func() string {
		if a := c.get(path); a.code != http.StatusNotFound {
			return a.text
		}
		return ""
	})
}

// stray makes a VirtualMachine whose owner never was, and waits for the garbage
// collector to take it away.
func (c *client) stray() {
	c.Helper()
	nobody := with(cluster("nobody", nil), "00000000-0000-0000-0000-000000000000", "metadata", "uid")
	c.want(http.StatusCreated, c.post(c.vms(), ownedBy(vm("stray", nil), nobody)))
	c.gone(c.vms("stray"))
}

var garbageCases = []testCase{
	{"dependents go after their owner", func(c *client) {
		owner := c.want(http.StatusCreated, c.post(c.clusters(), cluster("owner", nil)))
		middle := c.want(http.StatusCreated, c.post(c.vms(), ownedBy(vm("middle", nil), owner)))
		c.want(http.StatusCreated, c.post(c.configMaps(), ownedBy(configMap("leaf", nil), middle)))
		c.want(http.StatusOK, c.delete(c.clusters("owner"), nil))
		c.want(http.StatusNotFound, c.get(c.clusters("owner")))
		c.gone(c.vms("middle"))
		c.gone(c.configMaps("leaf"))
	}},
	{"foreground deletion waits for dependents", func(c *client) {
		owner := c.want(http.StatusCreated, c.post(c.clusters(), cluster("owner", nil)))
		c.want(http.StatusCreated, c.post(c.vms(), held(ownedBy(vm("leaf", nil), owner))))
		c.stray() // so that the collector has seen the leaf, which is older
		marked := c.want(http.StatusOK, c.delete(c.clusters("owner"), content{"propagationPolicy": "Foreground"}))
		c.same("finalizers", resource.Items(marked, "metadata", "finalizers"), []any{"foregroundDeletion"})
		c.eventually("the dependent to be deleted", func() string {
			if resource.Field(c.want(http.StatusOK, c.get(c.vms("leaf"))), "metadata", "deletionTimestamp") == nil {
				return "it is not"
			}
			return ""
		})
		c.want(http.StatusOK, c.get(c.clusters("owner")))
		c.want(http.StatusOK, c.patch(mergeMedia, c.vms("leaf"), release))
		c.gone(c.clusters("owner"))
	}},
	{"orphans stay", func(c *client) {
		owner := c.want(http.StatusCreated, c.post(c.clusters(), cluster("owner", nil)))
		c.want(http.StatusCreated, c.post(c.vms(), ownedBy(vm("leaf", nil), owner)))
		c.stray() // so that the collector has seen the leaf, which is older
		c.want(http.StatusOK, c.delete(c.clusters("owner"), nil, "propagationPolicy", "Orphan"))
		c.gone(c.clusters("owner"))
		c.same("owners", resource.Field(c.want(http.StatusOK, c.get(c.vms("leaf"))), "metadata", "ownerReferences"), nil)
	}},
	{"who has another owner stays", func(c *client) {
		one := c.want(http.StatusCreated, c.post(c.clusters(), cluster("one", nil)))
		two := c.want(http.StatusCreated, c.post(c.clusters(), cluster("two", nil)))
		c.want(http.StatusCreated, c.post(c.vms(), ownedBy(vm("shared", nil), one, two)))
		c.want(http.StatusCreated, c.post(c.vms(), ownedBy(vm("only", nil), one)))
		c.want(http.StatusOK, c.delete(c.clusters("one"), nil))
		c.gone(c.vms("only"))
		c.want(http.StatusOK, c.get(c.vms("shared")))
	}},
	{"who names an owner that never was goes", func(c *client) {
		c.stray()
	}},
	{"a policy must be known", func(c *client) {
		c.want(http.StatusCreated, c.post(c.vms(), vm("x", nil)))
		c.refused(c.delete(c.vms("x"), content{"propagationPolicy": "Sideways"}), http.StatusUnprocessableEntity, "Invalid",
			`DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Sideways": supported values: "Foreground", "Background", "Orphan", "nil"`)
	}},
}
