package schema

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// networks: a provider has the addresses it hands out and none of another, and
// clusters can get an endpoint.
func (r *relation) networks() {
	spec := r.doc.field("spec")
	networks := spec.field("networks")
	if networks == nil {
		return // which its definition says
	}
	provider := networks.field("provider").str()
	wanted, foreign := []string{"privateCIDRs", "subnetSize"}, []string{"ranges"}
	if provider == "vds" || provider == "plain" {
		wanted, foreign = foreign, wanted
	}
	if provider == "" {
		provider = "nsx-vpc"
	}
	for _, field := range wanted {
		if networks.field(field) == nil {
			r.lacks(networks, "the network provider is "+provider, "spec", "networks", field)
		}
	}
	for _, field := range foreign {
		if n := networks.field(field); n != nil {
			r.refuse(n, Problem{Message: fmt.Sprintf("the network provider is %s, which has no %s", provider, field), Hint: "use " + strings.Join(wanted, " and ")}, "spec", "networks", field)
		}
	}
	given := spec.field("supervisor", "controlPlaneEndpoint")
	switch {
	case provider == "plain" && given == nil:
		if supervisor := spec.field("supervisor"); supervisor != nil {
			r.lacks(supervisor, "the network provider is plain, which has no load balancer", "spec", "supervisor", "controlPlaneEndpoint")
		}
	case provider != "plain" && given == nil && spec.field("loadBalancer") == nil:
		r.lacks(spec, "control-plane endpoints come from it", "spec", "loadBalancer")
	}
	r.blocks("spec", "networks", "privateCIDRs")
	r.addressRanges("spec", "networks", "ranges")
	r.addressRanges("spec", "loadBalancer", "ranges")
}

// namespaceNetwork: only a VPC of a vSphere Namespace has blocks and subnets of its own.
func (r *relation) namespaceNetwork() {
	network := r.doc.field("spec", "network")
	provider := network.field("provider").str()
	if provider != "NSXT" && provider != "VDS" {
		return
	}
	for _, field := range []string{"privateCIDRs", "subnetSize"} {
		if n := network.field(field); n != nil {
			r.refuse(n, Problem{Message: "only a VPC has its own, and the provider is " + provider, Hint: "remove the field"}, "spec", "network", field)
		}
	}
}

// lacks reports a field that is missing from parent, with the reason.
func (r *relation) lacks(parent *node, why string, path ...string) {
	r.refuse(parent, Problem{Message: "is required: " + why}, path...)
}

// addressRanges: ranges run upwards.
func (r *relation) addressRanges(path ...string) {
	for i, n := range r.doc.field(path...).elements() {
		first, last, _ := strings.Cut(n.str(), "-")
		low, errLow := netip.ParseAddr(first)
		high, errHigh := netip.ParseAddr(last)
		if n.shape == text && strings.Contains(n.str(), "-") && (errLow != nil || errHigh != nil || high.Less(low)) {
			r.refuse(n, Problem{Message: "is not a first and a last address, the smaller first"}, append(slices.Clone(path), strconv.Itoa(i))...)
		}
	}
}
