package reconcile

import (
	"encoding/binary"
	"math"
	"math/bits"
	"net/netip"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/resource"
)

var (
	kindService    = schema.GroupKind{Kind: "Service"}
	kindSubnetSet  = schema.GroupKind{Group: "crd.nsx.vmware.com", Kind: "SubnetSet"}
	kindSubnetPort = schema.GroupKind{Group: "crd.nsx.vmware.com", Kind: "SubnetPort"}
	kindIPPool     = schema.GroupKind{Group: "netoperator.vmware.com", Kind: "IPPool"}
)

// addAddresses adds what the Supervisor shows of addresses, as far as it is followed:
// those of the load balancer, when an Inventory says its ranges, and those of VPCs
// whose private blocks their namespace names. Of a VPC that all share, nobody says
// here what it has.
func addAddresses(list *journal.MeterList, e *Engine, namespaces []resource.Object) {
	if e.history == nil {
		return
	}
	if e.history.follows(kindService) {
		if ranges := e.loadBalancerRanges(); len(ranges) > 0 {
			list.Add(loadBalancer(ranges, e.history.of(kindService)))
		}
	}
	if e.history.follows(kindSubnetSet, kindSubnetPort) {
		subnets, ports := carvedIn(e.history.of(kindSubnetSet)), addressedIn(e.history.of(kindSubnetPort))
		for _, ns := range namespaces {
			addVPC(list, ns, subnets[ns.GetName()], ports[ns.GetName()])
		}
	}
}

// loadBalancer counts the addresses of its ranges that Services have.
func loadBalancer(ranges []addressRange, services []*unstructured.Unstructured) journal.Meter {
	m := journal.Meter{Kind: journal.Addresses, Name: journal.LoadBalancer, Unit: journal.AddressUnit}
	for _, r := range ranges {
		if n := r.count(); m.Capacity > math.MaxInt64-n {
			m.Capacity = math.MaxInt64
		} else {
			m.Capacity += n
		}
	}
	seen := map[netip.Addr]bool{}
	for _, u := range services {
		for _, ingress := range resource.Items(u.Object, "status", "loadBalancer", "ingress") {
			a, err := netip.ParseAddr(resource.Text(ingress, "ip"))
			if err != nil || seen[a] {
				continue
			}
			for _, r := range ranges {
				seen[a] = seen[a] || r.contains(a)
			}
			if seen[a] {
				m.Used++
			}
		}
	}
	return m
}

// carvedIn counts the subnets of each namespace.
func carvedIn(sets []*unstructured.Unstructured) map[string]int64 {
	out := map[string]int64{}
	for _, u := range sets {
		for _, subnet := range resource.Items(u.Object, "status", "subnets") {
			out[u.GetNamespace()] += int64(len(resource.Items(subnet, "networkAddresses")))
		}
	}
	return out
}

// addressedIn counts the ports of each namespace that have an address.
func addressedIn(ports []*unstructured.Unstructured) map[string]int64 {
	out := map[string]int64{}
	for _, u := range ports {
		for _, ip := range resource.Items(u.Object, "status", "networkInterfaceConfig", "ipAddresses") {
			if resource.Text(ip, "ipAddress") != "" {
				out[u.GetNamespace()]++
			}
		}
	}
	return out
}

// subnetSize and subnetReserved are NSX's (domain.md V12): how many addresses a
// subnet has where nobody says another, and how many of them machines never get.
const (
	subnetSize     = 32
	subnetReserved = 4
)

