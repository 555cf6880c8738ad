package trace

import (
	"fmt"
	"slices"
	"strings"
)

// A Rule says that something happens because something else did, and so after it.
type Rule struct {
	Before, After Event
	Of            Relation
	// Every asks that all related objects to which Before happens in the step have
	// it before; else one is enough, and one that had it when the step began.
	Every bool
}

// An Event is that an attribute of an object takes a value.
type Event struct {
	Kind string
	// Role is controlplane or worker, of objects that are a machine's; empty is any.
	Role      string
	Name      string // the end of the normalised name; empty is any
	Attribute string
	Value     string // the beginning of the value; empty is any
}

// Relation is which objects a rule speaks of.
type Relation string

// The relations.
const (
	Machinery Relation = "same machine" // the objects that share a Machine's name
	InCluster Relation = "same cluster"
	Pool      Relation = "same pool" // workers of one MachineDeployment
	// Elders are the machines of the same cluster and role that were created before.
	Elders Relation = "older machine"
)

func (e Event) String() string {
	text := e.Kind
	if e.Role != "" {
		text += "(" + e.Role + ")"
	}
	if e.Name != "" {
		text += "/*" + e.Name
	}
	return strings.TrimSpace(text + " " + strings.TrimPrefix(e.Attribute, condition) + "=" + e.Value)
}

// String is the rule as it is told of in a difference.
func (r Rule) String() string {
	every := ""
	if r.Every {
		every = "every "
	}
	return fmt.Sprintf("%s%s before %s (%s)", every, r.Before, r.After, r.Of)
}

// A breach is an event that came without what it follows from.
type breach struct {
	what string // the name of the object, normalised
	how  string
}

// check applies a rule to a step: how often it spoke, and where it was broken.
func (r Rule) check(p Part) (spoke int, breaches []breach) {
	for _, b := range p.histories {
		at, happened := r.After.in(b)
		if !happened {
			continue
		}
		some, any, early := false, false, (*history)(nil)
		for _, a := range p.histories {
			if !r.relates(a, b) || !r.Before.about(a) {
				continue
			}
			when, happens := r.Before.in(a)
			switch {
			case r.Before.already(a) && !happens, happens && when <= at:
				any, some = true, true
			case happens:
				any, early = true, a
			case r.Every && r.Of == Elders && a.series[exists] == nil:
				// An older one to which it never happened: it had to.
				any, early = true, a
			}
		}
		if !any && !r.required(p, b) {
			continue
		}
		spoke++
		switch {
		case r.Every && early != nil:
			breaches = append(breaches, breach{b.id.Kind + "/" + b.name, "before " + r.Before.String() + " of " + early.name})
		case !r.Every && !some:
			breaches = append(breaches, breach{b.id.Kind + "/" + b.name, "without " + r.Before.String()})
		}
	}
	return spoke, breaches
}

// required says whether b cannot be without the event that comes before: if it
// happens to nothing at all in the step, the rule is about another kind of world.
func (r Rule) required(p Part, b *history) bool {
	if r.Every || r.Of == Machinery && b.machine == "" {
		return false
	}
	for _, a := range p.histories {
		if !r.Before.about(a) || a.id.Namespace != b.id.Namespace {
			continue
		}
		if _, happens := r.Before.in(a); happens || r.Before.already(a) {
			return true
		}
	}
	return false
}

// about says whether an event can happen to an object.
func (e Event) about(h *history) bool {
	return h.id.Kind == e.Kind && (e.Role == "" || e.Role == h.role) && (e.Name == "" || strings.HasSuffix(h.name, e.Name))
}

// in is when an event happened to an object first.
func (e Event) in(h *history) (at int, happened bool) {
	if !e.about(h) {
		return 0, false
	}
	for _, m := range h.series[e.Attribute] {
		if strings.HasPrefix(m.value, e.Value) {
			return m.at, true
		}
	}
	return 0, false
}

// already says whether it had happened when the step began.
func (e Event) already(h *history) bool {
	if !h.before {
		return false
	}
	if e.Attribute == exists {
		return e.Value == "created" || h.start[exists] == e.Value
	}
	value, known := h.start[e.Attribute]
	return known && strings.HasPrefix(value, e.Value)
}

func (r Rule) relates(a, b *history) bool {
	if a.id.Namespace != b.id.Namespace {
		return false
	}
	switch r.Of {
	case Machinery:
		return a.machine != "" && a.machine == b.machine
	case Pool:
		return a.cluster == b.cluster && a.pool == b.pool
	case Elders:
		return a != b && a.cluster == b.cluster && a.pool == b.pool && a.role == b.role && a.born < b.born
	}
	return a.cluster == b.cluster
}

// Order holds the played step to the rules that the real one kept. A rule that the
// recording itself breaks says nothing about it.
func Order(realPart, played Part) []Difference {
	var out []Difference
	for _, r := range Rules {
		if _, broken := r.check(realPart); len(broken) > 0 {
			continue
		}
		_, broken := r.check(played)
		for _, b := range broken {
			d := Difference{Step: realPart.Step.Mark, Object: b.what, What: "order", Real: r.String(), Simulated: b.how, Count: 1}
			if !slices.Contains(out, d) {
				out = append(out, d)
			}
		}
	}
	return out
}

// Kept tells of every rule how often it spoke of a step and how it was broken.
func Kept(p Part) map[string][2]int {
	out := map[string][2]int{}
	for _, r := range Rules {
		spoke, broken := r.check(p)
		out[r.String()] = [2]int{spoke, len(broken)}
	}
	return out
}
