package kubeapi

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/vksync/vksync/reconcile/resource"
)

// Column is a column of the table that kubectl prints of a kind. The first
// column, the name, is there without being asked for. The zero value of
// everything but Name and Path is usual.
type Column struct {
	Name string
	// Type is string, integer, boolean or date, which is shown as an age; "" is string.
	Type string
	// Priority above 0 is shown with -o wide only.
	Priority int64
	// Path is where the value is, as in a CustomResourceDefinition:
	// .spec.a, .metadata.labels['a\.b'] or .status.conditions[?(@.type=="Ready")].status.
	// It reads the stored version of the kind.
	Path string

	// native computes the cell of a kind of Kubernetes itself, in place of Path.
	native func(content map[string]any, now time.Time) any
	format string
}

// columns are those of the table, the name first; a kind that names none has its age.
func (t *table) columns() []Column {
	if len(t.Columns) == 0 {
		return []Column{nameColumn, {Name: "Age", Type: "date", Path: ".metadata.creationTimestamp"}}
	}
	if t.Columns[0].native != nil { // these bring their own
		return t.Columns
	}
	return append([]Column{nameColumn}, t.Columns...)
}

var nameColumn = Column{Name: "Name", format: "name", native: func(content map[string]any, _ time.Time) any {
	return resource.Text(content, "metadata", "name")
}}

// definition describes the column as a table does.
func (c Column) definition() map[string]any {
	kind, description := c.Type, c.Name
	if kind == "" {
		kind = "string"
	}
	if c.Path != "" {
		description = "Custom resource definition column (in JSONPath format): " + c.Path
	}
	return map[string]any{"name": c.Name, "type": kind, "format": c.format, "description": description, "priority": c.Priority}
}

// cell is the value of the column for an object; nil when it has none.
func (c Column) cell(content map[string]any, now time.Time) any {
	if c.native != nil {
		return c.native(content, now)
	}
	value := c.lookup(content)
	switch c.Type {
	case "date":
		if s, ok := value.(string); ok {
			return age(s, now)
		}
		return nil
	case "integer":
		if f, ok := value.(float64); ok {
			return int64(f)
		}
		if n, ok := value.(int64); ok {
			return n
		}
		return nil
	case "boolean":
		if b, ok := value.(bool); ok {
			return b
		}
		return nil
	}
	return printed(value)
}

// printed is a value in a column of strings.
func printed(value any) any {
	switch value := value.(type) {
	case nil:
		return nil
	case string:
		return value
	case map[string]any, []any:
		text, err := json.Marshal(value)
		if err != nil { // checkJSON let nothing in that cannot be encoded
			return nil
		}
		return string(text)
	}
	return fmt.Sprint(value)
}

// age is how long ago a timestamp was, in the short form of kubectl.
func age(stamp string, now time.Time) string {
	if stamp == "" {
		return "<unknown>"
	}
	at, err := time.Parse(time.RFC3339, stamp)
	if err != nil {
		return "<invalid>"
	}
	return duration.HumanDuration(now.Sub(at))
}

// lookup follows the path as far as it leads; of several matches it takes the first.
func (c Column) lookup(content map[string]any) any {
	var at any = content
	for rest := c.Path; rest != ""; {
		switch {
		case strings.HasPrefix(rest, "[?(@."):
			end := strings.Index(rest, ")]")
			if end < 0 {
				return nil
			}
			at, rest = matching(at, rest[len("[?(@."):end]), rest[end+len(")]"):]
		case strings.HasPrefix(rest, "['"):
			end := strings.Index(rest, "']")
			if end < 0 {
				return nil
			}
			at, rest = resource.Field(at, strings.ReplaceAll(rest[len("['"):end], `\.`, ".")), rest[end+len("']"):]
		case rest[0] == '.':
			end := strings.IndexAny(rest[1:], ".[") + 1
			if end == 0 {
				end = len(rest)
			}
			at, rest = resource.Field(at, rest[1:end]), rest[end:]
		default:
			return nil
		}
	}
	return at
}

// matching is the first item of a list that a filter NAME=="VALUE" selects.
func matching(list any, filter string) any {
	name, value, _ := strings.Cut(filter, "==")
	items, _ := list.([]any)
	for _, item := range items {
		if resource.Text(item, name) == strings.Trim(value, `"'`) {
			return item
		}
	}
	return nil
}
