package controllers

import (
	"slices"

	"github.com/vksync/vksync/reconcile/resource"
)

// What a topology asks for, recomputed in each pass (domain.md 3.2). Machine
// templates and bootstrap configuration decide whether machines are replaced;
// everything else is changed in place.

// machineTemplateSpec is spec.template.spec of a part's VSphereMachineTemplate, of what
// the class's says, which a class that is not VKS's brings along.
func (m *Manager) machineTemplateSpec(p part, from map[string]any) map[string]any {
	spec := copyMap(resource.Fields(from, "spec", "template", "spec"))
	for field, name := range map[string]string{"className": "vmClass", "storageClass": "storageClass"} {
		if v := variable(p.topology, p.content, name); v != "" || spec[field] == nil {
			spec[field] = v
		}
	}
	if image := m.imageFor(p.version, p.content); image != "" || spec["imageName"] == nil {
		spec["imageName"] = image
	}
	if spec["powerOffMode"] == nil {
		spec["powerOffMode"] = "trySoft"
	}
	if volumes := p.volumes(); len(volumes) > 0 {
		spec["volumes"] = volumes
	}
	return spec
}

// volumes are the disks that machines of the part have beside that of the image.
func (p part) volumes() []any {
	legacy := "controlPlaneVolumes"
	if p.pool != "" {
		legacy = "nodePoolVolumes"
	}
	var out []any
	for _, v := range p.variables() {
		if v.name != "volumes" && v.name != legacy {
			continue
		}
		list, _ := v.value.([]any)
		for _, volume := range list {
			out = append(out, map[string]any{
				"name":         resource.Text(volume, "name"),
				"storageClass": resource.Text(volume, "storageClass"),
				"capacity":     map[string]any{"storage": volumeSize(volume)},
			})
		}
	}
	return out
}

// volumeSize is a capacity in either of the two forms that classes have.
func volumeSize(volume any) string {
	if size, ok := resource.Field(volume, "capacity").(string); ok {
		return size
	}
	return resource.Text(volume, "capacity", "storage")
}

// kubeadmSpec is the bootstrap configuration of a part's nodes. It has a file for
// each variable that reaches them, with a digest in place of the value. It knows
// nothing of the Kubernetes version: an upgrade does not rotate bootstrap
// templates (observed.md 6.6).
// From is what the template of the class says, before are the files there are.
func (p part) kubeadmSpec(from map[string]any, before []any) map[string]any {
	spec := copyMap(resource.Fields(from, "spec", "template", "spec"))
	if spec["format"] == nil {
		spec["format"] = "cloud-config"
	}
	if files := append(slices.Clip(resource.Items(spec["files"])), p.files(before)...); len(files) > 0 {
		spec["files"] = files
	}
	return spec
}

const variableFiles = "/etc/vmware/vks/"

func (p part) files(before []any) []any {
	var out []any
	for _, v := range p.variables() {
		if v.reaches(p) {
			out = append(out, v.file(before))
		}
	}
	return out
}

// file stands for a variable on the nodes. A value that was not kept when the world
// was saved is the one it was.
func (v variableValue) file(before []any) map[string]any {
	path := variableFiles + v.name
	for _, known := range before {
		if resource.Text(known, "path") == path && !v.kept() {
			return resource.Fields(known)
		}
	}
	return map[string]any{"path": path, "content": v.digest()}
}

// rollout is how machines of the part are replaced. A pool that says anything of it says
// all of it: its class counts no more.
func (p part) rollout() map[string]any {
	out := map[string]any{}
	own := resource.Fields(p.content, "rollout")
	if after := own["after"]; after != nil {
		out["after"] = after
	}
	if len(own) == 0 {
		own = resource.Fields(p.class, "rollout")
	}
	if strategy := own["strategy"]; strategy != nil && p.pool != "" {
		out["strategy"] = strategy
	}
	return out
}
