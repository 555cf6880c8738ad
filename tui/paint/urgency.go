package paint

import "github.com/vksync/vksync/reconcile/phase"

// Urgency ranks states by how much they need to be seen; less comes first: what is stuck, what goes on, what has not begun, what is done.
func Urgency(s phase.State) int {
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

// Urgencies is how many there are.
const Urgencies = 4
