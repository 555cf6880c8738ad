package trace

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// line is a Change as it is written.
type line struct {
	T           *int64             `json:"t_ms"`
	Verb        Verb               `json:"verb"`
	Mark        string             `json:"mark"`
	APIVersion  string             `json:"apiVersion"`
	Kind        string             `json:"kind"`
	Namespace   string             `json:"namespace"`
	Name        string             `json:"name"`
	OwnerRefs   *nullable[string]  `json:"ownerRefs"`
	Labels      json.RawMessage    `json:"labels"`
	Finalizers  *nullable[string]  `json:"finalizers"`
	Annotations []string           `json:"annotations"`
	Conditions  map[string]*string `json:"conditions"`
	Phase       *string            `json:"phase"`
	Deleting    any                `json:"deleting"`
	By          string             `json:"by"`
}

// nullable is a list for which null is given and means that it is empty.
type nullable[T any] []T

// Decode reads JSON lines. file is only for messages. All lines that cannot be
// read are told of in one error, each as FILE:LINE.
func Decode(file string, text []byte) (*Recording, error) {
	r := &Recording{}
	var problems []error
	scanner := bufio.NewScanner(bytes.NewReader(text))
	scanner.Buffer(nil, max(len(text)+1, bufio.MaxScanTokenSize))
	for number := 1; scanner.Scan(); number++ {
		if len(bytes.TrimSpace(scanner.Bytes())) == 0 {
			continue
		}
		c, err := decodeLine(scanner.Bytes())
		if err != nil {
			problems = append(problems, fmt.Errorf("%s:%d: %w", file, number, err))
			continue
		}
		if len(r.Changes) > 0 && c.T < r.Changes[len(r.Changes)-1].T {
			problems = append(problems, fmt.Errorf("%s:%d: t_ms %d is before that of the line above, %d", file, number, c.T, r.Changes[len(r.Changes)-1].T))
		}
		c.Line = number
		r.Changes = append(r.Changes, c)
	}
	if err := scanner.Err(); err != nil {
		problems = append(problems, fmt.Errorf("%s: %w", file, err))
	}
	if len(r.Changes) == 0 && len(problems) == 0 {
		problems = append(problems, fmt.Errorf("%s: there is no line in it", file))
	}
	return r, errors.Join(problems...)
}

func decodeLine(text []byte) (Change, error) {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return Change{}, err
	}
	if l.T == nil {
		return Change{}, errors.New("t_ms is missing")
	}
	c := Change{T: *l.T, Verb: l.Verb, Mark: l.Mark}
	switch l.Verb {
	case Mark:
		if l.Mark == "" {
			return Change{}, errors.New("a MARK has no mark")
		}
		return c, nil
	case Added, Modified, Deleted:
	default:
		return Change{}, fmt.Errorf("verb is %q, want ADDED, MODIFIED, DELETED or MARK", l.Verb)
	}
	if l.Kind == "" || l.Name == "" {
		return Change{}, errors.New("kind or name is missing")
	}
	c.ID = ID{Group: groupOf(l.APIVersion), Kind: l.Kind, Namespace: l.Namespace, Name: l.Name}
	return c, l.fill(&c, text)
}

// fill reads what changed. Of a list, null is as good as no entry.
func (l line) fill(c *Change, text []byte) error {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(text, &given); err != nil {
		return err
	}
	if _, ok := given["ownerRefs"]; ok {
		c.Owners = texts(l.OwnerRefs)
	}
	if _, ok := given["finalizers"]; ok {
		c.Finalizers = texts(l.Finalizers)
	}
	if raw, ok := given["labels"]; ok {
		labels := map[string]string{}
		if err := json.Unmarshal(raw, &labels); err != nil {
			return fmt.Errorf("labels: %w", err)
		}
		c.Labels = &labels
	}
	c.Annotations = l.Annotations
	for _, by := range strings.Split(l.By, ",") {
		if name, _, _ := strings.Cut(strings.TrimSuffix(by, "(ssa)"), "/"); name != "" {
			c.Writers = append(c.Writers, name)
		}
	}
	for kind, text := range l.Conditions {
		value := ""
		if text != nil {
			var err error
			if value, err = conditionValue(*text); err != nil {
				return fmt.Errorf("condition %s: %w", kind, err)
			}
		}
		if c.Conditions == nil {
			c.Conditions = map[string]string{}
		}
		c.Conditions[kind] = value
	}
	if l.Phase != nil {
		c.Phase = *l.Phase
	}
	switch marked := l.Deleting.(type) {
	case nil:
	case bool:
		c.Deleting = marked
	case string:
		c.Deleting = marked != ""
	default:
		return fmt.Errorf("deleting is %v, want a time", marked)
	}
	return nil
}

func texts(list *nullable[string]) *[]string {
	out := []string{}
	if list != nil {
		out = slices.Clone([]string(*list))
	}
	return &out
}

// conditionValue is the new value in "old -> new|message", where old and message
// may be missing: "Status/Reason", or "" for one that was removed.
func conditionValue(text string) (string, error) {
	value, _, _ := strings.Cut(text, "|")
	if _, after, found := strings.Cut(value, " -> "); found {
		value = after
	}
	value = strings.TrimSpace(value)
	if value == "removed" || value == "" {
		return "", nil
	}
	status, reason, _ := strings.Cut(value, "/")
	switch status {
	case "True", "False", "Unknown":
	default:
		return "", fmt.Errorf("%q is no status, want True, False or Unknown", status)
	}
	if reason == "<nil>" {
		reason = ""
	}
	return status + "/" + reason, nil
}

func groupOf(apiVersion string) string {
	if group, _, found := strings.Cut(apiVersion, "/"); found {
		return group
	}
	return ""
}
