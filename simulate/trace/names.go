package trace

import (
	"slices"
	"strings"
)

// suffixes is what the random part of a name is made of: no vowels, no 0, 1, 3.
const suffixes = "bcdfghjklmnpqrstvwxz2456789"

// Names normalises names, so that objects of two worlds can be told to be the
// same: a random suffix becomes ~. Given names (clusters, pools) are left as they
// are, even if they look like suffixes.
type Names struct {
	given []string // longest first
}

// NamesOf finds the given names in a recording: those of clusters and of the
// pools of their topologies, which labels tell.
func NamesOf(changes []Change) Names {
	var n Names
	add := func(name string) {
		if name != "" && !slices.Contains(n.given, name) {
			n.given = append(n.given, name)
		}
	}
	for _, c := range changes {
		if c.ID.Kind == "Cluster" {
			add(c.ID.Name)
		}
		if c.Labels != nil {
			add((*c.Labels)["cluster.x-k8s.io/cluster-name"])
			add((*c.Labels)["topology.cluster.x-k8s.io/deployment-name"])
		}
	}
	slices.SortFunc(n.given, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	return n
}

// Of normalises one name.
func (n Names) Of(name string) string {
	var out []string
	for rest := name; rest != ""; {
		part := n.first(rest)
		rest = strings.TrimPrefix(strings.TrimPrefix(rest, part), "-")
		if !slices.Contains(n.given, part) && random(part) {
			part = "~"
		}
		out = append(out, part)
	}
	return strings.Join(out, "-")
}

// first is the given name that name begins with, or what is before its first -.
func (n Names) first(name string) string {
	for _, given := range n.given {
		if name == given || strings.HasPrefix(name, given+"-") {
			return given
		}
	}
	part, _, _ := strings.Cut(name, "-")
	if part == "" {
		return name // a - at the beginning
	}
	return part
}

func random(part string) bool {
	return len(part) == 5 && strings.Trim(part, suffixes) == ""
}

// ref normalises an owner reference, "Kind/name*!".
func (n Names) ref(owner string) string {
	kind, name, found := strings.Cut(owner, "/")
	if !found {
		return owner
	}
	bare := strings.TrimRight(name, "*!")
	return kind + "/" + n.Of(bare) + name[len(bare):]
}

// label normalises the value of a label. Hosts are the world's own, and a hash is
// of what is not in a recording.
func (n Names) label(key, value string) string {
	switch {
	case key == "node.cluster.x-k8s.io/esxi-host":
		return "<host>"
	case key == "machine-template-hash":
		_, suffix, found := strings.Cut(value, "-")
		if !found {
			return "<hash>"
		}
		return "<hash>-" + n.Of(suffix)
	}
	return n.Of(value)
}

// clusterOf is the cluster that an object belongs to: as its label says, or its name.
func (n Names) clusterOf(o *object) string {
	if cluster := o.labels["cluster.x-k8s.io/cluster-name"]; cluster != "" {
		return cluster
	}
	if o.id.Kind == "Cluster" {
		return o.id.Name
	}
	return n.first(o.id.Name)
}
