package inventory

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Decode reads an Inventory from the content of its manifest. It fails when the
// content has another shape, when there is no zone, when two hosts, zones,
// clusters or datastores share a name, when a datastore or a policy refers to what
// is not there, or when the networks lack what their provider needs.
func Decode(content map[string]any) (*Inventory, error) {
	text, err := json.Marshal(content)
	if err != nil {
		return nil, fmt.Errorf("reading the inventory: %w", err)
	}
	inv := new(Inventory)
	if err := json.Unmarshal(text, inv); err != nil {
		return nil, fmt.Errorf("reading the inventory: %w", err)
	}
	if err := inv.check(); err != nil {
		return nil, fmt.Errorf("inventory %q: %w", inv.Metadata.Name, err)
	}
	return inv, nil
}

func (inv *Inventory) check() error {
	s := &inv.Spec
	switch {
	case s.Datacenter == "":
		return fmt.Errorf("spec.datacenter is empty; name the datacenter")
	case s.Supervisor.Name == "":
		return fmt.Errorf("spec.supervisor.name is empty; name the Supervisor")
	case len(s.Zones) == 0:
		return fmt.Errorf("spec.zones is empty; a Supervisor needs at least one zone")
	}
	var zones, clusters, hosts, datastores, policies, classes, libraries names
	for _, z := range s.Zones {
		zones.add("zone", z.Name)
		clusters.add("cluster", z.Cluster)
		for _, h := range z.Hosts {
			hosts.add("host", h.Name)
		}
	}
	for _, d := range s.Datastores {
		datastores.add("datastore", d.Name)
		zones.need("datastore "+d.Name, "zone", d.Zones)
	}
	for _, p := range s.StoragePolicies {
		policies.add("storage policy", p.Name)
		datastores.need("storage policy "+p.Name, "datastore", p.Datastores)
	}
	for _, c := range s.VMClasses {
		classes.add("VM class", c.Name)
	}
	for _, l := range s.ContentLibraries {
		libraries.add("content library", l.Name)
	}
	for _, n := range []names{zones, clusters, hosts, datastores, policies, classes, libraries} {
		if n.err != nil {
			return n.err
		}
	}
	return inv.checkNetworks()
}

// names are what one kind of thing is called, with the first mistake found.
type names struct {
	known []string
	err   error
}

func (n *names) add(what, name string) {
	switch {
	case n.err != nil:
	case name == "":
		n.err = fmt.Errorf("a %s has no name", what)
	case slices.Contains(n.known, name):
		n.err = fmt.Errorf("%s %q is there twice", what, name)
	}
	n.known = append(n.known, name)
}

func (n *names) need(by, what string, wanted []string) {
	for _, name := range wanted {
		if n.err == nil && !slices.Contains(n.known, name) {
			n.err = fmt.Errorf("%s refers to %s %q, which is not in the inventory", by, what, name)
		}
	}
}
