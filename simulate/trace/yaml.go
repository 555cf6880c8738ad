package trace

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A decoder walks YAML and collects what is wrong with it.
type decoder struct {
	file     string
	problems []error
}

func (d *decoder) fail(n *yaml.Node, format string, args ...any) {
	d.problems = append(d.problems, fmt.Errorf("%s:%d: %s", d.file, n.Line, fmt.Sprintf(format, args...)))
}

// each calls the function of every key of a mapping.
func (d *decoder) each(n *yaml.Node, what string, known map[string]func(*yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		d.fail(n, "%s is a mapping of %s", what, keysOf(known))
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if f := known[key.Value]; f != nil {
			f(n.Content[i+1])
			continue
		}
		d.fail(key, "%s has no %q, only %s", what, key.Value, keysOf(known))
	}
}

func keysOf(known map[string]func(*yaml.Node)) string {
	var keys []string
	for key := range known {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return strings.Join(keys, ", ")
}

func (d *decoder) text(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode {
		d.fail(n, "want a text")
	}
	return n.Value
}

func (d *decoder) value(n *yaml.Node) any {
	var out any
	if err := n.Decode(&out); err != nil {
		d.fail(n, "%v", err)
	}
	return plain(out)
}

// plain makes the integers of YAML those of an API object.
func plain(v any) any {
	switch v := v.(type) {
	case int:
		return int64(v)
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = plain(v[k])
		}
	case map[any]any:
		out := map[string]any{}
		for k, x := range v {
			out[fmt.Sprint(k)] = plain(x)
		}
		return out
	}
	return v
}

func (d *decoder) list(n *yaml.Node, what string) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		d.fail(n, "%s is a list", what)
		return nil
	}
	return n.Content
}
