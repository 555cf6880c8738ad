package trace

import "time"

// Counterpart finds, among what was played, the object that stands for one of the
// recording that a step names: that of the same kind and normalised name which
// was created as the same one in order. A name that nothing was created with
// stands for itself.
func Counterpart(r, played *Recording, id ID) ID {
	realNames, playedNames := NamesOf(r.Changes), NamesOf(played.Changes)
	normal := realNames.Of(id.Name)
	if normal == id.Name {
		return id
	}
	nth, found := -1, false
	for _, c := range r.Changes {
		if c.Verb != Added || c.ID.Kind != id.Kind || realNames.Of(c.ID.Name) != normal {
			continue
		}
		nth++
		if found = c.ID.Name == id.Name; found {
			break
		}
	}
	if !found {
		return id
	}
	for _, c := range played.Changes {
		if c.Verb != Added || c.ID.Kind != id.Kind || playedNames.Of(c.ID.Name) != normal {
			continue
		}
		if nth--; nth < 0 {
			return c.ID
		}
	}
	return id
}

// Overlap says how long after step i the next one was asked for, if that did not
// wait until everything had settled.
func (r *Recording) Overlap(s *Script, i int) (time.Duration, bool) {
	next, from, quiet := 0, int64(0), false
	for _, c := range r.Changes {
		switch {
		case c.Verb != Mark || next >= len(s.Steps):
		case c.Mark == s.Steps[next].Mark:
			if next == i+1 {
				return time.Duration(c.T-from) * time.Millisecond, !quiet
			}
			next, from, quiet = next+1, c.T, false
		case settled(c.Mark):
			quiet = true
		}
	}
	return 0, false
}
