package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
)

// stuck is why a goal was not reached.
type stuck struct {
	Where    string
	Facts    []fact
	Commands []string // to look closer, or to act
	Chain    []link
	Hidden   int // links that are left out
}

// A link is one object of a causal chain.
type link struct{ Kind, Name, Condition, Message string }

// chainCap is how many links of a chain are shown.
const chainCap = 40

// stuckOf says why a goal was not reached; nil for one that was, or that nothing
// stands in the way of.
func stuckOf(r journal.Row, t *journal.Timeline) *stuck {
	chain := t.Why(r.Addr)
	if r.State == phase.Done || r.State == phase.Pending && len(chain) == 0 && r.Refused == nil && r.Delayed == nil {
		return nil
	}
	out := &stuck{Where: fmt.Sprintf("%s in phase %s, %s", r.State, r.Current, r.Current.Title())}
	add := func(name, value string) {
		if value = say(value); value != "" {
			out.Facts = append(out.Facts, fact{name, value})
		}
	}
	for _, a := range []struct {
		*journal.Action
		how string
	}{{r.Refused, "was refused"}, {r.Delayed, "is tried again"}} {
		if a.Action != nil {
			add("Action", a.Verb+" "+a.Addr.String()+" "+a.how)
			add("Reason", a.Reason)
			add("Cause", a.Message)
		}
	}
	if len(chain) > 0 {
		last := chain[len(chain)-1]
		add("Reason", cmp.Or(last.Reason, last.Condition))
		cause := phase.Cause(chain)
		if r.Blocked != nil {
			cause = cmp.Or(r.Blocked.Cause, cause)
		}
		add("Cause", cause)
	}
	advice, commands := phase.Fix(withRefusal(chain, r.Refused))
	add("Fix", advice)
	for _, c := range commands {
		out.Commands = append(out.Commands, say(c))
	}
	links, more := head(chain, chainCap)
	for _, l := range links {
		name := l.Name
		if l.Namespace != "" {
			name = l.Namespace + "/" + name
		}
		out.Chain = append(out.Chain, link{say(l.Kind), say(name), say(strings.TrimSpace(l.Condition + " " + l.Reason)), say(l.Message)})
	}
	out.Hidden = more
	if len(out.Facts)+len(out.Chain) == 0 {
		return nil
	}
	return out
}

// withRefusal is a chain that ends with vksync's own action where that was refused.
func withRefusal(chain []phase.Link, a *journal.Action) []phase.Link {
	if a == nil {
		return chain
	}
	end := phase.Link{Kind: a.Addr.Kind, Namespace: a.Addr.Namespace, Name: a.Addr.Name, Reason: a.Reason, Message: a.Message}
	return append(slices.Clone(chain), end)
}