// addVPC adds the private blocks of a namespace that has its own.
func addVPC(list *journal.MeterList, ns resource.Object, subnets, addresses int64) {
	size := resource.Int(ns.Object, "spec", "network", "subnetSize")
	if size <= 0 {
		size = subnetSize
	}
	prefix := 32 - (bits.Len64(uint64(size)) - 1)
	var capacity int64
	for _, item := range resource.Items(ns.Object, "spec", "network", "privateCIDRs") {
		text, _ := item.(string)
		if block, err := netip.ParsePrefix(text); err == nil && block.Addr().Is4() && block.Bits() <= prefix {
			capacity += 1 << (prefix - block.Bits())
		}
	}
	if capacity == 0 {
		return
	}
	of := func(name, unit string, capacity, used int64) journal.Meter {
		return journal.Meter{Kind: journal.Addresses, Group: ns.GetName(), Name: name, Unit: unit, Capacity: capacity, Used: used}
	}
	list.Add(of(journal.PrivateAddresses, journal.AddressUnit, capacity*max(0, size-subnetReserved), addresses))
	list.Add(of(journal.PrivateSubnets, journal.SubnetUnit, capacity, subnets))
}

// addPools adds the pools of networks of vSphere Distributed Switch (domain.md V14).
// One that does not say how much is allocated is left out, unless it says that it is
// full: older versions do not count.
func addPools(list *journal.MeterList, pools []resource.Object) {
	for _, o := range pools {
		m := journal.Meter{
			Kind: journal.Addresses, Name: journal.IPPool + " " + o.GetName(), Unit: journal.AddressUnit,
			Capacity: resource.Int(o.Object, "spec", "addressCount"), Used: resource.Int(o.Object, "status", "allocated"),
		}
		full := resource.ConditionOf(o.Object, "full").Status == "True"
		if full {
			m.Used = m.Capacity
		}
		if full || resource.Field(o.Object, "status", "allocated") != nil {
			list.Add(m)
		}
	}
}

// loadBalancerRanges are those of the Inventory that the last plan was made with.
func (e *Engine) loadBalancerRanges() (out []addressRange) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.last == nil || e.last.options.Inventory == nil {
		return nil
	}
	for _, item := range resource.Items(e.last.options.Inventory.Object, "spec", "loadBalancer", "ranges") {
		text, _ := item.(string)
		if r, ok := parseRange(text); ok {
			out = append(out, r)
		}
	}
	return out
}

// An addressRange is a run of addresses of one family, both ends included.
type addressRange struct{ first, last netip.Addr }

// parseRange reads "first-last" or a single address.
func parseRange(text string) (addressRange, bool) {
	first, last, isRange := strings.Cut(text, "-")
	if !isRange {
		last = first
	}
	a, errA := netip.ParseAddr(strings.TrimSpace(first))
	b, errB := netip.ParseAddr(strings.TrimSpace(last))
	return addressRange{a, b}, errA == nil && errB == nil && a.BitLen() == b.BitLen() && !b.Less(a)
}

func (r addressRange) contains(a netip.Addr) bool {
	return a.BitLen() == r.first.BitLen() && !a.Less(r.first) && !r.last.Less(a)
}

// count is how many there are, math.MaxInt64 for more.
func (r addressRange) count() int64 {
	first, last := r.first.As16(), r.last.As16()
	low, borrow := bits.Sub64(binary.BigEndian.Uint64(last[8:]), binary.BigEndian.Uint64(first[8:]), 0)
	high, _ := bits.Sub64(binary.BigEndian.Uint64(last[:8]), binary.BigEndian.Uint64(first[:8]), borrow)
	if high != 0 || low >= math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(low) + 1
}

// follows says whether everything of some kinds has been heard of.
func (h *history) follows(kinds ...schema.GroupKind) bool {
	h.begin.Lock()
	defer h.begin.Unlock()
	if h.follower == nil {
		return false
	}
	for _, missing := range h.follower.Unfollowed() {
		for _, kind := range kinds {
			if missing.Kind == kind {
				return false
			}
		}
	}
	return true
}

// of are the objects of a kind, which must not be written to.
func (h *history) of(kind schema.GroupKind) (out []*unstructured.Unstructured) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for addr, u := range h.objects {
		if addr.GroupKind() == kind {
			out = append(out, u)
		}
	}
	return out
}
