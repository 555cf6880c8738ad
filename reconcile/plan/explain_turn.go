package plan

import (
	"slices"
	"strconv"

	"github.com/vksync/vksync/reconcile/resource"
)

// giveTurns says in which order the parts change. Only a new version is carried out
// in order: the control plane, then the pools as they are listed, one at a time
// unless an annotation allows more; a pool whose turn has not come keeps all its
// other changes back, and none is added before the control plane is done. Everything
// else happens at once (domain.md 3.3).
func (e *explanation) giveTurns(parts []PartChange) {
	upgrade := slices.ContainsFunc(e.changes, func(c Change) bool { return c.Path == "spec.topology.version" })
	atOnce := e.concurrency()
	held, upgraded := false, 0
	for i := range parts {
		c := &parts[i]
		p, _ := e.after.part(poolOf(c.Part))
		annotations := resource.Fields(p.content, "metadata", "annotations")
		held = held || upgrade && c.Part != controlPlanePart && annotations[annotationHold] != nil
		switch {
		case e.staysPaused():
			c.hold()
		case !upgrade, c.Part == controlPlanePart, c.Effect == Removed:
			c.Turn = 1
		case c.Effect == Added:
			c.Turn = 2
		case held, annotations[annotationDefer] != nil:
			c.hold()
		default:
			c.Turn = 2 + upgraded/atOnce
			upgraded++
		}
	}
}

// staysPaused says whether the controllers leave the Cluster alone when the change is
// stored.
func (e *explanation) staysPaused() bool {
	_, decided := resource.Fields(e.want.Object, "spec")["paused"]
	return Paused(e.want) || Paused(e.live) && !decided && !noiseOf(e.live, e.want).pausedForUpgrade
}

// hold leaves a part as it is: until the Cluster is unpaused, or the annotation
// is gone that defers its upgrade.
func (c *PartChange) hold() {
	c.Turn, c.Goes, c.Going, c.Comes, c.To, c.Peak = 0, nil, 0, 0, c.From, c.From
	c.Surge, c.Unavailable, c.NotBefore = 0, 0, ""
}

// concurrency is how many pools are upgraded at a time.
func (e *explanation) concurrency() int {
	n, err := strconv.Atoi(e.want.GetAnnotations()[annotationParallel])
	if err != nil || n < 1 {
		return 1
	}
	return n
}

// peak is the most there is of everything in any turn: what has had its turn is as
// wanted, what has not is as it was.
func (e *explanation) peak(parts []PartChange) *Peak {
	last := 1
	for _, c := range parts {
		last = max(last, c.Turn)
	}
	var now int64
	for _, p := range e.before.parts() {
		now += e.count(p)
	}
	out := &Peak{}
	for turn := 1; turn <= last; turn++ {
		at := e.during(turn, parts)
		out.Machines, out.CPUs, out.MemoryMiB = max(out.Machines, at.Machines), max(out.CPUs, at.CPUs), max(out.MemoryMiB, at.MemoryMiB)
	}
	out.Addresses, out.More = out.Machines, max(0, out.Machines-now)
	return out
}

// during is what there may be at once in a turn.
func (e *explanation) during(turn int, parts []PartChange) Peak {
	var out Peak
	for _, name := range e.partNames() {
		was, wasThere := e.before.part(name)
		is, isThere := e.after.part(name)
		var n int64
		i := slices.IndexFunc(parts, func(c PartChange) bool { return poolOf(c.Part) == name })
		switch {
		case i < 0:
			n = e.count(was)
		case parts[i].Turn == turn:
			n = parts[i].Peak
		case parts[i].Turn > turn || parts[i].Turn == 0:
			n = parts[i].From
		default:
			n = parts[i].To
		}
		size := e.m.catalog.sizes[was.vmClass()]
		if isThere {
			other := e.m.catalog.sizes[is.vmClass()]
			if !wasThere {
				size = other
			}
			size.cpus, size.memoryMiB = max(size.cpus, other.cpus), max(size.memoryMiB, other.memoryMiB)
		}
		out.Machines += n
		out.CPUs += n * size.cpus
		out.MemoryMiB += n * size.memoryMiB
	}
	return out
}

// partNames are the names of all parts that there are, or will be.
func (e *explanation) partNames() []string {
	var out []string
	for _, t := range []topology{e.before, e.after} {
		for _, p := range t.parts() {
			if !slices.Contains(out, p.name) {
				out = append(out, p.name)
			}
		}
	}
	return out
}
