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

// sequence is what is compared of an attribute: the values it took in the step,
// normalised.
func (h *history) sequence(attribute string) string {
	values := make([]string, 0, len(h.series[attribute]))
	for _, m := range h.series[attribute] {
		values = append(values, shown(m.value))
	}
	if attribute == finalizers && !h.after && len(values) > 0 && values[len(values)-1] == "-" {
		values = values[:len(values)-1] // the last one went with the object
	}
	return strings.Join(collapse(values), " > ")
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
