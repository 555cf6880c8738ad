package plan

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
)

// removal collects the fields that vksync applied earlier and that the desired
// object no longer has. Only the server's managed fields know them: a field
// that others wrote is not vksync's to remove.
type removal struct {
	changes []Change
	// unsure is set when a list is owned as a whole and has elements that the
	// desired one has not: webhooks may have put them there.
	unsure bool
}

// removedFrom compares what vksync owns in live with desired. It is unsure when
// the fields were applied in another version of the API.
func removedFrom(live, desired resource.Object) removal {
	var r removal
	for _, entry := range resource.Items(live.Object, "metadata", "managedFields") {
		if resource.Text(entry, "manager") != resource.FieldManager || resource.Text(entry, "operation") != "Apply" {
			continue
		}
		if resource.Text(entry, "apiVersion") != desired.GetAPIVersion() {
			r.unsure = true
			continue
		}
		r.walk(path{}, resource.Fields(entry, "fieldsV1"), live.Object, desired.Object)
	}
	return r
}

func (r *removal) walk(at path, owned map[string]any, live, desired any) {
	if len(owned) == 0 {
		r.unsure = r.unsure || hasMore(live, desired)
		return
	}
	for _, step := range sortedKeys(owned) {
		kind, text, _ := strings.Cut(step, ":")
		below := resource.Fields(owned, step)
		switch kind {
		case "f":
			r.descend(at.field(text), below, resource.Field(live, text), resource.Field(desired, text))
		case "k":
			var keys map[string]any
			if json.Unmarshal([]byte(text), &keys) != nil {
				continue
			}
			r.descend(at.element(nameOfKeys(keys)), below, find(live, keys), find(desired, keys))
		case "v":
			var value any
			if json.Unmarshal([]byte(text), &value) == nil && holds(live, value) && !holds(desired, value) {
				r.changes = append(r.changes, Change{Path: at.text, Old: shown(at, value)})
			}
		}
	}
}

func (r *removal) descend(at path, owned map[string]any, live, desired any) {
	switch {
	case live == nil:
	case desired == nil:
		r.changes = append(r.changes, Change{Path: at.text, Old: shownOld(at, live)})
	default:
		r.walk(at, owned, live, desired)
	}
}

// shownOld hides the value of a class variable that may not be shown.
func shownOld(at path, value any) any {
	if name, _ := at.variable(); name != "" {
		if !resource.ShownVariable(name) {
			return resource.Hidden
		}
		if element, ok := value.(map[string]any); ok {
			value = withoutName(element)
		}
	}
	return shown(at, value)
}

// hasMore says whether a value that is owned as a whole has more in it than is desired.
func hasMore(live, desired any) bool {
	switch l := live.(type) {
	case map[string]any:
		d := resource.Fields(desired)
		for key, value := range l {
			if d[key] == nil || hasMore(value, d[key]) {
				return true
			}
		}
	case []any:
		d, _ := desired.([]any)
		elements, isKeyed := keyed(l)
		wanted, _ := keyed(d)
		if !isKeyed {
			return len(l) > len(d)
		}
		for key, element := range elements {
			if key != "TKR_DATA" && (wanted[key] == nil || hasMore(element, wanted[key])) {
				return true
			}
		}
	}
	return false
}

func find(list any, keys map[string]any) any {
	items, _ := list.([]any)
	i := slices.IndexFunc(items, func(item any) bool {
		for key, value := range keys {
			if !same(resource.Field(item, key), value) {
				return false
			}
		}
		return true
	})
	if i < 0 {
		return nil
	}
	return items[i]
}

func holds(list, value any) bool {
	items, _ := list.([]any)
	return slices.ContainsFunc(items, func(item any) bool { return same(item, value) })
}

func nameOfKeys(keys map[string]any) string {
	values := make([]string, 0, len(keys))
	for _, key := range sortedKeys(keys) {
		if text, ok := keys[key].(string); ok {
			values = append(values, text)
		}
	}
	return strings.Join(values, ":")
}
