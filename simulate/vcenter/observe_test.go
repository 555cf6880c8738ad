package vcenter_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/vksync/vksync/reconcile/vsphere"
)

func TestClientSeesTheInventory(t *testing.T) {
	t.Parallel()
	inv := lab(t, 2)
	inv.Spec.Zones[1].Hosts[0].Maintenance = true
	v := start(t, inv)
	ref := makeVM(t, v, "team-a", "prod", "prod-cp-1")
	got, err := dial(t, v.Handler()).Inventory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	host := func(name, zone string, maintenance bool) vsphere.Host {
		return vsphere.Host{
			Name: name + ".lab.example", Cluster: "compute-" + zone, Zone: "zone-" + zone,
			Cores: 32, MHz: 2600, MemoryMiB: 262144, Connected: true, Maintenance: maintenance,
		}
	}
	const space = 20480 * 1024
	want := &vsphere.Observed{
		Version: "9.0.0",
		Supervisors: []vsphere.Supervisor{{
			Name: "lab", ConfigStatus: "RUNNING", KubernetesStatus: "READY",
			Zones: []vsphere.Zone{
				{Name: "zone-a", Clusters: []string{"compute-a"}},
				{Name: "zone-b", Clusters: []string{"compute-b"}},
				{Name: "zone-c", Clusters: []string{"compute-c"}},
			},
		}},
		Hosts: []vsphere.Host{
			host("esx-a1", "a", false), host("esx-a2", "a", false), host("esx-b1", "b", true),
			host("esx-b2", "b", false), host("esx-c1", "c", false), host("esx-c2", "c", false),
		},
		Datastores: []vsphere.Datastore{
			{Name: "vsan-a", CapacityMiB: space, FreeMiB: space - 20*1024, Accessible: true, Zones: []string{"zone-a"}},
			{Name: "vsan-b", CapacityMiB: space, FreeMiB: space, Accessible: true, Zones: []string{"zone-b"}},
			{Name: "vsan-c", CapacityMiB: space, FreeMiB: space, Accessible: true, Zones: []string{"zone-c"}},
		},
		VMs: []vsphere.VM{{
			Name: "prod-cp-1", MoID: ref.MoID, Folder: "/dc-lab/vm/Namespaces/team-a/prod",
			Host: "esx-a1.lab.example", Datastore: "vsan-a", CPUs: 2, MemoryMiB: 4096, On: true, Connection: "connected", IP: "172.26.0.4",
			InstanceUUID: uuidOf("prod-cp-1", 2),
		}},
		VMClasses: []vsphere.VMClass{
			{Name: "best-effort-small", CPUs: 2, MemoryMiB: 4096}, {Name: "guaranteed-medium", CPUs: 2, MemoryMiB: 8192, Reserved: true},
		},
		StoragePolicies: []string{"only-a", "vks-gold"},
		Libraries:       []string{"golden", "vks-releases"},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(vsphere.Supervisor{}, "ID")); diff != "" {
		t.Errorf("inventory (-want +got):\n%s", diff)
	}
}

func TestClientFollowsChanges(t *testing.T) {
	t.Parallel()
	v := start(t, lab(t, 2))
	one, two := makeVM(t, v, "team-a", "prod", "one"), makeVM(t, v, "team-a", "prod", "two")
	c := dial(t, v.Handler())
	seen := func() string {
		t.Helper()
		o, err := c.Inventory(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var words []string
		for _, vm := range o.VMs {
			state := "off"
			if vm.On {
				state = "on"
			}
			words = append(words, vm.Name+" "+state+" "+vm.IP)
		}
		for _, h := range o.Hosts {
			if h.Maintenance {
				words = append(words, h.Name+" in maintenance")
			}
		}
		return strings.Join(words, ", ")
	}
	check := func(want string) {
		t.Helper()
		if got := seen(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	check("one on 172.26.0.4, two on 172.26.0.4")
	if _, err := v.PowerOff(one.MoID); err != nil {
		t.Fatal(err)
	}
	if err := v.SetGuest(two.MoID, "172.26.0.9", "two"); err != nil {
		t.Fatal(err)
	}
	check("one off 172.26.0.4, two on 172.26.0.9")
	if _, err := v.Destroy(one.MoID); err != nil {
		t.Fatal(err)
	}
	if err := v.SetMaintenance("esx-c1.lab.example", true); err != nil {
		t.Fatal(err)
	}
	makeVM(t, v, "team-a", "prod", "three")
	check("three on 172.26.0.4, two on 172.26.0.9, esx-c1.lab.example in maintenance")
}

func TestClientObservesWhileVMsComeAndGo(t *testing.T) {
	t.Parallel()
	v := start(t, lab(t, 4))
	c := dial(t, v.Handler())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 40 {
			ref := makeVM(t, v, "team-a", "prod", fmt.Sprintf("vm-%d", i))
			if i%2 == 0 {
				continue
			}
			if _, err := v.PowerOff(ref.MoID); err != nil {
				t.Error(err)
			}
			if _, err := v.Destroy(ref.MoID); err != nil {
				t.Error(err)
			}
		}
	}()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		o, err := c.Inventory(t.Context())
		if err != nil && vsphere.KindOf(err) != vsphere.NotFound {
			t.Fatal(err) // a VM may go away under both looks; anything else is wrong
		}
		if err == nil && !running && len(o.VMs) != 20 {
			t.Errorf("%d VMs at the end, want 20", len(o.VMs))
		}
	}
}
