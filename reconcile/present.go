package reconcile

import (
	"maps"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
)

// A teller is a world that says what exists in it, as journal.Present does.
type teller interface {
	Present(chosen func(namespace, cluster string) bool) []*journal.Object
}

// recall records what there was when a run began.
func (a *audience) recall(now time.Time, objects []*journal.Object) {
	for _, o := range objects {
		a.recorder.Record(now, journal.Event{Object: o})
	}
}

// changes says whether a cluster exists of which the run wants something.
func (a *audience) changes(namespace, cluster string) bool {
	return a.changing[place{namespace, cluster}]
}

// present lists what exists at chosen places. It is called with mu held.
func (h *history) present(chosen func(namespace, cluster string) bool) []*journal.Object {
	return journal.Present(maps.Values(h.objects), h.attribution, chosen)
}

// presentAmong lists which of some objects exist, likewise.
func (h *history) presentAmong(addrs map[resource.Addr]bool) []*journal.Object {
	return journal.Present(func(yield func(*unstructured.Unstructured) bool) {
		for a := range addrs {
			if u := h.objects[a]; u != nil && !yield(u) {
				return
			}
		}
	}, h.attribution, func(_, _ string) bool { return true })
}

// whereabouts are the place and the phase that an object belongs to. It is called
// with mu held.
func (h *history) whereabouts(u *unstructured.Unstructured) (place, phase.ID) {
	cluster, id := h.attribution.Of(u)
	return place{journal.HomeOf(u.GetKind(), u.GetNamespace(), u.GetName()), cluster}, id
}
