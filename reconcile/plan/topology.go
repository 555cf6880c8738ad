package plan

import (
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
)

// topology reads a Cluster in its canonical form.
type topology struct {
	spec, root map[string]any
}

func topologyOf(o resource.Object) topology {
	spec := resource.Fields(canonical(o), "spec")
	return topology{spec: spec, root: resource.Fields(spec, "topology")}
}

func (t topology) version() string { return resource.Text(t.root, "version") }
func (t topology) class() string   { return resource.Text(t.root, "classRef", "name") }

// classNamespace is empty when the class is in the namespace of the Cluster.
func (t topology) classNamespace() string { return resource.Text(t.root, "classRef", "namespace") }

// part is the control plane or one node pool.
type part struct {
	// name is empty for the control plane.
	name     string
	content  map[string]any
	topology topology
}

func (p part) String() string {
	if p.name == "" {
		return controlPlanePart
	}
	return workersPart + p.name
}

// How parts are called.
const (
	controlPlanePart = "control plane"
	workersPart      = "workers "
)

// poolOf is the name of the pool that is called so; empty for the control plane.
func poolOf(part string) string {
	name, _ := strings.CutPrefix(part, workersPart)
	if part == controlPlanePart {
		return ""
	}
	return name
}

// replicas is how many machines the part wants; 1 when nothing is said, and the
// autoscaler's minimum where it decides.
func (p part) replicas() int64 {
	if p.content["replicas"] != nil {
		return resource.Int(p.content, "replicas")
	}
	return 1
}

// variable is a class variable as the part sees it: its own override, else the cluster's.
func (p part) variable(name string) any {
	for _, list := range [][]any{
		resource.Items(p.content, "variables", "overrides"),
		resource.Items(p.topology.root, "variables"),
	} {
		for _, v := range list {
			if resource.Text(v, "name") == name {
				return resource.Field(v, "value")
			}
		}
	}
	return nil
}

func (p part) vmClass() string      { return resource.Text(p.variable("vmClass")) }
func (p part) storageClass() string { return resource.Text(p.variable("storageClass")) }

// parts lists the control plane, then the node pools in their order.
func (t topology) parts() []part {
	if t.root == nil {
		return nil
	}
	cp := resource.Fields(t.root, "controlPlane")
	out := []part{{content: cp, topology: t}}
	for _, item := range resource.Items(t.root, "workers", "machineDeployments") {
		out = append(out, part{name: resource.Text(item, "name"), content: resource.Fields(item), topology: t})
	}
	return out
}

// part is the control plane, or the pool of a name.
func (t topology) part(name string) (part, bool) {
	for _, p := range t.parts() {
		if p.name == name {
			return p, true
		}
	}
	return part{topology: t}, false
}

// machines counts the machines wanted.
func (t topology) machines() (controlPlane, workers int64) {
	for _, p := range t.parts() {
		if p.name == "" {
			controlPlane += p.replicas()
		} else {
			workers += p.replicas()
		}
	}
	return controlPlane, workers
}

// autoscaled says whether the cluster autoscaler owns the replicas of a node pool.
func autoscaled(pool any) bool {
	annotations := resource.Fields(pool, "metadata", "annotations")
	for _, end := range []string{"min", "max"} {
		if annotations["cluster.x-k8s.io/cluster-api-autoscaler-node-group-"+end+"-size"] != nil {
			return true
		}
	}
	return false
}

// labelForm is a version as it stands in a label or the name of a release.
func labelForm(version string) string { return strings.ReplaceAll(version, "+", "---") }

// coversVersion says whether asked, which may be a prefix, is satisfied by the
// full version that the resolver wrote in its place (domain.md 1.20).
func coversVersion(asked, full string) bool {
	asked, full = labelForm(asked), labelForm(full)
	rest, ok := strings.CutPrefix(full, asked)
	return ok && asked != "" && (rest == "" || strings.HasPrefix(rest, ".") || strings.HasPrefix(rest, "-"))
}
