package conformance

import (
	"net/http"

	"github.com/vksync/vksync/reconcile/resource"
)

// held is an object with a finalizer.
func held(u content) content {
	return with(u, []any{"test.vksync.dev/hold"}, "metadata", "finalizers")
}

var release = content{"metadata": content{"finalizers": nil}}

var finalizerCases = []testCase{
	{"a deletion answers with what was deleted", func(c *client) {
		made := c.want(http.StatusCreated, c.post(c.vms(), vm("x", nil)))
		body := c.want(http.StatusOK, c.delete(c.vms("x"), nil))
		c.same("answer", body, content{
			"kind": "Status", "apiVersion": "v1", "metadata": content{}, "status": "Success",
			"details": content{"name": "x", "group": "vmoperator.vmware.com", "kind": "virtualmachines", "uid": uidOf(made)},
		})
		c.want(http.StatusNotFound, c.delete(c.vms("x"), nil))
	}},
	{"hold an object", func(c *client) {
		c.want(http.StatusCreated, c.post(c.vms(), held(vm("x", nil))))
		marked := c.want(http.StatusOK, c.delete(c.vms("x"), nil))
		c.same("kind", resource.Text(marked, "kind"), "VirtualMachine")
		c.same("grace", resource.Int(marked, "metadata", "deletionGracePeriodSeconds"), int64(0))
		c.same("generation", generation(marked), int64(2))
		if resource.Text(marked, "metadata", "deletionTimestamp") == "" {
			c.Error("it is not marked")
		}
		again := c.want(http.StatusOK, c.delete(c.vms("x"), nil))
		c.same("a second deletion", again, marked)
		c.want(http.StatusOK, c.patch(mergeMedia, c.vms("x"), release))
		c.want(http.StatusNotFound, c.get(c.vms("x")))
	}},
	{"cannot be added to what is being deleted", func(c *client) {
		c.want(http.StatusCreated, c.post(c.vms(), held(vm("x", nil))))
		c.want(http.StatusOK, c.delete(c.vms("x"), nil))
		c.refused(c.patch(mergeMedia, c.vms("x"), content{"metadata": content{"finalizers": []any{"test.vksync.dev/hold", "test.vksync.dev/more"}}}),
			http.StatusUnprocessableEntity, "Invalid",
			`VirtualMachine.vmoperator.vmware.com "x" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"test.vksync.dev/more"}`)
		c.want(http.StatusOK, c.patch(mergeMedia, c.vms("x"), content{"spec": content{"still": "editable"}}))
	}},
	{"a dry run deletes nothing", func(c *client) {
		made := c.want(http.StatusCreated, c.post(c.vms(), vm("x", nil)))
		c.want(http.StatusOK, c.delete(c.vms("x"), nil, "dryRun", "All"))
		c.want(http.StatusOK, c.delete(c.vms("x"), content{"kind": "DeleteOptions", "apiVersion": "v1", "dryRun": []any{"All"}}))
		c.same("what is stored", c.want(http.StatusOK, c.get(c.vms("x"))), made)
	}},
	{"a name is free again", func(c *client) {
		first := c.want(http.StatusCreated, c.post(c.vms(), vm("x", nil)))
		c.want(http.StatusOK, c.delete(c.vms("x"), nil))
		second := c.want(http.StatusCreated, c.post(c.vms(), vm("x", nil)))
		if uidOf(first) == uidOf(second) {
			c.Error("the new object has the uid of the old one")
		}
	}},
}

var collectionCases = []testCase{
	{"all that a selector matches is deleted", func(c *client) {
		for _, name := range []string{"a", "b", "c"} {
			u := labelled(vm(name, nil), "drop", map[bool]string{true: "no", false: "yes"}[name == "b"])
			c.want(http.StatusCreated, c.post(c.vms(), u))
		}
		c.want(http.StatusOK, c.delete(c.vms(), nil, "labelSelector", "drop=yes"))
		c.same("left", names(c.want(http.StatusOK, c.get(c.vms()))), []string{"b"})
	}},
	{"the answer lists what was deleted", func(c *client) {
		c.want(http.StatusCreated, c.post(c.vms(), vm("a", nil)))
		list := c.want(http.StatusOK, c.delete(c.vms(), nil))
		c.same("kind", resource.Text(list, "kind"), "VirtualMachineList")
		c.same("names", names(list), []string{"a"})
	}},
	{"a dry run deletes nothing", func(c *client) {
		c.want(http.StatusCreated, c.post(c.vms(), vm("a", nil)))
		c.want(http.StatusOK, c.delete(c.vms(), nil, "dryRun", "All"))
		c.want(http.StatusOK, c.get(c.vms("a")))
	}},
	{"is of one namespace", func(c *client) {
		c.want(http.StatusNotFound, c.delete("/apis/vmoperator.vmware.com/v1alpha5/virtualmachines", nil))
		c.want(http.StatusNotFound, c.post("/apis/vmoperator.vmware.com/v1alpha5/virtualmachines", vm("x", nil)))
	}},
}
