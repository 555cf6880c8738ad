package supervisor

import "context"

// Retry has the kinds listed at once that could not be listed the last time, and
// returns what came of it. A Cache goes on trying by itself, but with longer and
// longer pauses: whoever needs it now need not wait for their end. What is refused
// keeps its own pace, and is an error meanwhile.
func (w *Cache) Retry(ctx context.Context) error {
	w.mu.Lock()
	before := map[*watched]int{}
	for _, k := range w.kinds {
		if k.err == nil || ClassOf(k.err) != Transient {
			continue
		}
		before[k] = k.failed
		select {
		case k.again <- struct{}{}:
		default: // it was asked for already
		}
	}
	w.mu.Unlock()
	return w.await(ctx, func() (bool, error) {
		for k, failed := range before {
			if k.err != nil && k.failed == failed {
				return false, nil
			}
		}
		for _, k := range w.kinds {
			if k.err != nil {
				return false, k.err
			}
		}
		return true, nil
	})
}
