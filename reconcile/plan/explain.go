package plan

import (
	"slices"

	"github.com/vksync/vksync/reconcile/resource"
)

// A PartChange is what a change of a Cluster does to its control plane, or to one
// of its node pools: which machines go, in which order, and how many more than
// wanted there are meanwhile. It follows from the rules of the controllers
// (domain.md 3.1-3.4, observed.md 6.3), before anything is done.
type PartChange struct {
	// Part is "control plane", or "workers np-1".
	Part string `json:"part"`
	// Effect is InPlace, Scale, Rolling, Added or Removed.
	Effect Effect `json:"effect"`
	// Because are the paths of the changed fields that have the Effect.
	Because []string `json:"because"`
	// Also are those that are carried over to the machines in place beside it, or
	// change how many there are.
	Also []string `json:"also,omitempty"`
	// Assumed says that the machines are taken to be replaced since what a class makes
	// of a field is not known.
	Assumed bool `json:"assumed,omitempty"`
	// From and To are how many machines there are, and will be.
	From int64 `json:"from"`
	To   int64 `json:"to"`
	// Goes are the machines that are deleted, in this order. It is empty where the
	// machines are not known, and Going counts them nevertheless.
	Goes  []string `json:"goes,omitempty"`
	Going int64    `json:"going,omitempty"`
	// Comes is how many machines are made, in place of others or in addition.
	Comes int64 `json:"comes,omitempty"`
	// Surge is how many machines more than To a replacement may have at a time, and
	// Unavailable how many it may lack. Both are 0 for what replaces nothing.
	Surge       int64 `json:"surge,omitempty"`
	Unavailable int64 `json:"unavailable,omitempty"`
	// Peak is the most machines there are at once.
	Peak int64 `json:"peak"`
	// Turn says when: parts of one turn change at the same time, and those of the
	// next when they are done. The first is 1; 0 is for what has no turn, since an
	// annotation defers it.
	Turn int `json:"turn"`
	// NotBefore is the time at which it begins, RFC 3339, if that has come already or
	// not; empty for at once.
	NotBefore string `json:"notBefore,omitempty"`
	// OnDelete says that machines are replaced when somebody deletes them.
	OnDelete bool `json:"onDelete,omitempty"`
}

// The effects that only a whole part can have.
const (
	Added   Effect = "added"
	Removed Effect = "removed"
)

// A Peak is the most that a Cluster has while it changes, of all its parts.
type Peak struct {
	Machines int64 `json:"machines"`
	// CPUs and MemoryMiB are those of the VM classes; 0 where a class is not known.
	CPUs      int64 `json:"cpus,omitempty"`
	MemoryMiB int64 `json:"memoryMiB,omitempty"`
	// Addresses are of nodes, one for each machine.
	Addresses int64 `json:"addresses"`
	// More is how many of the machines are more than there are now.
	More int64 `json:"more"`
}

// explanation is made for one Cluster that changes.
type explanation struct {
	m             *maker
	live, want    resource.Object
	before, after topology
	parts         clusterParts
	changes       []Change
}

// explain says what a change does to the machines, part by part: the control plane
// first, then the pools in the order of the list, then those that are removed.
// Parts that nothing happens to are not among them.
func (m *maker) explain(want, live resource.Object, changes []Change) ([]PartChange, *Peak) {
	e := explanation{
		m: m, live: live, want: want, before: topologyOf(live), after: topologyOf(want),
		parts: m.partsOf(live), changes: changes,
	}
	var out []PartChange
	for _, p := range e.after.parts() {
		if c, happens := e.part(p); happens {
			out = append(out, c)
		}
	}
	for _, p := range e.before.parts() {
		if p.name != "" && !e.after.has(p.name) {
			out = append(out, e.removed(p))
		}
	}
	e.giveTurns(out)
	if !slices.ContainsFunc(out, func(c PartChange) bool { return c.Effect != InPlace && c.Turn > 0 }) {
		return out, nil
	}
	return out, e.peak(out)
}

// part is what happens to a part that is there when all is done.
func (e *explanation) part(p part) (PartChange, bool) {
	was, there := e.before.part(p.name)
	if !there {
		n := p.replicas()
		return PartChange{Part: p.String(), Effect: Added, Because: []string{p.path()}, To: n, Comes: n, Peak: n}, true
	}
	c := PartChange{Part: p.String(), From: e.count(was), Because: []string{}}
	c.To = e.wanted(p, c.From)
	e.causes(p, &c)
	if c.Effect == "" {
		return c, false
	}
	e.machines(p, &c)
	return c, true
}

// causes finds the strongest effect that the changes have on a part, and which have
// it.
func (e *explanation) causes(p part, c *PartChange) {
	byEffect, certain := map[Effect][]string{}, map[Effect]bool{}
	for _, change := range e.changes {
		effect, assumed := e.after.effectOn(p, change)
		if effect == "" {
			continue
		}
		byEffect[effect] = append(byEffect[effect], change.Path)
		certain[effect] = certain[effect] || !assumed
	}
	for _, effect := range slices.Backward(strength) {
		paths := byEffect[effect]
		switch {
		case paths == nil:
		case c.Effect == "":
			c.Effect, c.Because, c.Assumed = effect, paths, !certain[effect]
		default:
			c.Also = append(c.Also, paths...)
		}
	}
	slices.Sort(c.Also)
}

// removed is what happens to a node pool that is no longer wanted.
func (e *explanation) removed(p part) PartChange {
	n := e.count(p)
	c := PartChange{Part: p.String(), Effect: Removed, Because: []string{p.path()}, From: n, Going: n, Peak: n}
	c.Goes = namesOf(byName(e.machinesOf(p)))
	return c
}

// count is how many machines a part has: those that are there, or else those that
// were asked for.
func (e *explanation) count(p part) int64 {
	if machines := e.machinesOf(p); len(machines) > 0 {
		return int64(len(machines))
	}
	return p.replicas()
}

// wanted is how many machines a part is to have. Nobody but the autoscaler says so
// where it decides: then it is as many as there are.
func (e *explanation) wanted(p part, have int64) int64 {
	if p.name != "" && p.content["replicas"] == nil && autoscaled(p.content) {
		return have
	}
	return p.replicas()
}
