package reconcile

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
)

// A listener is told what happens. Its methods are called with history.mu held.
type listener interface {
	// tell is called for an event about a cluster, or about what the clusters of a
	// namespace share.
	tell(now time.Time, at place, e journal.Event)
	// meet is called before a Cluster's change is told; after is nil when it is gone.
	meet(before, after *unstructured.Unstructured)
}

// place names a cluster, or, without a name of one, what the clusters of a
// namespace share. The Kubernetes Namespace itself is shared by them.
type place struct{ namespace, cluster string }

// An audience is a run that is told what concerns its goals.
type audience struct {
	recorder *journal.Recorder
	places   map[place]bool
	// changing are the clusters that exist and of which something is wanted.
	changing map[place]bool
}

var _ listener = (*audience)(nil)

func newAudience(p *plan.Plan, recorder *journal.Recorder) *audience {
	a := &audience{recorder: recorder, places: map[place]bool{}, changing: map[place]bool{}}
	for _, g := range p.Goals {
		if g.Addr.Kind != resource.KindCluster {
			a.places[place{g.Addr.Name, ""}] = true
			continue
		}
		at := place{g.Addr.Namespace, g.Addr.Name}
		a.places[at], a.places[place{g.Addr.Namespace, ""}] = true, true
		if g.Verb == plan.Update || g.Verb == plan.Delete {
			a.changing[at] = true
		}
	}
	return a
}

func (a *audience) tell(now time.Time, at place, e journal.Event) {
	if a.places[at] {
		a.recorder.Record(now, e)
	}
}

func (a *audience) meet(_, _ *unstructured.Unstructured) {}
