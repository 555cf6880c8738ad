package reconcile

import (
	"context"
	"slices"
	"time"

	"github.com/vksync/vksync/reconcile/drift"
)

// recent is how long what was corrected since is shown.
const recent = time.Hour

// observeDrift compares what exists with what vksync and the Supervisor made of
// it, and tells of what is new: when something is about to be corrected, and else
// not more often than each Resync.
func (k *keeper) observeDrift(ctx context.Context, correcting bool) {
	now := time.Now()
	if now.Before(k.watching) && !correcting {
		return
	}
	k.watching = now.Add(k.Resync)
	report, err := k.engine.Drift(ctx, now.Add(-max(recent, 2*k.Resync)))
	if err != nil {
		if ctx.Err() == nil {
			k.log.Warn("what others changed could not be looked for", "error", err)
		}
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, item := range report.Items {
		if known(k.status.Drift, item) {
			continue
		}
		k.log.Warn("drift", "kind", string(item.Kind), "resource", item.Addr.String(), "cluster", item.Cluster,
			"who", item.Who, "when", item.When, "message", item.Message, "corrects", string(item.Corrects))
		if k.status.Drifted == nil {
			k.status.Drifted = map[string]int{}
		}
		k.status.Drifted[string(item.Kind)]++
	}
	k.status.Drift = report.Items
}

// known says whether an item was in the last report.
func known(items []drift.Item, item drift.Item) bool {
	return slices.ContainsFunc(items, func(i drift.Item) bool {
		return i.Addr == item.Addr && i.Kind == item.Kind && i.When.Equal(item.When)
	})
}
