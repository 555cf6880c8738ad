package trace

import (
	"maps"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Ignore is what is not compared, for it was made by the set-up of the test.
type Ignore struct {
	Group, Kind string // of objects; * in Kind is any
	Names       []string
	Class       bool   // ClusterClasses and templates that are of no cluster
	Label       string // a label of whatever object
}

// ignores reads the list of a steps file:
//
//	GROUP/*                    every kind of an API group
//	GROUP/Kind or v1/Kind      all objects of a kind
//	GROUP/Kind NAME, NAME      some objects of it; names may have *
//	text with "ClusterClass"   ClusterClasses and their templates
//	label KEY                  a label, on any object
//
// What stands in parentheses is for people.
func (d *decoder) ignores(n *yaml.Node) []Ignore {
	var out []Ignore
	for _, item := range d.list(n, "ignore") {
		text, _, _ := strings.Cut(d.text(item), "(")
		words := strings.Fields(strings.ReplaceAll(text, ",", " "))
		switch {
		case len(words) > 0 && strings.Contains(words[0], "/"):
			parts := strings.Split(words[0], "/")
			g := Ignore{Group: parts[0], Kind: parts[len(parts)-1], Names: words[1:]}
			if g.Group == "v1" {
				g.Group = ""
			}
			out = append(out, g)
		case len(words) == 2 && words[0] == "label":
			out = append(out, Ignore{Label: words[1]})
		case strings.Contains(text, "ClusterClass"):
			out = append(out, Ignore{Class: true})
		default:
			d.fail(item, "ignore is %q, want GROUP/*, GROUP/Kind, GROUP/Kind NAMES, label KEY, or words about a ClusterClass", item.Value)
		}
	}
	return out
}

// ignored says whether an object is left out. Events never count, nor what is of
// the API server and not of a cluster.
func (s *Script) ignored(id ID, hasCluster bool) bool {
	if id.Kind == "Event" || id.Kind == "Lease" {
		return true
	}
	for _, g := range s.Ignore {
		if g.matches(id, hasCluster) {
			return true
		}
	}
	return false
}

func (g Ignore) matches(id ID, hasCluster bool) bool {
	if g.Class {
		return id.Kind == "ClusterClass" || strings.HasSuffix(id.Kind, "Template") && !hasCluster
	}
	if g.Label != "" || g.Group != id.Group || g.Kind != "*" && g.Kind != id.Kind {
		return false
	}
	for _, name := range g.Names {
		if ok, err := path.Match(name, id.Name); err == nil && ok {
			return true
		}
	}
	return len(g.Names) == 0
}

// withoutIgnored are labels but for those that are left out.
func (s *Script) withoutIgnored(labels map[string]string) map[string]string {
	left := maps.Clone(labels)
	for _, g := range s.Ignore {
		delete(left, g.Label)
	}
	return left
}

// foreign says whether a field manager or a finalizer is of a group that is left out
// as a whole: by vcsim, for one, writes on objects of others too.
func (s *Script) foreign(finalizer string) bool {
	domain, _, _ := strings.Cut(finalizer, "/")
	for _, g := range s.Ignore {
		if g.Kind == "*" && g.Group != "" {
			first, _, _ := strings.Cut(g.Group, ".")
			if domain == first || strings.HasPrefix(domain, first+".") {
				return true
			}
		}
	}
	return false
}
