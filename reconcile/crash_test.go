package reconcile_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/apply"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/resource"
)

// A rollout is interrupted at every boundary of every action, and gone on with by
// an engine that knows nothing of the first run. The end is the same each time, and
// no action takes effect twice.
func TestARunThatEndsAnywhereIsContinuedByTheNext(t *testing.T) {
	t.Parallel()
	rollouts := []struct {
		name    string
		before  []string // what there is at first
		after   []string
		options reconcile.Options
	}{
		{"creation", nil, []string{teamA, clusterOf("prod"), clusterOf("dev"), teamB}, reconcile.Options{}},
		{"removal", []string{teamA, clusterOf("prod"), teamB}, []string{teamB}, reconcile.Options{Prune: true, PruneLimit: 2}},
	}
	for _, r := range rollouts {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			// interrupted is the end of a rollout that is interrupted at the nth event of
			// an action; false when there are not so many.
			interrupted := func(n int) (state string, happened bool) {
				s := newSite(t)
				if r.before != nil {
					s.bring(t, s.engine(t, "fleet"), desired(t, r.before...), reconcile.Options{})
				}
				s.wire.take()
				ctx, crash := context.WithCancel(t.Context())
				defer crash()
				recorder := journal.NewRecorder(s.world.Now(), func(e journal.Event) {
					if e.Action != nil {
						if n--; n < 0 {
							happened = true
							crash()
						}
					}
				})
				d := desired(t, r.after...)
				e := s.engine(t, "fleet")
				if _, err := e.Run(ctx, s.plan(t, e, d, r.options), apply.Options{Journal: recorder}); err != nil && ctx.Err() == nil {
					t.Fatal(err)
				}
				next := s.engine(t, "fleet")
				s.bring(t, next, d, r.options)
				if p := s.plan(t, next, d, r.options); !p.Empty() {
					t.Errorf("interrupted at %d: something is left to do:\n%s", n, p.Text())
				}
				s.onlyOnce(t)
				return s.state(t), happened
			}
			want, _ := interrupted(1 << 20)
			boundaries := 0
			for {
				got, happened := interrupted(boundaries)
				if !happened {
					break
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("interrupted at %d (-undisturbed +interrupted):\n%s", boundaries, diff)
				}
				boundaries++
			}
			if boundaries < 4 {
				t.Errorf("there were only %d boundaries", boundaries)
			}
		})
	}
}

// onlyOnce fails when something was asked for twice that is made or removed once.
func (s *site) onlyOnce(t *testing.T) {
	t.Helper()
	count := map[string]int{}
	for _, request := range s.wire.take() {
		if strings.HasPrefix(request, "vCenter POST /api/vcenter/namespaces") || strings.HasPrefix(request, "vCenter DELETE /api/vcenter/namespaces") ||
			strings.HasPrefix(request, "DELETE ") {
			count[request]++
		}
	}
	for request, n := range count {
		if n > 2 || n > 1 && !strings.Contains(request, "POST") { // two vSphere Namespaces are made by the same path
			t.Errorf("%d times %s", n, request)
		}
	}
}

// state is what there is in the end, as far as it does not depend on when.
func (s *site) state(t *testing.T) string {
	t.Helper()
	var lines []string
	for _, gvr := range []schema.GroupVersionResource{
		{Version: "v1", Resource: "namespaces"},
		{Group: "cluster.x-k8s.io", Version: "v1beta2", Resource: "clusters"},
		{Group: "cluster.x-k8s.io", Version: "v1beta2", Resource: "machines"},
	} {
		list, err := s.dynamic(t).Resource(gvr).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range list.Items {
			name := o.GetName()
			if o.GetKind() == "Machine" { // its name comes from chance
				name = o.GetLabels()["cluster.x-k8s.io/cluster-name"]
			}
			spec, err := json.Marshal(resource.Fields(o.Object, "spec", "topology"))
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, fmt.Sprintf("%s %s/%s %v %s", o.GetKind(), o.GetNamespace(), name, o.GetLabels()[resource.LabelSource], spec))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
