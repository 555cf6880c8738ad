package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
)

// comparison walks two contents in step and collects where they differ.
type comparison struct {
	// applied compares only what the new side says: what it leaves out is the
	// server's business. Otherwise both sides count.
	applied bool
	noise   noise
	changes []Change
	// unsure is set when only the server can tell whether there is a difference:
	// a class variable has fields that the new side does not mention, which the
	// webhooks may have filled in, or an earlier revision.
	unsure bool
}

// path is where a walk is. Text is dotted; keys has the map keys and list
// element names alone, for rules that look at them.
type path struct {
	text string
	keys []string
}

func (p path) field(key string) path {
	text := key
	switch {
	case strings.ContainsAny(key, "./"):
		text = p.text + "[" + key + "]"
	case p.text != "":
		text = p.text + "." + key
	}
	return path{text, append(slices.Clip(p.keys), key)}
}

func (p path) element(key string) path {
	return path{p.text + "[" + key + "]", append(slices.Clip(p.keys), key)}
}

// variable is the name of the class variable the path is at or below, and "".
func (p path) variable() (name string, below bool) {
	for i, key := range p.keys {
		if (key == "variables" && i > 0 && p.keys[i-1] == "topology" || key == "overrides") && i+1 < len(p.keys) {
			return p.keys[i+1], i+2 < len(p.keys)
		}
	}
	return "", false
}

func (c *comparison) walk(at path, old, new any) {
	if old == resource.NotKept || c.noise.ignores(at, old, new) {
		return
	}
	if name, below := at.variable(); name != "" && !below && !resource.ShownVariable(name) {
		c.hidden(at, old, new)
		return
	}
	oldMap, wasMap := old.(map[string]any)
	newMap, isMap := new.(map[string]any)
	oldList, wasList := old.([]any)
	newList, isList := new.([]any)
	switch {
	case (wasMap || old == nil) && (isMap || new == nil) && len(oldMap)+len(newMap) > 0:
		c.walkMap(at, oldMap, newMap)
	case (wasList || old == nil) && (isList || new == nil) && ofMaps(oldList) && ofMaps(newList) && len(oldList)+len(newList) > 0:
		c.walkList(at, oldList, newList)
	case !same(old, new):
		c.add(at, old, new)
	}
}

func (c *comparison) walkMap(at path, old, new map[string]any) {
	keys := slices.Collect(maps.Keys(new))
	for key := range old {
		if _, both := new[key]; both {
			continue
		}
		if !c.applied {
			keys = append(keys, key)
		} else if name, _ := at.variable(); name != "" {
			c.unsure = true
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		c.walk(at.field(key), old[key], new[key])
	}
}

// walkList compares lists of maps, by the key of their elements where they have
// one and by place where not.
func (c *comparison) walkList(at path, old, new []any) {
	before, keyedBefore := keyed(old)
	after, keyedAfter := keyed(new)
	if !keyedBefore || !keyedAfter {
		for i := range max(len(old), len(new)) {
			c.walk(at.element(fmt.Sprint(i)), elementAt(old, i), elementAt(new, i))
		}
		return
	}
	keys := slices.Collect(maps.Keys(after))
	if !c.applied {
		for key := range before {
			if after[key] == nil {
				keys = append(keys, key)
			}
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		c.walk(at.element(key), withoutName(before[key]), withoutName(after[key]))
	}
}

func (c *comparison) add(at path, old, new any) {
	c.changes = append(c.changes, Change{Path: at.text, Old: shown(at, old), New: shown(at, new)})
}

// hidden compares what may not be shown, as one value.
func (c *comparison) hidden(at path, old, new any) {
	inner := comparison{applied: c.applied}
	inner.walk(path{keys: at.keys, text: at.text}.field("value"), old, new)
	c.unsure = c.unsure || inner.unsure
	if len(inner.changes) == 0 {
		return
	}
	change := Change{Path: at.text}
	if old != nil {
		change.Old = resource.Hidden
	}
	if new != nil {
		change.New = resource.Hidden
	}
	c.changes = append(c.changes, change)
}

// shown is a value as it may be shown.
func shown(at path, value any) any {
	switch v := value.(type) {
	case string:
		if slices.ContainsFunc(at.keys, resource.SecretName) {
			return resource.Hidden
		}
		return resource.Redact(v)
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, child := range v {
			out[key] = shown(at.field(key), child)
		}
		return out
	case []any:
		out := make([]any, 0, len(v))
		for _, child := range v {
			out = append(out, shown(at, child))
		}
		return out
	}
	return value
}

// keyed lists the elements of a list of maps by what identifies them in the
// Kubernetes and vksync API: a name, a taint's key and effect, a gate's
// condition, a permission's subject. It reports false when there is no such
// key, or not a unique one.
func keyed(list []any) (map[string]map[string]any, bool) {
	out := make(map[string]map[string]any, len(list))
	for _, item := range list {
		element, _ := item.(map[string]any)
		key := keyOf(element)
		if key == "" || out[key] != nil {
			return nil, false
		}
		out[key] = element
	}
	return out, true
}

func keyOf(element map[string]any) string {
	for _, keys := range [][]string{{"name"}, {"key", "effect"}, {"conditionType"}, {"subject", "domain", "type"}} {
		if resource.Text(element, keys[0]) == "" {
			continue
		}
		values := make([]string, 0, len(keys))
		for _, key := range keys {
			values = append(values, resource.Text(element, key))
		}
		return strings.Trim(strings.Join(values, ":"), ":")
	}
	return ""
}

// withoutName is an element without the name that is in the path already; the
// value itself of a class variable, which has nothing else.
func withoutName(element map[string]any) any {
	if element == nil {
		return nil
	}
	if _, named := element["name"]; !named || len(element) == 1 {
		return element
	}
	if value, there := element["value"]; there && len(element) == 2 {
		return value
	}
	rest := maps.Clone(element)
	delete(rest, "name")
	return rest
}

func elementAt(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return nil
}

func ofMaps(list []any) bool {
	for _, item := range list {
		if _, ok := item.(map[string]any); !ok {
			return false
		}
	}
	return true
}

// same compares JSON values. Numbers are equal whatever their Go type, and what
// is absent is equal to what is empty.
func same(a, b any) bool {
	switch x := a.(type) {
	case nil:
		return b == nil || empty(b)
	case map[string]any:
		y, ok := b.(map[string]any)
		return ok && maps.EqualFunc(x, y, same) || len(x) == 0 && b == nil
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, same) || len(x) == 0 && b == nil
	case int64, int, float64:
		switch b.(type) {
		case int64, int, float64:
			return number(a) == number(b)
		}
		return false
	}
	return a == b
}

func empty(v any) bool {
	switch x := v.(type) {
	case map[string]any:
		return len(x) == 0
	case []any:
		return len(x) == 0
	}
	return v == nil
}

func number(v any) float64 {
	switch n := v.(type) {
	case int64:
		return float64(n)
	case int:
		return float64(n)
	case float64:
		return n
	}
	return 0
}
