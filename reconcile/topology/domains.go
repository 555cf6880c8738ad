package topology

import (
	"slices"

	"github.com/vksync/vksync/reconcile/resource"
)

// Domains are the failure domains of a Cluster that take control-plane machines, by
// name; none where it has none.
func Domains(cluster map[string]any) []string {
	var out []string
	for _, domain := range resource.Items(cluster, "status", "failureDomains") {
		if resource.Flag(domain, "controlPlane") {
			out = append(out, resource.Text(domain, "name"))
		}
	}
	slices.Sort(out)
	return out
}
