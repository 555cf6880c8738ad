package resource

// Field reads content along path, which holds map keys only. It returns nil
// when any step is missing.
func Field(content any, path ...string) any {
	for _, key := range path {
		m, ok := content.(map[string]any)
		if !ok {
			return nil
		}
		content = m[key]
	}
	return content
}

// Text is the string at path, or "".
func Text(content any, path ...string) string {
	s, _ := Field(content, path...).(string)
	return s
}

// Int is the whole number at path, or 0.
func Int(content any, path ...string) int64 {
	switch n := Field(content, path...).(type) {
	case int64:
		return n
	case int:
		return int64(n)
	case float64:
		return int64(n)
	}
	return 0
}

// Flag is the boolean at path, or false.
func Flag(content any, path ...string) bool {
	b, _ := Field(content, path...).(bool)
	return b
}

// Items is the list at path, or nil.
func Items(content any, path ...string) []any {
	l, _ := Field(content, path...).([]any)
	return l
}

// Fields is the map at path, or nil.
func Fields(content any, path ...string) map[string]any {
	m, _ := Field(content, path...).(map[string]any)
	return m
}

// SetField writes value at path, making maps on the way. It replaces whatever
// is not a map on the way.
func SetField(content map[string]any, value any, path ...string) {
	for _, key := range path[:len(path)-1] {
		next, ok := content[key].(map[string]any)
		if !ok {
			next = map[string]any{}
			content[key] = next
		}
		content = next
	}
	content[path[len(path)-1]] = value
}
