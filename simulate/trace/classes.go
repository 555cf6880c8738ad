package trace

import (
	"maps"
	"slices"
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
)

// Templates are the templates of the ClusterClass of a recording, by name.
type Templates struct {
	ControlPlane, Worker, Bootstrap string
}

// TemplatesOf finds them: templates that were there before the first step and belong
// to no cluster. Which machine template is that of workers, its name tells.
func TemplatesOf(r *Recording, s *Script) Templates {
	out := Templates{}
	for _, c := range r.Changes {
		if c.Verb == Mark && len(s.Steps) > 0 && c.Mark == s.Steps[0].Mark {
			break
		}
		if c.Verb != Added || c.Labels != nil && (*c.Labels)["cluster.x-k8s.io/cluster-name"] != "" {
			continue
		}
		switch {
		case c.ID.Kind == "KubeadmConfigTemplate":
			out.Bootstrap = c.ID.Name
		case c.ID.Kind != "VSphereMachineTemplate":
		case strings.Contains(c.ID.Name, "worker") || strings.Contains(c.ID.Name, "-md"):
			out.Worker = c.ID.Name
		default:
			out.ControlPlane = c.ID.Name
		}
	}
	return out
}

// Named says how the templates are called in a class, where the recording does not
// tell.
func (t Templates) Named(class string) Templates {
	or := func(name string, others ...string) string {
		for _, other := range others {
			if name == "" {
				name = other
			}
		}
		return name
	}
	return Templates{
		ControlPlane: or(t.ControlPlane, t.Worker, class+"-control-plane"),
		Worker:       or(t.Worker, t.ControlPlane, class+"-worker"),
		Bootstrap:    or(t.Bootstrap, class+"-worker-bootstrap"),
	}
}

// Sizes are the VM classes and storage classes that the steps name: as fields of a
// template, or as variables.
func (s *Script) Sizes() (vmClasses, storageClasses []string) {
	vms, stores := map[string]bool{}, map[string]bool{}
	note := func(into map[string]bool, v any) {
		if text, _ := v.(string); text != "" {
			into[text] = true
		}
	}
	s.walk(func(v any) {
		object, _ := v.(map[string]any)
		note(vms, object["className"])
		note(stores, object["storageClass"])
		switch resource.Text(object, "name") {
		case "vmClass":
			note(vms, object["value"])
		case "storageClass":
			note(stores, object["value"])
		}
		// An operation of a JSON patch may set a variable by its place in the list.
		if path := resource.Text(object, "path"); strings.Contains(path, "/variables") || strings.HasSuffix(path, "lassName") {
			note(vms, object["value"])
			note(stores, object["value"])
		}
	})
	return slices.Sorted(maps.Keys(vms)), slices.Sorted(maps.Keys(stores))
}
