package trace

import (
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
// what the Inventory calls them.
var Providers = map[string]string{
	"plain": "plain", "netop": "plain", "": "nsx-vpc",
	"vsphere-network": "vds", "vds": "vds",
	"nsx-t": "nsx-t", "nsx": "nsx-t",
	"nsx-vpc": "nsx-vpc", "vpc": "nsx-vpc",
}

func (d *decoder) world(n *yaml.Node, s *Setting) {
	d.each(n, "world", map[string]func(*yaml.Node){
		"networkProvider": func(n *yaml.Node) {
			provider, known := Providers[d.text(n)]
			if !known {
				d.fail(n, "networkProvider is %q, want plain, vsphere-network, nsx-t or nsx-vpc", n.Value)
			}
			s.NetworkProvider = provider
		},
		"controlPlaneEndpoint": func(n *yaml.Node) {
			switch d.text(n) {
			case "given":
				s.EndpointGiven = true
			case "load-balancer":
			default:
				d.fail(n, "controlPlaneEndpoint is %q, want given or load-balancer", n.Value)
			}
		},
		"zones": func(n *yaml.Node) {
			if err := n.Decode(&s.Zones); err != nil || s.Zones < 1 || s.Zones > 9 {
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
