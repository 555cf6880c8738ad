package vsphere

import (
	"regexp"

	"github.com/vksync/vksync/reconcile/resource"
)

// The label of a source is on the Kubernetes Namespace, which the Supervisor makes
// only some time after vCenter took the vSphere Namespace. Until then, and when
// vksync ends in between, a mark at the end of the description says whose it is:
// the description is the one text that vCenter stores with the creation and gives
// back as it was. The label has the last word where there is one.

// mark is how the source stands in a description: "[vksync.dev/source=fleet]".
var mark = regexp.MustCompile(`\s*\[` + regexp.QuoteMeta(resource.LabelSource) + `=([A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)\]\s*$`)

// marked is a description with the mark of a source; an empty one leaves none.
func marked(description, source string) string {
	plain, _ := unmarked(description)
	switch {
	case source == "":
		return description
	case plain == "":
		return "[" + resource.LabelSource + "=" + source + "]"
	}
	return plain + " [" + resource.LabelSource + "=" + source + "]"
}

// unmarked splits a description into what a person wrote and the marked source.
func unmarked(description string) (plain, source string) {
	m := mark.FindStringSubmatchIndex(description)
	if m == nil {
		return description, ""
	}
	return description[:m[0]], description[m[2]:m[3]]
}
