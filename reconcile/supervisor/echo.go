package supervisor

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
)

// withoutEchoes hides in an error what applied has to keep to itself: validation
// repeats the value that it does not like, whatever that is.
func withoutEchoes(err error, applied resource.Object) error {
	var e *Error
	if !errors.As(err, &e) || applied.GetKind() != resource.KindCluster {
		return err
	}
	shown := applied.DeepCopy().Object
	resource.HideVariables(shown, resource.Hidden)
	var values []string
	hidden(applied.Object, shown, &values)
	// The longest first: one value may be part of another.
	slices.SortFunc(values, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, v := range values {
		e.Message = without(e.Message, v)
	}
	return err
}

// hidden collects the scalars of content in whose place shown has a mark.
func hidden(content, shown any, into *[]string) {
	if shown == resource.Hidden {
		leaves(content, into)
		return
	}
	switch c := content.(type) {
	case map[string]any:
		s, _ := shown.(map[string]any)
		for key, value := range c {
			hidden(value, s[key], into)
		}
	case []any:
		s, _ := shown.([]any)
		for i := range min(len(c), len(s)) {
			hidden(c[i], s[i], into)
		}
	}
}

func leaves(value any, into *[]string) {
	switch v := value.(type) {
	case map[string]any:
		for _, child := range v {
			leaves(child, into)
		}
	case []any:
		for _, child := range v {
			leaves(child, into)
		}
	case bool, nil:
	default:
		*into = append(*into, fmt.Sprint(v))
	}
}

// bareLength is from which length on a value is hidden wherever it stands.
// Shorter ones are words and numbers of any message, and hidden in quotes only.
const bareLength = 6

// without hides a value in text, as it is and as Go and JSON quote it.
func without(text, value string) string {
	forms := map[string]bool{strconv.Quote(value): true}
	if quoted, err := json.Marshal(value); err == nil {
		forms[string(quoted)] = true
	}
	for _, quoted := range slices.Sorted(maps.Keys(forms)) {
		text = strings.ReplaceAll(text, quoted, strconv.Quote(resource.Hidden))
		if bare := quoted[1 : len(quoted)-1]; len(bare) >= bareLength {
			text = strings.ReplaceAll(text, bare, resource.Hidden)
		}
	}
	if len(value) >= bareLength {
		text = strings.ReplaceAll(text, value, resource.Hidden)
	}
	return text
}
