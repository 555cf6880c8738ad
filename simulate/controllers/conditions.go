package controllers

import (
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

// A viewedCondition is a condition as it was read. It is shared by all versions of
// an object that have it and must not be written to.
type viewedCondition struct {
	resource.Condition
	since string
}

// A conditionList is what status.conditions says, in its order. It has the types
// side by side, since they are what is searched for.
type conditionList []typedCondition

type typedCondition struct {
	kind string
	is   *viewedCondition
}

// noCondition is what a list says of a condition that is not in it.
var noCondition viewedCondition

// find is the condition of a type and its place, -1 where there is none.
func (l conditionList) find(kind string) (c *viewedCondition, at int) {
	for at := range l {
		if l[at].kind == kind {
			return l[at].is, at
		}
	}
	return &noCondition, -1
}

// readConditions reads a list of conditions; those that the version before has too,
// at the same place, are known.
func readConditions(list []any, before *view) conditionList {
	if len(list) == 0 {
		return nil
	}
	var known []any
	if before != nil {
		if known = resource.Items(before.status, "conditions"); len(known) == len(list) && &known[0] == &list[0] {
			return before.conditions
		}
	}
	read := make(conditionList, len(list))
	for i, item := range list {
		entry, _ := item.(map[string]any)
		if i < len(known) && resource.SameMap(entry, resource.Fields(known[i])) {
			read[i] = before.conditions[i]
			continue
		}
		kind := resource.Text(entry, "type")
		read[i] = typedCondition{kind, &viewedCondition{
			Condition: resource.Condition{
				Type: kind, Status: resource.Text(entry, "status"),
				Reason: resource.Text(entry, "reason"), Message: resource.Text(entry, "message"),
			},
			since: resource.Text(entry, "lastTransitionTime"),
		}}
	}
	return read
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
