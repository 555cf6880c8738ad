package plan

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/vksync/vksync/reconcile/resource"
)

// A Rehearsal is what a world needs in which a plan is to be played that was made
// for another: first Before is made there, then After is desired. What a plan of
// that changes is what this one changes, by the word of the API server that was
// asked, and not by a second opinion of the world it is played in.
type Rehearsal struct {
	// Before are the Clusters and vSphere Namespaces that exist, as manifests: those
	// of the plan's goals, and whatever else lives in the same namespaces and takes
	// room and addresses there. Where that is too much, it is only the namespaces in
	// which something is done.
	Before resource.Set
	// After are the same when the plan is done.
	After resource.Set
	// Elsewhere counts the Clusters that exist in other namespaces and are not in it.
	Elsewhere int
	// Policy is what a plan of After may do: what Before holds is its own.
	Policy Policy
}

// Rehearse says how the plan can be played in another world, with most Clusters and
// vSphere Namespaces in it if that can be.
func (p *Plan) Rehearse(most int) Rehearsal {
	r := Rehearsal{Policy: p.Policy}
	r.Policy.Prune, r.Policy.PruneLimit = true, 0
	if r.Policy.Source == "" {
		r.Policy.Source = "rehearsal"
	}
	near, acting := map[string]bool{}, map[string]bool{}
	for _, g := range p.Goals {
		near[namespaceOf(g.Addr)] = true
	}
	for _, a := range p.Actions {
		if a.Skip == "" && a.Verb != None {
			acting[namespaceOf(a.Addr)] = true
		}
	}
	if r.take(&p.observed.Live, near); r.Before.Len() > most {
		r.take(&p.observed.Live, acting)
	}
	r.After = r.Before.Clone()
	for _, a := range p.Actions {
		if a.Skip == "" {
			r.change(a, p.observed)
		}
	}
	return r
}

// take puts what exists in some namespaces into Before.
func (r *Rehearsal) take(live *resource.Set, near map[string]bool) {
	r.Before, r.Elsewhere = resource.Set{}, 0
	for addr, o := range live.All() {
		switch {
		case !stays(o):
		case near[namespaceOf(addr)]:
			r.Before.Put(unpaused(manifest(o)))
		case addr.Kind == resource.KindCluster:
			r.Elsewhere++
		}
	}
}

// change does to After what an action does.
func (r *Rehearsal) change(a Action, observed *Observed) {
	switch a.Verb {
	case Create:
		r.After.Put(a.Object)
	case Delete:
		r.After.Delete(a.Addr)
	case Update:
		after := a.Object
		if predicted, asked := observed.Predicted[a.Addr]; asked {
			after = manifest(predicted)
			after.Source = a.Object.Source
		}
		r.After.Put(after)
	}
}

// LeaveOut takes out what cannot be rehearsed. What exists stays as it is, unless
// gone says that not even that could be made.
func (r *Rehearsal) LeaveOut(a resource.Addr, gone bool) {
	before, existed := r.Before.Get(a)
	switch {
	case gone:
		r.Before.Delete(a)
		r.After.Delete(a)
	case existed:
		r.After.Put(before)
	default:
		r.After.Delete(a)
	}
}

// namespaceOf is the vSphere Namespace that a Cluster is in, or that one itself;
// empty for everything else.
func namespaceOf(a resource.Addr) string {
	switch a.Kind {
	case resource.KindCluster:
		return a.Namespace
	case resource.KindVSphereNamespace:
		return a.Name
	}
	return ""
}

// stays says whether a live object is one that a world can have: it is not on its
// way out, and a Cluster has a topology that all else follows from.
func stays(live resource.Object) bool {
	switch live.GetKind() {
	case resource.KindCluster:
		return live.GetDeletionTimestamp() == nil && topologyOf(live).root != nil
	case resource.KindVSphereNamespace:
		return resource.Text(live.Object, "status", "configStatus") != "REMOVING"
	}
	return false
}

// manifest is what somebody would have to apply to get a live object: without what
// the server and its controllers have written into it. It shares nothing with it.
func manifest(live resource.Object) resource.Object {
	spec := runtime.DeepCopyJSON(resource.Fields(canonical(live), "spec"))
	metadata := map[string]any{"name": live.GetName()}
	if live.GetNamespace() != "" {
		metadata["namespace"] = live.GetNamespace()
	}
	for _, name := range []string{"labels", "annotations"} {
		kept := maps.Clone(resource.Fields(live.Object, "metadata", name))
		maps.DeleteFunc(kept, func(key string, _ any) bool { return ignored["metadata."+name+"["+key+"]"] })
		if len(kept) > 0 {
			metadata[name] = kept
		}
	}
	apiVersion := live.GetAPIVersion()
	if live.GetKind() == resource.KindCluster {
		apiVersion = resource.GroupCluster + "/v1beta2"
		strip(spec, live)
	}
	o := resource.NewObject(map[string]any{"apiVersion": apiVersion, "kind": live.GetKind(), "metadata": metadata, "spec": spec})
	o.Supervisor, o.Source = live.Supervisor, live.Source
	return o
}

// unpaused is a manifest of which the Supervisor makes machines: what is paused
// was built before it was.
func unpaused(o resource.Object) resource.Object {
	delete(resource.Fields(o.Object, "spec"), "paused")
	delete(resource.Fields(o.Object, "metadata", "annotations"), annotationPaused)
	return o
}

// strip takes out of the spec of a Cluster what others write there.
func strip(spec map[string]any, live resource.Object) {
	for _, name := range []string{"controlPlaneEndpoint", "infrastructureRef", "controlPlaneRef"} {
		delete(spec, name)
	}
	if live.GetAnnotations()[annotationInterlock] != "" {
		delete(spec, "paused")
	}
	topology := resource.Fields(spec, "topology")
	if list := resource.Items(topology, "variables"); list != nil {
		topology["variables"] = slices.DeleteFunc(list, func(v any) bool { return resource.Text(v, "name") == "TKR_DATA" })
	}
}
