package vcenter_test

import (
	"testing"

	"github.com/vksync/vksync/simulate/vcenter"
)

func TestUseOfTheSite(t *testing.T) {
	t.Parallel()
	inv := lab(t, 2)
	inv.Spec.Zones[1].Hosts[0].Maintenance = true
	v := start(t, inv)
	client := dial(t, v.Handler())
	var ref vcenter.VMRef
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		name         string
		act          func()
		hosts        int
		memory, disk int64 // of esx-a1 in MiB, of vsan-a in GiB
	}{
		{"nothing", func() {}, 5, 0, 0}, // one of six is in maintenance
		{"a machine that is on", func() { ref = makeVM(t, v, "team-a", "prod", "vm-1") }, 5, 4096, 20},
		{"its host goes into maintenance", func() { do(v.SetMaintenance("esx-a1.lab.example", true)) }, 5, 4096, 20},
		{"it is powered off", func() { _, err := v.PowerOff(ref.MoID); do(err) }, 4, 0, 20},
		{"the host comes back", func() { do(v.SetMaintenance("esx-a1.lab.example", false)) }, 5, 0, 20},
		{"it is destroyed", func() { _, err := v.Destroy(ref.MoID); do(err) }, 5, 0, 0},
	} {
		step.act()
		use := v.Use()
		if len(use.Hosts) != step.hosts {
			t.Errorf("%s: %d hosts, want %d: %+v", step.name, len(use.Hosts), step.hosts, use.Hosts)
		}
		for _, h := range use.Hosts {
			if h.Name != "esx-a1.lab.example" {
				continue
			}
			if h.MemoryMiB != (vcenter.Use{Capacity: 262144, Used: step.memory}) || h.CPUMHz != (vcenter.Use{Capacity: 32 * 2600, Used: step.memory / 4096 * 2 * 2600}) {
				t.Errorf("%s: %+v", step.name, h)
			}
		}
		if got := use.Datastores[0].Used; got != step.disk*1024 {
			t.Errorf("%s: %d MiB of %s in use, want %d GiB", step.name, got, use.Datastores[0].Name, step.disk)
		}
		seen, err := client.Site(t.Context()) // as any client sees it
		do(err)
		for i, d := range seen.Datastores {
			if d.CapacityMiB-d.FreeMiB != use.Datastores[i].Used || d.CapacityMiB != use.Datastores[i].Capacity || d.Local {
				t.Errorf("%s: a client sees %+v, want %+v", step.name, d, use.Datastores[i])
			}
		}
		if len(seen.Supervisors) != 1 || len(seen.Hosts) != 6 {
			t.Errorf("%s: a client sees %d Supervisors and %d hosts", step.name, len(seen.Supervisors), len(seen.Hosts))
		}
	}
}
