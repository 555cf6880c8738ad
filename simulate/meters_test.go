package simulate_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/resource"
)

// metersOf reduces what a run told of the site.
func metersOf(events history) *journal.Meters {
	m := journal.NewMeters()
	for _, e := range events {
		m.Apply(e)
	}
	return m
}

// usedOf is what is in use of every meter, and the sum of those of one kind.
func usedOf(m *journal.Meters) (used map[string]int64, sums map[journal.MeterKind]int64) {
	used, sums = map[string]int64{}, map[journal.MeterKind]int64{}
	for _, s := range m.All() {
		used[s.Group+"/"+s.Name+" "+s.Unit] = s.Used
		sums[s.Kind] += s.Used
	}
	return used, sums
}

const limitedTeamA = `---
apiVersion: vksync.dev/v1alpha1
kind: VSphereNamespace
metadata: {name: team-a}
spec:
  supervisor: lab
  resources: {memoryLimitMiB: 65536}
  storagePolicies: [{name: vks-gold, limitMiB: 409600}]
  vmClasses: [best-effort-small, best-effort-medium]
  contentLibraries: [vks-releases]
`

// What a 1+2 cluster of best-effort-small machines takes: 2 CPUs of 2600 MHz,
// 4 GiB and 20 GiB of disk each.
func TestARunTellsWhatItTakesOfTheSite(t *testing.T) {
	t.Parallel()
	events, _ := play(t, run{manifests: limitedTeamA + clusterProd(1, 2), seed: 1})
	m := metersOf(events)
	used, sums := usedOf(m)
	want := map[string]int64{
		"team-a/memory MiB": 3 * 4096, "team-a/cpu MHz": 3 * 2 * 2600,
		"team-a/storage MiB": 3 * 20 << 10, "team-a/storage vks-gold MiB": 3 * 20 << 10,
		"/load balancer addresses": 1, "team-a/private addresses addresses": 3, "team-a/private subnets subnets": 1,
	}
	for name, n := range want {
		if used[name] != n {
			t.Errorf("%s: %d in use, want %d", name, used[name], n)
		}
	}
	for kind, n := range map[journal.MeterKind]int64{journal.HostMemory: 3 * 4096, journal.HostCPU: 3 * 2 * 2600, journal.DatastoreRoom: 3 * 20 << 10} {
		if sums[kind] != n {
			t.Errorf("%s: %d in use of all, want %d", kind, sums[kind], n)
		}
	}
	limits := map[string]int64{}
	for _, s := range m.All() {
		if s.Kind == journal.Quota {
			limits[s.Name] = s.Capacity
		}
	}
	if diff := cmp.Diff(map[string]int64{"memory": 65536, "cpu": 0, "storage": 0, "storage vks-gold": 409600}, limits); diff != "" {
		t.Errorf("limits, 0 is none (-want +got):\n%s", diff)
	}
}

func TestWhatIsDeletedIsNotInUseAndAPeakOnly(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	play(t, run{manifests: limitedTeamA + clusterProd(1, 2), seed: 1, save: folder})
	events, _ := play(t, run{manifests: limitedTeamA, from: folder, prune: true})
	if site := events[0].Begin.Site; len(site) == 0 || site[0].Kind != journal.HostMemory {
		t.Fatalf("the run begins with the meters %v", site)
	}
	m := metersOf(events)
	used, sums := usedOf(m)
	if sums[journal.HostMemory] != 0 || used["/load balancer addresses"] != 0 {
		t.Errorf("still in use: %v", used)
	}
	var peak int64
	for _, p := range m.Peaks() {
		if p.Kind == journal.HostMemory {
			peak += p.Used
		}
	}
	if peak != 3*4096 {
		t.Errorf("the hosts' peak is %d MiB, want %d", peak, 3*4096)
	}
	if slices.ContainsFunc(m.All(), func(s journal.MeterState) bool { return s.Name == "cpu" }) {
		t.Error("a quota without limit of which nothing is in use is still shown")
	}
}

func TestUseIsToldNowAndThenAndOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	events, _ := play(t, run{manifests: limitedTeamA + clusterProd(3, 3), seed: 7})
	now := map[journal.Meter]bool{}
	for _, m := range events[0].Begin.Site {
		now[m] = true
	}
	var last time.Duration
	for i, e := range events {
		if e.Usage == nil {
			continue
		}
		if end := i == len(events)-2; e.At()-last < 30*time.Second && !end {
			t.Errorf("use is told at %v and %v", last, e.At())
		}
		last = e.At()
		if !slices.IsSortedFunc(e.Usage.Meters, journal.CompareMeters) {
			t.Errorf("not in order: %v", e.Usage.Meters)
		}
		for _, m := range e.Usage.Meters {
			if now[m] {
				t.Errorf("at %v %v is told, which is as it was", last, m)
			}
			for old := range now {
				if old.Same(m) {
					delete(now, old)
				}
			}
			now[m] = true
		}
	}
	if last == 0 {
		t.Error("use is never told")
	}
}

// Whoever looks at the meters must not change what happens.
func TestLookingAtMetersChangesNothing(t *testing.T) {
	t.Parallel()
	var objects [2][]resource.Change
	for i, metered := range []bool{true, false} {
		events, _ := play(t, run{manifests: limitedTeamA + clusterProd(1, 1), seed: 3, unmetered: !metered})
		for _, e := range events {
			if e.Object != nil {
				objects[i] = append(objects[i], e.Object.Change)
			}
		}
	}
	if diff := cmp.Diff(objects[1], objects[0]); diff != "" {
		t.Errorf("what happens (-without +with meters):\n%s", diff)
	}
}
