package reconcile

import (
	"time"

	"github.com/vksync/vksync/schema"
)

// hold is why nothing of a plan may be run now; empty when it may. approved is
// the digest of the plan that an operator has approved, or empty.
func hold(p schema.Policy, now time.Time, digest, approved string) string {
	if until, is := p.Frozen(now); is && until.IsZero() {
		return "frozen for good: the windows of the policy leave no gap"
	} else if is {
		return "frozen until " + until.UTC().Format(time.RFC3339)
	}
	switch p.Mode {
	case schema.ModePlanOnly:
		return "the policy is to plan only"
	case schema.ModeApproval:
		if approved != digest {
			return "waiting for approval of plan " + short(digest)
		}
	}
	return ""
}
