package schema

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
)

// relations checks what the fields of one resource say of each other. What one
// field may hold on its own is the definitions' to say, so a field of another
// shape than expected is passed over here.
func relations(doc *node) Problems {
	r := &relation{doc: doc}
	switch doc.field("kind").str() {
	case resource.KindCluster:
		r.cluster()
	case resource.KindVSphereNamespace:
		r.namespace()
	case resource.KindInventory:
		r.inventory()
	}
	return r.problems
}

type relation struct {
	doc      *node
	problems Problems
}

// refuse reports a problem with the value n at path below the resource.
func (r *relation) refuse(n *node, p Problem, path ...string) {
	p.Pos = n.pos
	p.Path = r.doc.find(path).dotted
	if p.Found == "" && (n.shape == text || n.shape == number) {
		p.Found = show(n, path)
	}
	r.problems = append(r.problems, p)
}

const (
	mostWorkers = 150 // domain.md V2
	// longestPool is what cluster and node pool names may have together so that
	// node names are not cut (domain.md V4).
	longestPool = 44
)

func (r *relation) cluster() {
	topology := r.doc.field("spec", "topology")
	r.classNamespace()
	r.variables(topology.field("variables"), "spec", "topology", "variables")
	r.overrides(topology.field("controlPlane"), "spec", "topology", "controlPlane")
	r.pools(topology.field("workers", "machineDeployments"), "spec", "topology", "workers", "machineDeployments")
	r.clusterNetwork()
}

// classNamespace: up to VKS 3.3 a class is in the namespace of its cluster.
func (r *relation) classNamespace() {
	class, path := r.doc.field("spec", "topology", "classRef", "name").str(), []string{"spec", "topology", "classRef", "namespace"}
	if class == "" {
		class, path = r.doc.field("spec", "topology", "class").str(), []string{"spec", "topology", "classNamespace"}
	}
	n, own := r.doc.field(path...), r.doc.field("metadata", "namespace").str()
	old := class == "tanzukubernetescluster" || slices.Contains([]string{"builtin-generic-v3.1.0", "builtin-generic-v3.2.0", "builtin-generic-v3.3.0"}, class)
	if old && n.str() != "" && own != "" && n.str() != own {
		r.refuse(n, Problem{Message: "this class lives in the namespace of the cluster", Allowed: own, Hint: "remove the field"}, path...)
	}
}

// variables: vmClass and storageClass have to be there, and nothing twice.
func (r *relation) variables(variables *node, path ...string) {
	if variables == nil || variables.shape != list {
		return
	}
	r.unique(variables, "variable", path...)
	for _, required := range []string{"vmClass", "storageClass"} {
		if !slices.ContainsFunc(variables.items, func(v *node) bool { return v.field("name").str() == required }) {
			r.refuse(variables, Problem{
				Message: "the variable " + required + " is required",
				Hint:    fmt.Sprintf("add {name: %s, value: ...}", required),
			}, path...)
		}
	}
}

func (r *relation) overrides(of *node, path ...string) {
	r.unique(of.field("variables", "overrides"), "variable", append(slices.Clone(path), "variables", "overrides")...)
}

// unique: no two items of a list of named things have the same name.
func (r *relation) unique(items *node, what string, path ...string) {
	first := map[string]resource.Position{}
	for i, item := range items.elements() {
		name := item.field("name")
		if name.str() == "" {
			continue
		}
		if at, taken := first[name.str()]; taken {
			r.refuse(name, Problem{
				Message: fmt.Sprintf("%s %s is given twice, first at %s", what, showText(name.str()), at),
				Hint:    "remove one of the two, or rename it",
			}, append(slices.Clone(path), strconv.Itoa(i), "name")...)
			continue
		}
		first[name.str()] = name.pos
	}
}

func (r *relation) pools(pools *node, path ...string) {
	r.unique(pools, "node pool", path...)
	cluster, workers := r.doc.field("metadata", "name").str(), int64(0)
	for i, pool := range pools.elements() {
		at := append(slices.Clone(path), strconv.Itoa(i))
		name := pool.field("name")
		if longest := longestPool - len(cluster); name.str() != "" && cluster != "" && len(name.str()) > longest {
			r.refuse(name, Problem{
				Message: fmt.Sprintf("with the cluster's name %s it is longer than %d characters, so node names would be cut", showText(cluster), longestPool),
				Allowed: fmt.Sprintf("at most %d characters", max(longest, 0)), Hint: "shorten the name of the pool or of the cluster",
			}, append(at, "name")...)
		}
		workers += pool.field("replicas").int()
		r.overrides(pool, at...)
		r.replicas(pool, at)
		r.rollout(pool, at)
	}
	if workers > mostWorkers {
		r.refuse(pools, Problem{
			Message: "the node pools have too many workers together",
			Found:   strconv.FormatInt(workers, 10), Allowed: fmt.Sprintf("0 to %d", mostWorkers),
		}, path...)
	}
}

const autoscaler = "cluster.x-k8s.io/cluster-api-autoscaler-node-group-"

