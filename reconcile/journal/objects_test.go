package journal_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
)

// Each example journal is taken in, and the first and the last of its clusters are
// drawn after a third, two thirds and all of it, with what happened to it last.
func TestObjectsOfExampleJournals(t *testing.T) {
	t.Parallel()
	for _, name := range journals(t) {
		short := strings.TrimSuffix(filepath.Base(name), ".jsonl")
		if short == "many" {
			continue // for layout only
		}
		t.Run(short, func(t *testing.T) {
			t.Parallel()
			f, err := os.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			events := decode(t, f)
			goals := clustersOf(events)
			objects := journal.NewObjects()
			var b strings.Builder
			for i, e := range events {
				objects.Apply(e)
				if i+1 != len(events)/3 && i+1 != len(events)*2/3 && i+1 != len(events) {
					continue
				}
				for _, goal := range goals {
					fmt.Fprintf(&b, "%s at %.3f\n%s", goal, e.At().Seconds(), forest(objects.Tree(goal), "  "))
				}
			}
			for _, goal := range goals {
				fmt.Fprintf(&b, "what last happened to %s\n%s", goal, recent(objects.History(goal), 40))
			}
			golden(t, "objects-"+short, b.String())
		})
	}
}

// clustersOf are the first and the last goal that is a cluster.
func clustersOf(events []journal.Event) []resource.Addr {
	var goals []resource.Addr
	for _, g := range events[0].Begin.Goals {
		if g.Addr.Kind == resource.KindCluster {
			goals = append(goals, g.Addr)
		}
	}
	return slices.Compact([]resource.Addr{goals[0], goals[len(goals)-1]})
}

func forest(nodes []*journal.Node, indent string) string {
	var b strings.Builder
	for _, n := range nodes {
		fmt.Fprintf(&b, "%s%s\n%s", indent, lineOf(n.Item), forest(n.Children, indent+"  "))
	}
	return b.String()
}

func lineOf(it *journal.Item) string {
	text := it.Kind + " " + it.Name
	if it.Status != "" {
		text += " " + it.Status
	}
	if r := it.Replicas; r != nil {
		text += fmt.Sprintf(" %d/%d ready %d", r.Current, r.Desired, r.Ready)
	}
	text += " came " + at(it.Came) + " changed " + at(it.Changed)
	if it.Deleting {
		text += " deleting " + at(it.Marked) + " " + strings.Join(it.Finalizers, ",")
	}
	if vm := it.VM; vm != nil {
		text += fmt.Sprintf(" %s/%s on %s, power %s, ip %s", vm.Zone, vm.Host, vm.Datastore, vm.Power, vm.IP)
		for _, task := range vm.Tasks {
			text += fmt.Sprintf(" [%s %s %s %s]", at(task.At), task.Op, task.ID, task.Error)
		}
	}
	for _, c := range it.Wrong() {
		text += fmt.Sprintf("; %s=%s %s %.40q since %s", c.Type, c.Status, c.Reason, c.Message, at(c.Since))
	}
	if n := len(it.Conditions()) - len(it.Wrong()); n > 0 {
		text += fmt.Sprintf("; %d conditions are well", n)
	}
	if said := it.Said; said != nil {
		text += fmt.Sprintf("; %s: %s at %s", said.Reason, said.Message, at(said.At))
	}
	return text
}

func at(d time.Duration) string {
	if d == phase.NotYet {
		return "before"
	}
	return fmt.Sprintf("%.1f", d.Seconds())
}

func recent(moments []journal.Moment, n int) string {
	var b strings.Builder
	for _, m := range moments[max(0, len(moments)-n):] {
		times := ""
		if m.Times > 1 {
			times = fmt.Sprintf(" (%d times)", m.Times)
		}
		fmt.Fprintf(&b, "  %8.3f %s %s: %s%s\n", m.At.Seconds(), m.Kind, m.Name, m.What, times)
	}
	return b.String()
}
