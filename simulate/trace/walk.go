package trace

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Split cuts a recording into its steps: from the mark of one to that of the next,
// or to any mark that comes when all had settled. Objects' values go on from one to
// the next. Changes outside of steps count for these, and are not compared.
func Split(r *Recording, s *Script, names Names) ([]Part, error) {
	w := walker{script: s, names: names, objects: map[ID]*object{}, lives: map[ID]int{}}
	next := 0
	for at, c := range r.Changes {
		if c.Verb != Mark {
			w.change(at, c)
			continue
		}
		switch {
		case settled(c.Mark):
			if w.part != nil {
				w.part.Settled = true
			}
		case next < len(s.Steps) && s.Steps[next].Mark == c.Mark:
			w.end()
			w.begin(s.Steps[next], c.T)
			next++
		case w.part != nil && w.part.Settled:
			w.end() // something was asked that is no step
		}
	}
	w.end()
	if next < len(s.Steps) {
		return nil, fmt.Errorf("line %d of the steps: %q is not among the marks of the recording, or not after the step above it", s.Steps[next].Line, s.Steps[next].Mark)
	}
	return w.parts, nil
}

// settled says whether a mark tells that nothing moves any more.
func settled(mark string) bool {
	return strings.HasPrefix(mark, "settled") || strings.HasPrefix(mark, "gone")
}

type walker struct {
	script  *Script
	names   Names
	objects map[ID]*object
	lives   map[ID]int // how many objects of a name are gone
	parts   []Part
	part    *Part // nil between steps
}

func (w *walker) begin(s Step, t int64) {
	w.part = &Part{Step: s, From: t, To: t}
	for _, o := range w.objects {
		o.now = nil
	}
	for _, id := range w.sorted() {
		w.open(w.objects[id], true)
	}
}

func (w *walker) end() {
	if w.part == nil {
		return
	}
	for _, id := range w.sorted() {
		if o := w.objects[id]; o.now != nil {
			o.close(w.names)
			o.now.after = true
			o.now = nil
		}
	}
	relate(w.part.histories)
	w.parts = append(w.parts, *w.part)
	w.part = nil
}

func (w *walker) sorted() []ID {
	return slices.SortedFunc(maps.Keys(w.objects), compareIDs)
}

func compareIDs(a, b ID) int {
	return strings.Compare(a.Group+"\x00"+a.Kind+"\x00"+a.Namespace+"\x00"+a.Name, b.Group+"\x00"+b.Kind+"\x00"+b.Namespace+"\x00"+b.Name)
}

// open begins the history of an object in the present step.
func (w *walker) open(o *object, before bool) {
	if w.part == nil {
		return
	}
	o.now = &history{part: w.part, id: o.id, name: w.names.Of(o.id.Name), before: before, born: o.born,
		series: map[string][]moment{}, start: maps.Clone(o.values)}
	w.part.histories = append(w.part.histories, o.now)
}

// change takes one change in.
func (w *walker) change(at int, c Change) {
	id := c.ID
	c.ID.Life = w.lives[id]
	o := w.objects[c.ID]
	if o == nil && w.leftOut(c) {
		return
	}
	if c.Verb == Deleted {
		if o != nil {
			o.note(at, c.T, exists, "gone")
			if o.now != nil {
				o.close(w.names)
			}
			delete(w.objects, c.ID)
			w.lives[id]++
		}
		return
	}
	if o == nil {
		o = &object{id: c.ID, born: at, values: map[string]string{}, labels: map[string]string{}, annotations: map[string]bool{}}
		w.objects[c.ID] = o
		w.open(o, c.Verb != Added)
	}
	if c.Verb == Added {
		o.note(at, c.T, exists, "created")
	}
	w.fill(o, at, c)
}

// leftOut says whether an object is not compared, at its first change.
func (w *walker) leftOut(c Change) bool {
	hasCluster := c.Labels != nil && (*c.Labels)["cluster.x-k8s.io/cluster-name"] != ""
	return w.script.ignored(c.ID, hasCluster)
}

func (w *walker) fill(o *object, at int, c Change) {
	byTest := slices.ContainsFunc(c.Writers, w.script.foreign)
	if c.Owners != nil {
		var refs []string
		for _, owner := range *c.Owners {
			refs = append(refs, w.names.ref(owner))
		}
		slices.Sort(refs)
		o.note(at, c.T, owners, strings.Join(refs, " "))
	}
	if c.Finalizers != nil && !byTest {
		left := slices.DeleteFunc(slices.Clone(*c.Finalizers), w.script.foreign)
		slices.Sort(left)
		o.note(at, c.T, finalizers, strings.Join(left, " "))
	}
	if c.Labels != nil {
		o.labels = w.script.withoutIgnored(*c.Labels)
		if o.now != nil {
			o.now.labelsSet = true
		}
	}
	if len(c.Annotations) > 0 && !(byTest && len(c.Writers) == 1) {
		o.annotate(c.Annotations)
		if o.now != nil {
			o.now.annotated = true
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(c.Conditions)) {
		o.note(at, c.T, condition+kind, c.Conditions[kind])
	}
	if c.Phase != "" {
		o.note(at, c.T, phase, c.Phase)
	}
	if c.Deleting && o.values[exists] != "marked" {
		o.note(at, c.T, exists, "marked")
	}
}
