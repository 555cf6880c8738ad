package resource

// Equal says whether two JSON values, as apimachinery decodes them, are equal. What is
// one and the same in memory is not looked into.
func Equal(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && (SameMap(a, b) || equalMaps(a, b))
	case []any:
		b, ok := b.([]any)
		return ok && (a == nil) == (b == nil) && (SameList(a, b) || equalLists(a, b))
	}
	return a == b
}

func equalMaps(a, b map[string]any) bool {
	if len(a) != len(b) || a == nil || b == nil {
		return false
	}
	for key, value := range a {
		if other, there := b[key]; !there || !Equal(value, other) {
			return false
		}
	}
	return true
}

func equalLists(a, b []any) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}
