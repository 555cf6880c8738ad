package schema

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/resource"
)

// vm is what a node of the example fleet takes of the lab.
type vm struct {
	zone      string // any where empty
	cpus      int64
	memoryMiB int64
	diskGiB   int64
}

// vmsOf lists the nodes that a Cluster asks for.
func vmsOf(t *testing.T, cluster resource.Object, classes map[string]any) []vm {
	t.Helper()
	topology := resource.Fields(cluster.Object, "spec", "topology")
	variable := func(of any, name string, otherwise any) any {
		for _, path := range [][]string{{"variables", "overrides"}, {"variables"}} {
			for _, v := range resource.Items(of, path...) {
				if resource.Text(v, "name") == name {
					return resource.Field(v, "value")
				}
			}
		}
		return otherwise
	}
	var vms []vm
	nodes := func(of any) {
		name, _ := variable(of, "vmClass", variable(topology, "vmClass", "")).(string)
		class, known := classes[name]
		if !known {
			t.Errorf("%s: the lab has no VM class %q", cluster.Addr(), name)
		}
		one := vm{zone: resource.Text(of, "failureDomain"), cpus: resource.Int(class, "cpus"), memoryMiB: resource.Int(class, "memoryMiB"), diskGiB: 20}
		for _, volume := range resource.Items(variable(of, "volumes", nil)) {
			var gib int64
			if _, err := fmt.Sscanf(resource.Text(volume, "capacity"), "%dGi", &gib); err != nil {
				t.Fatal(err)
			}
			one.diskGiB += gib
		}
		vms = append(vms, slices.Repeat([]vm{one}, int(resource.Int(of, "replicas")))...)
	}
	nodes(topology["controlPlane"])
	for _, pool := range resource.Items(topology, "workers", "machineDeployments") {
		nodes(pool)
	}
	return vms
}

// The comment in lab.yaml says what the example fleet leaves of the lab.
func TestFleetFitsTheLab(t *testing.T) {
	t.Parallel()
	desired, problems := Load(os.DirFS("../testdata/fleet"), ".")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	inventory := resource.Fields(LabInventory().Object, "spec")
	classes := map[string]any{}
	for _, class := range resource.Items(inventory, "vmClasses") {
		classes[resource.Text(class, "name")] = class
	}
	var (
		fleet            []vm
		clusters         int
		cpus, mem, disks int64
		perNamespace     = map[string]int64{} // MiB
	)
	for addr, o := range desired.Resources.All() {
		if addr.Kind != resource.KindCluster {
			continue
		}
		clusters++
		for _, one := range vmsOf(t, o, classes) {
			fleet = append(fleet, one)
			cpus, mem, disks = cpus+one.cpus, mem+one.memoryMiB, disks+one.diskGiB
			perNamespace[addr.Namespace] += one.memoryMiB
		}
	}
	got := fmt.Sprintf("%d clusters, %d VMs, %d CPUs, %d GiB memory, %d GiB disk", clusters, len(fleet), cpus, mem>>10, disks)
	if want := "12 clusters, 84 VMs, 300 CPUs, 1512 GiB memory, 2280 GiB disk"; got != want {
		t.Errorf("the fleet has %s, want %s", got, want)
	}
	for _, figure := range []string{"12 clusters, 84 VMs", "300          468", "1512 GiB      792 GiB", "2280 GiB"} {
		if !strings.Contains(labText(), figure) {
			t.Errorf("the comment in lab.yaml lacks %q", figure)
		}
	}
	for addr, o := range desired.Resources.All() {
		limit := resource.Int(o.Object, "spec", "resources", "memoryLimitMiB")
		if addr.Kind == resource.KindVSphereNamespace && limit < perNamespace[addr.Name] {
			t.Errorf("%s allows %d MiB, its clusters take %d", addr, limit, perNamespace[addr.Name])
		}
	}
	if unplaced := pack(fleet, inventory); len(unplaced) > 0 {
		t.Errorf("no host has room for %s", cmp.Diff(nil, unplaced))
	}
}

// pack puts the largest VMs first, each on the host with the most memory free.
func pack(fleet []vm, inventory map[string]any) (unplaced []string) {
	type host struct {
		zone         string
		cpus, memory int64
	}
	var hosts []*host
	for _, zone := range resource.Items(inventory, "zones") {
		for _, h := range resource.Items(zone, "hosts") {
			hosts = append(hosts, &host{resource.Text(zone, "name"), 4 * resource.Int(h, "cores"), resource.Int(h, "memoryMiB")})
		}
	}
	slices.SortStableFunc(fleet, func(a, b vm) int { return int(b.memoryMiB - a.memoryMiB) })
	for _, one := range fleet {
		var best *host
		for _, h := range hosts {
			fits := h.cpus >= one.cpus && h.memory >= one.memoryMiB && (one.zone == "" || one.zone == h.zone)
			if fits && (best == nil || h.memory > best.memory) {
				best = h
			}
		}
		if best == nil {
			unplaced = append(unplaced, fmt.Sprintf("%+v", one))
			continue
		}
		best.cpus -= one.cpus
		best.memory -= one.memoryMiB
	}
	return unplaced
}
