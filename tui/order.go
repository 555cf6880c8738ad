package tui

import (
	"cmp"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/tui/paint"
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
	return rank{class: paint.Urgency(r.State), late: -int64(r.End)}
}
