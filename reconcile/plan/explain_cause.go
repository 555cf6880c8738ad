package plan

import (
	"slices"
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
)

// path is where a part stands in a Cluster.
func (p part) path() string {
	if p.name == "" {
		return "spec.topology.controlPlane"
	}
	return "spec.topology.workers.machineDeployments[" + p.name + "]"
}

// effectOn says what a changed field does to the machines of a part that was there
// and stays; "" when nothing. Assumed says that they are taken to be replaced for
// want of knowing what the class makes of it (domain.md 3.2).
func (t topology) effectOn(p part, c Change) (effect Effect, assumed bool) {
	switch {
	case under(c.Path, "spec.topology.version"), under(c.Path, "spec.topology.rollout"):
		return Rolling, false
	case under(c.Path, "spec.topology.classRef"):
		return Rolling, true // machines are replaced where the classes' templates differ
	case c.Path == "metadata.annotations["+annotationImage+"]":
		return Rolling, false
	case under(c.Path, "spec.topology.variables"):
		name := between(c.Path, "spec.topology.variables[")
		if p.overrides(name) || !reaches(name, p) {
			return "", false
		}
		return Rolling, !inTemplate(name)
	case under(c.Path, p.path()):
		field := strings.TrimPrefix(c.Path, p.path())
		if under(field, ".replicas") {
			return Scale, false
		}
		if rest, overridden := strings.CutPrefix(field, ".variables.overrides["); overridden {
			name, _, _ := strings.Cut(rest, "]")
			if !reaches(name, p) {
				return InPlace, false
			}
			return Rolling, !inTemplate(name)
		}
		return partEffect(field), under(field, ".class")
	}
	return "", false
}

// overrides says whether a part has a value of its own for a class variable.
func (p part) overrides(variable string) bool {
	return slices.ContainsFunc(resource.Items(p.content, "variables", "overrides"), func(v any) bool {
		return resource.Text(v, "name") == variable
	})
}

// inTemplate says whether it is known that a class variable is a part of what a
// machine is made from: then another value is another machine.
func inTemplate(variable string) bool {
	switch variable {
	case "vmClass", "storageClass", "volumes", "nodePoolVolumes", "controlPlaneVolumes", "node", "nodePoolLabels", "nodePoolTaints":
		return true
	}
	return false
}

// reaches says whether a class variable has anything to do with the machines of a
// part. Those that are not known better are taken to have.
func reaches(variable string, p part) bool {
	switch variable {
	case "nodePoolVolumes", "nodePoolLabels", "nodePoolTaints":
		return p.name != ""
	case "controlPlaneVolumes", "controlPlaneCertificateRotation":
		return p.name == ""
	case "TKR_DATA":
		return false // which follows from the version
	}
	return true
}
