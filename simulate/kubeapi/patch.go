package kubeapi

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// patchOf reads a patch. The function it returns makes a patched copy, which
// may share what did not change with the original.
func patchOf(how types.PatchType, gvk schema.GroupVersionKind, body []byte) (func(map[string]any) (map[string]any, error), error) {
	if how != types.JSONPatchType {
		patch, err := decodeMap(body, false)
		if err != nil {
			return nil, err
		}
		if how == types.StrategicMergePatchType {
			return func(content map[string]any) (map[string]any, error) { return strategicPatch(gvk, content, patch) }, nil
		}
		return func(content map[string]any) (map[string]any, error) { return mergePatch(content, patch), nil }, nil
	}
	var operations []operation
	if err := utiljson.Unmarshal(body, &operations); err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("error decoding patch: %v", err))
	}
	if len(operations) > operationLimit {
		return nil, apierrors.NewRequestEntityTooLargeError(fmt.Sprintf(
			"The allowed maximum operations in a JSON patch is %d, got %d", operationLimit, len(operations)))
	}
	return func(content map[string]any) (map[string]any, error) { return jsonPatch(content, operations) }, nil
}

// mergePatch is a JSON merge patch (RFC 7386).
func mergePatch(content, patch map[string]any) map[string]any {
	out := maps.Clone(content)
	if out == nil {
		out = map[string]any{}
	}
	for name, value := range patch {
		switch value := value.(type) {
		case nil:
			delete(out, name)
		case map[string]any:
			inner, _ := out[name].(map[string]any)
			out[name] = mergePatch(inner, value)
		default:
			out[name] = value
		}
	}
	return out
}

// operationLimit is how many operations an API server takes in one JSON patch.
const operationLimit = 10_000

// operation is one step of a JSON patch (RFC 6902).
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	From  string `json:"from"`
	Value any    `json:"value"`
}

func jsonPatch(content map[string]any, operations []operation) (map[string]any, error) {
	var root any = content
	for i, o := range operations {
		next, err := o.apply(root)
		if err == nil && tooDeep(next, depthLimit) {
			err = fmt.Errorf("the result is nested deeper than %d levels", depthLimit)
		}
		if err != nil {
			return nil, &apierrors.StatusError{ErrStatus: metav1.Status{
				Code: http.StatusUnprocessableEntity, Reason: metav1.StatusReasonInvalid,
				Message: fmt.Sprintf("the server rejected our request due to an error in our request: operation %d, %s %q: %v", i, o.Op, o.Path, err),
			}}
		}
		root = next
	}
	out, ok := root.(map[string]any)
	if !ok {
		return nil, apierrors.NewBadRequest("the patch leaves no object")
	}
	return out, nil
}

func (o operation) apply(root any) (any, error) {
	path, err := pointer(o.Path)
	if err != nil {
		return nil, err
	}
	switch o.Op {
	case "add":
		return edit(root, path, insertAt(o.Value))
	case "replace":
		return edit(root, path, replaceAt(o.Value))
	case "remove":
		return edit(root, path, removeAt)
	case "test":
		value, err := lookup(root, path)
		if err == nil && !same(value, o.Value) {
			err = fmt.Errorf("the value is another")
		}
		return root, err
	case "copy", "move":
		return o.transport(root, path)
	}
	return nil, fmt.Errorf("unknown operation: want add, remove, replace, move, copy or test")
}

func (o operation) transport(root any, path []string) (any, error) {
	from, err := pointer(o.From)
	if err != nil {
		return nil, err
	}
	value, err := lookup(root, from)
	if err != nil {
		return nil, err
	}
	if o.Op == "move" {
		if len(path) > len(from) && slices.Equal(path[:len(from)], from) {
			return nil, fmt.Errorf("%q is inside of %q", o.Path, o.From)
		}
		if root, err = edit(root, from, removeAt); err != nil {
			return nil, err
		}
	}
	return edit(root, path, insertAt(value))
}

// pointer splits a JSON pointer (RFC 6901).
func pointer(p string) ([]string, error) {
	if p == "" {
		return nil, nil
	}
	if p[0] != '/' {
		return nil, fmt.Errorf("a path begins with /")
	}
	steps := strings.Split(p[1:], "/")
	for i, step := range steps {
		steps[i] = strings.ReplaceAll(strings.ReplaceAll(step, "~1", "/"), "~0", "~")
	}
	return steps, nil
}

func lookup(v any, path []string) (any, error) {
	for _, step := range path {
		switch container := v.(type) {
		case map[string]any:
			value, ok := container[step]
			if !ok {
				return nil, fmt.Errorf("there is no %q", step)
			}
			v = value
		case []any:
			i, err := index(step, len(container)-1)
			if err != nil {
				return nil, err
			}
			v = container[i]
		default:
			return nil, fmt.Errorf("there is nothing below a scalar at %q", step)
		}
	}
	return v, nil
}

func index(step string, last int) (int, error) {
	i, err := strconv.Atoi(step)
	if err != nil || i < 0 || i > last || step != strconv.Itoa(i) {
		return 0, fmt.Errorf("there is no item %q", step)
	}
	return i, nil
}

// changeAt makes a changed copy of a container at one step.
type changeAt func(container any, step string) (any, error)

// whole stands for the container of the whole document.
type whole struct{}

// edit copies the containers on the way to path and changes the last one.
func edit(v any, path []string, change changeAt) (any, error) {
	if len(path) == 0 {
		return change(whole{}, "")
	}
	if len(path) == 1 {
		return change(v, path[0])
	}
	inner, err := lookup(v, path[:1])
	if err != nil {
		return nil, err
	}
	if inner, err = edit(inner, path[1:], change); err != nil {
		return nil, err
	}
	return replaceAt(inner)(v, path[0])
}

func insertAt(value any) changeAt {
	return func(container any, step string) (any, error) {
		list, ok := container.([]any)
		if !ok {
			return setAt(container, step, value)
		}
		i := len(list)
		if step != "-" {
			var err error
			if i, err = index(step, len(list)); err != nil {
				return nil, err
			}
		}
		return slices.Insert(slices.Clone(list), i, value), nil
	}
}

func replaceAt(value any) changeAt {
	return func(container any, step string) (any, error) {
		if container != (whole{}) {
			if _, err := lookup(container, []string{step}); err != nil {
				return nil, err
			}
		}
		list, ok := container.([]any)
		if !ok {
			return setAt(container, step, value)
		}
		i, err := index(step, len(list)-1)
		if err != nil {
			return nil, err
		}
		list = slices.Clone(list)
		list[i] = value
		return list, nil
	}
}

func setAt(container any, step string, value any) (any, error) {
	switch container := container.(type) {
	case whole:
		return value, nil
	case map[string]any:
		out := maps.Clone(container)
		out[step] = value
		return out, nil
	}
	return nil, fmt.Errorf("there is nothing below a scalar at %q", step)
}

func removeAt(container any, step string) (any, error) {
	if _, err := lookup(container, []string{step}); err != nil {
		return nil, err
	}
	switch container := container.(type) {
	case []any:
		i, err := index(step, len(container)-1)
		if err != nil {
			return nil, err
		}
		return slices.Delete(slices.Clone(container), i, i+1), nil
	case map[string]any:
		out := maps.Clone(container)
		delete(out, step)
		return out, nil
	}
	return nil, fmt.Errorf("there is nothing below a scalar at %q", step)
}
