package controllers

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// remediate deletes the Machines whose health check failed, as many at once as the
// deployment allows, and says on the others why not; scaling makes new ones. Old
// sets do not remediate: their machines go with the rollout (domain.md 3.5).
// machines are updated in place.
func (m *Manager) remediate(u, cluster *unstructured.Unstructured, machines []*unstructured.Unstructured) (time.Duration, error) {
	if err := m.forgetRemediation(machines); err != nil {
		return 0, err
	}
	var marked []*unstructured.Unstructured
	inFlight := 0
	for _, machine := range machines {
		switch v := m.view(machine); {
		case !v.deleting && v.remediationAsked():
			marked = append(marked, machine)
		case v.deleting && v.condition(conditionOwnerRemediated).Reason == reasonRemediating:
			inFlight++
		}
	}
	if len(marked) == 0 {
		return 0, nil
	}
	answer := func(some []*unstructured.Unstructured, reason, message string) error {
		for _, machine := range some {
			d := edit(machine, m.now())
			d.condition(conditionOwnerRemediated, "False", reason, message)
			if err := m.commit(actorCore, d); err != nil {
				return err
			}
			machines[slices.Index(machines, machine)] = m.store.Get(keyOf(machine))
		}
		return nil
	}
	deployment := m.get(kindMachineDeployment, namespaceOf(u), labelOf(u, labelDeployment))
	if deployment != nil && !currentRevision(u, deployment) {
		return 0, answer(marked, "CannotBeRemediated", "Machine won't be remediated because it is pending removal due to rollout")
	}
	limit := resource.Field(contentOf(deployment), "spec", "remediation", "maxInFlight")
	allowed := math.MaxInt
	if limit != nil {
		allowed = int(scaled(limit, resource.Int(deployment.Object, "spec", "replicas"), true, math.MaxInt32)) - inFlight
	}
	slices.SortStableFunc(marked, firstToRemediate)
	now := marked[:max(min(allowed, len(marked)), 0)]
	if err := answer(marked[len(now):], "RemediationDeferred", fmt.Sprintf("Waiting because there are already too many remediations in progress (spec.strategy.remediation.maxInFlight is %v)", limit)); err != nil || len(now) == 0 {
		return 0, err
	}
	if refusals := m.preflight(u, cluster); len(refusals) > 0 {
		return preflightRetry, answer(now, "RemediationDeferred", "* "+strings.Join(refusals, "\n* "))
	}
	if err := answer(now, reasonRemediating, "Machine is deleting"); err != nil {
		return 0, err
	}
	for _, machine := range now {
		if err := m.remove(actorCore, machine); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// firstToRemediate orders machines by who is replaced first: those that somebody marked
// by hand, then the newest, because what failed to come up holds no load.
func firstToRemediate(a, b *unstructured.Unstructured) int {
	byHand := func(u *unstructured.Unstructured) int {
		if resource.Field(u.Object, "metadata", "annotations", annotationRemediate) != nil {
			return 0
		}
		return 1
	}
	return cmp.Or(cmp.Compare(byHand(a), byHand(b)), createdAt(b).Compare(createdAt(a)), strings.Compare(nameOf(a), nameOf(b)))
}

// forgetRemediation takes OwnerRemediated off the machines that are healthy again.
func (m *Manager) forgetRemediation(machines []*unstructured.Unstructured) error {
	for i, machine := range machines {
		if v := m.view(machine); v.deleting || !v.isTrue(conditionHealthCheck) || v.condition(conditionOwnerRemediated).Status != "False" {
			continue
		}
		d := edit(machine, m.now())
		d.dropConditions(conditionOwnerRemediated)
		if err := m.commit(actorCore, d); err != nil {
			return err
		}
		machines[i] = m.store.Get(keyOf(machine))
	}
	return nil
}

func currentRevision(set, deployment *unstructured.Unstructured) bool {
	revision := func(u *unstructured.Unstructured) string {
		return resource.Text(u.Object, "metadata", "annotations", annotationRevision)
	}
	return revision(set) == revision(deployment)
}
