package vcenter_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/vksync/vksync/simulate/vcenter"
)

func TestPlaceSpreadsOverZonesAndHosts(t *testing.T) {
	t.Parallel()
	v := start(t, lab(t, 2))
	var got []string
	for i := range 7 {
		spot, err := v.Place(vcenter.PlaceRequest{Namespace: "team-a", CPUs: 2, MemoryMiB: 4096, DiskGiB: 20})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.CreateVM(specOf("team-a", "prod", fmt.Sprintf("vm-%d", i), spot)); err != nil {
			t.Fatal(err)
		}
		got = append(got, spot.Host[:6])
	}
	want := "[esx-a1 esx-b1 esx-c1 esx-a2 esx-b2 esx-c2 esx-a1]"
	if fmt.Sprint(got) != want {
		t.Errorf("hosts %v, want %s", got, want)
	}
	if spot, err := v.Place(vcenter.PlaceRequest{Namespace: "team-b", CPUs: 2, MemoryMiB: 4096, DiskGiB: 20}); err != nil || spot.Zone != "zone-a" {
		t.Errorf("another namespace goes to %+v (%v), want zone-a: only its own VMs count", spot, err)
	}
	if used := v.Usage("team-a"); used != (vcenter.Usage{VMs: 7, CPUs: 14, MemoryMiB: 7 * 4096, DiskGiB: 140}) {
		t.Errorf("usage %+v", used)
	}
}

func TestPlaceSaysPerZoneWhatIsMissing(t *testing.T) {
	t.Parallel()
	inv := lab(t, 2)
	inv.Spec.Zones[1].Hosts[0].Maintenance = true
	free := int64(10)
	inv.Spec.Datastores[2].FreeGiB = &free
	v := start(t, inv)
	for name, test := range map[string]struct {
		request      vcenter.PlaceRequest
		reason, says string
	}{
		"memory": {
			vcenter.PlaceRequest{Zone: "zone-a", CPUs: 2, MemoryMiB: 300 * 1024, DiskGiB: 1}, vcenter.InsufficientMemory,
			"zone-a: 2 hosts, largest free memory 243.2 GiB, needed 300 GiB",
		},
		"memory beside a host in maintenance": {
			vcenter.PlaceRequest{Zone: "zone-b", CPUs: 2, MemoryMiB: 300 * 1024, DiskGiB: 1}, vcenter.InsufficientMemory,
			"zone-b: 1 of 2 hosts not in maintenance, largest free memory 243.2 GiB, needed 300 GiB",
		},
		"cores": {
			vcenter.PlaceRequest{Zone: "zone-a", CPUs: 129, MemoryMiB: 1024, DiskGiB: 1}, vcenter.InsufficientCPU,
			"zone-a: 2 hosts, most free CPU 32 cores, needed 32.25",
		},
		"reserved cores": {
			vcenter.PlaceRequest{Zone: "zone-a", CPUs: 33, MemoryMiB: 1024, DiskGiB: 1, Reserved: true}, vcenter.InsufficientCPU,
			"zone-a: 2 hosts, most free CPU 32 cores, needed 33",
		},
		"space": {
			vcenter.PlaceRequest{Zone: "zone-c", CPUs: 2, MemoryMiB: 1024, DiskGiB: 20}, vcenter.InsufficientStorage,
			"zone-c: largest free space of a datastore 10 GiB, needed 20 GiB",
		},
		"a datastore of the policy": {
			vcenter.PlaceRequest{Zone: "zone-b", CPUs: 2, MemoryMiB: 1024, DiskGiB: 20, StoragePolicy: "only-a"}, vcenter.InsufficientStorage,
			"zone-b: no datastore that complies with storage policy only-a",
		},
		"different things in different zones": {
			vcenter.PlaceRequest{CPUs: 129, MemoryMiB: 300 * 1024, DiskGiB: 20, StoragePolicy: "only-a"}, vcenter.InsufficientMemory,
			"zone-a: 2 hosts, largest free memory 243.2 GiB, needed 300 GiB; " +
				"zone-b: 1 of 2 hosts not in maintenance, largest free memory 243.2 GiB, needed 300 GiB; " +
				"zone-c: 2 hosts, largest free memory 243.2 GiB, needed 300 GiB",
		},
		"a zone":   {vcenter.PlaceRequest{Zone: "zone-x"}, vcenter.ZoneNotFound, `zone "zone-x" is not in the inventory`},
		"a policy": {vcenter.PlaceRequest{StoragePolicy: "tin"}, vcenter.StoragePolicyNotFound, `storage policy "tin" is not in the inventory`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := v.Place(test.request)
			var e *vcenter.PlaceError
			if !errors.As(err, &e) || e.Reason != test.reason || e.Message != test.says {
				t.Errorf("got  %v\nwant %s: %s", err, test.reason, test.says)
			}
		})
	}
	t.Run("a zone without room is passed over", func(t *testing.T) {
		for range 3 {
			spot, err := v.Place(vcenter.PlaceRequest{CPUs: 2, MemoryMiB: 1024, DiskGiB: 20, StoragePolicy: "only-a"})
			if err != nil || spot.Zone != "zone-a" {
				t.Errorf("got %+v, %v, want zone-a", spot, err)
			}
		}
	})
}

func TestCreateVMDoesNotOverfill(t *testing.T) {
	t.Parallel()
	v := start(t, lab(t, 1))
	spot := vcenter.Spot{Zone: "zone-a", Host: "esx-a1.lab.example", Datastore: "vsan-a"}
	big := specOf("team-a", "prod", "one", spot)
	big.MemoryMiB = 200 * 1024
	ref, err := v.CreateVM(big)
	if err != nil {
		t.Fatal(err)
	}
	second := specOf("team-a", "prod", "two", spot)
	second.MemoryMiB = 200 * 1024
	var e *vcenter.PlaceError
	if _, err := v.CreateVM(second); !errors.As(err, &e) || e.Reason != vcenter.InsufficientMemory {
		t.Errorf("the second VM: %v, want InsufficientMemory", err)
	}
	if _, err := v.PowerOn(ref.MoID); err != nil {
		t.Fatal(err)
	}
	var failed *vcenter.TaskError
	if _, err := v.PowerOn(ref.MoID); !errors.As(err, &failed) {
		t.Errorf("powering on twice: %v, want a failed task", err)
	}
	if _, err := v.Destroy(ref.MoID); !errors.As(err, &failed) {
		t.Errorf("destroying what is on: %v, want a failed task", err)
	}
	if _, err := v.PowerOff(ref.MoID); err != nil {
		t.Fatal(err)
	}
	if err := v.RemoveClusterFolder("team-a", "prod"); err == nil {
		t.Error("the folder of a VM was removed")
	}
	if _, err := v.Destroy(ref.MoID); err != nil {
		t.Fatal(err)
	}
	if _, err := v.CreateVM(second); err != nil {
		t.Errorf("after the first is gone: %v", err)
	}
}
