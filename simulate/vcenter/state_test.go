package vcenter_test

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/vsphere"
	"github.com/vksync/vksync/simulate/vcenter"
)

// act makes folders and VMs, takes some away and creates a namespace.
func act(t *testing.T, v *vcenter.VCenter) {
	t.Helper()
	c := dial(t, v.Handler())
	if err := c.CreateNamespace(t.Context(), namespaceObject("team-a", fullSpec())); err != nil {
		t.Fatal(err)
	}
	if _, err := v.MakeNamespace("team-a"); err != nil {
		t.Fatal(err)
	}
	for _, cluster := range []string{"prod", "test"} {
		for i := range 4 {
			makeVM(t, v, "team-a", cluster, fmt.Sprintf("%s-%d", cluster, i))
		}
		if _, err := c.Inventory(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, vm := range v.State().VMs {
		if vm.Cluster != "prod" {
			continue
		}
		if _, err := v.PowerOff(vm.MoID); err != nil {
			t.Fatal(err)
		}
		if _, err := v.Destroy(vm.MoID); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.RemoveClusterFolder("team-a", "prod"); err != nil {
		t.Fatal(err)
	}
	spot, err := v.Place(vcenter.PlaceRequest{Namespace: "team-a", CPUs: 2, MemoryMiB: 4096, DiskGiB: 20})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.CreateVM(specOf("team-a", "", "off", spot)); err != nil {
		t.Fatal(err)
	}
}

func stateText(t *testing.T, v *vcenter.VCenter) string {
	t.Helper()
	text, err := json.MarshalIndent(v.State(), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func inventoryOf(t *testing.T, v *vcenter.VCenter) *vsphere.Observed {
	t.Helper()
	o, err := dial(t, v.Handler()).Inventory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestSameCallsGiveTheSameWorld runs two vCenters at once in one process.
func TestSameCallsGiveTheSameWorld(t *testing.T) {
	t.Parallel()
	one, two := start(t, lab(t, 3)), start(t, lab(t, 3))
	var wg sync.WaitGroup
	for _, v := range []*vcenter.VCenter{one, two} {
		wg.Go(func() { act(t, v) })
	}
	wg.Wait()
	if diff := cmp.Diff(stateText(t, one), stateText(t, two)); diff != "" {
		t.Errorf("states differ (-one +two):\n%s", diff)
	}
	if diff := cmp.Diff(inventoryOf(t, one), inventoryOf(t, two)); diff != "" {
		t.Errorf("inventories differ (-one +two):\n%s", diff)
	}
}

func TestRestoredWorldGoesOnAsTheSavedOne(t *testing.T) {
	t.Parallel()
	saved := start(t, lab(t, 3))
	act(t, saved)
	var state vcenter.State
	if err := json.Unmarshal([]byte(stateText(t, saved)), &state); err != nil {
		t.Fatal(err)
	}
	restored := start(t, lab(t, 3))
	if err := restored.Restore(state); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(stateText(t, saved), stateText(t, restored)); diff != "" {
		t.Errorf("states differ (-saved +restored):\n%s", diff)
	}
	for _, v := range []*vcenter.VCenter{saved, restored} {
		makeVM(t, v, "team-b", "later", "later-1")
	}
	if diff := cmp.Diff(inventoryOf(t, saved), inventoryOf(t, restored)); diff != "" {
		t.Errorf("inventories differ (-saved +restored):\n%s", diff)
	}
	if diff := cmp.Diff(observe(t, dial(t, saved.Handler())), observe(t, dial(t, restored.Handler()))); diff != "" {
		t.Errorf("namespaces differ (-saved +restored):\n%s", diff)
	}
	if err := restored.Restore(state); err == nil {
		t.Error("a vCenter that is not fresh was restored")
	}
}

func TestRestoreRefusesAnotherInventory(t *testing.T) {
	t.Parallel()
	saved := start(t, lab(t, 3))
	act(t, saved)
	if err := start(t, lab(t, 40)).Restore(saved.State()); err == nil {
		t.Error("the state of nine hosts was restored onto 120")
	}
}

func TestCloseLeavesNothingOnDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	v, err := vcenter.New(vcenter.Config{Inventory: lab(t, 1), TempDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	makeVM(t, v, "team-a", "prod", "one")
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("left %v, error %v", left, err)
	}
}

func TestFoldersAndPoolsAreMadeOnce(t *testing.T) {
	t.Parallel()
	v := start(t, lab(t, 1))
	first, err := v.MakeClusterFolder("team-a", "prod")
	if err != nil {
		t.Fatal(err)
	}
	again, err := v.MakeClusterFolder("team-a", "prod")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, again); diff != "" || len(first.PoolMoIDs) != 3 {
		t.Errorf("%v, and again (-first +again):\n%s", first, diff)
	}
	ns, err := v.MakeNamespace("team-a")
	if err != nil || ns.FolderMoID == first.FolderMoID {
		t.Errorf("namespace's folder %v, error %v", ns, err)
	}
	if err := v.RemoveNamespace("team-a"); err != nil {
		t.Fatal(err)
	}
	if fresh, err := v.MakeNamespace("team-a"); err != nil || fresh.FolderMoID == ns.FolderMoID {
		t.Errorf("after removal %v, error %v", fresh, err)
	}
}
