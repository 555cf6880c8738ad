package plan

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/vksync/vksync/reconcile/resource"
)

// A Fact is one thing that a plan was computed from: an aspect of a resource as
// it was observed, such as its spec.topology.workers. Sum is a keyed hash of it,
// so that a fact can be recognized without being written down: some hold what
// nobody may see.
type Fact struct {
	Addr   resource.Addr `json:"addr"`
	Aspect string        `json:"aspect"`
	Sum    string        `json:"sum"`
}

// aspectIdentity is the Aspect of whether a resource exists, is being deleted, and
// is still the same one.
const aspectIdentity = "identity"

// facts are those that the plan was computed from, by address and aspect: every
// resource it is about, whether it exists, and what of it vksync compares. What
// checks alone look at is not among them: quotas change with every machine.
func (p *Plan) facts(key []byte) []Fact {
	var out []Fact
	for _, addr := range p.subjects() {
		live, exists := p.observed.Live.Get(addr)
		add := func(aspect string, value any) {
			out = append(out, Fact{addr, aspect, sum(key, addr.String(), aspect, value)})
		}
		if !exists {
			add(aspectIdentity, nil)
			continue
		}
		add(aspectIdentity, []any{uidOf(live), live.GetDeletionTimestamp() != nil, resource.Text(live.Object, "status", "configStatus") == "REMOVING"})
		want, _ := p.Desired.Get(addr)
		aspects := aspectsOf(live, want)
		for _, name := range sortedKeys(aspects) {
			add(name, aspects[name])
		}
	}
	return out
}

// subjects are the addresses of the resources that a plan is about, in order,
// with the Kubernetes Namespaces that say whose the vSphere Namespaces are.
func (p *Plan) subjects() []resource.Addr {
	all := map[resource.Addr]bool{}
	note := func(addr resource.Addr) {
		all[addr] = true
		if addr.Kind == resource.KindVSphereNamespace {
			all[kubernetesNamespace(addr)] = true
		}
	}
	for _, g := range p.Goals {
		note(g.Addr)
	}
	for _, a := range p.Actions {
		note(a.Addr)
	}
	return slices.SortedFunc(maps.Keys(all), resource.Addr.Compare)
}

// aspectsOf splits what vksync compares of an object into parts that a person
// knows. What others keep writing is left out.
func aspectsOf(live, want resource.Object) map[string]any {
	out := map[string]any{}
	switch live.GetKind() {
	case resource.KindVSphereNamespace:
		out["metadata.labels"] = resource.Fields(live.Object, "metadata", "labels")
		for key, value := range namespaceSpec(live) {
			out["spec."+key] = value
		}
		return out
	case resource.KindCluster:
	default: // a Namespace, which says whose it is and whether it may go
		out["metadata.labels["+resource.LabelSource+"]"] = live.GetLabels()[resource.LabelSource]
		out["metadata.annotations["+resource.AnnotationProtection+"]"] = Protected(live)
		return out
	}
	content, _ := quiet(noiseOf(live, live), path{}, canonical(live)).(map[string]any)
	spec := resource.Fields(content, "spec")
	for _, list := range []string{"labels", "annotations"} {
		keys := []string{resource.LabelSource, resource.AnnotationProtection, annotationPaused}
		if want.Unstructured != nil {
			keys = append(keys, sortedKeys(resource.Fields(want.Object, "metadata", list))...)
		}
		for _, key := range keys { // others are not vksync's
			if value, there := resource.Fields(content, "metadata", list)[key]; there {
				out["metadata."+list+"["+key+"]"] = value
			}
		}
	}
	for key, value := range spec {
		if key != "topology" {
			out["spec."+key] = value
		}
	}
	for key, value := range resource.Fields(spec, "topology") {
		out["spec.topology."+key] = value
	}
	return out
}

// quiet is a copy of content without what is noise wherever it stands.
func quiet(n noise, at path, content any) any {
	switch c := content.(type) {
	case map[string]any:
		out := make(map[string]any, len(c))
		for key, value := range c {
			below := at.field(key)
			if _, skip := ignored[below.text]; skip || below.text == "spec.paused" && n.pausedForUpgrade || n.autoscales(below) {
				continue
			}
			out[key] = quiet(n, below, value)
		}
		return out
	case []any:
		out := make([]any, 0, len(c))
		for i, item := range c {
			name := resource.Text(item, "name")
			if name == "TKR_DATA" {
				continue
			}
			if name == "" {
				name = fmt.Sprint(i)
			}
			out = append(out, quiet(n, at.element(name), item))
		}
		return out
	}
	return content
}

// sum is a keyed hash of values. Maps are written with their keys in order.
func sum(key []byte, values ...any) string {
	h := hmac.New(sha256.New, key)
	for _, v := range values {
		text, err := json.Marshal(v)
		if err != nil {
			// Observed content is what JSON was decoded to.
			panic(fmt.Sprintf("plan: encoding a fact: %v", err))
		}
		h.Write(text)
		h.Write([]byte{0}) // JSON has none
	}
	return base64.RawStdEncoding.EncodeToString(h.Sum(nil)[:sumBytes])
}

// sumBytes is how much of a hash is kept: enough that no two facts meet.
const sumBytes = 16
