package controllers

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/vksync/vksync/reconcile/resource"
)

const (
	// conditionHealthCheck is what a MachineHealthCheck says of a Machine.
	conditionHealthCheck = "HealthCheckSucceeded"
	// conditionOwnerRemediated is false while the owner of a Machine that failed
	// its check has to replace it.
	conditionOwnerRemediated = "OwnerRemediated"

	// reasonRemediating is the owner's answer that the machine goes.
	reasonRemediating = "MachineDeleting"

	annotationRemediate       = "cluster.x-k8s.io/remediate-machine"
	annotationSkipRemediation = "cluster.x-k8s.io/skip-remediation"
)

// checkPace is the least time between two passes of a MachineHealthCheck, the first
// of which only says that it is not paused (domain.md 2.3).
const checkPace = 15 * time.Second

// reconcileHealthCheck looks at all machines of a MachineHealthCheck and asks their
// owners to replace those that are not healthy, unless there are too many of them
// (domain.md 1.6, 3.5).
func (m *Manager) reconcileHealthCheck(u *unstructured.Unstructured) (time.Duration, error) {
	cluster := m.get(kindCluster, namespaceOf(u), resource.Text(u.Object, "spec", "clusterName"))
	if cluster == nil || deleting(u) {
		return 0, nil
	}
	m.holdOff(checkPace)
	d := m.edit(u)
	d.label(labelCluster, nameOf(cluster)) // as the webhook does when it is made
	if m.halts(d, m.view(u), cluster) {
		return 0, m.commit(actorCore, d)
	}
	if !ownedBy(u, cluster) {
		d.addOwner(ref(cluster, false))
	}
	targets := m.targetsOf(u, cluster)
	well, failed, again := 0, 0, time.Duration(0)
	var names []any
	findings := make([]finding, len(targets))
	for i, machine := range targets {
		names = append(names, nameOf(machine))
		findings[i] = m.examine(u, cluster, machine)
		switch {
		case findings[i].well(machine):
			well++
		case findings[i].reason != "":
			failed++
		}
		again = soonest(again, findings[i].again)
	}
	allowed := m.breaker(d, len(targets), well, failed)
	d.carry(names, "status", "targets")
	d.set(int64(len(targets)), "status", "expectedMachines")
	d.set(int64(well), "status", "currentHealthy")
	d.observeGeneration()
	// Those that failed come first where they may be replaced, else last.
	for _, bad := range []bool{allowed, !allowed} {
		for i, machine := range targets {
			if (findings[i].reason != "") != bad {
				continue
			}
			if err := m.report(cluster, machine, findings[i], allowed); err != nil {
				return 0, err
			}
		}
	}
	if !allowed {
		again = 0
	}
	return again, m.commit(actorCore, d)
}

// targetsOf are the machines that a check selects, by name, without those that
// somebody keeps out of it.
func (m *Manager) targetsOf(u, cluster *unstructured.Unstructured) []*unstructured.Unstructured {
	equal := map[string]string{labelCluster: nameOf(cluster)}
	for key := range resource.Fields(u.Object, "spec", "selector", "matchLabels") {
		equal[key] = resource.Text(u.Object, "spec", "selector", "matchLabels", key)
	}
	expressions := expressionsOf(u)
	out := m.store.List(kindMachine.GroupKind, namespaceOf(u), equal)
	out = slices.DeleteFunc(out, func(machine *unstructured.Unstructured) bool {
		annotations := resource.Fields(machine.Object, "metadata", "annotations")
		return annotations[annotationSkipRemediation] != nil || annotations[annotationPaused] != nil ||
			!expressions.Empty() && !expressions.Matches(labels.Set(machine.GetLabels()))
	})
	slices.SortFunc(out, func(a, b *unstructured.Unstructured) int { return strings.Compare(nameOf(a), nameOf(b)) })
	return out
}

// expressionsOf are the expressions of a check's selector; those that are none select
// nothing.
func expressionsOf(check *unstructured.Unstructured) labels.Selector {
	var given metav1.LabelSelector
	expressions := map[string]any{"matchExpressions": resource.Items(check.Object, "spec", "selector", "matchExpressions")}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(expressions, &given); err != nil {
		return labels.Nothing()
	}
	selector, err := metav1.LabelSelectorAsSelector(&given)
	if err != nil {
		return labels.Nothing()
	}
	return selector
}

// breaker writes RemediationAllowed: no more machines are replaced where so many are
// not well, those included that have not started yet, that the fault is likely to be
// elsewhere.
func (m *Manager) breaker(d *draft, total, well, failed int) bool {
	trigger := resource.Fields(d.root, "spec", "remediation", "triggerIf")
	least, most := int64(0), int64(total)
	limit := "100%"
	what := "exceeds maxUnhealthy (total: %d, unhealthy: %d, maxUnhealthy: %s)"
	if interval := resource.Text(trigger, "unhealthyInRange"); interval != "" {
		limit, what = interval, "does not fall within the range (total: %d, unhealthy: %d, unhealthyRange: %s)"
		low, high, _ := strings.Cut(strings.Trim(interval, "[]"), "-")
		from, okFrom := wholeNumber(low)
		to, okTo := wholeNumber(high)
		if least, most = from, to; !okFrom || !okTo {
			least, most = 1, 0 // what cannot be read allows nothing
		}
	} else if given := trigger["unhealthyLessThanOrEqualTo"]; given != nil {
		limit, most = fmt.Sprint(given), scaled(given, int64(total), false, int64(total))
	}
	n := int64(total - well)
	if n < least || n > most {
		d.set(int64(0), "status", "remediationsAllowed")
		d.condition("RemediationAllowed", "False", "TooManyUnhealthy",
			"Remediation is not allowed, the number of not started or unhealthy machines "+fmt.Sprintf(what, total, failed, limit))
		return false
	}
	d.set(most-n, "status", "remediationsAllowed")
	d.condition("RemediationAllowed", "True", "RemediationAllowed", "")
	return true
}

// report writes the finding on the Machine and, if it failed and the breaker
// allows, asks its owner to replace it. An owner that has begun is left alone, and
// so is what a machine that is neither well nor failed says of itself.
func (m *Manager) report(cluster, machine *unstructured.Unstructured, f finding, allowed bool) error {
	d := edit(machine, m.now())
	switch {
	case f.well(machine):
		d.condition(conditionHealthCheck, "True", "HealthCheckSucceeded", "")
		return m.commit(actorCore, d)
	case f.reason == "":
		return nil
	}
	d.condition(conditionHealthCheck, "False", f.reason, f.message)
	asked := resource.ConditionOf(d.root, conditionOwnerRemediated).Status
	if allowed && !deleting(machine) && !paused(cluster, machine) && asked != "False" {
		d.condition(conditionOwnerRemediated, "False", "WaitingForRemediation", "Waiting for remediation")
	}
	return m.commit(actorCore, d)
}
