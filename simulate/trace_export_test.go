package simulate

import (
	"time"

	"github.com/vksync/vksync/simulate/kubeapi"
)

// OnChange has every write to the Supervisor told to f, at its model time. f is
// called with the store locked.
func OnChange(w *World, f func(now time.Time, c kubeapi.Change)) {
	w.store.Subscribe(func(c kubeapi.Change) { f(w.clock.Now(), c) })
}
