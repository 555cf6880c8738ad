package trace

import (
	"cmp"
	"fmt"
	"slices"
)

// How many machines of one pool, or of the control plane, are in a state at once
// is the pace of a change (observed.md 6.3): all together or one by one, with how
// much surge.

// A crowd counts machines through a step.
type crowd struct {
	alive, most           int // machines that exist
	coming, mostComing    int // created and not running yet
	going, mostGoing      int // marked and not gone
	running, leastRunning int // running and not marked
}

// Together compares how many machines of each pool there were at once.
func Together(realPart, played Part) []Difference {
	a, b := crowds(realPart), crowds(played)
	var out []Difference
	for _, key := range keys(a, b) {
		differ := func(what string, x, y int) {
			if x != y {
				out = append(out, Difference{Step: realPart.Step.Mark, Object: "Machine/" + key, What: "at once: " + what, Real: fmt.Sprint(x), Simulated: fmt.Sprint(y), Count: 1})
			}
		}
		x, y := a[key], b[key]
		differ("most that exist", x.most, y.most)
		differ("most on their way in", x.mostComing, y.mostComing)
		differ("most on their way out", x.mostGoing, y.mostGoing)
		differ("least that run", x.leastRunning, y.leastRunning)
	}
	return out
}

// A turn is one machine's change of state.
type turn struct {
	at     int
	key    string
	change func(*crowd)
}

func crowds(p Part) map[string]crowd {
	all := map[string]*crowd{}
	var turns []turn
	for _, h := range p.histories {
		if h.id.Kind != "Machine" {
			continue
		}
		key := h.cluster + " " + cmp.Or(h.pool, h.role)
		c := all[key]
		if c == nil {
			c = &crowd{}
			all[key] = c
		}
		turns = append(turns, h.turns(key, c)...)
	}
	for _, c := range all {
		c.most, c.mostComing, c.mostGoing, c.leastRunning = c.alive, c.coming, c.going, c.running
	}
	slices.SortStableFunc(turns, func(a, b turn) int { return cmp.Compare(a.at, b.at) })
	for _, t := range turns {
		c := all[t.key]
		t.change(c)
		c.most, c.mostComing = max(c.most, c.alive), max(c.mostComing, c.coming)
		c.mostGoing, c.leastRunning = max(c.mostGoing, c.going), min(c.leastRunning, c.running)
	}
	out := map[string]crowd{}
	for key, c := range all {
		out[key] = *c
	}
	return out
}

// turns are what one machine does in a step; c counts how it begins.
func (h *history) turns(key string, c *crowd) (out []turn) {
	add := func(at int, change func(*crowd)) { out = append(out, turn{at, key, change}) }
	running, marked := h.start[phase] == "Running", h.start[exists] == "marked"
	if h.before {
		c.alive++
		switch {
		case marked:
			c.going++
		case running:
			c.running++
		default:
			c.coming++
		}
	}
	for _, m := range h.moments(exists, phase) {
		switch m.value {
		case "created":
			add(m.at, func(c *crowd) { c.alive++; c.coming++ })
		case "Running":
			if !running && !marked {
				add(m.at, func(c *crowd) { c.coming--; c.running++ })
			}
			running = true
		case "marked":
			ran := running
			add(m.at, func(c *crowd) {
				c.going++
				if ran {
					c.running--
				} else {
					c.coming--
				}
			})
			marked = true
		case "gone":
			ran, wasMarked := running, marked
			add(m.at, func(c *crowd) {
				c.alive--
				switch {
				case wasMarked:
					c.going--
				case ran:
					c.running--
				default:
					c.coming--
				}
			})
		}
	}
	return out
}

// moments are the values of some attributes in the order in which they came.
func (h *history) moments(attributes ...string) (out []moment) {
	for _, a := range attributes {
		out = append(out, h.series[a]...)
	}
	slices.SortStableFunc(out, func(a, b moment) int { return cmp.Compare(a.at, b.at) })
	return out
}
