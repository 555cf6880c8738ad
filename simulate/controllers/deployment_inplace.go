package controllers

import (
	"strconv"
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
)

// inPlace are the fields of a machine's spec that change without a new machine
// (domain.md 3.2).
var inPlace = [][]string{
	{"deletion", "nodeDrainTimeoutSeconds"}, {"deletion", "nodeVolumeDetachTimeoutSeconds"}, {"deletion", "nodeDeletionTimeoutSeconds"},
	{"minReadySeconds"}, {"readinessGates"}, {"taints"},
}

// copyInPlace brings those fields from one machine spec to the one at path.
func copyInPlace(d *draft, spec map[string]any, path ...string) {
	have := resource.Fields(d.root, path...)
	for _, field := range inPlace {
		if spec[field[0]] == nil && have[field[0]] == nil {
			continue // as nearly always
		}
		d.carry(resource.Field(spec, field...), append(append([]string{}, path...), field...)...)
	}
}

// carry makes the field at path what value is: absent for nil. It writes only a
// difference.
func (d *draft) carry(value any, path ...string) {
	switch {
	case value == nil:
		d.unset(path...)
	case !resource.Equal(resource.Field(d.root, path...), value):
		d.replace(value, path...)
	}
}

// notCopied are annotations of a deployment that are not for its sets.
var notCopied = map[string]bool{
	annotationLastApplied: true, annotationRevision: true, annotationRevisionHistory: true,
	annotationDesired: true, annotationMax: true, annotationConversion: true,
}

// propagate writes into a MachineSet what it has from its deployment: labels,
// annotations and everything that changes in place. frozen keeps the set from
// making machines (strategy OnDelete). A set that takes up its template again has
// another revision than before, of which it keeps a history.
func propagate(set *draft, deployment map[string]any, name, revision string, frozen bool) {
	template := resource.Fields(deployment, "spec", "template")
	labels := machineLabels(deployment)
	labels[labelTemplateHash] = resource.Field(set.root, "metadata", "labels", labelTemplateHash)
	set.carryKeys(labels, resource.Fields(set.root, "spec", "template", "metadata", "labels"), "metadata", "labels")
	set.label(labelDeployment, name)
	set.carry(labels, "spec", "template", "metadata", "labels")
	set.carry(resource.Field(template, "metadata", "annotations"), "spec", "template", "metadata", "annotations")

	annotations := map[string]any{}
	for key, value := range resource.Fields(deployment, "metadata", "annotations") {
		if !notCopied[key] {
			annotations[key] = value
		}
	}
	replicas := resource.Int(deployment, "spec", "replicas")
	surge, _ := surgeOf(deployment)
	annotations[annotationDesired] = strconv.FormatInt(replicas, 10)
	annotations[annotationMax] = strconv.FormatInt(replicas+surge, 10)
	annotations[annotationNoCreate] = strconv.FormatBool(frozen)
	if revision != "" {
		annotations[annotationRevision] = revision
		if was := resource.Text(set.root, "metadata", "annotations", annotationRevision); was != "" && was != revision {
			annotations[annotationRevisionHistory] = strings.TrimPrefix(resource.Text(set.root, "metadata", "annotations", annotationRevisionHistory)+","+was, ",")
		}
	}
	set.carryKeys(annotations, nil, "metadata", "annotations")

	set.carry(resource.Field(deployment, "spec", "deletion", "order"), "spec", "deletion", "order")
	set.carry(resource.Field(deployment, "spec", "machineNaming"), "spec", "machineNaming")
	copyInPlace(set, resource.Fields(template, "spec"), "spec", "template", "spec")
	selector := map[string]any{labelTemplateHash: labels[labelTemplateHash]}
	for key, value := range selectorOf(deployment, name) {
		selector[key] = value
	}
	set.carry(selector, "spec", "selector", "matchLabels")
}

// machineLabels are those of a deployment's machine template. A deployment says of
// its machines what it says of itself: the cluster and the pool.
func machineLabels(deployment map[string]any) map[string]any {
	labels := copyMap(resource.Fields(deployment, "spec", "template", "metadata", "labels"))
	for _, key := range []string{labelCluster, labelTopologyOwned, labelTopologyDeployment} {
		if value, there := resource.Fields(deployment, "metadata", "labels")[key]; there && labels[key] == nil {
			labels[key] = value
		}
	}
	return labels
}

func selectorOf(deployment map[string]any, name string) map[string]any {
	if given := resource.Fields(deployment, "spec", "selector", "matchLabels"); len(given) > 0 {
		return given
	}
	labels := resource.Fields(deployment, "metadata", "labels")
	selector := map[string]any{labelCluster: labels[labelCluster], labelDeployment: name}
	if pool, there := labels[labelTopologyDeployment]; there {
		selector = map[string]any{labelCluster: labels[labelCluster], labelTopologyOwned: "", labelTopologyDeployment: pool}
	}
	return selector
}

// carryKeys sets the keys of wanted in the map at path and removes those that were
// carried there before and are not wanted any more. What others wrote stays.
func (d *draft) carryKeys(wanted, before map[string]any, path ...string) {
	have := resource.Fields(d.root, path...)
	for key, value := range wanted {
		if have[key] != value {
			d.own(path...)[key] = value
		}
	}
	for key := range before {
		_, still := wanted[key]
		if _, there := have[key]; there && !still {
			delete(d.own(path...), key)
		}
	}
}
