package controllers

import (
	"slices"
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

// conditions are status.conditions of a draft, which is read and written through
// the methods here alone. A pass asks for many of them, and to look into the map
// of each one again and again would be most of its work: so they are read once, by
// the first that asks, and not at all where there is a view.
type conditions struct {
	*conditionList
	known, own bool           // whether they are read, and whether the list is the draft's own
	was        *conditionList // what the own ones are in place of
	shared     *sharedConditions
}

// listed are the conditions as they are.
func (d *draft) listed() *conditionList {
	switch c := &d.conditions; {
	case c.known:
	case d.view != nil:
		c.conditionList, c.known = d.view.conditions, true
	default:
		c.conditionList, c.known = readConditions(resource.Items(d.root, "status", "conditions"), nil), true
	}
	return d.conditions.conditionList
}

// find is the condition of a type and its place, -1 where there is none.
func (d *draft) find(kind string) (*conditionEntry, int) { return d.listed().find(kind) }

// put writes a condition to a place, or behind all others where that is -1.
func (d *draft) put(at int, c *conditionEntry) {
	own, added := &d.conditions, at < 0
	fresh := own.begin()
	switch {
	case !fresh:
	case own.conditionList == nil:
		own.conditionList = &conditionList{types: own.shared.noTypes()}
	default:
		own.conditionList = own.copied(added)
	}
	own.conditionList.put(at, c)
	if fresh || added {
		d.replace(own.items, "status", "conditions")
	}
}

// begin notes that the list is to be the draft's own, and says whether it was not yet.
func (c *conditions) begin() bool {
	if c.own {
		return false
	}
	c.was, c.own = c.conditionList, true
	return true
}

// differ says that the conditions say another thing than they did.
func (c *conditions) differ() bool { return c.own && !c.saysAs(c.was) }

// condition sets one entry of status.conditions. Its transition time moves only
// when the status does, as metav1.Condition asks.
func (d *draft) condition(kind, status, reason, message string) {
	old, at := d.find(kind)
	if at >= 0 && old.Status == status && old.Reason == reason && old.Message == message {
		return
	}
	since := old.since
	if old.Status != status || since == "" {
		since = d.conditions.shared.at(d.now)
	}
	d.put(at, d.conditions.shared.condition(resource.Condition{Type: kind, Status: status, Reason: reason, Message: message}, since))
}

// declare adds an entry without reason and message, as net-operator's are.
func (d *draft) declare(kind, status string) {
	d.dropConditions(kind)
	_, at := d.find(kind)
	since := stamp(d.now)
	d.put(at, &conditionEntry{
		said{resource.Condition{Type: kind, Status: status}, since},
		map[string]any{"type": kind, "status": status, "lastTransitionTime": since},
	})
}

// dropConditions removes entries of status.conditions.
func (d *draft) dropConditions(kinds ...string) {
	list := d.listed()
	if list == nil {
		return
	}
	left := &conditionList{types: d.conditions.shared.noTypes()}
	for at, c := range list.entries {
		if !slices.Contains(kinds, c.Type) {
			left.add(list.items[at], c)
		}
	}
	if len(left.items) != len(list.items) {
		d.conditions.begin()
		d.conditions.conditionList = left
		d.replace(left.items, "status", "conditions")
	}
}

// observed is condition with the generation that it speaks of, so that who changed
// the object can tell whether the condition knows of the change.
func (d *draft) observed(kind, status, reason, message string) {
	d.condition(kind, status, reason, message)
	c, at := d.find(kind)
	generation := d.generation()
	if resource.Int(c.content, "observedGeneration") == generation {
		return
	}
	entry := copyMap(c.content)
	entry["observedGeneration"] = generation
	d.put(at, &conditionEntry{c.said, entry})
}

// conditionOf is the condition of a type; its Type is "" where there is none.
func (d *draft) conditionOf(kind string) resource.Condition {
	c, _ := d.find(kind)
	return c.Condition
}

func (d *draft) has(kind string) bool      { return d.conditionOf(kind).Type != "" }
func (d *draft) status(kind string) string { return d.conditionOf(kind).Status }
func (d *draft) isTrue(kind string) bool   { return d.status(kind) == "True" }
func (d *draft) isFalse(kind string) bool  { return d.status(kind) == "False" }

// since is when a condition took its present status; zero when it is absent.
func (d *draft) since(kind string) time.Time {
	c, _ := d.find(kind)
	return parseStamp(c.since)
}
