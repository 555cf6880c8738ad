package reconcile_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/schema"
)

// settled brings a cluster to a live site, and stops time there once the site itself
// has counted what its quotas say.
func settled(t *testing.T, manifests ...string) (*site, *reconcile.Engine, *tape) {
	t.Helper()
	s := newSiteAt(t, liveSpeed)
	e := s.live(t, "fleet")
	lab := schema.LabInventory()
	p := s.plan(t, e, desired(t, manifests...), reconcile.Options{Inventory: &lab})
	r := &tape{}
	if end, _ := s.runLive(t, e, p, r); end.Outcome != journal.Reached {
		t.Fatalf("the run ended %v", end)
	}
	return s, e, r
}

// What an engine reads of a site that it takes for live is what the site knows of
// itself, but for quotas that the site counts now and then.
func TestMetersOfALiveSiteAreThoseOfTheSite(t *testing.T) {
	t.Parallel()
	s, e, _ := settled(t, teamA, teamB, clusterOf("prod"))
	var got []journal.Meter
	for deadline := time.Now().Add(2 * time.Minute); ; {
		var err error
		if got, err = e.Meters(t.Context()); err != nil {
			t.Fatal(err)
		}
		if i := slices.IndexFunc(got, func(m journal.Meter) bool { return m.Name == journal.QuotaStorage && m.Used > 0 }); i >= 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the site does not say what its quotas are used for: %v", got)
		}
	}
	if err := s.served.Close(); err != nil { // time stands still
		t.Fatal(err)
	}
	if diff := cmp.Diff(s.world.Meters(), got); diff != "" {
		t.Errorf("meters (-of the site itself +as read):\n%s", diff)
	}
	for _, u := range e.Health().Unread {
		if strings.HasPrefix(u.Kind, "use of the site") {
			t.Errorf("not read: %v", u)
		}
	}
}

func TestALiveRunTellsWhatItTakes(t *testing.T) {
	t.Parallel()
	_, _, r := settled(t, teamA, clusterOf("prod"))
	m := journal.NewMeters()
	var told int
	for _, e := range r.events {
		m.Apply(e)
		if e.Usage != nil {
			told++
		}
	}
	var memory, machines int64
	for _, s := range m.All() {
		switch {
		case s.Kind == journal.HostMemory:
			memory += s.Used
		case s.Name == journal.PrivateAddresses:
			machines = s.Used
		case s.Name == journal.LoadBalancer && s.Used != 1:
			t.Errorf("the load balancer has %d of %d addresses in use, want 1", s.Used, s.Capacity)
		}
	}
	if told == 0 || machines == 0 || memory == 0 || memory%machines != 0 {
		t.Errorf("told %d times; at the end %d MiB are in use by %d machines", told, memory, machines)
	}
}

// A watch tells of the site as well.
func TestAWatchTellsWhatIsInUse(t *testing.T) {
	t.Parallel()
	s, _, _ := settled(t, teamA, clusterOf("prod"))
	e := s.live(t, "other")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	inUse := func(m journal.Meter) bool { return m.Kind == journal.HostMemory && m.Used > 0 }
	told := false
	r := &tape{at: func(ev journal.Event) {
		if ev.Usage != nil && slices.ContainsFunc(ev.Usage.Meters, inUse) {
			told = true
			cancel()
		}
	}}
	if err := e.Watch(ctx, reconcile.WatchOptions{Journal: r.recorder(), Poll: 50 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	if !told {
		t.Error("the watch does not tell what the machines take")
	}
}

// What cannot be read any more stays as it was, and Health says so; what never could
// be is left out, and never nothing.
func TestMetersThatCannotBeRead(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		breaks func(*wire)
		says   []string
	}{
		"quotas":  {func(w *wire) { w.refuse("storagepolicyquotas") }, []string{"use of the site: StoragePolicyQuota.cns.vmware.com"}},
		"vCenter": {func(w *wire) { w.cutOff() }, []string{"use of the site: hosts and datastores"}}, // the limits are good for a while
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, e, _ := settled(t, teamA, clusterOf("prod"))
			before, err := e.Meters(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			fresh := s.live(t, "fleet") // which has read nothing yet
			tt.breaks(s.wire)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			after, err := e.Meters(ctx)
			if err == nil {
				t.Fatal("nothing is said")
			}
			kinds := func(list []journal.Meter) (out []string) {
				for _, m := range list {
					if m.Kind == journal.HostMemory || m.Kind == journal.Quota {
						out = append(out, fmt.Sprint(m.Kind, m.Group, m.Name))
					}
				}
				return out
			}
			if diff := cmp.Diff(kinds(before), kinds(after)); diff != "" {
				t.Errorf("meters (-before +after):\n%s", diff)
			}
			var said []string
			for _, u := range e.Health().Unread {
				if strings.HasPrefix(u.Kind, "use of the site") && u.Reason != "" && !strings.Contains(u.Reason, "\n") {
					said = append(said, u.Kind)
				}
			}
			for _, want := range tt.says {
				if !slices.Contains(said, want) {
					t.Errorf("Health says %q, want %q in it", said, want)
				}
			}
			list, _ := fresh.Meters(ctx)
			for _, m := range list {
				if name == "quotas" && strings.HasPrefix(m.Name, journal.QuotaStorage) || name == "vCenter" && (m.Kind == journal.HostMemory || m.Kind == journal.DatastoreRoom || m.Name == journal.QuotaMemory) {
					t.Errorf("%v is there, which was never read", m)
				}
			}
		})
	}
}

// Reading costs few requests, however many machines there are.
func TestReadingMetersCostsFewRequests(t *testing.T) {
	t.Parallel()
	s, e, _ := settled(t, teamA, teamB, clusterOf("prod"))
	if _, err := e.Meters(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.wire.take()
	if _, err := e.Meters(t.Context()); err != nil {
		t.Fatal(err)
	}
	// The Supervisors and their zones, a view that is made, read and dropped, and a
	// list of the Supervisor's quotas.
	requests := s.wire.take()
	if len(requests) > 8 {
		t.Errorf("%d requests:\n%s", len(requests), strings.Join(requests, "\n"))
	}
}
