package simulate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vksync/vksync/simulate/inventory"
)

// BenchmarkFleet creates whole fleets of 3+5 clusters, from the first request to
// every cluster Available, and reports what an event costs.
func BenchmarkFleet(b *testing.B) {
	for _, clusters := range []int{1, 10, 100, 500} {
		b.Run(fmt.Sprintf("clusters=%d", clusters), func(b *testing.B) {
			inv, manifests := fleetOf(b, clusters)
			events := 0
			for b.Loop() {
				h, _ := play(b, run{manifests: manifests, inventory: inv})
				events += len(h)
			}
			b.ReportMetric(float64(events)/float64(b.N), "events/op")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(events), "ns/event")
		})
	}
}

// fleetOf makes n clusters in ten namespaces, and a site with room for them.
func fleetOf(tb testing.TB, n int) (*inventory.Inventory, string) {
	tb.Helper()
	inv := *labInventory(tb)
	inv.Spec.Networks.PrivateCIDRs = []string{"172.16.0.0/12"}
	inv.Spec.LoadBalancer.Ranges = []string{"10.20.0.1-10.20.255.254"}
	for i := range inv.Spec.Zones {
		zone := &inv.Spec.Zones[i]
		model := zone.Hosts[0]
		model.Cores, model.MemoryMiB = 128, 1<<20
		zone.Hosts = nil
		for h := range 2 + n*8*4/1024 {
			model.Name = fmt.Sprintf("esx-%s-%d.lab.example", zone.Name, h)
			zone.Hosts = append(zone.Hosts, model)
		}
	}
	for i := range inv.Spec.Datastores {
		inv.Spec.Datastores[i].CapacityGiB = 1 << 20
	}
	var manifests strings.Builder
	for i := range min(n, 10) {
		manifests.WriteString(strings.ReplaceAll(namespaceTeamA, "team-a", fmt.Sprintf("team-%d", i)))
	}
	for i := range n {
		cluster := strings.ReplaceAll(clusterProd(3, 5), "name: prod", fmt.Sprintf("name: c%04d", i))
		manifests.WriteString(strings.ReplaceAll(cluster, "team-a", fmt.Sprintf("team-%d", i%10)))
	}
	return &inv, manifests.String()
}
