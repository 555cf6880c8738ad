package kubeapi

import (
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// convert returns u in another served version of its kind, in a top-level map
// of its own; the rest may be shared with u.
func (s *Store) convert(u *unstructured.Unstructured, version string) *unstructured.Unstructured {
	gvk := u.GroupVersionKind()
	if gvk.Version == version {
		return u
	}
	if s.config.Convert != nil {
		if out := s.config.Convert(u, version); out != u {
			return out
		}
	}
	out := &unstructured.Unstructured{Object: maps.Clone(u.Object)}
	gvk.Version = version
	out.SetGroupVersionKind(gvk)
	return out
}
