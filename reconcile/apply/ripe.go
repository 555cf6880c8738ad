package apply

import (
	"slices"
	"time"

	"github.com/vksync/vksync/reconcile/plan"
)

// believeAfter is how long a Cluster may go on looking as before after a change
// that replaces machines. It is looked at by controllers one after the other, each
// about a second after the one before, and only the last of them, the one that owns
// the machines, finds that they are outdated: until then everything is as it was,
// and looks done.
const believeAfter = 10 * time.Second

// ripen notes when a step that has just been taken may be believed to be done.
func (r *run) ripen(s *step) {
	if s.action != nil && s.action.Effect == plan.Rolling {
		s.ripeAt = r.World.Now().Add(believeAfter)
		r.ripening = append(r.ripening, s)
	}
}

// ripe looks again at steps whose time has come.
func (r *run) ripe() {
	now := r.World.Now()
	r.ripening = slices.DeleteFunc(r.ripening, func(s *step) bool {
		if now.Before(s.ripeAt) {
			return false
		}
		r.check(s)
		return true
	})
}
