package simulate_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/resource"
)

// The rules below are what domain.md 2.1 and observed.md 5 and 6 say of the real
// controllers. They name their section and hold for any seed: nothing here is a
// recording of what the simulator did.

// A history is the journal of one run, with questions to ask of it.
type history []journal.Event

// A match is one kind of event, described for failure messages.
type match struct {
	what string
	is   func(journal.Event) bool
}

func objects(what string, is func(o *journal.Object) bool) match {
	return match{what, func(e journal.Event) bool { return e.Object != nil && is(e.Object) }}
}

// made is the creation of an object whose name matches pattern.
func made(kind, pattern string) match {
	re := regexp.MustCompile("^(" + pattern + ")$")
	return objects("creation of "+kind+" "+pattern, func(o *journal.Object) bool {
		return o.Kind == kind && o.Verb == resource.Created && re.MatchString(o.Name)
	})
}

// gone is the removal of an object whose name matches pattern.
func gone(kind, pattern string) match {
	re := regexp.MustCompile("^(" + pattern + ")$")
	return objects("removal of "+kind+" "+pattern, func(o *journal.Object) bool {
		return o.Kind == kind && o.Verb == resource.Deleted && re.MatchString(o.Name)
	})
}

// marked is the deletion timestamp of an object whose name matches pattern.
func marked(kind, pattern string) match {
	re := regexp.MustCompile("^(" + pattern + ")$")
	return objects("deletion mark of "+kind+" "+pattern, func(o *journal.Object) bool {
		return o.Kind == kind && o.Deleting && re.MatchString(o.Name)
	})
}

// says is a condition that took a status, and a reason where one is given.
func says(kind, pattern, condition, status, reason string) match {
	re := regexp.MustCompile("^(" + pattern + ")$")
	return objects(fmt.Sprintf("%s %s: %s %s %s", kind, pattern, condition, status, reason), func(o *journal.Object) bool {
		return o.Kind == kind && re.MatchString(o.Name) && slices.ContainsFunc(o.Conditions, func(c resource.Condition) bool {
			return c.Type == condition && c.Status == status && (reason == "" || c.Reason == reason)
		})
	})
}

// inPhase is a status.phase that was taken.
func inPhase(kind, pattern, phase string) match {
	re := regexp.MustCompile("^(" + pattern + ")$")
	return objects(fmt.Sprintf("%s %s: phase %s", kind, pattern, phase), func(o *journal.Object) bool {
		return o.Kind == kind && re.MatchString(o.Name) && o.Phase == phase
	})
}

// owned is an owner taken by an object.
func owned(kind, pattern, by string, controller bool) match {
	re := regexp.MustCompile("^(" + pattern + ")$")
	return objects(fmt.Sprintf("%s %s: owner %s", kind, pattern, by), func(o *journal.Object) bool {
		return o.Kind == kind && re.MatchString(o.Name) && slices.ContainsFunc(o.Owners, func(w resource.Owner) bool {
			return w.Kind == by && w.Controller == controller
		})
	})
}

// operated is a vCenter operation on a VM whose name matches pattern.
func operated(op, pattern string) match {
	re := regexp.MustCompile("^(" + pattern + ")$")
	return match{op + " of " + pattern, func(e journal.Event) bool {
		return e.VM != nil && e.VM.Op == op && re.MatchString(e.VM.Name)
	}}
}

// all lists the sequence numbers of the events that match.
func (h history) all(m match) []int {
	var out []int
	for i, e := range h {
		if m.is(e) {
			out = append(out, i)
		}
	}
	return out
}

func (h history) first(t *testing.T, m match) int {
	t.Helper()
	found := h.all(m)
	if len(found) == 0 {
		t.Fatalf("no %s in the journal", m.what)
	}
	return found[0]
}

func (h history) last(t *testing.T, m match) int {
	t.Helper()
	h.first(t, m)
	found := h.all(m)
	return found[len(found)-1]
}

// inOrder asks that the first event of each match comes after that of the one before.
func (h history) inOrder(t *testing.T, section string, steps ...match) {
	t.Helper()
	for i := 1; i < len(steps); i++ {
		before, after := h.first(t, steps[i-1]), h.first(t, steps[i])
		if before > after { // one write may say both
			t.Errorf("%s: want %s (event %d, %d ms) before %s (event %d, %d ms)", section,
				steps[i-1].what, before, h[before].T, steps[i].what, after, h[after].T)
		}
	}
}

// allBefore asks that every event of one match comes before every one of another.
func (h history) allBefore(t *testing.T, section string, a, b match) {
	t.Helper()
	if last, first := h.last(t, a), h.first(t, b); last >= first {
		t.Errorf("%s: want every %s (last is event %d) before any %s (first is event %d)", section, a.what, last, b.what, first)
	}
}

// An item is an object as the journal leaves it.
type item struct {
	resource.Change
	owners     []resource.Owner
	labels     map[string]string
	finalizers []string
}

// present folds the journal into the objects that are there at its end.
func (h history) present() map[string]map[string]*item {
	out := map[string]map[string]*item{}
	for _, e := range h {
		o := e.Object
		if o == nil {
			continue
		}
		if out[o.Kind] == nil {
			out[o.Kind] = map[string]*item{}
		}
		if o.Verb == resource.Deleted {
			delete(out[o.Kind], o.Name)
			continue
		}
		it := out[o.Kind][o.Name]
		if it == nil {
			it = &item{}
			out[o.Kind][o.Name] = it
		}
		it.Change = o.Change
		if o.Owners != nil {
			it.owners = o.Owners
		}
		if o.Labels != nil {
			it.labels = o.Labels
		}
		if o.Finalizers != nil {
			it.finalizers = o.Finalizers
		}
	}
	return out
}

// fiveRandom is a suffix of a generated name (domain.md 1.0).
const fiveRandom = "[bcdfghjklmnpqrstvwxz2456789]{5}"

// pattern writes ~ for a suffix, as observed.md does.
func pattern(p string) string { return strings.ReplaceAll(p, "~", fiveRandom) }

// named asks that a kind has exactly count objects whose names match.
func (h history) named(t *testing.T, kind, names string, count int) []*item {
	t.Helper()
	re := regexp.MustCompile("^(" + pattern(names) + ")$")
	var out []*item
	items := h.present()[kind]
	for _, name := range slices.Sorted(maps.Keys(items)) {
		if re.MatchString(name) {
			out = append(out, items[name])
		}
	}
	if len(out) != count {
		t.Errorf("observed.md 5: want %d %s named %s, got %d of %v", count, kind, names, len(out), slices.Sorted(maps.Keys(items)))
	}
	return out
}
