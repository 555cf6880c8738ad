package trace

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Script is what was asked in a recording, and in which world.
type Script struct {
	World   Setting
	Ignore  []Ignore
	Cluster string // the cluster that a step is about which names no object
	Steps   []Step
}

// Verbs that a step may have.
const (
	Apply    = "apply"
	Patch    = "patch"     // a merge patch
	JSON     = "jsonpatch" // a JSON patch
	Annotate = "annotate"
	Label    = "label"
	Delete   = "delete"
)

// Step is one thing that was asked.
type Step struct {
	Line int
	Mark string
	Asks []Ask
}

// Ask is one write of a step.
type Ask struct {
	Verb   string
	Object ID  // what it is about; empty for Apply
	Body   any // of Apply an object; of a patch its content; of Annotate and Label a map, null taking off; nil for Delete
}

// DecodeScript reads a *.steps.yaml:
//
//	world: {networkProvider: plain, controlPlaneEndpoint: given, zones: 1, missingImages: [v1.36.0]}
//	ignore: [what the set-up made: see Ignore]
//	cluster: what a step is about that names no object
//	steps:
//	- mark: the text of a MARK in the recording
//	  apply: an object or a list of them
//	- mark: several verbs in one step are written one after the other
//	  jsonpatch: [{op: replace, path: /spec/topology/version, value: v1.36.0}]
//	  annotate: {key: value, other: null}
//	  object: {kind: Machine, name: as in the recording}
//	- mark: or a merge patch
//	  patch: {spec: {paused: true}}
//	- mark: of the cluster, or of an object
//	  delete: {kind: Machine, name: as in the recording}
//
// Everything in it that is not understood is told of in one error, each as
// FILE:LINE with what is allowed; the rest is in the Script. It is nil if the file
// is no YAML.
func DecodeScript(file string, text []byte) (*Script, error) {
	d := decoder{file: file}
	var document yaml.Node
	if err := yaml.NewDecoder(bytes.NewReader(text)).Decode(&document); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	s := &Script{World: Setting{Zones: 1}}
	root := document.Content[0]
	d.each(root, "a steps file", map[string]func(*yaml.Node){
		"world":   func(n *yaml.Node) { d.world(n, &s.World) },
		"ignore":  func(n *yaml.Node) { s.Ignore = d.ignores(n) },
		"cluster": func(n *yaml.Node) { s.Cluster = d.text(n) },
		"steps":   func(*yaml.Node) {}, // once the cluster is known
		"note":    func(*yaml.Node) {},
	})
	if root.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(root.Content); i += 2 {
			if root.Content[i].Value == "steps" {
				s.Steps = d.steps(root.Content[i+1], s.Cluster)
			}
		}
	}
	if len(s.Steps) == 0 && len(d.problems) == 0 {
		d.fail(root, "there are no steps")
	}
	return s, errors.Join(d.problems...)
}

func (d *decoder) steps(n *yaml.Node, cluster string) []Step {
	var out []Step
	for _, item := range d.list(n, "steps") {
		out = append(out, d.step(item, cluster))
	}
	return out
}

func (d *decoder) step(n *yaml.Node, cluster string) Step {
	s := Step{Line: n.Line}
	object := ID{Group: "cluster.x-k8s.io", Kind: "Cluster", Name: cluster}
	ask := func(verb string) func(*yaml.Node) {
		return func(n *yaml.Node) { s.Asks = append(s.Asks, Ask{Verb: verb, Body: d.value(n)}) }
	}
	d.each(n, "a step", map[string]func(*yaml.Node){
		"mark":   func(n *yaml.Node) { s.Mark = d.text(n) },
		"note":   func(*yaml.Node) {},
		"object": func(n *yaml.Node) { object = d.object(n, object) },
		"apply": func(n *yaml.Node) {
			bodies, isList := d.value(n).([]any)
			if !isList {
				bodies = []any{d.value(n)}
			}
			for _, body := range bodies {
				if content, ok := body.(map[string]any); !ok || content["kind"] == nil || content["apiVersion"] == nil {
					d.fail(n, "apply takes an object with apiVersion, kind and metadata, or a list of such")
				}
				s.Asks = append(s.Asks, Ask{Verb: Apply, Body: body})
			}
		},
		JSON: ask(JSON), Patch: ask(Patch), Annotate: ask(Annotate), Label: ask(Label),
		Delete: func(n *yaml.Node) {
			switch {
			case n.Kind == yaml.ScalarNode && n.Value == "true":
				s.Asks = append(s.Asks, Ask{Verb: Delete})
			case n.Kind == yaml.ScalarNode && !strings.Contains(n.Value, "/"):
				d.fail(n, "delete is true, or the kind and name of an object")
			default:
				s.Asks = append(s.Asks, Ask{Verb: Delete, Object: d.object(n, ID{})})
			}
		},
	})
	for i := range s.Asks {
		d.check(n, s.Asks[i])
	}
	for i := range s.Asks {
		a := &s.Asks[i]
		if a.Verb != Apply && a.Object == (ID{}) {
			a.Object = object
		}
		if a.Verb != Apply && a.Object.Name == "" {
			d.fail(n, "step %q says neither which object nor, above, which cluster", s.Mark)
		}
	}
	switch {
	case s.Mark == "":
		d.fail(n, "a step has no mark")
	case len(s.Asks) == 0:
		d.fail(n, "step %q asks for nothing: want one of apply, jsonpatch, patch, annotate, label, delete", s.Mark)
	}
	return s
}

// check refuses a body that cannot be what its verb takes.
func (d *decoder) check(n *yaml.Node, a Ask) {
	_, isMap := a.Body.(map[string]any)
	_, isList := a.Body.([]any)
	switch a.Verb {
	case JSON:
		if !isList {
			d.fail(n, "jsonpatch takes a list of operations")
		}
	case Patch:
		if !isMap {
			d.fail(n, "patch takes the fields to merge")
		}
	case Annotate, Label:
		if !isMap {
			d.fail(n, "%s takes keys with values, null to take one off", a.Verb)
		}
	}
}
