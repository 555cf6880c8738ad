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

// step is one of a field's path as server-side apply writes it (structured-merge-diff,
// fieldpath), the first dot being optional: .name, or [key="value"] for an item of a list.
var step = regexp.MustCompile(`\.([^.\[]+)|\[([A-Za-z]+)="([^"]*)"\]`)

// has says whether an object has the field. Items that are known by several keys,
// or by their place, are never found.
func has(content any, field string) bool {
	rest := "." + strings.TrimPrefix(field, ".")
	for rest != "" {
		at := step.FindStringSubmatchIndex(rest)
		if at == nil || at[0] != 0 {
			return false
		}
		s := step.FindStringSubmatch(rest)
		rest = rest[at[1]:]
		if s[1] != "" {
			m, _ := content.(map[string]any)
			next, is := m[s[1]]
			if !is {
				return false
			}
			content = next
			continue
		}
		items, _ := content.([]any)
		content = nil
		for _, item := range items {
			if resource.Text(item, s[2]) == s[3] {
				content = item
			}
		}
		if content == nil {
			return false
		}
	}
	return true
}
