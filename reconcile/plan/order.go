package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// compareAny orders JSON scalars by their text.
func compareAny(a, b any) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) }
