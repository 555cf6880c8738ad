package plan

import (
	"cmp"
	"strconv"
	"strings"
)

// numbers are the parts of a version before its build metadata: v1.34.1+vmware.1
// is 1, 34, 1. A prefix has fewer.
func numbers(version string) []int {
	core, _, _ := strings.Cut(labelForm(version), "-")
	var out []int
	for text := range strings.SplitSeq(strings.TrimPrefix(core, "v"), ".") {
		n, err := strconv.Atoi(text)
		if err != nil {
			return out
		}
		out = append(out, n)
	}
	return out
}

// compareVersions compares as many numbers as both versions have.
func compareVersions(a, b string) int {
	x, y := numbers(a), numbers(b)
	for i := range min(len(x), len(y)) {
		if c := cmp.Compare(x[i], y[i]); c != 0 {
			return c
		}
	}
	return 0
}

// minor is the minor number of a version; false when it has none.
func minor(version string) (int, bool) {
	n := numbers(version)
	if len(n) < 2 {
		return 0, false
	}
	return n[1], true
}

// whole is a version with all three numbers, which a prefix lacks.
func whole(version string) string {
	n := numbers(version)
	if len(n) == 0 || len(n) >= 3 || strings.ContainsAny(version, "+-") {
		return strings.ReplaceAll(version, "---", "+")
	}
	return version + strings.Repeat(".0", 3-len(n))
}
