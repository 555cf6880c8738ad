package trace

import (
	"maps"
	"regexp"
	"slices"

	"github.com/vksync/vksync/reconcile/resource"
)

// objects are those that the steps apply.
func (s *Script) objects() (out []map[string]any) {
	for _, step := range s.Steps {
		for _, ask := range step.Asks {
			if object, _ := ask.Body.(map[string]any); ask.Verb == Apply && object != nil {
				out = append(out, object)
			}
		}
	}
	return out
}

// Classes are the ClusterClasses that the steps name.
func (s *Script) Classes() []string {
	seen := map[string]bool{}
	for _, object := range s.objects() {
		for _, name := range []string{
			resource.Text(object, "spec", "topology", "classRef", "name"),
			resource.Text(object, "spec", "topology", "class"),
		} {
			if name != "" {
				seen[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// PoolClasses are the classes of node pools that the steps name anywhere.
func (s *Script) PoolClasses() []string {
	seen := map[string]bool{}
	s.walk(func(v any) {
		pool, _ := v.(map[string]any)
		if class, _ := pool["class"].(string); class != "" && pool["name"] != nil {
			seen[class] = true
		}
	})
	return slices.Sorted(maps.Keys(seen))
}

// Namespaces are those that the steps write into.
func (s *Script) Namespaces() []string {
	seen := map[string]bool{}
	for _, object := range s.objects() {
		if name := resource.Text(object, "metadata", "namespace"); name != "" {
			seen[name] = true
		}
	}
	for _, step := range s.Steps {
		for _, ask := range step.Asks {
			if ask.Object.Namespace != "" {
				seen[ask.Object.Namespace] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

var version = regexp.MustCompile(`^v1\.[0-9]+\.[0-9]+([-+].*)?$`)

// Versions are the Kubernetes versions that appear anywhere in the steps.
func (s *Script) Versions() []string {
	seen := map[string]bool{}
	s.walk(func(v any) {
		if text, _ := v.(string); version.MatchString(text) {
			seen[text] = true
		}
	})
	return slices.Sorted(maps.Keys(seen))
}

// walk shows look everything that the steps ask for, down to the last field.
func (s *Script) walk(look func(any)) {
	var walk func(any)
	walk = func(v any) {
		look(v)
		switch v := v.(type) {
		case []any:
			for _, x := range v {
				walk(x)
			}
		case map[string]any:
			for _, x := range v {
				walk(x)
			}
		}
	}
	for _, step := range s.Steps {
		for _, ask := range step.Asks {
			walk(ask.Body)
		}
	}
}
