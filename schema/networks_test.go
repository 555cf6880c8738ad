package schema

import (
	"strings"
	"testing"
)

// What the networks of an Inventory may say, with the lab as a start.
func TestNetworksOfAnInventory(t *testing.T) {
	t.Parallel()
	const (
		networks   = "networks: {privateCIDRs: [172.26.0.0/16], subnetSize: 32}"
		balancer   = "  loadBalancer: {ranges: [10.20.0.10-10.20.0.25]}\n"
		supervisor = "supervisor: {name: lab}"
		given      = "supervisor: {name: lab, controlPlaneEndpoint: {host: 10.20.0.5, port: 6443}}"
		ranges     = "ranges: [10.30.0.10-10.30.0.250]"
	)
	for _, test := range []struct {
		name string
		edit []string // pairs of old and new text in the lab
		want string   // the one problem without its place; "" for none
	}{
		{"port groups", []string{networks, "networks: {provider: vds, " + ranges + "}"}, ""},
		{"tier-1 gateways", []string{networks, "networks: {provider: nsx-t, privateCIDRs: [172.26.0.0/16], subnetSize: 32}"}, ""},
		{"plain with an endpoint", []string{networks, "networks: {provider: plain, " + ranges + "}", balancer, "", supervisor, given}, ""},
		{"an endpoint by name", []string{supervisor, strings.Replace(given, "10.20.0.5", "api.lab.example", 1), balancer, ""}, ""},
		{
			"a provider that is none", []string{networks, "networks: {provider: calico, privateCIDRs: [172.26.0.0/16], subnetSize: 32}"},
			`spec.networks.provider: must be one of the allowed values (found "calico", allowed: nsx-vpc, nsx-t, vds, plain)`,
		},
		{
			"port groups without addresses", []string{networks, "networks: {provider: vds}"},
			"spec.networks.ranges: is required: the network provider is vds",
		},
		{
			"NSX without a subnet size", []string{networks, "networks: {privateCIDRs: [172.26.0.0/16]}"},
			"spec.networks.subnetSize: is required: the network provider is nsx-vpc",
		},
		{
			"ranges for NSX", []string{networks, strings.Replace(networks, "{", "{"+ranges+", ", 1)},
			"spec.networks.ranges: the network provider is nsx-vpc, which has no ranges\n    use privateCIDRs and subnetSize",
		},
		{
			"plain without an endpoint", []string{networks, "networks: {provider: plain, " + ranges + "}"},
			"spec.supervisor.controlPlaneEndpoint: is required: the network provider is plain, which has no load balancer",
		},
		{
			"no load balancer and no endpoint", []string{balancer, ""},
			"spec.loadBalancer: is required: control-plane endpoints come from it",
		},
		{
			"node addresses from high to low", []string{networks, "networks: {provider: vds, ranges: [10.30.0.9-10.30.0.1]}"},
			`spec.networks.ranges[0]: is not a first and a last address, the smaller first (found "10.30.0.9-10.30.0.1")`,
		},
		{
			"an endpoint without a port", []string{supervisor, "supervisor: {name: lab, controlPlaneEndpoint: {host: 10.20.0.5}}"},
			"spec.supervisor.controlPlaneEndpoint.port: is required (allowed: 1 to 65535)",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			text := labText()
			for i := 0; i < len(test.edit); i += 2 {
				if !strings.Contains(text, test.edit[i]) {
					t.Fatalf("the lab does not contain %q", test.edit[i])
				}
				text = strings.Replace(text, test.edit[i], test.edit[i+1], 1)
			}
			_, problems := Load(repoOf("a.yaml", text), ".")
			switch {
			case test.want == "" && len(problems) > 0:
				t.Errorf("got %v, want no problem", problems)
			case test.want != "" && (len(problems) != 1 || !strings.HasSuffix(strings.Replace(problems[0].String(), " in Inventory lab", "", 1), test.want)):
				t.Errorf("got %v, want one problem, %s", problems, test.want)
			}
		})
	}
}
