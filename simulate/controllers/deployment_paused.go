package controllers

import "cmp"

// scaleInPause scales a deployment whose rollout is paused (spec.paused): the set that
// has machines alone gets all replicas, or the newest where none has any. Of several the
// largest takes all that is added or taken. It was to be shared by size, of what the
// deployment had when the sets were last scaled; but that is brought up to date before.
func (r *rollout) scaleInPause() {
	active := r.active()
	if len(active) < 2 {
		for _, s := range active {
			r.ask(s, r.desired)
		}
		return
	}
	if r.fresh.name != "" && r.fresh.wanted == r.desired && r.fresh.available == r.desired { // nothing is left for the others to do
		for _, s := range r.old {
			r.ask(s, 0)
		}
		return
	}
	if r.onDelete {
		return
	}
	if r.desired == 0 {
		for _, s := range active {
			r.ask(s, 0)
		}
		return
	}
	missing := r.desired + r.maxSurge - sum(active, wanted)
	// Of equal ones the newest grows and the oldest shrinks; all is in the order of age.
	largest := active[0]
	for _, s := range active[1:] {
		if by := cmp.Compare(s.wanted, largest.wanted); by > 0 || by == 0 && missing > 0 {
			largest = s
		}
	}
	r.ask(largest, max(largest.wanted+missing, 0))
}

// active are the sets that have or are to have machines; the newest where there are none.
func (r *rollout) active() []setCount {
	var active []setCount
	for _, s := range r.all() {
		if s.wanted > 0 {
			active = append(active, s)
		}
	}
	switch {
	case len(active) > 0:
	case r.fresh.name != "":
		active = append(active, r.fresh)
	case len(r.old) > 0:
		active = append(active, r.old[len(r.old)-1])
	}
	return active
}

// ask notes what a set is to have, if that is something else.
func (r *rollout) ask(s setCount, replicas int64) {
	if replicas != s.wanted {
		r.intent[s.name] = replicas
	}
}
