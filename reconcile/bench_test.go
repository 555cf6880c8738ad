package reconcile_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
)

// applyAll stores what is desired without waiting for what comes of it: a fleet
// that is as desired, if not ready.
func (s *site) applyAll(t testing.TB, e *reconcile.Engine, d *resource.Set) {
	t.Helper()
	namespaces := &resource.Set{}
	for a, o := range d.All() {
		if a.Kind == resource.KindVSphereNamespace {
			namespaces.Put(o)
		}
	}
	s.bring(t, e, namespaces, reconcile.Options{})
	c := s.supervisor(t)
	for a, o := range d.All() {
		if a.Kind != resource.KindCluster {
			continue
		}
		if _, err := c.Apply(t.Context(), plan.Prepared(o, plan.Policy{Source: "fleet"}), false); err != nil {
			t.Fatal(err)
		}
	}
}

// BenchmarkNoOpPlan plans a fleet that is as desired, and reports the requests
// that one plan takes: they do not grow with the fleet.
func BenchmarkNoOpPlan(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprintf("clusters=%d", n), func(b *testing.B) {
			s := newSite(b)
			manifests := []string{teamA}
			for i := range n {
				manifests = append(manifests, clusterOf(fmt.Sprintf("c%04d", i)))
			}
			d := desired(b, manifests...)
			s.applyAll(b, s.engine(b, "fleet"), d)
			e := s.engine(b, "fleet")
			s.wire.take()
			for b.Loop() {
				p := s.plan(b, e, d, reconcile.Options{})
				if slices.ContainsFunc(p.Actions, func(a plan.Action) bool { return a.Verb != plan.None }) {
					b.Fatalf("there is something to do:\n%s", p.Text())
				}
			}
			b.ReportMetric(float64(len(s.wire.take()))/float64(b.N), "requests/op")
		})
	}
}
