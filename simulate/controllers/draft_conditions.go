package controllers

import (
	"slices"
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

// conditions are status.conditions of a draft, which is read and written through
// the methods here alone. A pass asks for many of them, and to look into the map
// of each one again and again would be most of its work: so the types are read
// once, by the first that asks.
type conditions struct {
	list  []any
	types []string // of the entries; nil before they were read
	own   bool     // whether list is the draft's own, which may be written to
}

// find is the entry of a type and its place; nil and -1 where there is none.
func (d *draft) find(kind string) (entry map[string]any, at int) {
	c := &d.conditions
	if c.types == nil {
		c.list = resource.Items(d.root, "status", "conditions")
		c.types = make([]string, len(c.list), len(c.list)+1)
		for i, item := range c.list {
			c.types[i] = resource.Text(item, "type")
		}
	}
	if at = slices.Index(c.types, kind); at >= 0 {
		entry, _ = c.list[at].(map[string]any)
	}
	return entry, at
}

// put writes an entry to a place, or behind all others where that is -1.
func (d *draft) put(at int, kind string, entry map[string]any) {
	c := &d.conditions
	if c.own && at >= 0 {
		c.list[at] = entry
		return
	}
	if !c.own {
		c.list, c.own = append(make([]any, 0, len(c.list)+1), c.list...), true
	}
	if at < 0 {
		c.list, c.types = append(c.list, entry), append(c.types, kind)
	} else {
		c.list[at] = entry
	}
	d.replace(c.list, "status", "conditions")
}

// condition sets one entry of status.conditions. Its transition time moves only
// when the status does, as metav1.Condition asks.
func (d *draft) condition(kind, status, reason, message string) {
	old, at := d.find(kind)
	since := ""
	if old["status"] == status {
		if old["reason"] == reason && old["message"] == message {
			return
		}
		since = resource.Text(old, "lastTransitionTime")
	}
	if since == "" {
		since = stamp(d.now)
	}
	d.put(at, kind, map[string]any{"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": since})
}

// declare adds an entry without reason and message, as net-operator's are.
func (d *draft) declare(kind, status string) {
	d.dropConditions(kind)
	_, at := d.find(kind)
	d.put(at, kind, map[string]any{"type": kind, "status": status, "lastTransitionTime": stamp(d.now)})
}

// dropConditions removes entries of status.conditions.
func (d *draft) dropConditions(kinds ...string) {
	var left []any
	list := resource.Items(d.root, "status", "conditions")
	for _, c := range list {
		if !slices.Contains(kinds, resource.Text(c, "type")) {
			left = append(left, c)
		}
	}
	if len(left) != len(list) {
		d.replace(left, "status", "conditions")
		d.conditions = conditions{}
	}
}

// observed is condition with the generation that it speaks of, so that who changed
// the object can tell whether the condition knows of the change.
func (d *draft) observed(kind, status, reason, message string) {
	d.condition(kind, status, reason, message)
	entry, at := d.find(kind)
	generation := resource.Int(d.root, "metadata", "generation")
	if resource.Int(entry, "observedGeneration") == generation {
		return
	}
	entry = copyMap(entry)
	entry["observedGeneration"] = generation
	d.put(at, kind, entry)
}

func (d *draft) has(kind string) bool {
	_, at := d.find(kind)
	return at >= 0
}

// status is that of a condition, "" where there is none.
func (d *draft) status(kind string) string {
	entry, _ := d.find(kind)
	return resource.Text(entry, "status")
}

// conditionOf is a condition; its Type is "" where there is none.
func (d *draft) conditionOf(kind string) resource.Condition {
	entry, at := d.find(kind)
	if at < 0 {
		return resource.Condition{}
	}
	return resource.Condition{Type: kind, Status: resource.Text(entry, "status"), Reason: resource.Text(entry, "reason"), Message: resource.Text(entry, "message")}
}

func (d *draft) isTrue(kind string) bool  { return d.status(kind) == "True" }
func (d *draft) isFalse(kind string) bool { return d.status(kind) == "False" }

// since is when a condition took its present status; zero when it is absent.
func (d *draft) since(kind string) time.Time {
	entry, _ := d.find(kind)
	return parseStamp(resource.Text(entry, "lastTransitionTime"))
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
