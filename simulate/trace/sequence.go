package trace

import (
	"maps"
	"slices"
	"strings"
)

func keys[V any](a, b map[string]V) []string {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]V{}
	}
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}

func attributesOf(a, b *history) []string {
	return keys(a.series, b.series)
}

// values are what an attribute became in the step, one after the other.
func (h *history) values(attribute string) []string {
	var out []string
	for _, m := range h.series[attribute] {
		out = append(out, shown(m.value))
	}
	if attribute == finalizers {
		out = h.finalizersKept(out)
	}
	return out
}

// finalizersKept leaves out in which order controllers add their finalizers, for
// they race and one overwrites what the other wrote; and the last one to go, which
// goes with the object. Of an object that is not deleted it is the result.
func (h *history) finalizersKept(values []string) []string {
	marked := slices.IndexFunc(h.series[exists], func(m moment) bool { return m.value == "marked" })
	built := len(values)
	if marked >= 0 {
		at := h.series[exists][marked].at
		built = 0
		for built < len(values) && h.series[finalizers][built].at < at {
			built++
		}
	}
	values = values[max(built-1, 0):]
	if !h.after && len(values) > 0 && values[len(values)-1] == "-" {
		values = values[:len(values)-1]
	}
	return values
}

// sequence is values as it is told of.
func (h *history) sequence(attribute string) string {
	return strings.Join(collapse(h.values(attribute)), " > ")
}

// alike says whether an attribute took the same values in the same order, but for
// how often a value or a cycle of values came again in a row. Where
// values come back, as those of a summary do with every machine that comes or goes,
// it is enough that both begin and end with the same and that the same ones follow
// upon each other.
func alike(x, y []string) bool {
	if slices.Equal(collapse(x), collapse(y)) {
		return true
	}
	if !revisits(x) || !revisits(y) || x[0] != y[0] || x[len(x)-1] != y[len(y)-1] {
		return false
	}
	return maps.Equal(steps(x), steps(y))
}

func revisits(values []string) bool {
	seen := map[string]bool{}
	for _, v := range values {
		if seen[v] {
			return true
		}
		seen[v] = true
	}
	return false
}

// steps are the pairs of values of which the second follows upon the first.
func steps(values []string) map[[2]string]bool {
	out := map[[2]string]bool{}
	for i := 1; i < len(values); i++ {
		out[[2]string{values[i-1], values[i]}] = true
	}
	return out
}

// collapse takes repetitions out: of what comes several times in a row, be it one
// value or a cycle of them, one time is left.
func collapse(values []string) []string {
	values = slices.Clone(values)
	for again := true; again; {
		again = false
		for length := 1; length <= len(values)/2; length++ {
			for at := 0; at+2*length <= len(values); at++ {
				if slices.Equal(values[at:at+length], values[at+length:at+2*length]) {
					values = slices.Delete(values, at, at+length)
					again = true
					at--
				}
			}
		}
	}
	return values
}
