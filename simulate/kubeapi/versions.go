package kubeapi

import (
	"maps"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vksync/vksync/reconcile/resource"
)

// A version of a kind is named as in Kind.Versions: "v1", or "GROUP/v1" for one
// in another group.

// apiVersion is what objects in the version say of themselves.
func (t *table) apiVersion(version string) string {
	if strings.Contains(version, "/") {
		return version
	}
	return schema.GroupVersion{Group: t.Group, Version: version}.String()
}

// gvk is the kind in a version.
func (t *table) gvk(version string) schema.GroupVersionKind {
	if group, name, other := strings.Cut(version, "/"); other {
		return schema.GroupVersionKind{Group: group, Version: name, Kind: t.Kind.Kind}
	}
	return t.gk.WithVersion(version)
}

// gvks are all forms of the kind, the stored one first.
func (t *table) gvks() []schema.GroupVersionKind {
	out := make([]schema.GroupVersionKind, len(t.Versions))
	for i, v := range t.Versions {
		out[i] = t.gvk(v)
	}
	return out
}

// version finds the name of a version by its group and version.
func (t *table) version(gv schema.GroupVersion) (string, bool) {
	for _, v := range t.Versions {
		if known := t.gvk(v); known.Version == gv.Version && known.Group == gv.Group {
			return v, true
		}
	}
	return "", false
}

// convert returns u in another served version of its kind, in a top-level map
// of its own; the rest may be shared with u.
func (s *Store) convert(u *unstructured.Unstructured, version string) *unstructured.Unstructured {
	gvk := u.GroupVersionKind()
	if gvk.Version == version && gvk.Group != eventsGroup {
		return u
	}
	if gvk.Kind == eventKind && (gvk.Group == "" || gvk.Group == eventsGroup) {
		return convertEvent(u, version)
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

// Events are served in two groups, with other names for the same fields.
const (
	eventKind     = "Event"
	eventsGroup   = "events.k8s.io"
	eventsVersion = eventsGroup + "/v1"
)

// eventFields has the names of fields in the core group and in events.k8s.io.
var eventFields = [][2]string{
	{"involvedObject", "regarding"}, {"message", "note"}, {"reportingComponent", "reportingController"},
	{"source", "deprecatedSource"}, {"count", "deprecatedCount"},
	{"firstTimestamp", "deprecatedFirstTimestamp"}, {"lastTimestamp", "deprecatedLastTimestamp"},
}

func convertEvent(u *unstructured.Unstructured, version string) *unstructured.Unstructured {
	if resource.Text(u.Object, "apiVersion") == version {
		return u
	}
	from, to := 0, 1
	if version != eventsVersion {
		from, to = 1, 0
	}
	out := maps.Clone(u.Object)
	out["apiVersion"] = version
	for _, names := range eventFields {
		if value, ok := out[names[from]]; ok {
			delete(out, names[from])
			out[names[to]] = value
		}
	}
	return &unstructured.Unstructured{Object: out}
}
