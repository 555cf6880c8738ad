package resource

import (
	"fmt"
	"iter"
	"maps"
	"slices"
)

// Set holds objects by address and yields them in the order of Addr.Compare,
// whatever order they came in. The zero Set is empty and ready to use.
type Set struct {
	objects map[Addr]Object
	order   []Addr // sorted when sorted is true
	sorted  bool
}

// Add puts o into the set. It fails when its address is taken, naming both places.
func (s *Set) Add(o Object) error {
	a := o.Addr()
	if other, taken := s.objects[a]; taken {
		return fmt.Errorf("%s: %s is defined twice, first at %s", o.Source, a, other.Source)
	}
	s.Put(o)
	return nil
}

// Put puts o into the set in place of whatever has its address.
func (s *Set) Put(o Object) {
	a := o.Addr()
	if s.objects == nil {
		s.objects = map[Addr]Object{}
	}
	if _, known := s.objects[a]; !known {
		s.order, s.sorted = append(s.order, a), false
	}
	s.objects[a] = o
}

// Delete takes the object called a out; without one it does nothing.
func (s *Set) Delete(a Addr) {
	if _, known := s.objects[a]; !known {
		return
	}
	delete(s.objects, a)
	s.order = slices.DeleteFunc(s.order, func(b Addr) bool { return a == b })
}

// Clone is a set of the same objects, which share their content.
func (s *Set) Clone() Set {
	return Set{objects: maps.Clone(s.objects), order: slices.Clone(s.order), sorted: s.sorted}
}

// Get returns the object called a.
func (s *Set) Get(a Addr) (Object, bool) {
	o, ok := s.objects[a]
	return o, ok
}

// Len is the number of objects.
func (s *Set) Len() int { return len(s.objects) }

// All yields every object in order.
func (s *Set) All() iter.Seq2[Addr, Object] {
	if !s.sorted {
		slices.SortFunc(s.order, Addr.Compare)
		s.sorted = true
	}
	return func(yield func(Addr, Object) bool) {
		for _, a := range s.order {
			if !yield(a, s.objects[a]) {
				return
			}
		}
	}
}
