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

// scaleMachines makes or deletes what the set lacks or has too much. It returns
// when to try again and why nothing was made, if so.
func (m *Manager) scaleMachines(u, cluster *unstructured.Unstructured, machines []*unstructured.Unstructured) (time.Duration, string, error) {
	desired := int(resource.Int(u.Object, "spec", "replicas"))
	switch {
	case len(machines) < desired && resource.Text(u.Object, "metadata", "annotations", annotationNoCreate) != "true":
		again, refusals := preflightRetry, m.preflight(u, cluster)
		if missing := m.missingTemplates(u); len(missing) > 0 {
			again, refusals = faultRetry, append(refusals, doNotExist(missing))
		}
		if len(refusals) > 0 {
			return again, fmt.Sprintf("Scaling up from %d to %d replicas is blocked because:\n* %s",
				len(machines), desired, strings.Join(refusals, "\n* ")), nil
		}
		if err := m.createWorkers(u, cluster, desired-len(machines)); err != nil {
			return 0, "", err
		}
	case len(machines) > desired:
		for _, victim := range victims(machines, resource.Text(u.Object, "spec", "deletion", "order"))[:len(machines)-desired] {
			if err := m.remove(actorCore, victim); err != nil {
				return 0, "", err
			}
		}
	}
	return 0, "", nil
}

// missingTemplates are the kinds of those templates that are not there of which a
// deployment's or a set's machines are made: they cannot be.
func (m *Manager) missingTemplates(u *unstructured.Unstructured) []string {
	infrastructure, bootstrap := templatesOf(u)
	var missing []string
	if bootstrap != "" && m.get(kindKubeadmConfigTemplate, namespaceOf(u), bootstrap) == nil {
		missing = append(missing, kindKubeadmConfigTemplate.Kind)
	}
	if m.get(kindVSphereTemplate, namespaceOf(u), infrastructure) == nil {
		missing = append(missing, kindVSphereTemplate.Kind)
	}
	return missing
}

// doNotExist says that things of some kinds are missing.
func doNotExist(kinds []string) string {
	if len(kinds) == 1 {
		return kinds[0] + " does not exist"
	}
	return strings.Join(kinds, " and ") + " do not exist"
}

// createWorkers makes KubeadmConfig, VSphereMachine and Machine of n workers: bootstrap
// before infrastructure, the reverse of a control plane (observed.md 6.1 step 9).
func (m *Manager) createWorkers(u, cluster *unstructured.Unstructured, n int) error {
	template := resource.Fields(u.Object, "spec", "template", "spec")
	infrastructure, config := templatesOf(u)
	more := edit(&unstructured.Unstructured{}, m.now())
	copyInPlace(more, template, "spec")
	s := machineSet{
		owner: u, cluster: cluster, actor: actorCore,
		version:        resource.Text(template, "version"),
		labels:         workerLabels(u),
		shared:         resource.Fields(u.Object, "spec", "template", "metadata", "annotations"),
		infrastructure: m.originalOf(kindVSphereTemplate, namespaceOf(u), infrastructure),
		config:         m.originalOf(kindKubeadmConfigTemplate, namespaceOf(u), config),
		failureDomain:  resource.Text(template, "failureDomain"),
		more:           resource.Fields(more.root, "spec"),
	}
	for range n {
		s.name = m.workerName(u)
		for _, step := range []func(machineSet) error{m.createKubeadmConfig, m.createVSphereMachine, m.createMachine} {
			if err := step(s); err != nil {
				return err
			}
		}
	}
	return nil
}

// workerLabels are what a set's Machines and their two objects carry.
func workerLabels(set *unstructured.Unstructured) map[string]any {
	labels := copyMap(resource.Fields(set.Object, "spec", "template", "metadata", "labels"))
	labels[labelSet] = labelValue(nameOf(set))
	if deployment := labelOf(set, labelDeployment); deployment != "" {
		labels[labelDeployment] = deployment
	}
	return labels
}

// workerName draws the name of a new Machine from the set's naming template,
// <set>-<random> unless it says otherwise (domain.md 1.0).
func (m *Manager) workerName(u *unstructured.Unstructured) string {
	template := resource.Text(u.Object, "spec", "machineNaming", "template")
	if !strings.Contains(template, "{{ .random }}") {
		base := nameOf(u) + "-"
		return generatedName(base, m.suffix(kindMachine, u, base))
	}
	filled := strings.NewReplacer("{{ .machineSet.name }}", nameOf(u), "{{ .cluster.name }}", labelOf(u, labelCluster)).Replace(template)
	for attempt := 0; ; attempt++ {
		random := m.draw(kindMachine, u, filled, attempt)
		name := strings.ReplaceAll(filled, "{{ .random }}", random)
		if len(name) > maxNameLength {
			name = generatedName(name, random)
		}
		if m.get(kindMachine, namespaceOf(u), name) == nil {
			return name
		}
	}
}

// victims orders machines by who goes first: those being deleted, those marked,
// those being updated, those not healthy, then by the set's order: Newest, Oldest
// or Random, which is by name (domain.md 3.1).
func victims(machines []*unstructured.Unstructured, order string) []*unstructured.Unstructured {
	rank := func(u *unstructured.Unstructured) int {
		annotations := resource.Fields(u.Object, "metadata", "annotations")
		switch {
		case deleting(u):
			return 0
		case annotations[annotationDeleteMachine] != nil:
			return 1
		case isTrue(u.Object, "Updating"):
			return 2
		case unhealthy(u):
			return 3
		}
		return 4
	}
	age := func(a, b *unstructured.Unstructured) int {
		switch order {
		case "Newest":
			return createdAt(b).Compare(createdAt(a))
		case "Oldest":
			return createdAt(a).Compare(createdAt(b))
		}
		return 0
	}
	sorted := slices.Clone(machines)
	slices.SortStableFunc(sorted, func(a, b *unstructured.Unstructured) int {
		by := cmp.Compare(rank(a), rank(b))
		if by == 0 && rank(a) == 4 {
			by = age(a, b)
		}
		return cmp.Or(by, strings.Compare(nameOf(a), nameOf(b)))
	})
	return sorted
}

// unhealthy says whether a machine is one to go first: without a node, or with a
// node or a health check that says no. What is unknown is no reason.
func unhealthy(u *unstructured.Unstructured) bool {
	return nodeNameOf(u) == "" ||
		resource.ConditionOf(u.Object, "NodeHealthy").Status == "False" ||
		resource.ConditionOf(u.Object, conditionHealthCheck).Status == "False"
}
