package conformance

import (
	"maps"
	"slices"

	"github.com/vksync/vksync/reconcile/resource"
)

// cluster is a Cluster with the parts of a topology given.
func cluster(name string, topology content) content {
	t := content{"classRef": content{"name": "class"}, "version": "v1.33.3"}
	maps.Copy(t, topology)
	return content{
		"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster", "metadata": content{"name": name},
		"spec": content{"topology": t},
	}
}

// partOf is a Cluster that says nothing but the parts of a topology given: what
// somebody applies who owns only those.
func partOf(name string, topology content) content {
	u := cluster(name, nil)
	u["spec"] = content{"topology": topology}
	return u
}

// pools are the node pools of a topology.
func pools(names ...string) content {
	var list []any
	for _, name := range names {
		list = append(list, content{"class": "node-pool", "name": name})
	}
	return content{"workers": content{"machineDeployments": list}}
}

func poolNames(u content) []string {
	var names []string
	for _, p := range resource.Items(u, "spec", "topology", "workers", "machineDeployments") {
		names = append(names, resource.Text(p, "name"))
	}
	return names
}

func vm(name string, spec content) content {
	u := content{"apiVersion": "vmoperator.vmware.com/v1alpha5", "kind": "VirtualMachine", "metadata": content{"name": name}}
	if spec != nil {
		u["spec"] = spec
	}
	return u
}

func configMap(name string, data content) content {
	u := content{"apiVersion": "v1", "kind": "ConfigMap", "metadata": content{"name": name}}
	if data != nil {
		u["data"] = data
	}
	return u
}

// labelled adds a label to an object.
func labelled(u content, key, value string) content {
	resource.SetField(u, value, "metadata", "labels", key)
	return u
}

// with returns a copy of an object with one field set.
func with(u content, value any, path ...string) content {
	u = maps.Clone(u)
	for at, i := u, 0; i < len(path)-1; i++ {
		inner, _ := at[path[i]].(content)
		inner = maps.Clone(inner)
		if inner == nil {
			inner = content{}
		}
		at[path[i]] = inner
		at = inner
	}
	resource.SetField(u, value, path...)
	return u
}

func versionOf(u content) string { return resource.Text(u, "metadata", "resourceVersion") }
func uidOf(u content) string     { return resource.Text(u, "metadata", "uid") }

// names are those of the items of a list.
func names(list content) []string {
	var out []string
	for _, item := range resource.Items(list, "items") {
		out = append(out, resource.Text(item, "metadata", "name"))
	}
	return out
}

// managers are the entries of managedFields as "MANAGER OPERATION SUBRESOURCE", sorted.
func managers(u content) []string {
	var out []string
	for _, e := range resource.Items(u, "metadata", "managedFields") {
		line := resource.Text(e, "manager") + " " + resource.Text(e, "operation")
		if sub := resource.Text(e, "subresource"); sub != "" {
			line += " " + sub
		}
		out = append(out, line)
	}
	slices.Sort(out)
	return out
}

// owns says whether a manager owns the field at a path of fieldsV1, such as f:spec.
func owns(u content, manager string, path ...string) bool {
	for _, e := range resource.Items(u, "metadata", "managedFields") {
		if resource.Text(e, "manager") == manager && resource.Field(e, append([]string{"fieldsV1"}, path...)...) != nil {
			return true
		}
	}
	return false
}
