package controllers

// A setCount is what a rollout knows of one MachineSet.
type setCount struct {
	name   string
	wanted int64 // spec.replicas
	total  int64 // status.replicas
	// available is status.availableReplicas.
	available int64
}

// A rollout decides how many replicas each MachineSet of a deployment should
// have next (domain.md 3.4). It assumes the worst: whatever goes was available.
type rollout struct {
	terms
	fresh  setCount   // of the present template
	old    []setCount // of former ones, the oldest first
	intent map[string]int64
}

// plan is the replicas that differ from what the sets ask for now, by set.
func (r *rollout) plan() map[string]int64 {
	r.intent = map[string]int64{}
	switch {
	case r.paused:
		r.scaleInPause()
	case r.onDelete:
		r.scaleFresh()
		r.followDeleted()
	default:
		r.scaleFresh()
		r.scaleOld()
		r.breakDeadlock()
	}
	return r.intent
}

func (r *rollout) all() []setCount { return append(r.old[:len(r.old):len(r.old)], r.fresh) }

func sum(sets []setCount, of func(setCount) int64) (n int64) {
	for _, s := range sets {
		n += of(s)
	}
	return n
}

func wanted(s setCount) int64    { return s.wanted }
func total(s setCount) int64     { return s.total }
func available(s setCount) int64 { return s.available }

// next is what a set is to have after what was decided so far.
func (r *rollout) next(s setCount) int64 {
	if n, ok := r.intent[s.name]; ok {
		return n
	}
	return s.wanted
}

// scaleFresh grows the new set as far as the surge allows. Machines that are still
// to be made, or still going, take up surge too.
func (r *rollout) scaleFresh() {
	switch {
	case r.fresh.wanted == r.desired:
	case r.fresh.wanted > r.desired:
		r.intent[r.fresh.name] = r.desired
	default:
		room := r.desired - sum(r.all(), func(s setCount) int64 { return max(s.wanted, s.total) })
		if !r.onDelete {
			room += r.maxSurge
		}
		if room > 0 {
			r.intent[r.fresh.name] = r.fresh.wanted + min(room, r.desired-r.fresh.wanted)
		}
	}
}

// scaleOld shrinks the old sets as far as enough machines stay available, those
// with unavailable machines first. A new set that does not become available holds
// it up, so that not everything is replaced by what does not work.
func (r *rollout) scaleOld() {
	if sum(r.old, wanted) == 0 {
		return
	}
	least := max(r.desired-r.maxUnavailable, 0)
	going := sum(r.all(), func(s setCount) int64 { return max(s.total-min(s.wanted, r.next(s)), 0) })
	budget := sum(r.all(), wanted) - going - least - max(r.fresh.wanted-r.fresh.available, 0)
	up := sum(r.all(), available)
	for _, onlyUnavailable := range []bool{true, false} {
		for _, s := range r.old {
			if budget <= 0 {
				return
			}
			down, lost := r.shrink(s, budget, up-least, onlyUnavailable)
			if down > 0 {
				r.intent[s.name] = r.next(s) - down
				budget -= down
			}
			up -= lost
		}
	}
}

// shrink is by how much an old set can go down and how many available machines
// that may cost, where spare may be lost.
func (r *rollout) shrink(s setCount, budget, spare int64, onlyUnavailable bool) (down, lost int64) {
	replicas := r.next(s)
	down = replicas
	if onlyUnavailable {
		down = max(replicas-s.available, 0)
	}
	down = min(down, budget)
	if down <= 0 || s.available == 0 {
		return down, 0
	}
	gone := max(s.total-(replicas-down), 0)
	if gone > max(spare, 0) {
		kept := min(s.total-max(spare, 0), replicas)
		down = max(replicas-kept, 0)
		gone = max(s.total-kept, 0)
	}
	return down, min(s.available, gone)
}

// breakDeadlock takes one unavailable machine of an old set away where nothing
// else can go on: those of old sets are not remediated.
func (r *rollout) breakDeadlock() {
	if n := sum(r.old, total); n == 0 || n == sum(r.old, available) || r.fresh.available != r.fresh.total {
		return
	}
	for _, s := range r.all() {
		if _, decided := r.intent[s.name]; decided || s.wanted != s.total {
			return
		}
	}
	for _, s := range r.old {
		if s.wanted > 0 && s.available < s.total {
			r.intent[s.name] = s.wanted - 1
			return
		}
	}
}

// followDeleted lets the old sets ask for no more than they have, and takes away
// what a scale down leaves too many (strategy OnDelete).
func (r *rollout) followDeleted() {
	surplus := sum(r.old, wanted) + r.next(r.fresh) - r.desired
	for _, s := range r.old {
		if missing := s.wanted - s.total; missing > 0 {
			r.intent[s.name] = s.total
			surplus -= missing
		}
	}
	for _, s := range r.old {
		if down := min(r.next(s), surplus); down > 0 {
			r.intent[s.name] = r.next(s) - down
			surplus -= down
		}
	}
}
