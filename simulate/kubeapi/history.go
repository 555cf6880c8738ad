package kubeapi

import (
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// historyLimit is how many changes of all kinds together are kept for clients that
// resume a watch. Older ones get 410 Gone and list again.
const historyLimit = 4_000

// A history holds the last changes. It is guarded by the store's lock.
type history struct {
	kept []kept // oldest first after next
	next int
	// dropped is the version of the newest change that is not kept any more.
	dropped uint64
}

type kept struct {
	table *table
	Change
}

func (h *history) remember(t *table, c Change) {
	k := kept{t, c}
	if len(h.kept) < historyLimit {
		h.kept = append(h.kept, k)
		return
	}
	h.dropped = h.kept[h.next].Version
	h.kept[h.next] = k
	h.next = (h.next + 1) % historyLimit
}

// forget drops the changes up to a version, the present one.
func (h *history) forget(version uint64) {
	clear(h.kept)
	h.kept, h.next, h.dropped = h.kept[:0], 0, version
}

// since returns the changes of a kind after version.
func (h *history) since(t *table, version uint64) ([]item, error) {
	if version < h.dropped {
		return nil, apierrors.NewResourceExpired(fmt.Sprintf("too old resource version: %d (%d)", version, h.dropped))
	}
	var items []item
	for i := range h.kept {
		k := h.kept[(h.next+i)%len(h.kept)]
		if k.table == t && k.Version > version {
			items = append(items, item{change: &k.Change})
		}
	}
	return items, nil
}
