package plan

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// textWidth is how many columns lines of changes keep to, so that they can be
// read in any terminal. What cannot be broken may be wider.
const textWidth = 80

// alignWidth is how long a path may be to share in the alignment of its group:
// one long path must not push the values of all others off the screen.
const alignWidth = 44

// A ChangeGroup has changes that are shown below the part of their paths that they
// have in common: that part is most of a path and says the same on every line.
type ChangeGroup struct {
	Head    string // the common part of the paths; "" when they are in full
	Changes []Change
	Paths   []string // behind Head
}

// writeChanges prints the changes of an action.
func writeChanges(b *strings.Builder, changes []Change) {
	groups := Grouped(changes)
	full := 0
	for _, g := range groups {
		if g.Head == "" {
			full = max(full, g.width())
		}
	}
	for _, g := range groups {
		indent, width := "      ", full
		if g.Head != "" {
			b.WriteString(indent + g.Head + "\n")
			indent, width = indent+"  ", g.width()
		}
		for i, c := range g.Changes {
			writeChange(b, indent, g.Paths[i], width, c)
		}
	}
}

// Grouped gathers changes by what their paths begin with, in the order of the
// first of each. A change that is alone keeps its full path where it fits.
func Grouped(changes []Change) []ChangeGroup {
	var groups []ChangeGroup
	index := map[string]int{}
	for _, c := range changes {
		head, rest := splitPath(c.Path)
		i, ok := index[head]
		if !ok {
			i = len(groups)
			index[head] = i
			groups = append(groups, ChangeGroup{Head: head})
		}
		groups[i].Changes = append(groups[i].Changes, c)
		groups[i].Paths = append(groups[i].Paths, rest)
	}
	for i, g := range groups {
		if len(g.Changes) == 1 && utf8.RuneCountInString(g.Changes[0].Path) <= alignWidth {
			groups[i] = ChangeGroup{Changes: g.Changes, Paths: []string{g.Changes[0].Path}}
		}
	}
	return groups
}

func (g ChangeGroup) width() int {
	width := 0
	for _, p := range g.Paths {
		if n := utf8.RuneCountInString(p); n <= alignWidth {
			width = max(width, n)
		}
	}
	return width
}

// splitPath splits a path behind its first list element, or else behind the part
// of the object that it is in: spec.topology, spec.resources, metadata.
func splitPath(path string) (head, rest string) {
	segments := pathSegments(path)
	n := min(2, len(segments)-1)
	if segments[0] != "spec" {
		n = min(1, n)
	}
	for i, s := range segments[:len(segments)-1] {
		if strings.HasSuffix(s, "]") {
			n = i + 1
			break
		}
	}
	return strings.Join(segments[:n], "."), strings.Join(segments[n:], ".")
}

// pathSegments splits a path at its dots; those in brackets are part of a key.
func pathSegments(path string) []string {
	var out []string
	depth, from := 0, 0
	for i, r := range path {
		switch {
		case r == '[':
			depth++
		case r == ']':
			depth--
		case r == '.' && depth == 0:
			out = append(out, path[from:i])
			from = i + 1
		}
	}
	return append(out, path[from:])
}

// A piece is text that stays on one line, and what is between it and the piece
// before when both are on the same.
type piece struct{ between, text string }

func writeChange(b *strings.Builder, indent, path string, width int, c Change) {
	sign := "~"
	var pieces []piece
	switch {
	case c.Old == nil:
		sign, pieces = "+", piecesOf(c.New)
	case c.New == nil:
		sign, pieces = "-", piecesOf(c.Old)
	default:
		to := piecesOf(c.New)
		to[0] = piece{" ", "-> " + to[0].text}
		pieces = slices.Concat(piecesOf(c.Old), to)
	}
	if c.Effect != "" && c.Effect != InPlace {
		why := "# " + string(c.Effect)
		if c.Affects != "" {
			why += ": " + c.Affects
		}
		pieces = append(pieces, piece{"  ", why})
	}
	line := indent + sign + " " + path + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(path)))
	pieces[0].between = "  "
	column := utf8.RuneCountInString(indent+sign) + 1 + width + 2 // of the values of the group
	for _, p := range pieces {
		size := utf8.RuneCountInString(p.text)
		if utf8.RuneCountInString(line)+len(p.between)+size <= textWidth {
			line += p.between + p.text
			continue
		}
		b.WriteString(line + "\n")
		line = strings.Repeat(" ", max(utf8.RuneCountInString(indent)+4, min(column, textWidth-size))) + p.text
	}
	b.WriteString(line + "\n")
}

// piecesOf is a value in the pieces that it may be broken into: the elements of
// a list, else all of it.
func piecesOf(v any) []piece {
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		return []piece{{text: compact(v)}}
	}
	out := make([]piece, len(list))
	for i, e := range list {
		out[i].text = compact(e) + ","
	}
	out[0].text = "[" + out[0].text
	last := &out[len(out)-1].text
	*last = strings.TrimSuffix(*last, ",") + "]"
	return out
}
