package reconcile

import (
	"regexp"
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
)

// reclaims says whether all fields, which others own now, are among those that
// vksync applied before: what somebody took over is drift, and what somebody else
// has decided all along is not vksync's to decide without being told.
func reclaims(applied *resource.Set, addr resource.Addr, fields []string) bool {
	if applied == nil || len(fields) == 0 {
		return false
	}
	before, is := applied.Get(addr)
	if !is {
		return false
	}
	for _, field := range fields {
		if !has(before.Object, field) {
			return false
		}
	}
	return true
}

// item begins a path with [key="value"], an item of a list.
var item = regexp.MustCompile(`^\[([A-Za-z]+)="([^"]*)"\]`)

// has says whether an object has a field, by its path as server-side apply writes it
// (structured-merge-diff, fieldpath), the first dot being optional. Names may hold
// dots themselves, as those of annotations do: every reading is tried. Items that are
// known by several keys, or by their place, are never found.
func has(content any, field string) bool {
	return leads(content, "."+strings.TrimPrefix(field, "."))
}

// leads says whether a path, which begins with a step, leads to something.
func leads(content any, path string) bool {
	switch content := content.(type) {
	case map[string]any:
		for name, next := range content {
			rest, is := strings.CutPrefix(path, "."+name)
			if is && (rest == "" || (rest[0] == '.' || rest[0] == '[') && leads(next, rest)) {
				return true
			}
		}
	case []any:
		key := item.FindStringSubmatch(path)
		if key == nil {
			return false
		}
		rest := path[len(key[0]):]
		for _, next := range content {
			if resource.Text(next, key[1]) == key[2] {
				return rest == "" || leads(next, rest)
			}
		}
	}
	return false
}
