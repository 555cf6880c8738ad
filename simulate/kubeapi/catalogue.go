package kubeapi

import "k8s.io/apimachinery/pkg/runtime/schema"

// A catalogue finds the table of a kind, which each access to the store begins with: by
// the name of the kind, that is, which is one of one group as a rule.
type catalogue map[string][]entry

// An entry is a form in which a kind is served.
type entry struct {
	group, apiVersion string
	table             *table
}

func (c catalogue) add(t *table) {
	for _, gvk := range t.gvks() {
		c[gvk.Kind] = append(c[gvk.Kind], entry{gvk.Group, gvk.GroupVersion().String(), t})
	}
}

// find returns the table of a kind; nil when there is none.
func (c catalogue) find(gk schema.GroupKind) *table {
	for _, e := range c[gk.Kind] {
		if e.group == gk.Group {
			return e.table
		}
	}
	return nil
}

// of returns the table of objects that say this of themselves; nil when there is none.
func (c catalogue) of(apiVersion, kind string) *table {
	for _, e := range c[kind] {
		if e.apiVersion == apiVersion {
			return e.table
		}
	}
	return nil
}
