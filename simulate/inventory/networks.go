package inventory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// The network providers of a Supervisor (domain.md 1.17; observed.md 5, 6.5).
const (
	// NSXVPC is VCF 9's default: SubnetSets in a VPC.
	NSXVPC = "nsx-vpc"
	// NSXT is NSX with tier-1 gateways: a VirtualNetwork for each cluster.
	NSXT = "nsx-t"
	// VDS is distributed port groups: a Network in each vSphere Namespace.
	VDS = "vds"
	// Plain connects VMs with nothing but their interface, and has no load balancer.
	Plain = "plain"
)

var providers = []string{NSXVPC, NSXT, VDS, Plain}

// Networks is how nodes are connected and where their addresses come from.
type Networks struct {
	// Provider is one of the constants above; empty is NSXVPC.
	Provider string `json:"provider,omitempty"`
	// PrivateCIDRs are what NSX cuts the subnets of nodes from.
	PrivateCIDRs []string `json:"privateCIDRs,omitempty"`
	// SubnetSize is the number of addresses of a subnet, a power of two; 0 is DefaultSubnetSize.
	SubnetSize int `json:"subnetSize,omitempty"`
	// Ranges are the addresses of nodes without NSX: "first-last", both inclusive,
	// or single addresses.
	Ranges []string `json:"ranges,omitempty"`
}

// DefaultSubnetSize is the size of a subnet where nothing else is said.
const DefaultSubnetSize = 32

// NetworkProvider is the network provider, NSXVPC when none is named.
func (inv *Inventory) NetworkProvider() string {
	return cmp.Or(inv.Spec.Networks.Provider, NSXVPC)
}

// SubnetSize is the number of addresses of a subnet where a namespace names none.
func (inv *Inventory) SubnetSize() int {
	return cmp.Or(inv.Spec.Networks.SubnetSize, DefaultSubnetSize)
}

// LoadBalancerRanges are the ranges of spec.loadBalancer in the order written.
// Decode has refused an Inventory with a malformed one; made by hand, it is left out.
func (inv *Inventory) LoadBalancerRanges() []Range { return parseRanges(inv.Spec.LoadBalancer.Ranges) }

// NodeRanges are the ranges of spec.networks, as LoadBalancerRanges.
func (inv *Inventory) NodeRanges() []Range { return parseRanges(inv.Spec.Networks.Ranges) }

func parseRanges(texts []string) []Range {
	var out []Range
	for _, text := range texts {
		if r, err := ParseRange(text); err == nil {
			out = append(out, r)
		}
	}
	return out
}

// checkNetworks fails for a provider that is not known, for one without the
// addresses it hands out, and for a site on which no cluster could get an endpoint.
func (inv *Inventory) checkNetworks() error {
	n, endpoint := inv.Spec.Networks, inv.Spec.Supervisor.ControlPlaneEndpoint
	provider := inv.NetworkProvider()
	switch {
	case !slices.Contains(providers, provider):
		return fmt.Errorf("spec.networks.provider is %q; it is one of %s", provider, strings.Join(providers, ", "))
	case (provider == VDS || provider == Plain) && len(n.Ranges) == 0:
		return fmt.Errorf("spec.networks.ranges is empty; provider %s gives nodes their addresses from it", provider)
	case (provider == VDS || provider == Plain) && len(n.PrivateCIDRs) > 0:
		return fmt.Errorf("spec.networks.privateCIDRs is of NSX, which provider %s is not; use spec.networks.ranges", provider)
	case (provider == NSXVPC || provider == NSXT) && len(n.Ranges) > 0:
		return fmt.Errorf("spec.networks.ranges is for providers without NSX; provider %s uses spec.networks.privateCIDRs", provider)
	case provider == Plain && endpoint == nil:
		return fmt.Errorf("provider plain has no load balancer; give spec.supervisor.controlPlaneEndpoint")
	case endpoint != nil && (endpoint.Host == "" || endpoint.Port < 1 || endpoint.Port > 65535):
		return fmt.Errorf("spec.supervisor.controlPlaneEndpoint is %q, port %d; it needs a host and a port from 1 to 65535", endpoint.Host, endpoint.Port)
	}
	for _, r := range append(slices.Clip(n.Ranges), inv.Spec.LoadBalancer.Ranges...) {
		if _, err := ParseRange(r); err != nil {
			return err
		}
	}
	return nil
}
