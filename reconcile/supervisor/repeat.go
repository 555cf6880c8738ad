package supervisor

import (
	"context"
	"math/rand/v2"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// How long until a list or a watch that ended is tried again: at first, at most,
// and where it takes somebody to change rights or to install something.
const (
	firstRepeat   = 800 * time.Millisecond
	longestRepeat = 20 * time.Second
	refusedRepeat = 3 * time.Minute
)

// repeat lists and watches until ctx ends. A reflector would do so by itself, but
// waits up to a minute after a failure, writes it to stderr, and asks for what is
// forbidden as often as for anything else.
// What comes from again has it tried at once.
func repeat(ctx context.Context, again <-chan struct{}, listAndWatch func() error) {
	for pause := firstRepeat; ctx.Err() == nil; {
		begun := time.Now()
		err := listAndWatch()
		if time.Since(begun) > 2*longestRepeat {
			pause = firstRepeat // it went well for a while
		}
		wait := pause
		if class := ClassOf(err); apierrors.IsForbidden(err) || class == NotServed || class == NotFound {
			wait = refusedRepeat
		}
		timer := time.NewTimer(wait/2 + rand.N(wait/2)) //#nosec G404 -- spreads requests
		select {
		case <-timer.C:
		case <-again:
			timer.Stop()
		case <-ctx.Done():
			timer.Stop()
		}
		pause = min(2*pause, longestRepeat)
	}
}
