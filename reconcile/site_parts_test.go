package reconcile

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/reconcile/vsphere"
)

// Several runs that go on side by side share what was read a moment ago: this engine
// has nobody to ask.
func TestMetersAreReadOnceForAll(t *testing.T) {
	t.Parallel()
	known := []journal.Meter{{Kind: journal.DatastoreRoom, Name: "vsan", Unit: "MiB", Capacity: 8}}
	e := &Engine{use: siteUse{read: time.Now(), meters: known}}
	if diff := cmp.Diff(known, e.metersSince(t.Context(), time.Hour)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNamespaceOfFolder(t *testing.T) {
	t.Parallel()
	for folder, want := range map[string]string{
		"/dc/vm/Namespaces/team-a/prod":       "team-a",
		"/dc/vm/Namespaces/team-a":            "team-a",
		"/dc/vm/region/Namespaces/team-a/a/b": "team-a",
		"/dc/vm/Namespaces":                   "", // the machines of the Supervisor itself
		"/dc/vm/other":                        "",
		"/":                                   "",
		"":                                    "",
		"Namespaces/team-a":                   "team-a",
	} {
		if got := namespaceOfFolder(folder); got != want {
			t.Errorf("%s: %q, want %q", folder, got, want)
		}
	}
}

// A vCenter has more than what a Supervisor's machines run on.
func TestWhatOfAVCenterIsShown(t *testing.T) {
	t.Parallel()
	o := &vsphere.Observed{
		Hosts: []vsphere.Host{
			{Name: "a", Zone: "z", Cores: 4, MHz: 1000, MemoryMiB: 64, Connected: true},
			{Name: "gone", Zone: "z", Cores: 4, MHz: 1000, MemoryMiB: 64},
			{Name: "idle in maintenance", Zone: "z", Cores: 4, MHz: 1000, MemoryMiB: 64, Connected: true, Maintenance: true},
			{Name: "left in maintenance", Zone: "z", Cores: 4, MHz: 1000, MemoryMiB: 64, Connected: true, Maintenance: true},
			{Name: "of no Supervisor", Cores: 4, MHz: 1000, MemoryMiB: 64, Connected: true},
		},
		Datastores: []vsphere.Datastore{
			{Name: "shared", CapacityMiB: 100, FreeMiB: 30, Accessible: true, Zones: []string{"z"}},
			{Name: "local", CapacityMiB: 100, FreeMiB: 30, Accessible: true, Local: true, Zones: []string{"z"}},
			{Name: "local with a machine", CapacityMiB: 100, FreeMiB: 100, Accessible: true, Local: true, Zones: []string{"z"}},
			{Name: "lost", CapacityMiB: 100, FreeMiB: 30, Zones: []string{"z"}},
			{Name: "elsewhere", CapacityMiB: 100, FreeMiB: 30, Accessible: true},
		},
		VMs: []vsphere.VM{
			{Host: "a", CPUs: 2, MemoryMiB: 8, On: true, Folder: "/dc/vm/Namespaces/team-a/prod", Datastore: "local with a machine"},
			{Host: "a", CPUs: 1, MemoryMiB: 4, On: true, Folder: "/dc/vm/of somebody else"},
			{Host: "a", CPUs: 4, MemoryMiB: 32, Folder: "/dc/vm/Namespaces/team-a/prod"}, // off
			{Host: "left in maintenance", CPUs: 1, MemoryMiB: 16, On: true},
		},
	}
	var list journal.MeterList
	take := map[string]*taken{"team-a": {}}
	addHosts(&list, o, take)
	addDatastores(&list, o)
	want := []journal.Meter{
		{Kind: journal.HostMemory, Group: "z", Name: "a", Unit: "MiB", Capacity: 64, Used: 12},
		{Kind: journal.HostMemory, Group: "z", Name: "left in maintenance", Unit: "MiB", Capacity: 64, Used: 16},
		{Kind: journal.HostCPU, Group: "z", Name: "a", Unit: "MHz", Capacity: 4000, Used: 3000},
		{Kind: journal.HostCPU, Group: "z", Name: "left in maintenance", Unit: "MHz", Capacity: 4000, Used: 1000},
		{Kind: journal.DatastoreRoom, Name: "local with a machine", Unit: "MiB", Capacity: 100},
		{Kind: journal.DatastoreRoom, Name: "shared", Unit: "MiB", Capacity: 100, Used: 70},
	}
	if diff := cmp.Diff(want, list.Sorted()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := *take["team-a"]; got != (taken{memoryMiB: 8, mhz: 2000}) {
		t.Errorf("team-a takes %+v", got)
	}
}

func storageQuota(namespace, class string, limit any, total ...any) resource.Object {
	spec := map[string]any{}
	if limit != nil {
		spec["limit"] = limit
	}
	return resource.NewObject(map[string]any{
		"apiVersion": "cns.vmware.com/v1alpha2", "kind": "StoragePolicyQuota",
		"metadata": map[string]any{"namespace": namespace, "name": class + quotaSuffix},
		"spec":     spec, "status": map[string]any{"total": total},
	})
}

func inUse(class, used, reserved string) any {
	return map[string]any{"storageClassName": class, "scQuotaUsage": map[string]any{"used": used, "reserved": reserved}}
}

func TestStorageInUse(t *testing.T) {
	t.Parallel()
	ns := func(name string, limit int64) resource.Object {
		return resource.NewObject(map[string]any{
			"metadata": map[string]any{"name": name},
			"spec":     map[string]any{"resources": map[string]any{"storageLimitMiB": limit}},
		})
	}
	var list journal.MeterList
	addStorage(&list, []resource.Object{
		storageQuota("team-a", "gold", "100Gi", inUse("gold", "20Gi", "1Gi"), inUse("gold-latebinding", "1Gi", "0")),
		storageQuota("team-a", "silver", nil, inUse("silver", "1", "0")),
		storageQuota("team-b", "gold", int64(3<<30), inUse("gold", "1Gi", "0")),
		storageQuota("team-b", "new", "1Gi"),                              // of which nobody says anything yet
		storageQuota("team-c", "odd", "a lot", inUse("odd", "none", "x")), // unreadable
	}, []resource.Object{ns("team-a", 1<<20), ns("team-b", 1<<20), ns("team-c", 1<<20)})
	want := []journal.Meter{
		{Kind: journal.Quota, Group: "team-a", Name: "storage", Unit: "MiB", Capacity: 1 << 20, Used: 22<<10 + 1},
		{Kind: journal.Quota, Group: "team-a", Name: "storage gold", Unit: "MiB", Capacity: 100 << 10, Used: 22 << 10},
		{Kind: journal.Quota, Group: "team-a", Name: "storage silver", Unit: "MiB", Used: 1},
		{Kind: journal.Quota, Group: "team-b", Name: "storage gold", Unit: "MiB", Capacity: 3 << 10, Used: 1 << 10},
	}
	if diff := cmp.Diff(want, list.Sorted()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLoadBalancerInUse(t *testing.T) {
	t.Parallel()
	service := func(ips ...string) *unstructured.Unstructured {
		var ingress []any
		for _, ip := range ips {
			ingress = append(ingress, map[string]any{"ip": ip})
		}
		return &unstructured.Unstructured{Object: map[string]any{"status": map[string]any{"loadBalancer": map[string]any{"ingress": ingress}}}}
	}
	ranges := func(texts ...string) (out []addressRange) {
		for _, text := range texts {
			if r, ok := parseRange(text); ok {
				out = append(out, r)
			}
		}
		return out
	}
	tests := map[string]struct {
		ranges         []addressRange
		services       []*unstructured.Unstructured
		capacity, used int64
	}{
		"no service":         {ranges("10.0.0.1-10.0.0.4"), nil, 4, 0},
		"two of two ranges":  {ranges("10.0.0.1-10.0.0.4", "10.0.1.9"), []*unstructured.Unstructured{service("10.0.0.4"), service("10.0.1.9")}, 5, 2},
		"shared and foreign": {ranges("10.0.0.1-10.0.0.4"), []*unstructured.Unstructured{service("10.0.0.4"), service("10.0.0.4", "10.9.9.9", "x", "")}, 4, 1},
		"of no sense":        {ranges("10.0.0.9-10.0.0.1", "x", "10.0.0.1-::1", "10.0.0.1"), nil, 1, 0},
		"IPv6":               {ranges("2001:db8::1-2001:db8::10"), []*unstructured.Unstructured{service("2001:db8::2")}, 16, 1},
		"very many":          {ranges("::-ffff::", "10.0.0.1"), nil, math.MaxInt64, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if m := loadBalancer(tt.ranges, tt.services); m.Capacity != tt.capacity || m.Used != tt.used {
				t.Errorf("%d of %d, want %d of %d", m.Used, m.Capacity, tt.used, tt.capacity)
			}
		})
	}
}

func TestPoolsInUse(t *testing.T) {
	t.Parallel()
	pool := func(name string, status map[string]any) resource.Object {
		return resource.NewObject(map[string]any{
			"metadata": map[string]any{"name": name}, "spec": map[string]any{"startingAddress": "10.0.0.1", "addressCount": int64(50)}, "status": status,
		})
	}
	condition := func(kind, status string) []any { return []any{map[string]any{"type": kind, "status": status}} }
	var list journal.MeterList
	addPools(&list, []resource.Object{
		pool("counted", map[string]any{"allocated": int64(12)}),
		pool("full", map[string]any{"conditions": condition("full", "True")}),
		pool("not full, and of an older version", map[string]any{"conditions": condition("full", "False")}),
		pool("without a status", nil),
	})
	want := []journal.Meter{
		{Kind: journal.Addresses, Name: "IP pool counted", Unit: "addresses", Capacity: 50, Used: 12},
		{Kind: journal.Addresses, Name: "IP pool full", Unit: "addresses", Capacity: 50, Used: 50},
	}
	if diff := cmp.Diff(want, list.Sorted()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPrivateBlocksInUse(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		cidrs              []any
		size               int64
		subnets, addresses int64 // there are
	}{
		"a block":                {[]any{"172.26.0.0/16"}, 32, 2048, 2048 * 28},
		"the size of NSX":        {[]any{"172.26.0.0/24"}, 0, 8, 8 * 28},
		"two blocks":             {[]any{"172.26.0.0/24", "10.0.0.0/25"}, 64, 4 + 2, 6 * 60},
		"a block too small":      {[]any{"172.26.0.0/28"}, 32, 0, 0},
		"no block":               {nil, 32, 0, 0},
		"blocks that are none":   {[]any{"x", 7, "fd00::/48"}, 32, 0, 0},
		"all there is, in pairs": {[]any{"0.0.0.0/0"}, 2, 1 << 31, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var list journal.MeterList
			addVPC(&list, resource.NewObject(map[string]any{
				"metadata": map[string]any{"name": "team-a"},
				"spec":     map[string]any{"network": map[string]any{"privateCIDRs": tt.cidrs, "subnetSize": tt.size}},
			}), 0, 0)
			got := map[string]int64{}
			for _, m := range list {
				got[m.Name] = m.Capacity
			}
			if got[journal.PrivateSubnets] != tt.subnets || got[journal.PrivateAddresses] != tt.addresses {
				t.Errorf("%v, want %d subnets and %d addresses", got, tt.subnets, tt.addresses)
			}
		})
	}
}
