package controllers

import (
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

// A conditionList is what status.conditions says, in its order. It has the types
// side by side, since they are what is searched for.
type conditionList struct {
	items []any // what was read
	read  []typedCondition
}

type typedCondition struct {
	kind string
	is   *conditionEntry
}

// noCondition is what a list says of a condition that is not in it.
var noCondition conditionEntry

// find is the condition of a type and its place, -1 where there is none.
func (l conditionList) find(kind string) (c *conditionEntry, at int) {
	for at := range l.read {
		if l.read[at].kind == kind {
			return l.read[at].is, at
		}
	}
	return &noCondition, -1
}

// copied is a list of the same conditions that may be written to, with room for one
// more if there is to be.
func (l conditionList) copied(more bool) conditionList {
	size := len(l.items)
	if more {
		size++
	}
	return conditionList{append(make([]any, 0, size), l.items...), append(make([]typedCondition, 0, size), l.read...)}
}

// readConditions reads a list of conditions; those that known has too, at the same
// place, are not read again.
func readConditions(items []any, known conditionList) conditionList {
	if resource.SameList(items, known.items) {
		return known
	}
	read := make([]typedCondition, len(items))
	for i, item := range items {
		entry, _ := item.(map[string]any)
		if i < len(known.read) && resource.SameMap(entry, known.read[i].is.content) {
			read[i] = known.read[i]
			continue
		}
		kind := resource.Text(entry, "type")
		read[i] = typedCondition{kind, &conditionEntry{said{resource.Condition{
			Type: kind, Status: resource.Text(entry, "status"),
			Reason: resource.Text(entry, "reason"), Message: resource.Text(entry, "message"),
		}, resource.Text(entry, "lastTransitionTime")}, entry}}
	}
	return conditionList{items, read}
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
