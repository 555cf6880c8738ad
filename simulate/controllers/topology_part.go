package controllers

import (
	"cmp"
	"encoding/json"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// A part is what of a topology becomes machines: the control plane or one node pool.
type part struct {
	topology map[string]any // spec.topology of the Cluster
	content  map[string]any // its own section of that
	class    map[string]any // what the ClusterClass says of it
	pool     string         // name of the pool; empty for the control plane
	version  string         // what its machines are to run
}

// partsOf lists the control plane and then the pools in their order, all of them
// at the version that the Cluster asks for.
func (m *Manager) partsOf(cluster *unstructured.Unstructured) (controlPlane part, pools []part) {
	topology := resource.Fields(cluster.Object, "spec", "topology")
	version := resource.Text(topology, "version")
	class := contentOf(m.classFor(cluster))
	controlPlane = part{
		topology: topology, version: version,
		content: resource.Fields(topology, "controlPlane"),
		class:   resource.Fields(class, "spec", "controlPlane"),
	}
	for _, md := range deploymentsOf(topology) {
		pools = append(pools, part{
			topology: topology, version: version, content: md, pool: resource.Text(md, "name"),
			class: poolClass(class, resource.Text(md, "class")),
		})
	}
	return controlPlane, pools
}

// poolClass is what a ClusterClass says of pools of one class.
func poolClass(class map[string]any, name string) map[string]any {
	for _, pool := range resource.Items(class, "spec", "workers", "machineDeployments") {
		if resource.Text(pool, "class") == name {
			return resource.Fields(pool)
		}
	}
	return nil
}

// setting is a field of the part, or of its class where the part says nothing.
func (p part) setting(path ...string) any {
	if v := resource.Field(p.content, path...); v != nil {
		return v
	}
	return resource.Field(p.class, path...)
}

// metadata merges the labels or annotations that part and class ask for.
func (p part) metadata(section string) map[string]any {
	out := map[string]any{}
	for _, from := range []map[string]any{p.class, p.content} {
		for key, value := range resource.Fields(from, "metadata", section) {
			out[key] = value
		}
	}
	return out
}

// variables are the class variables as the part sees them: its overrides, then
// the cluster's, in order of their names.
func (p part) variables() []variableValue {
	byName := map[string]any{}
	for _, list := range [][]any{resource.Items(p.topology, "variables"), resource.Items(p.content, "variables", "overrides")} {
		for _, v := range list {
			byName[resource.Text(v, "name")] = resource.Field(v, "value")
		}
	}
	out := make([]variableValue, 0, len(byName))
	for name, value := range byName {
		out = append(out, variableValue{name, value})
	}
	slices.SortFunc(out, func(a, b variableValue) int { return cmp.Compare(a.name, b.name) })
	return out
}

type variableValue struct {
	name  string
	value any
}

// kept says whether the whole value is known: a saved world has none that may be secret.
func (v variableValue) kept() bool {
	text, err := json.Marshal(v.value)
	return err == nil && !strings.Contains(string(text), resource.NotKept)
}

// digest stands for a variable's value where the value itself is nobody's business.
func (v variableValue) digest() string {
	text, err := json.Marshal(v.value) // sorts keys
	if err != nil {
		return "" // decoded from JSON, so it can be encoded
	}
	h := fnv.New64a()
	h.Write(text)
	return strconv.FormatUint(h.Sum64(), 16)
}

// reaches says whether a variable has anything to do with the nodes of the part
// beside what its machine template says. All do that are not known better: a class
// that nobody here can read may use any of them in its bootstrap patches.
func (v variableValue) reaches(p part) bool {
	switch v.name {
	case "vmClass", "storageClass", "volumes", "nodePoolVolumes", "controlPlaneVolumes":
		return false // in the machine template
	case "TKR_DATA":
		return false // the release, which is in the version and the image
	case "nodePoolLabels", "nodePoolTaints":
		return p.pool != ""
	case "controlPlaneCertificateRotation":
		return p.pool == ""
	}
	return true
}
