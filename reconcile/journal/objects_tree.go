package journal

import (
	"slices"
	"sort"

	"github.com/vksync/vksync/reconcile/resource"
)

// A Node is an object with those that it owns.
type Node struct {
	*Item
	Children []*Node
}

// Tree is what there is of a cluster: the Cluster with all that it owns, what its
// namespace shares, and at the end what belongs to the cluster but whose owner is
// gone. Of a vSphere Namespace it is what the namespace shares. Siblings come in the
// order of a cluster's way into being, and then by name. It is empty while nothing
// has been heard of the cluster. The nodes are the caller's.
func (o *Objects) Tree(a resource.Addr) []*Node {
	own, shared := o.around(a)
	var roots []*Node
	if own != nil {
		roots = own.tree(resource.KindCluster)
	}
	if shared == nil {
		return roots
	}
	rest := shared.tree(resource.KindVSphereNamespace, "Namespace")
	if len(roots) > 0 && roots[0].Kind == resource.KindCluster {
		return slices.Insert(roots, 1, rest...)
	}
	return append(rest, roots...)
}

// tree links the items of an inventory. The first that is of a kind of heads owns what
// names no owner.
func (in *inventory) tree(heads ...string) []*Node {
	if len(in.items) == 0 {
		return nil
	}
	nodes := make([]Node, len(in.items))
	for i, it := range in.items {
		nodes[i].Item = it
	}
	owners := in.owners(in.head(heads))
	spread(nodes, owners)
	var roots []*Node
	for i, owner := range owners {
		if owner < 0 {
			roots = append(roots, &nodes[i])
		}
	}
	order(roots)
	for i := range nodes {
		order(nodes[i].Children)
	}
	return roots
}

// head is the index of the item of the first kind that there is, -1 without any.
func (in *inventory) head(kinds []string) int {
	for _, kind := range kinds {
		if i := slices.IndexFunc(in.items, func(it *Item) bool { return it.Kind == kind }); i >= 0 {
			return i
		}
	}
	return -1
}

// owners are the indices of the items' owners, -1 for what has none.
func (in *inventory) owners(head int) []int {
	out := make([]int, len(in.items))
	last, lastOwner := -1, resource.Owner{}
	for i, it := range in.items {
		switch {
		case i == head:
			out[i] = -1
		case it.Owner.Name == "" && it.Came == before:
			out[i] = in.likelyOwner(it, head)
		case it.Owner.Name == "":
			out[i] = head
		case last >= 0 && it.Owner.Name == lastOwner.Name && it.Owner.Kind == lastOwner.Kind:
			out[i] = last // siblings are often neighbours
		default:
			out[i] = in.ownerOf(i, head)
			last, lastOwner = out[i], it.Owner
		}
	}
	for i := range out {
		if !rooted(out, i) {
			out[i] = -1
		}
	}
	return out
}

// ownerOf finds the owner of an item. Until a cluster's topology is complete its
// objects are owned by a Secret made for that (domain.md 1.0); they show under the Cluster.
func (in *inventory) ownerOf(i, head int) int {
	owner := in.items[i].Owner
	if owner.Kind == "Secret" && head >= 0 && owner.Name == in.items[head].Name+"-shim" {
		return head
	}
	if at, there := in.find(owner.Kind, owner.Name); there && at != i {
		return at
	}
	return -1
}

// likelyOwner is the owner, by their names (domain.md 1.0), of what was there before
// the journal, which may tell no more of it than what changed. It is head when there
// is none.
func (in *inventory) likelyOwner(it *Item, head int) int {
	name := it.Name
	stem := name[:max(0, len(name)-len("-xxxxx"))]
	var kinds []string
	switch it.Kind {
	case "Secret":
		kinds = []string{"KubeadmConfig"}
	case "VirtualMachine":
		kinds = []string{"VSphereMachine"}
	case "KubeadmConfig", "VSphereMachine":
		kinds = []string{"Machine"}
	case "Machine":
		name, kinds = stem, []string{"MachineSet", "KubeadmControlPlane"}
	case "MachineSet":
		name, kinds = stem, []string{"MachineDeployment"}
	}
	for _, kind := range kinds {
		if at, there := in.find(kind, name); there {
			return at
		}
	}
	return head
}

// rooted reports that the way up from an item ends. Owners are foreign text and may
// go in a circle.
func rooted(owners []int, i int) bool {
	const deep = 64
	for range deep {
		if i = owners[i]; i < 0 {
			return true
		}
	}
	return false
}

// spread gives every node its children, all in one piece of memory.
func spread(nodes []Node, owners []int) {
	counts := make([]int, len(nodes))
	for _, owner := range owners {
		if owner >= 0 {
			counts[owner]++
		}
	}
	room := make([]*Node, len(nodes))
	for i, n := range counts {
		nodes[i].Children, room = room[:0:n], room[n:]
	}
	for i, owner := range owners {
		if owner >= 0 {
			nodes[owner].Children = append(nodes[owner].Children, &nodes[i])
		}
	}
}

// order sorts siblings, which are in the order of their names.
func order(siblings []*Node) {
	byRank := func(i, j int) bool { return rank(siblings[i].Kind) < rank(siblings[j].Kind) }
	if len(siblings) > 1 && !sort.SliceIsSorted(siblings, byRank) {
		sort.SliceStable(siblings, byRank)
	}
}

// ranks has the kinds in the order of a cluster's way into being.
var ranks = func() map[string]int {
	out := map[string]int{}
	for i, kind := range []string{
		resource.KindCluster, resource.KindVSphereNamespace, "Namespace",
		"VSphereCluster", "VirtualMachineSetResourcePolicy", "SubnetSet", "VirtualNetwork", "Network", "VirtualMachineService", "Service", "Endpoints", "EndpointSlice",
		"KubeadmControlPlane", "MachineDeployment", "MachineSet", "Machine",
		"KubeadmConfig", "VSphereMachine", "VSphereVM", "VirtualMachine", "SubnetPort", "NetworkInterface", "VirtualNetworkInterface", KindVM,
		"MachineHealthCheck", "VSphereMachineTemplate", "KubeadmConfigTemplate", "ProviderServiceAccount",
	} {
		out[kind] = i + 1
	}
	out["ConfigMap"], out["Secret"] = 1000, 1001
	return out
}()

func rank(kind string) int {
	if r := ranks[kind]; r > 0 {
		return r
	}
	return 500 // kinds that nobody here knows of
}
