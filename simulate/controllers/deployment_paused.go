package controllers

import (
	"cmp"
	"math"
	"slices"
)

// scaleInProportion scales a deployment whose rollout is paused (spec.paused): the
// set that has machines alone gets all replicas; several share what is added or
// taken by their size, so that the rollout stays as far as it was.
func (r *rollout) scaleInProportion() {
	var active []setCount
	for _, s := range r.all() {
		if s.wanted > 0 {
			active = append(active, s)
		}
	}
	if len(active) == 0 && r.fresh.name != "" {
		active = append(active, r.fresh)
	}
	if len(active) < 2 {
		for _, s := range active {
			r.ask(s, r.desired)
		}
		return
	}
	if r.fresh.wanted == r.desired && r.fresh.available == r.desired { // nothing is left for the others to do
		for _, s := range r.old {
			r.ask(s, 0)
		}
		return
	}
	allowed := int64(0)
	if r.desired > 0 {
		allowed = r.desired + r.maxSurge
	}
	missing := allowed - sum(active, wanted)
	// The largest first. Of equal ones the newest grows and the oldest shrinks; all
	// is in the order of age.
	if missing > 0 {
		slices.Reverse(active)
	}
	slices.SortStableFunc(active, func(a, b setCount) int { return cmp.Compare(b.wanted, a.wanted) })
	added := int64(0)
	shares := make([]int64, len(active))
	for i, s := range active {
		shares[i] = r.share(s, allowed, missing, missing-added)
		added += shares[i]
	}
	shares[0] += missing - added // what rounding left
	for i, s := range active {
		r.ask(s, max(s.wanted+shares[i], 0))
	}
}

// share is a set's part of missing, of which left is not given out yet.
func (r *rollout) share(s setCount, allowed, missing, left int64) int64 {
	if missing == 0 || left == 0 {
		return 0
	}
	if r.desired == 0 {
		return -s.wanted
	}
	before := s.most
	if before == 0 {
		before = sum(r.all(), total)
	}
	if before == 0 {
		return 0
	}
	part := int64(math.Round(float64(s.wanted*allowed)/float64(before))) - s.wanted
	if missing > 0 {
		return min(part, left)
	}
	return max(part, left)
}

// ask notes what a set is to have, if that is something else.
func (r *rollout) ask(s setCount, replicas int64) {
	if replicas != s.wanted {
		r.intent[s.name] = replicas
	}
}
