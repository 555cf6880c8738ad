package controllers

import (
	"slices"
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

// A conditionEntry is an entry of status.conditions, and what was read of it. It is
// shared by all versions of all objects that have it and must not be written to.
type conditionEntry struct {
	said
	content map[string]any
}

// said is all that a condition says.
type said struct {
	resource.Condition
	since string
}

// noCondition is what a list says of a condition that is not in it.
var noCondition conditionEntry

// seeLogs is what a condition says of a fault that only the controller's log explains.
const seeLogs = "Please check controller logs for errors"

// A conditionList is what status.conditions says, in its order; nil says nothing.
type conditionList struct {
	items   []any // as they are stored
	entries []*conditionEntry
	types   *typeList
}

// A typeList is the types of a list of conditions, which are what is searched for.
// Objects of a kind get theirs in few orders, so most lists of types are one.
type typeList struct {
	types []string
	next  map[string]*typeList // those that have one more
}

// with is the list with one more type.
func (l *typeList) with(kind string) *typeList {
	next := l.next[kind]
	if next == nil {
		if l.next == nil {
			l.next = map[string]*typeList{}
		}
		next = &typeList{types: append(slices.Clip(l.types), kind)}
		l.next[kind] = next
	}
	return next
}

// find is the condition of a type and its place, -1 where there is none.
func (l *conditionList) find(kind string) (c *conditionEntry, at int) {
	if l != nil {
		for at, known := range l.types.types {
			if known == kind {
				return l.entries[at], at
			}
		}
	}
	return &noCondition, -1
}

// saysAs says whether two lists say the same, in the same order.
func (l *conditionList) saysAs(other *conditionList) bool {
	if l == nil || other == nil {
		return l == other
	}
	return slices.EqualFunc(l.entries, other.entries, func(a, b *conditionEntry) bool { return a == b || a.said == b.said })
}

// copied is a list of the same conditions that may be written to, with room for one
// more if there is to be.
func (l *conditionList) copied(more bool) *conditionList {
	size := len(l.items)
	if more {
		size++
	}
	return &conditionList{
		append(make([]any, 0, size), l.items...), append(make([]*conditionEntry, 0, size), l.entries...), l.types,
	}
}

// put writes a condition to a place, or behind all others where that is -1.
func (l *conditionList) put(at int, c *conditionEntry) {
	if at >= 0 {
		l.items[at], l.entries[at] = c.content, c
		return
	}
	l.add(c.content, c)
}

func (l *conditionList) add(item any, c *conditionEntry) {
	l.items, l.entries, l.types = append(l.items, item), append(l.entries, c), l.types.with(c.Type)
}

// readConditions reads a list of conditions; those that known has too, at the same
// place, are not read again.
func readConditions(items []any, known *conditionList) *conditionList {
	switch {
	case len(items) == 0:
		return nil
	case known == nil:
		known = &conditionList{types: &typeList{}}
	case resource.SameList(items, known.items):
		return known
	}
	list := &conditionList{items, make([]*conditionEntry, len(items)), known.types}
	types := make([]string, len(items))
	for i, item := range items {
		entry, _ := item.(map[string]any)
		if i < len(known.entries) && resource.SameMap(entry, known.entries[i].content) {
			list.entries[i] = known.entries[i]
		} else {
			list.entries[i] = readCondition(entry)
		}
		types[i] = list.entries[i].Type
	}
	if !slices.Equal(types, known.types.types) {
		list.types = &typeList{types: types}
	}
	return list
}

func readCondition(entry map[string]any) *conditionEntry {
	return &conditionEntry{said{resource.Condition{
		Type: resource.Text(entry, "type"), Status: resource.Text(entry, "status"),
		Reason: resource.Text(entry, "reason"), Message: resource.Text(entry, "message"),
	}, resource.Text(entry, "lastTransitionTime")}, entry}
}

// Conditions of a stored object, of which a pass asks for one or two.

// conditionIn is the entry of a type; nil where there is none.
func conditionIn(content map[string]any, kind string) map[string]any {
	for _, item := range resource.Items(content, "status", "conditions") {
		if entry, _ := item.(map[string]any); resource.Text(entry, "type") == kind {
			return entry
		}
	}
	return nil
}

func isTrue(content map[string]any, kind string) bool {
	return resource.Text(conditionIn(content, kind), "status") == "True"
}

// since is when a condition took its present status; zero when it is absent.
func since(content map[string]any, kind string) time.Time {
	return parseStamp(resource.Text(conditionIn(content, kind), "lastTransitionTime"))
}
