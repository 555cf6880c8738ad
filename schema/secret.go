package schema

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
)

var secretName = regexp.MustCompile(`(?i)passw|passphrase|token|secret|key|credential|private[-_]?key`)

// secret says whether the value at path could be one: anything below a name that
// looks like it, and the value of any class variable.
func secret(path []string) bool {
	if slices.ContainsFunc(path, secretName.MatchString) {
		return true
	}
	for i, name := range path {
		inVariable := name == "value" && i >= 2
		if inVariable && (path[i-2] == "variables" || path[i-2] == "overrides") {
			return true
		}
	}
	return false
}

// show is the value at path in the form that messages print.
func show(n *node, path []string) string {
	switch {
	case n.shape == broken:
		return ""
	case n.shape == empty:
		return "nothing"
	case n.shape == list:
		return "a list"
	case n.shape == record:
		return "a map"
	case secret(path):
		return resource.Hidden
	case n.shape == text:
		return showText(n.str())
	case n.shape == number:
		return shorten(n.raw)
	}
	return strconv.FormatBool(n.value == true)
}

func showText(s string) string { return strconv.Quote(shorten(resource.Redact(s))) }

// shorten keeps messages on one line.
func shorten(s string) string {
	const longest = 80
	if len(s) <= longest {
		return s
	}
	return strings.ToValidUTF8(s[:longest], "") + "…"
}
