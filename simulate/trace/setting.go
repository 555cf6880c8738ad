package trace

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// Setting is the world of a recording. Zero values are those of a Supervisor with
// NSX VPC, one zone, and an endpoint from a load balancer.
type Setting struct {
	// NetworkProvider is one of Providers.
	NetworkProvider string
	// EndpointGiven says that the control-plane endpoint was given beforehand.
	EndpointGiven bool
	// Zones is how many there are; at least 1.
	Zones int
	// MissingImages are versions, as in a topology, whose image is not there.
	MissingImages []string
}

// Providers are the network providers by the names that a steps file may use, and
// what the Inventory calls them. Case, hyphens and underscores do not count.
var Providers = map[string]string{
	"plain": "plain", "netop": "plain", "": "nsx-vpc",
	"vspherenetwork": "vds", "vds": "vds",
	"nsxt": "nsx-t", "nsx": "nsx-t", "ncp": "nsx-t",
	"nsxvpc": "nsx-vpc", "vpc": "nsx-vpc",
}

// endpoints are where a control-plane endpoint may come from, and whether that is
// somebody who gave it beforehand.
var endpoints = map[string]bool{
	"given":        true,
	"loadbalancer": false, "virtualmachineservice": false, "vmservice": false, "service": false,
}

// bare is a word as the tables above have it.
func bare(word string) string {
	return strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(word))
}

func (d *decoder) world(n *yaml.Node, s *Setting) {
	d.each(n, "world", map[string]func(*yaml.Node){
		"networkProvider": func(n *yaml.Node) {
			provider, known := Providers[bare(d.text(n))]
			if !known {
				d.fail(n, "networkProvider is %q, want plain, vsphere-network, nsx-t or nsx-vpc", n.Value)
			}
			s.NetworkProvider = provider
		},
		"controlPlaneEndpoint": func(n *yaml.Node) {
			given, known := endpoints[bare(d.text(n))]
			if !known {
				d.fail(n, "controlPlaneEndpoint is %q, want given or load-balancer", n.Value)
			}
			s.EndpointGiven = given
		},
		"zones": func(n *yaml.Node) {
			if n.Kind == yaml.SequenceNode { // their names
				s.Zones = len(n.Content)
			} else if err := n.Decode(&s.Zones); err != nil {
				s.Zones = 0
			}
			if s.Zones < 1 || s.Zones > 9 {
				d.fail(n, "zones is %q, want a number from 1 to 9", n.Value)
				s.Zones = 1
			}
		},
		"missingImages": func(n *yaml.Node) {
			if err := n.Decode(&s.MissingImages); err != nil {
				d.fail(n, "missingImages is a list of versions")
			}
		},
		"note": func(*yaml.Node) {},
	})
	if s.NetworkProvider == "" {
		s.NetworkProvider = Providers[""]
	}
}
