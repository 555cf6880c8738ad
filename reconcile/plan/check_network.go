package plan

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
)

// checkNetwork looks at the pod and service networks of a cluster (V3). Every
// node takes a /24 of the pod network.
func (f *preflight) checkNetwork(o resource.Object, t topology) {
	network := resource.Fields(t.spec, "clusterNetwork")
	pods := prefixes(resource.Items(network, "pods", "cidrBlocks"), "192.168.0.0/16")
	services := prefixes(resource.Items(network, "services", "cidrBlocks"), "10.96.0.0/12")
	var nodes []netip.Prefix
	if ns, ok := f.namespace(o.GetNamespace()); ok {
		nodes = prefixes(resource.Items(ns.Object, "spec", "network", "privateCIDRs"), "")
	}
	if len(nodes) == 0 {
		nodes = prefixes(resource.Items(f.site, "networks", "privateCIDRs"), "")
	}
	hint := "give it another range in spec.clusterNetwork; this cannot be changed later"
	for _, pair := range []struct {
		a, b         []netip.Prefix
		nameA, nameB string
	}{
		{pods, services, "pod network", "service network"},
		{pods, nodes, "pod network", "private network of the nodes"},
		{services, nodes, "service network", "private network of the nodes"},
	} {
		if x, y, overlap := overlapping(pair.a, pair.b); overlap {
			f.fail(CodeNetwork, o, hint, "%s %s overlaps %s %s", pair.nameA, x, pair.nameB, y)
		}
	}
	controlPlane, workers := t.machines()
	need := controlPlane + workers + surge(t)
	for _, p := range pods {
		if !p.Addr().Is4() {
			continue
		}
		if need > roomIn(p) {
			f.fail(CodeNetwork, o, hint, "pod network %s has room for %d nodes of a /24 each; %d machines and %d more while rolling need %d",
				p, roomIn(p), controlPlane+workers, surge(t), need)
		}
	}
}

// roomIn is how many /24 networks fit.
func roomIn(p netip.Prefix) int64 {
	if p.Bits() > 24 {
		return 0
	}
	return int64(1) << (24 - p.Bits())
}

// surge is how many machines more than wanted a rolling replacement runs at
// once: one of the control plane and one of each node pool.
func surge(t topology) int64 {
	var n int64
	for _, p := range t.parts() {
		if p.replicas() > 0 {
			n++
		}
	}
	return n
}

// prefixes reads CIDR blocks; what is none has been refused by the schema. The
// fallback stands for an empty list.
func prefixes(items []any, fallback string) []netip.Prefix {
	blocks := texts(items)
	if len(blocks) == 0 && fallback != "" {
		blocks = []string{fallback}
	}
	var out []netip.Prefix
	for _, text := range blocks {
		if p, err := netip.ParsePrefix(strings.TrimSpace(text)); err == nil {
			out = append(out, p.Masked())
		}
	}
	return out
}

func overlapping(a, b []netip.Prefix) (x, y netip.Prefix, overlap bool) {
	for _, x := range a {
		for _, y := range b {
			if x.Overlaps(y) {
				return x, y, true
			}
		}
	}
	return x, y, false
}

// checkAddresses compares what all clusters need with what the site has: one
// load-balancer address each (V13).
func (f *preflight) checkAddresses(clusters []resource.Object) {
	if len(clusters) == 0 {
		return
	}
	if f.site == nil {
		f.unknown(CodeAddresses, "no inventory says which addresses there are")
		return
	}
	if have := f.loadBalancerAddresses(); have > 0 && int64(len(clusters)) > have {
		f.note(Finding{Severity: Fail, Code: CodeAddresses, Hint: "give the load balancer more addresses",
			Message: fmt.Sprintf("%s need one load-balancer address each; there are %d", plural(len(clusters), "cluster"), have)})
	}
}

// checkNodeAddresses compares what the clusters of a vSphere Namespace need, one
// address per machine in subnets that lose four addresses each (V12), with the
// private blocks of its VPC: its own, or the site's.
func (f *preflight) checkNodeAddresses(namespace string, clusters []resource.Object) {
	if f.site == nil {
		return // checkAddresses says so
	}
	blocks, size := resource.Items(f.site, "networks", "privateCIDRs"), resource.Int(f.site, "networks", "subnetSize")
	ns, known := f.namespace(namespace)
	if known {
		if own := resource.Items(ns.Object, "spec", "network", "privateCIDRs"); len(own) > 0 {
			blocks = own
		}
		size = cmp.Or(resource.Int(ns.Object, "spec", "network", "subnetSize"), size)
	}
	have, need := nodeAddresses(blocks, cmp.Or(size, defaultSubnetSize)), int64(0)
	for _, o := range clusters {
		t := topologyOf(o)
		controlPlane, workers := t.machines()
		need += controlPlane + workers + surge(t)
	}
	if have > 0 && need > have {
		if !known {
			ns = clusters[0]
		}
		f.fail(CodeAddresses, ns, "give the private network another block",
			"the clusters of vSphere Namespace %s need %d node addresses while rolling; there are %d", namespace, need, have)
	}
}

// defaultSubnetSize is NSX's where nobody says another.
const defaultSubnetSize = 32

func (f *preflight) loadBalancerAddresses() int64 {
	var n int64
	for _, text := range texts(resource.Items(f.site, "loadBalancer", "ranges")) {
		first, last, _ := strings.Cut(text, "-")
		a, errA := netip.ParseAddr(strings.TrimSpace(first))
		b, errB := netip.ParseAddr(strings.TrimSpace(last))
		if errA != nil || errB != nil || !a.Is4() || !b.Is4() || b.Less(a) {
			continue
		}
		n += int64(number4(b)) - int64(number4(a)) + 1
	}
	return n
}

// nodeAddresses is how many machines subnets of a size in the blocks have room for.
func nodeAddresses(blocks []any, size int64) int64 {
	var n int64
	for _, p := range prefixes(blocks, "") {
		if p.Addr().Is4() {
			n += (int64(1) << (32 - p.Bits())) / size * max(0, size-4)
		}
	}
	return n
}

func number4(a netip.Addr) uint32 {
	b := a.As4()
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}
