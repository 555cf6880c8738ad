package tui

import (
	"cmp"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
)

// rank orders rows by how much they need to be seen; less comes first.
type rank struct {
	class int
	late  int64 // the later it ended, the smaller
}

func (r rank) compare(o rank) int {
	return cmp.Or(cmp.Compare(r.class, o.class), cmp.Compare(r.late, o.late))
}

// urgency ranks rows of a summary: what is stuck, what was not reached, and
// then the slowest.
func urgency(r journal.Row) rank {
	return rank{class: class(r.State), late: -int64(r.End)}
}

// class ranks states: what is stuck, what goes on, what has not begun, what is done.
func class(s phase.State) int {
	switch s {
	case phase.Blocked, phase.Failed:
		return 0
	case phase.Running:
		return 1
	case phase.Pending:
		return 2
	}
	return 3
}
