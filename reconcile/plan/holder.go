package plan

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

// Holder is the field manager other than vksync that holds the field at the path of
// a Change, and since when at least; empty when none does. Of several it is the one
// that wrote last.
func Holder(live resource.Object, at string) (manager string, since time.Time) {
	for _, entry := range resource.Items(live.Object, "metadata", "managedFields") {
		if resource.Text(entry, "manager") == resource.FieldManager || !holdsPath(path{}, resource.Fields(entry, "fieldsV1"), at) {
			continue
		}
		// What is no time counts as long ago.
		wrote, _ := time.Parse(time.RFC3339, resource.Text(entry, "time"))
		if manager == "" || wrote.After(since) {
			manager, since = resource.Text(entry, "manager"), wrote
		}
	}
	return manager, since
}

// holdsPath says whether fields, which begin at a path, have one at another path,
// below it, or, where that holds all that is in it, above it.
func holdsPath(from path, fields map[string]any, at string) bool {
	for step, value := range fields {
		kind, text, _ := strings.Cut(step, ":")
		var here path
		switch kind {
		case "f":
			here = from.field(text)
		case "k":
			var keys map[string]any
			if json.Unmarshal([]byte(text), &keys) != nil {
				continue
			}
			here = from.element(nameOfKeys(keys))
		default:
			continue
		}
		below := resource.Fields(value)
		switch {
		case under(here.text, at):
			return true
		case !under(at, here.text):
		case len(below) == 0, holdsPath(here, below, at):
			return true
		}
	}
	return false
}
