package vcenter

import "time"

// now is the wall clock, by which vcsim dates all that it says itself: events and tasks
// of ours stand among those. Nothing that a world decides depends on it.
func now() time.Time { return time.Now() }
