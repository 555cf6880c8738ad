package dashboard

import (
	"fmt"
	"strings"

	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/tui/paint"
)

// An objectRow is a line of the tree: an object, or siblings that are alike.
type objectRow struct {
	*branch           // of a group the first of it
	group   []*branch // nil for a single object
	of      int       // of a group: how many siblings of the kind there are
	depth   int
	folds   bool // there is something to open
	open    bool
	key     string
}

// A thicket is what decides which lines of a tree show.
type thicket struct {
	// opened has what the user opened or closed, by key.
	opened map[string]bool
	filter []string
	rows   []objectRow
}

// The least number of siblings that one line stands for: those that are well need
// no looking at, the others only where they are many.
const (
	wellGroup    = 2
	waitingGroup = 4
)

// lay lists the lines of siblings and of what is open below them.
func (t *thicket) lay(siblings []*branch, depth int, within string) {
	for len(siblings) > 0 {
		n := 1
		for n < len(siblings) && siblings[n].Kind == siblings[0].Kind {
			n++
		}
		t.layKind(siblings[:n], depth, within)
		siblings = siblings[n:]
	}
}

// layKind lists siblings of one kind: first those that stand for themselves, then
// those that are alike.
func (t *thicket) layKind(siblings []*branch, depth int, within string) {
	if len(t.filter) > 0 {
		for _, b := range siblings {
			if t.finds(b) {
				t.single(b, depth, true)
			}
		}
		return
	}
	counts, examples := map[string]int{}, map[string]*branch{}
	for _, b := range siblings {
		counts[b.kindred()]++
		if e := examples[b.deep.plain]; e == nil || gravity(b.worst()) > gravity(e.worst()) {
			examples[b.deep.plain] = b
		}
	}
	var groups []string
	members := map[string][]*branch{}
	for _, b := range siblings {
		k := b.kindred()
		least := waitingGroup
		if b.worst() == phase.Done {
			least = wellGroup
		}
		if counts[k] < least || depth == 0 {
			t.single(b, depth, b == examples[b.deep.plain])
			continue
		}
		if members[k] == nil {
			groups = append(groups, k)
		}
		members[k] = append(members[k], b)
	}
	for _, k := range groups {
		t.group(members[k], len(siblings), depth, within+"\x00"+k)
	}
}

// kindred is the same for objects that need not be told apart.
func (b *branch) kindred() string {
	if b.worst() == phase.Done {
		return b.Kind
	}
	return strings.Join([]string{b.Kind, string(b.state), string(b.below), b.deep.plain}, "\x00")
}

// single lists an object, and what is below it if that is open. By itself it is where
// something is not well, for one example of all siblings that wait for the same.
func (t *thicket) single(b *branch, depth int, example bool) {
	r := objectRow{branch: b, depth: depth, folds: len(b.kids) > 0, key: b.key()}
	open, chosen := t.opened[r.key]
	if !chosen {
		open = b.Kind == resource.KindCluster || b.below != phase.Done && example
	}
	r.open = r.folds && (open || len(t.filter) > 0)
	t.rows = append(t.rows, r)
	if r.open {
		t.lay(b.kids, depth+1, r.key)
	}
}

func (t *thicket) group(members []*branch, of, depth int, key string) {
	r := objectRow{branch: members[0], group: members, of: of, depth: depth, folds: true, key: key, open: t.opened[key]}
	t.rows = append(t.rows, r)
	if r.open {
		for _, b := range members {
			t.single(b, depth+1, false)
		}
	}
}

// finds says whether an object or anything below it has all that is asked for.
func (t *thicket) finds(b *branch) bool {
	if matches(t.filter, strings.ToLower(b.Kind+" "+b.Name+" "+b.own.full), string(b.state)) {
		return true
	}
	for _, kid := range b.kids {
		if t.finds(kid) {
			return true
		}
	}
	return false
}

// state is how what the line stands for is: all of it, as long as it is not open.
func (r objectRow) state() phase.State {
	if r.group != nil || !r.open {
		return r.worst()
	}
	return r.branch.state
}

// title is what the line is about.
func (r objectRow) title() (kind, name string) {
	if r.group == nil {
		return r.Kind, r.Name
	}
	return fmt.Sprintf("%s of %s", paint.Count(len(r.group)), plural(r.of, r.Kind)), ""
}

// plural is a number of objects of a kind.
func plural(n int, kind string) string {
	stem, y := strings.CutSuffix(kind, "y")
	switch {
	case n == 1 || strings.HasSuffix(kind, "s"):
		return paint.Count(n) + " " + kind
	case y:
		return paint.Count(n) + " " + stem + "ies"
	}
	return paint.Plural(n, kind)
}

// word is how it is, in few words.
func (r objectRow) word() string {
	switch {
	case r.group == nil && r.open:
		return r.own.full
	case r.group == nil:
		return r.deep.full
	case r.worst() == phase.Done:
		return readiness(r.Item)
	}
	return r.deep.plain
}
