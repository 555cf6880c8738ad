package trace

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
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

// Setting is the world of a recording. Zero values are those of a Supervisor with
// NSX VPC, one zone, and an endpoint from a load balancer.
type Setting struct {
	// NetworkProvider is one of Providers.
	NetworkProvider string
	// EndpointGiven says that the control-plane endpoint was given beforehand.
	EndpointGiven bool
	// Zones is how many there are; at least 1.
	Zones int
	// MissingImages are versions, as in a topology, whose image is not there.
	MissingImages []string
}

// Providers are the network providers by the names that a steps file may use, and
// what the Inventory calls them.
var Providers = map[string]string{
	"plain": "plain", "netop": "plain", "": "nsx-vpc",
	"vsphere-network": "vds", "vds": "vds",
	"nsx-t": "nsx-t", "nsx": "nsx-t",
	"nsx-vpc": "nsx-vpc", "vpc": "nsx-vpc",
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

// DecodeScript reads a *.steps.yaml. Everything in it that is not understood is
// told of in one error, each as FILE:LINE with what is allowed.
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

// A decoder walks YAML and collects what is wrong with it.
type decoder struct {
	file     string
	problems []error
}

func (d *decoder) fail(n *yaml.Node, format string, args ...any) {
	d.problems = append(d.problems, fmt.Errorf("%s:%d: %s", d.file, n.Line, fmt.Sprintf(format, args...)))
}

// each calls the function of every key of a mapping.
func (d *decoder) each(n *yaml.Node, what string, known map[string]func(*yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		d.fail(n, "%s is a mapping of %s", what, keysOf(known))
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if f := known[key.Value]; f != nil {
			f(n.Content[i+1])
			continue
		}
		d.fail(key, "%s has no %q, only %s", what, key.Value, keysOf(known))
	}
}

func keysOf(known map[string]func(*yaml.Node)) string {
	var keys []string
	for key := range known {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return strings.Join(keys, ", ")
}

func (d *decoder) text(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode {
		d.fail(n, "want a text")
	}
	return n.Value
}

func (d *decoder) value(n *yaml.Node) any {
	var out any
	if err := n.Decode(&out); err != nil {
		d.fail(n, "%v", err)
	}
	return plain(out)
}

// plain makes the integers of YAML those of an API object.
func plain(v any) any {
	switch v := v.(type) {
	case int:
		return int64(v)
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = plain(v[k])
		}
	case map[any]any:
		out := map[string]any{}
		for k, x := range v {
			out[fmt.Sprint(k)] = plain(x)
		}
		return out
	}
	return v
}

func (d *decoder) world(n *yaml.Node, s *Setting) {
	d.each(n, "world", map[string]func(*yaml.Node){
		"networkProvider": func(n *yaml.Node) {
			provider, known := Providers[d.text(n)]
			if !known {
				d.fail(n, "networkProvider is %q, want plain, vsphere-network, nsx-t or nsx-vpc", n.Value)
			}
			s.NetworkProvider = provider
		},
		"controlPlaneEndpoint": func(n *yaml.Node) {
			switch d.text(n) {
			case "given":
				s.EndpointGiven = true
			case "load-balancer":
			default:
				d.fail(n, "controlPlaneEndpoint is %q, want given or load-balancer", n.Value)
			}
		},
		"zones": func(n *yaml.Node) {
			if err := n.Decode(&s.Zones); err != nil || s.Zones < 1 || s.Zones > 9 {
				d.fail(n, "zones is %q, want a number from 1 to 9", n.Value)
				s.Zones = 1
			}
		},
		"missingImages": func(n *yaml.Node) {
			if err := n.Decode(&s.MissingImages); err != nil {
				d.fail(n, "missingImages is a list of versions")
			}
		},
		"note": func(*yaml.Node) {},
	})
	if s.NetworkProvider == "" {
		s.NetworkProvider = Providers[""]
	}
}

func (d *decoder) list(n *yaml.Node, what string) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		d.fail(n, "%s is a list", what)
		return nil
	}
	return n.Content
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

func (d *decoder) object(n *yaml.Node, base ID) ID {
	if n.Kind == yaml.ScalarNode { // Kind/name
		kind, name, found := strings.Cut(n.Value, "/")
		if !found {
			d.fail(n, "object is %q, want Kind/name or {kind, name}", n.Value)
		}
		return ID{Group: groupOfKind(kind), Kind: kind, Name: name}
	}
	var out ID
	d.each(n, "object", map[string]func(*yaml.Node){
		"apiVersion": func(n *yaml.Node) { out.Group = groupOf(d.text(n)) },
		"group":      func(n *yaml.Node) { out.Group = d.text(n) },
		"kind":       func(n *yaml.Node) { out.Kind = d.text(n) },
		"namespace":  func(n *yaml.Node) { out.Namespace = d.text(n) },
		"name":       func(n *yaml.Node) { out.Name = d.text(n) },
	})
	if out.Kind == "" {
		out.Kind = base.Kind
	}
	if out.Name == "" && out.Kind == base.Kind {
		out.Name = base.Name
	}
	if out.Kind == "" || out.Name == "" {
		d.fail(n, "object needs kind and name")
	}
	if out.Group == "" {
		out.Group = groupOfKind(out.Kind)
	}
	return out
}

// groupOfKind is the API group of the kinds that are asked for by kind alone.
func groupOfKind(kind string) string {
	switch kind {
	case "Cluster", "ClusterClass", "Machine", "MachineSet", "MachineDeployment", "MachineHealthCheck", "MachinePool":
		return "cluster.x-k8s.io"
	case "KubeadmControlPlane", "KubeadmControlPlaneTemplate":
		return "controlplane.cluster.x-k8s.io"
	case "KubeadmConfig", "KubeadmConfigTemplate":
		return "bootstrap.cluster.x-k8s.io"
	case "VSphereCluster", "VSphereMachine", "VSphereMachineTemplate", "VSphereClusterTemplate":
		return "vmware.infrastructure.cluster.x-k8s.io"
	case "VirtualMachine", "VirtualMachineService", "VirtualMachineSetResourcePolicy", "VirtualMachineClass",
		"ClusterVirtualMachineImage", "VirtualMachineImage":
		return "vmoperator.vmware.com"
	}
	return ""
}
