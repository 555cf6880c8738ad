package plan

import (
	"slices"
	"strings"
)

// strength orders effects, so that the strongest of many can be found.
var strength = []Effect{InPlace, Scale, Rolling, Forbidden}

func strongest(changes []Change) Effect {
	var effect Effect
	for _, c := range changes {
		if effect == "" || slices.Index(strength, c.Effect) > slices.Index(strength, effect) {
			effect = c.Effect
		}
	}
	return effect
}

// annotationImage chooses the OS image of a part; another choice is another template.
const annotationImage = "run.tanzu.vmware.com/resolve-os-image"

// clusterEffect says what a changed field of a Cluster does to machines that run
// (domain.md 3.2, 3.8), and to which.
func clusterEffect(c Change, before, desired topology) (Effect, string) {
	switch {
	case under(c.Path, "spec.topology.version"), under(c.Path, "spec.topology.classRef"),
		strings.Contains(c.Path, annotationImage) && strings.HasPrefix(c.Path, "metadata."),
		under(c.Path, "spec.topology.rollout"):
		return Rolling, "control plane and workers"
	case under(c.Path, "spec.topology.variables"):
		return Rolling, desired.usersOf(between(c.Path, "spec.topology.variables["))
	case under(c.Path, "spec.topology.controlPlane.replicas"):
		return Scale, "control plane"
	case under(c.Path, "spec.topology.controlPlane"):
		return partEffect(strings.TrimPrefix(c.Path, "spec.topology.controlPlane")), "control plane"
	case under(c.Path, "spec.topology.workers.machineDeployments"):
		pool := between(c.Path, "spec.topology.workers.machineDeployments[")
		if !before.has(pool) || !desired.has(pool) {
			return Scale, "workers " + pool
		}
		return poolEffect(c, pool), "workers " + pool
	}
	return InPlace, ""
}

// has says whether there is a node pool of that name.
func (t topology) has(pool string) bool {
	return slices.ContainsFunc(t.parts(), func(p part) bool { return p.name == pool && pool != "" })
}

// poolEffect is the effect of a field of a node pool that was there and stays.
func poolEffect(c Change, pool string) Effect {
	field := strings.TrimPrefix(c.Path, "spec.topology.workers.machineDeployments["+pool+"]")
	if under(field, ".replicas") {
		return Scale
	}
	return partEffect(field)
}

// partEffect is the effect of a field of the control plane or of a node pool.
func partEffect(field string) Effect {
	for _, rolls := range []string{".class", ".failureDomain", ".variables", ".rollout.after", ".metadata.annotations[" + annotationImage + "]"} {
		if under(field, rolls) {
			return Rolling
		}
	}
	return InPlace
}

// usersOf names the parts that take a class variable from the cluster, having no
// override of their own.
func (t topology) usersOf(variable string) string {
	var names []string
	all := true
	for _, p := range t.parts() {
		if p.overrides(variable) || !reaches(variable, p) {
			all = false
			continue
		}
		names = append(names, p.String())
	}
	switch {
	case all:
		return "control plane and workers"
	case len(names) == 0:
		return "no machines: every part overrides it"
	}
	return strings.Join(names, ", ")
}

// namespaceEffect says what a changed field of a vSphere Namespace does.
func namespaceEffect(c Change) (Effect, string) {
	switch {
	case under(c.Path, "spec.supervisor"):
		return Forbidden, "a vSphere Namespace cannot move to another Supervisor"
	case under(c.Path, "spec.network.provider"):
		return Forbidden, "the network provider of a vSphere Namespace cannot be changed"
	}
	return InPlace, ""
}

// under says whether p is the field called prefix, or in it.
func under(p, prefix string) bool {
	rest, ok := strings.CutPrefix(p, prefix)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// between is what follows prefix up to the closing bracket.
func between(p, prefix string) string {
	rest, _ := strings.CutPrefix(p, prefix)
	name, _, _ := strings.Cut(rest, "]")
	return name
}
