package trace

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Difference is one line of the result.
type Difference struct {
	Step, Object, What string
	Real, Simulated    string
	Count              int // of siblings that differ in the same way
}

// String is the line: step | object | what | real: ... | simulated: ...
func (d Difference) String() string {
	return fmt.Sprintf("%s | %s | %s | real: %s | simulated: %s", d.Step, d.Object, d.What, shown(d.Real), shown(d.Simulated))
}

func shown(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// Compare compares two worlds, step by step: the differences of each.
func Compare(recorded, played []Part) [][]Difference {
	var out [][]Difference
	for i, part := range recorded {
		out = append(out, slices.Concat(histories(part, played[i], recorded), Together(part, played[i]), Order(part, played[i])))
	}
	return out
}

// histories compares what became of each object.
func histories(realPart, played Part, others []Part) []Difference {
	c := comparer{step: realPart.Step.Mark, others: others}
	for _, pair := range pairs(units(realPart.histories), units(played.histories)) {
		c.units(pair)
	}
	return c.merged()
}

type comparer struct {
	step   string
	others []Part // all steps of the recording
	out    []Difference
}

func (c *comparer) differ(h *history, what, realValue, simulated string) {
	c.out = append(c.out, Difference{Step: c.step, Object: h.id.Kind + "/" + h.name, What: what, Real: realValue, Simulated: simulated, Count: 1})
}

// merged puts the same difference of several siblings into one.
func (c *comparer) merged() []Difference {
	var out []Difference
	for _, d := range c.out {
		at := slices.IndexFunc(out, func(o Difference) bool { o.Count = d.Count; return o == d })
		if at >= 0 {
			out[at].Count++
			continue
		}
		out = append(out, d)
	}
	slices.SortStableFunc(out, func(a, b Difference) int {
		return cmp.Or(strings.Compare(a.Object, b.Object), strings.Compare(a.What, b.What))
	})
	return out
}

func (c *comparer) units(p pair) {
	switch {
	case p.real == nil:
		for _, h := range p.played.members {
			if h.touched || !h.before {
				c.differ(h, exists, "", h.life())
			}
		}
		return
	case p.played == nil:
		for _, h := range p.real.members {
			if h.touched || !h.before {
				c.differ(h, exists, h.life(), "")
			}
		}
		return
	}
	rest := slices.Clone(p.played.members)
	for _, a := range p.real.members {
		at := slices.IndexFunc(rest, func(b *history) bool { return a.id.Kind == b.id.Kind && a.id.Group == b.id.Group && a.name == b.name })
		if at < 0 {
			if a.touched || !a.before {
				c.differ(a, exists, a.life(), "")
			}
			continue
		}
		c.histories(a, rest[at], p.siblings(a))
		rest = slices.Delete(rest, at, at+1)
	}
	for _, b := range rest {
		if b.touched || !b.before {
			c.differ(b, exists, "", b.life())
		}
	}
}

// histories compares one object of both worlds. siblings are the histories of the
// real objects that differ from the real one by name alone: what one of them did
// is as good.
func (c *comparer) histories(a, b *history, siblings []*history) {
	for _, attribute := range attributesOf(a, b) {
		x, y := a.values(attribute), b.values(attribute)
		asGood := func(s *history) bool { return alike(s.values(attribute), y) }
		if !asGood(a) && !slices.ContainsFunc(siblings, asGood) && !c.elsewhere(a, attribute, x, y) {
			c.differ(a, attribute, a.sequence(attribute), b.sequence(attribute))
		}
	}
	c.labels(a, b)
	c.annotations(a, b)
}

// elsewhere says whether in another step of the recording an object like a went
// from the first to the last of the values of x by those of y.
func (c *comparer) elsewhere(a *history, attribute string, x, y []string) bool {
	if len(x) < 3 || len(y) < 2 || x[0] != y[0] || x[len(x)-1] != y[len(y)-1] {
		return false
	}
	for _, p := range c.others {
		for _, h := range p.histories {
			if h.id.Kind == a.id.Kind && h.name == a.name && h.role == a.role && h.before == a.before && h.after == a.after &&
				alike(h.values(attribute), y) {
				return true
			}
		}
	}
	return false
}

func (c *comparer) labels(a, b *history) {
	if !a.labelsSet && !b.labelsSet {
		return
	}
	for _, key := range keys(a.labels, b.labels) {
		x, inReal := a.labels[key]
		y, inPlayed := b.labels[key]
		switch {
		case !inReal:
			c.differ(a, "label "+key, "", "="+y)
		case !inPlayed:
			c.differ(a, "label "+key, "="+x, "")
		case x != y:
			c.differ(a, "label "+key, "="+x, "="+y)
		}
	}
}

func (c *comparer) annotations(a, b *history) {
	if !a.annotated && !b.annotated {
		return
	}
	extra := 0
	for _, key := range keys(a.annotations, b.annotations) {
		switch {
		case !b.annotations[key]:
			c.differ(a, "annotation "+key, "there", "")
		case !a.annotations[key] && a.unknownAnnotations:
			extra++
		case !a.annotations[key]:
			c.differ(a, "annotation "+key, "", "there")
		}
	}
	if a.unknownAnnotations && extra == 0 && len(a.annotations) == 0 && !b.unknownAnnotations {
		c.differ(a, "annotation", "some", "")
	}
}

// life is what became of an object in the step.
func (h *history) life() string {
	var out []string
	for _, m := range h.series[exists] {
		out = append(out, m.value)
	}
	if len(out) == 0 {
		return "changed"
	}
	return strings.Join(out, " > ")
}
