package dashboard

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/tui/paint"
)

// A branch is an object of the tree, how it is, and the branches that it owns.
type branch struct {
	*journal.Item
	parent *branch
	kids   []*branch
	// state is how the object itself is, below the worst of all that it owns.
	state, below phase.State
	// own are what it waits for or is; deep what it waits for at the end, further down.
	own, deep words
}

// words are few: plain is without what differs from object to object.
type words struct{ full, plain string }

// key names a branch for as long as the object exists.
func (b *branch) key() string { return b.Kind + "\x00" + b.Name }

// worst is the worst state of the object and all that it owns.
func (b *branch) worst() phase.State { return worse(b.state, b.below) }

// worse is the state of two that needs to be looked at first.
func worse(a, b phase.State) phase.State {
	if gravity(b) > gravity(a) {
		return b
	}
	return a
}

func gravity(s phase.State) int {
	return slices.Index([]phase.State{phase.Done, phase.Running, phase.Blocked, phase.Failed}, s)
}

// A verdict is what the timeline says of the whole cluster.
type verdict struct {
	row   journal.Row
	known bool // it is a goal
	chain []phase.Link
}

// stuck says whether something is wrong and not only takes its time.
func (v verdict) stuck() bool {
	return v.row.State == phase.Blocked || v.row.State == phase.Failed || v.row.Refused != nil
}

// holds says whether an object is on the way down to the cause.
func (v verdict) holds(it *journal.Item) bool {
	return slices.ContainsFunc(v.chain, func(l phase.Link) bool { return l.Kind == it.Kind && l.Name == it.Name })
}

// branches judge all objects of a tree.
func branches(nodes []*journal.Node, v verdict) []*branch {
	room := make([]branch, 0, size(nodes))
	return grow(nodes, nil, v, &room)
}

func size(nodes []*journal.Node) int {
	n := len(nodes)
	for _, node := range nodes {
		n += size(node.Children)
	}
	return n
}

func grow(nodes []*journal.Node, parent *branch, v verdict, room *[]branch) []*branch {
	if len(nodes) == 0 {
		return nil
	}
	out := make([]*branch, 0, len(nodes))
	for _, n := range nodes {
		*room = append(*room, branch{Item: n.Item, parent: parent, below: phase.Done})
		b := &(*room)[len(*room)-1]
		b.kids = grow(n.Children, b, v, room)
		for _, kid := range b.kids {
			b.below = worse(b.below, kid.worst())
		}
		b.judge(v)
		out = append(out, b)
	}
	return out
}

// judge says how an object is.
func (b *branch) judge(v verdict) {
	switch {
	case v.stuck() && v.holds(b.Item):
		b.state = v.row.State
		if b.state != phase.Blocked {
			b.state = phase.Failed // what was refused stands for all of it
		}
	case b.VM != nil && b.VM.Fault() != nil:
		b.state = phase.Failed
	case b.Sound():
		b.state = phase.Done
	default:
		b.state = phase.Running
	}
	waits := false
	b.own, waits = b.words()
	b.deep = b.own
	if waits || b.below == phase.Done {
		return
	}
	for _, kid := range b.kids {
		if kid.worst() == b.below {
			b.deep = kid.deep
			return
		}
	}
}

// words say what an object itself waits for, or else what it is.
func (b *branch) words() (w words, waits bool) {
	c, wrong := b.chief()
	switch {
	case b.VM != nil:
		return vmWords(b.VM), b.VM.Fault() != nil
	case wrong && c.Type == "Deleting" || b.Deleting:
		text := "deleting"
		if c.Type == "Deleting" && c.Reason != "Deleting" {
			text += ": " + c.Reason
		}
		return words{text, text}, true
	case wrong && c.Type == "UpToDate":
		return words{"outdated", "outdated"}, true
	case wrong:
		link := phase.Link{Kind: b.Kind, Name: b.Name, Condition: c.Type, Reason: c.Reason}
		w.plain = "waits for " + paint.BrieflyLacks([]phase.Link{link})
		link.Message = c.Message
		w.full = "waits for " + paint.BrieflyLacks([]phase.Link{link})
		return w, true
	case b.Replicas != nil:
		text := replicaWords(b.Replicas)
		return words{text, text}, false
	}
	text := cmp.Or(b.Status, readiness(b.Item))
	return words{text, text}, false
}

func replicaWords(r *resource.Replicas) string {
	text := fmt.Sprintf("%d/%d ready", r.Ready, r.Desired)
	switch {
	case r.Current > r.Desired:
		text += fmt.Sprintf(", %d too many", r.Current-r.Desired)
	case r.UpToDate < r.Current:
		text += fmt.Sprintf(", %d outdated", r.Current-r.UpToDate)
	}
	return text
}

func readiness(it *journal.Item) string {
	switch {
	case it.Count() == 0:
		return ""
	case it.Sound():
		return "ready"
	}
	return "not ready"
}

func vmWords(vm *journal.VMState) words {
	if f := vm.Fault(); f != nil {
		return words{f.Op + " failed: " + f.Error, f.Op + " failed"}
	}
	w := words{}
	if vm.Power != "" {
		w.plain = "powered " + vm.Power
	}
	w.full = w.plain
	for _, part := range []string{vm.IP, vm.Host} {
		if part != "" {
			w.full = strings.TrimPrefix(w.full+", "+part, ", ")
		}
	}
	return w
}
