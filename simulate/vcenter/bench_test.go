package vcenter_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/vksync/vksync/simulate/inventory"
	"github.com/vksync/vksync/simulate/vcenter"
)

func BenchmarkNew(b *testing.B) {
	for _, hostsPerZone := range []int{4, 334} {
		b.Run(fmt.Sprintf("hosts=%d", 3*hostsPerZone), func(b *testing.B) {
			inv := lab(b, hostsPerZone)
			for b.Loop() {
				build(b, inv)
			}
		})
	}
}

func build(b *testing.B, inv *inventory.Inventory) {
	v, err := vcenter.New(vcenter.Config{Inventory: inv})
	if err != nil {
		b.Fatal(err)
	}
	if err := v.Close(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkCreateVM makes clusters of eight VMs, each placed, created, powered on
// and given an address, and reports the heap that each VM keeps.
func BenchmarkCreateVM(b *testing.B) {
	v := start(b, lab(b, 300))
	before := heap()
	n := 0
	for b.Loop() {
		makeVM(b, v, "bench", fmt.Sprintf("c%d", n/8), fmt.Sprintf("c%d-vm%d", n/8, n%8))
		n++
	}
	b.ReportMetric(float64(heap()-before)/float64(n), "heap-B/vm")
	runtime.KeepAlive(v)
}

func BenchmarkPlace(b *testing.B) {
	v := start(b, lab(b, 334))
	for b.Loop() {
		if _, err := v.Place(vcenter.PlaceRequest{Namespace: "bench", CPUs: 4, MemoryMiB: 16384, DiskGiB: 20}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkInventory observes 800 VMs with a client that has seen them before.
func BenchmarkInventory(b *testing.B) {
	v := start(b, lab(b, 20))
	for n := range 800 {
		makeVM(b, v, "bench", fmt.Sprintf("c%d", n/8), fmt.Sprintf("c%d-vm%d", n/8, n%8))
	}
	c := dial(b, v.Handler())
	if _, err := c.Inventory(b.Context()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := c.Inventory(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
