package paint

import (
	"cmp"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
)

// Fix is what to do about a goal that stands still, and commands for it, as
// phase.Fix has them: about the action of vksync that was refused or is tried again,
// or else the end of the goal's causal chain.
func Fix(r journal.Row, chain []phase.Link) (advice string, commands []string) {
	if a := cmp.Or(r.Refused, r.Delayed); a != nil {
		chain = []phase.Link{{Kind: a.Addr.Kind, Namespace: a.Addr.Namespace, Name: a.Addr.Name, Reason: a.Reason, Message: a.Message}}
	}
	advice, commands = phase.Fix(chain)
	return Clean(advice), commands
}