// replicas: either the pool has a size, or an autoscaler has bounds (domain.md V20).
func (r *relation) replicas(pool *node, path []string) {
	if pool.shape != record {
		return
	}
	annotations := pool.field("metadata", "annotations")
	least, most := annotations.field(autoscaler+"min-size"), annotations.field(autoscaler+"max-size")
	replicas := pool.field("replicas")
	at := append(slices.Clone(path), "metadata", "annotations")
	switch {
	case least == nil && most == nil:
		if replicas == nil {
			r.refuse(pool, Problem{
				Message: "is required", Allowed: fmt.Sprintf("0 to %d", mostWorkers),
				Hint: "give the pool a size, or the annotations " + autoscaler + "min-size and max-size",
			}, append(path, "replicas")...)
		}
	case least == nil || most == nil:
		r.refuse(annotations, Problem{Message: "the autoscaler needs both of " + autoscaler + "min-size and max-size"}, at...)
	case replicas != nil:
		r.refuse(replicas, Problem{
			Message: "the API server refuses a size on a pool that the autoscaler sizes", Hint: "remove replicas, or the autoscaler annotations",
		}, append(path, "replicas")...)
	default:
		low, errLow := strconv.Atoi(least.str())
		high, errHigh := strconv.Atoi(most.str())
		if errLow != nil || errHigh != nil || low < 0 || high < low || high > mostWorkers {
			r.refuse(annotations, Problem{
				Message: "the bounds of the autoscaler are not two whole numbers, the smaller first",
				Found:   showText(least.str()) + " and " + showText(most.str()), Allowed: fmt.Sprintf("0 to %d", mostWorkers),
			}, at...)
		}
	}
}

// rollout: a rolling update has to be able to move (domain.md V19).
func (r *relation) rollout(pool *node, path []string) {
	steps := []string{"rollout", "strategy", "rollingUpdate"}
	if pool.field("strategy") != nil {
		steps = []string{"strategy", "rollingUpdate"}
	}
	update := pool.field(steps...)
	isZero := func(n *node) bool { return n != nil && (n.value == int64(0) || n.value == "0%") }
	if isZero(update.field("maxSurge")) && isZero(update.field("maxUnavailable")) {
		r.refuse(update, Problem{
			Message: "maxSurge and maxUnavailable are both 0, so nothing could ever be replaced", Hint: "make one of them 1",
		}, append(path, steps...)...)
	}
}

// block is one CIDR block with its place.
type block struct {
	prefix netip.Prefix
	node   *node
	path   []string
}

// clusterNetwork: pods and services must not share addresses (domain.md V3).
func (r *relation) clusterNetwork() {
	var blocks []block
	for _, of := range []string{"pods", "services"} {
		blocks = append(blocks, r.blocks("spec", "clusterNetwork", of, "cidrBlocks")...)
	}
	for i, b := range blocks {
		for _, other := range blocks[:i] {
			if b.prefix.Overlaps(other.prefix) {
				r.refuse(b.node, Problem{
					Message: fmt.Sprintf("overlaps %s at %s", other.prefix, r.doc.find(other.path).dotted),
					Hint:    "pods and services need separate ranges",
				}, b.path...)
			}
		}
	}
	for _, of := range []string{"pods", "services"} {
		r.oneEach(of)
	}
}

// oneEach: a second block is for the other address family.
func (r *relation) oneEach(of string) {
	path := []string{"spec", "clusterNetwork", of, "cidrBlocks"}
	n := r.doc.field(path...)
	switch items := n.elements(); {
	case n != nil && n.shape == list && len(items) == 0:
		r.refuse(n, Problem{Message: "needs at least one block"}, path...)
	case len(items) > 2, len(items) == 2 && strings.Contains(items[0].str(), ":") == strings.Contains(items[1].str(), ":"):
		r.refuse(items[1], Problem{
			Message: "only a dual-stack cluster has two blocks, one of IPv4 and one of IPv6", Hint: "use one larger block",
		}, append(path, "1")...)
	}
}

// blocks reads a list of CIDR blocks and reports those that are not written by
// their first address.
func (r *relation) blocks(path ...string) []block {
	var blocks []block
	for i, n := range r.doc.field(path...).elements() {
		prefix, err := netip.ParsePrefix(n.str())
		if err != nil {
			continue
		}
		at := append(slices.Clone(path), strconv.Itoa(i))
		if prefix != prefix.Masked() {
			r.refuse(n, Problem{Message: "does not start at the first address of the block", Hint: "write " + prefix.Masked().String()}, at...)
		}
		blocks = append(blocks, block{prefix: prefix.Masked(), node: n, path: at})
	}
	return blocks
}

func (r *relation) namespace() {
	r.blocks("spec", "network", "privateCIDRs")
	r.namespaceNetwork()
	r.unique(r.doc.field("spec", "storagePolicies"), "storage policy", "spec", "storagePolicies")
	for _, of := range []string{"vmClasses", "contentLibraries"} {
		r.uniqueText("spec", of)
	}
}

// uniqueText: a list of texts holds none twice.
func (r *relation) uniqueText(path ...string) {
	seen := map[string]bool{}
	for i, n := range r.doc.field(path...).elements() {
		if n.str() != "" && seen[n.str()] {
			r.refuse(n, Problem{Message: "is listed twice", Hint: "remove one of the two"}, append(slices.Clone(path), strconv.Itoa(i))...)
		}
		seen[n.str()] = true
	}
}
