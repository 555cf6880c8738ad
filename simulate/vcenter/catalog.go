package vcenter

import (
	"slices"

	"github.com/vksync/vksync/simulate/inventory"
)

// catalog is what namespaces refer to. The REST API calls most of it by
// identifiers, which are derived from the names and so the same in every run.
// It does not change after New.
type catalog struct {
	inv        *inventory.Inventory
	supervisor string            // identifier
	clusters   map[string]string // managed object id by zone, set by build
	policies   *directory
	libraries  *directory
	classes    []string
}

func newCatalog(inv *inventory.Inventory) *catalog {
	c := &catalog{
		inv:        inv,
		supervisor: stableID("supervisor", inv.Spec.Supervisor.Name),
		clusters:   map[string]string{},
		policies:   newDirectory("storage policy"),
		libraries:  newDirectory("content library"),
	}
	for _, p := range inv.Spec.StoragePolicies {
		c.policies.add(p.Name)
	}
	for _, l := range inv.Spec.ContentLibraries {
		c.libraries.add(l.Name)
	}
	for _, class := range inv.Spec.VMClasses {
		c.classes = append(c.classes, class.Name)
	}
	return c
}

// supervisorOf finds the Supervisor by its identifier, or by the managed object
// id of one of its clusters as version 1 of the API does.
func (c *catalog) supervisorOf(id, cluster string) (name string, ok bool) {
	if id == c.supervisor {
		return c.inv.Spec.Supervisor.Name, true
	}
	for _, moid := range c.clusters {
		if cluster != "" && moid == cluster {
			return c.inv.Spec.Supervisor.Name, true
		}
	}
	return "", false
}

// firstCluster is the cluster by which version 1 of the API calls the Supervisor.
func (c *catalog) firstCluster() string { return c.clusters[c.inv.Spec.Zones[0].Name] }

// hasClass reports whether a VM class is known. Classes are their own identifiers.
func (c *catalog) hasClass(name string) bool { return slices.Contains(c.classes, name) }

// directory translates the names of one kind of thing.
type directory struct {
	kind  string
	names []string // in the order of the inventory
	ids   map[string]string
	back  map[string]string
}

func newDirectory(kind string) *directory {
	return &directory{kind: kind, ids: map[string]string{}, back: map[string]string{}}
}

func (d *directory) add(name string) {
	id := stableID(d.kind, name)
	d.names = append(d.names, name)
	d.ids[name], d.back[id] = id, name
}

func (d *directory) id(name string) string { return d.ids[name] }

func (d *directory) name(id string) (string, bool) {
	name, ok := d.back[id]
	return name, ok
}
