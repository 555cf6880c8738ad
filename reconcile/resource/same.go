package resource

import "reflect"

// A writer copies only what it changes, so what is one and the same in memory in two
// versions of an object says the same. The functions here do not look further: what is
// not the same may still be equal.

// SameMap says whether two maps are one in memory; nil is the same as nil.
func SameMap(a, b map[string]any) bool {
	return reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer()
}

// SameList says whether two lists are one in memory; all that are empty are.
func SameList(a, b []any) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// SameItem says whether two items of lists are one map in memory.
func SameItem(a, b any) bool {
	x, _ := a.(map[string]any)
	y, _ := b.(map[string]any)
	return x != nil && SameMap(x, y)
}
