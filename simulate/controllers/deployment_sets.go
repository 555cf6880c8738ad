package controllers

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

const (
	annotationRevision        = "machinedeployment.clusters.x-k8s.io/revision"
	annotationRevisionHistory = "machinedeployment.clusters.x-k8s.io/revision-history"
	annotationDesired         = "machinedeployment.clusters.x-k8s.io/desired-replicas"
	annotationMax             = "machinedeployment.clusters.x-k8s.io/max-replicas"
	annotationNoCreate        = "cluster.x-k8s.io/disable-machine-create"
	annotationConversion      = "cluster.x-k8s.io/conversion-data"
	annotationLastApplied     = "kubectl.kubernetes.io/last-applied-configuration"
)

// A difference is why machines of a template are not up to date: what the
// condition UpToDate says of it.
type difference = string

// templateDifferences compares two machine templates (spec.template of a MachineSet
// and of its deployment) in what a machine cannot change in its life. Everything
// else is propagated in place (domain.md 3.2).
func templateDifferences(current, desired map[string]any) []difference {
	current, desired = resource.Fields(current, "spec"), resource.Fields(desired, "spec")
	if resource.SameMap(current, desired) {
		return nil
	}
	var out []difference
	differ := func(part string, fields ...[]string) bool {
		a, b := current[part], desired[part]
		return slices.ContainsFunc(fields, func(field []string) bool { return resource.Text(a, field...) != resource.Text(b, field...) })
	}
	if a, b := resource.Text(current, "version"), resource.Text(desired, "version"); a != b {
		out = append(out, fmt.Sprintf("Version %s, %s required", a, b))
	}
	if differ("bootstrap", []string{"configRef", "name"}, []string{"dataSecretName"}) {
		out = append(out, "KubeadmConfig is not up-to-date")
	}
	if differ("infrastructureRef", []string{"name"}) {
		out = append(out, "VSphereMachine is not up-to-date")
	}
	if a, b := resource.Text(current, "failureDomain"), resource.Text(desired, "failureDomain"); a != b {
		out = append(out, fmt.Sprintf("Failure domain %s, %s required", a, b))
	}
	return out
}

// rolloutAfter is spec.rollout.after of a deployment; zero where it is unset.
func rolloutAfter(deployment map[string]any) time.Time {
	after := resource.Text(deployment, "spec", "rollout", "after")
	if after == "" {
		return time.Time{}
	}
	return parseStamp(after)
}

// setDifferences are those of a MachineSet to its deployment; made before
// rollout.after has passed is one too.
func setDifferences(set *unstructured.Unstructured, deployment map[string]any, now time.Time) []difference {
	out := templateDifferences(resource.Fields(set.Object, "spec", "template"), resource.Fields(deployment, "spec", "template"))
	after := rolloutAfter(deployment)
	if !after.IsZero() && after.Before(now) && createdAt(set).Before(after) {
		out = append(out, "MachineDeployment spec.rolloutAfter expired")
	}
	return out
}

// sortSets finds the set called name, nil when there is none, and the others, the
// oldest first.
func (m *Manager) sortSets(sets []*unstructured.Unstructured, name string) (fresh *unstructured.Unstructured, old []*unstructured.Unstructured) {
	for _, set := range sets {
		if m.view(set).name == name {
			fresh = set
		} else {
			old = append(old, set)
		}
	}
	slices.SortStableFunc(old, m.byAge)
	return fresh, old
}

// fitting is the name of the set of the present template, or "". Of several that fit
// the one with most replicas wins.
func (m *Manager) fitting(d *draft, sets []*unstructured.Unstructured) string {
	sets = slices.Clone(sets)
	slices.SortStableFunc(sets, func(a, b *unstructured.Unstructured) int {
		return cmp.Or(cmp.Compare(resource.Int(m.view(b).spec, "replicas"), resource.Int(m.view(a).spec, "replicas")), m.byAge(a, b))
	})
	for _, set := range sets {
		if len(setDifferences(set, d.root, d.now)) == 0 {
			return m.view(set).name
		}
	}
	return ""
}

// byAge orders objects, the oldest first.
func (m *Manager) byAge(a, b *unstructured.Unstructured) int {
	x, y := m.view(a), m.view(b)
	return cmp.Or(strings.Compare(x.created, y.created), strings.Compare(x.name, y.name))
}

// createSet makes the set of the present template with a suffix of its own.
func (m *Manager) createSet(d *draft, cluster *unstructured.Unstructured, revision string, replicas int64) error {
	deployment := d.base
	namespace, base := namespaceOf(deployment), nameOf(deployment)+"-"
	suffix := m.suffix(kindMachineSet, deployment, base)
	template := resource.Fields(d.root, "spec", "template")
	hash := decimalHash(strings.Join([]string{
		resource.Text(template, "spec", "version"), resource.Text(template, "spec", "bootstrap", "configRef", "name"),
		resource.Text(template, "spec", "infrastructureRef", "name"), resource.Text(template, "spec", "failureDomain"),
	}, "\x00")) + "-" + suffix
	set := edit(&unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{
			"namespace": namespace, "name": generatedName(base, suffix),
			"labels":          map[string]any{labelTemplateHash: hash},
			"ownerReferences": []any{ref(deployment, true)},
		},
		"spec": map[string]any{
			"clusterName": nameOf(cluster),
			"replicas":    replicas,
			"template":    map[string]any{"spec": copyMap(resource.Fields(template, "spec"))},
		},
	}}, m.now())
	propagate(set, d.root, nameOf(deployment), revision, false)
	_, err := m.create(actorCore, kindMachineSet, set.root)
	return err
}

// updateSet brings what is propagated in place up to date, and the replicas.
func (m *Manager) updateSet(deployment *draft, set *unstructured.Unstructured, revision string, frozen bool, next map[string]int64) error {
	if deleting(set) {
		return nil
	}
	d := edit(set, m.now())
	propagate(d, deployment.root, nameOf(deployment.base), revision, frozen)
	metadata := []string{"spec", "template", "metadata"}
	if err := m.forget(set, resource.Fields(set.Object, metadata...), resource.Fields(d.root, metadata...)); err != nil {
		return err
	}
	if replicas, changes := next[nameOf(set)]; changes {
		d.set(replicas, "spec", "replicas")
	}
	return m.commit(actorCore, d)
}
