package supervisor

import (
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// conditionsShared is how many different conditions are kept for sharing; those
// with a name in their message are many.
const conditionsShared = 20000

// conditions keeps one copy of what many objects say alike: a thousand Machines
// have the same dozen of conditions, but for times, which are left out. They
// would be two thirds of what a Follower holds.
type conditions struct {
	mu   sync.Mutex // guards same
	same map[resource.Condition]any
}

// share replaces the conditions of u, in place.
func (c *conditions) share(u *unstructured.Unstructured) {
	list := resource.ConditionsOf(u.Object)
	if len(list) == 0 {
		return
	}
	out := make([]any, len(list))
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.same == nil || len(c.same) > conditionsShared {
		c.same = map[resource.Condition]any{}
	}
	for i, condition := range list {
		if c.same[condition] == nil {
			content := map[string]any{"type": condition.Type, "status": condition.Status}
			if condition.Reason != "" {
				content["reason"] = condition.Reason
			}
			if condition.Message != "" {
				content["message"] = condition.Message
			}
			c.same[condition] = content
		}
		out[i] = c.same[condition]
	}
	resource.Fields(u.Object, "status")["conditions"] = out
}
