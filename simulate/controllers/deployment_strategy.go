package controllers

import (
	"strconv"
	"strings"
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

// terms are what the specification of a deployment says of its rollouts.
type terms struct {
	desired, maxSurge, maxUnavailable int64
	onDelete, paused                  bool
	after                             time.Time // zero where it is unset
}

func termsOf(deployment map[string]any) terms {
	t := terms{
		desired:  resource.Int(deployment, "spec", "replicas"),
		onDelete: onDelete(deployment),
		paused:   resource.Flag(deployment, "spec", "paused"),
		after:    rolloutAfter(deployment),
	}
	t.maxSurge, t.maxUnavailable = surgeOf(deployment)
	return t
}

// surge and unavailable are what a deployment's strategy allows, of its replicas:
// percentages round up for the surge and down for the unavailable. Without a
// strategy they are 1 and 0; with OnDelete both are 0 (domain.md 1.4).
func surgeOf(deployment map[string]any) (surge, unavailable int64) {
	strategy := resource.Fields(deployment, "spec", "rollout", "strategy")
	if onDelete(deployment) {
		return 0, 0
	}
	replicas := resource.Int(deployment, "spec", "replicas")
	surge = scaled(resource.Field(strategy, "rollingUpdate", "maxSurge"), replicas, true, 1)
	unavailable = scaled(resource.Field(strategy, "rollingUpdate", "maxUnavailable"), replicas, false, 0)
	if surge == 0 && unavailable == 0 {
		unavailable = 1 // otherwise nothing could ever change
	}
	return surge, min(unavailable, replicas)
}

func onDelete(deployment map[string]any) bool {
	return resource.Text(deployment, "spec", "rollout", "strategy", "type") == "OnDelete"
}

// scaled is a number, or a percentage of whole rounded up or down. What is
// neither is absent.
func scaled(value any, whole int64, up bool, absent int64) int64 {
	switch v := value.(type) {
	case int64:
		return max(v, 0)
	case float64:
		return max(int64(v), 0)
	case string:
		if n, ok := wholeNumber(v); ok {
			return n
		}
		percent, ok := wholeNumber(strings.TrimSuffix(v, "%"))
		if !ok || !strings.HasSuffix(v, "%") {
			return absent
		}
		if up {
			return (percent*whole + 99) / 100
		}
		return percent * whole / 100
	}
	return absent
}

// wholeNumber reads a number of 0 or more that a count of machines can have.
func wholeNumber(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 32)
	return n, err == nil && n >= 0
}
