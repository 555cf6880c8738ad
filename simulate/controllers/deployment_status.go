package controllers

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
)

// summarizeDeployment writes the status: counts from the MachineSets, conditions
// of machines from the Machines (observed.md 6.4). missing are the kinds of the templates
// for want of which no machine can be made.
func summarizeDeployment(d *draft, asks terms, sets, machines []*view, missing []string) {
	desired := asks.desired
	if d.deleting() {
		desired = 0
	}
	t, counted := countSets(sets)
	if counted {
		t.write(d)
	} else {
		for _, count := range []string{"replicas", "readyReplicas", "availableReplicas", "upToDateReplicas"} {
			d.unset("status", count)
		}
		d.observeGeneration()
	}
	d.set(scalePhase(d, t.total, desired), "status", "phase")
	deploymentAvailable(d, asks, t.available, counted)
	rollingOut(d, machines)
	blocked := ""
	if len(missing) > 0 {
		blocked = fmt.Sprintf("Scaling up from %d to %d replicas is blocked because %s", t.total, desired, doNotExist(missing))
	}
	t.scaling(d, desired, blocked)
	t.conditions(d, machines)
	summarizeRemediation(d, machines, "MachineDeployment/MachineSet")
	if !d.deleting() {
		d.condition("Deleting", "False", "NotDeleting", "")
	}
}

// countSets sums the counts of the sets. Where no set has counted yet, there is
// nothing to say.
func countSets(sets []*view) (t tally, counted bool) {
	for _, set := range sets {
		status := set.status
		if status["replicas"] == nil {
			continue
		}
		counted = true
		t.total += resource.Int(status, "replicas")
		t.ready += resource.Int(status, "readyReplicas")
		t.available += resource.Int(status, "availableReplicas")
		t.upToDate += resource.Int(status, "upToDateReplicas")
	}
	return t, counted
}

// scalePhase says only whether machines are missing or too many: Running is not
// healthy (observed.md 6.4).
func scalePhase(d *draft, total, desired int64) string {
	switch {
	case d.deleting(), total > desired:
		return "ScalingDown"
	case total < desired:
		return "ScalingUp"
	}
	return "Running"
}

func deploymentAvailable(d *draft, asks terms, available int64, counted bool) {
	if !counted {
		d.condition("Available", "Unknown", "WaitingForAvailableReplicasSet", "Waiting for status.availableReplicas set")
		return
	}
	required := asks.desired - asks.maxUnavailable
	if available >= required {
		d.condition("Available", "True", "Available", "")
		return
	}
	message := fmt.Sprintf("%d available replicas, at least %d required", available, required)
	if !asks.onDelete {
		message += fmt.Sprintf(" (spec.strategy.rollout.maxUnavailable is %d, spec.replicas is %d)", asks.maxUnavailable, asks.desired)
	}
	if d.deleting() {
		message = "Deletion in progress"
	}
	d.condition("Available", "False", "NotAvailable", message)
}

// rollingOut writes RollingOut with the reasons that the machines give, a change
// of the version first.
func rollingOut(d *draft, machines []*view) {
	count := 0
	var reasons []string
	for _, machine := range machines {
		c := machine.condition("UpToDate")
		if c.Status != "False" {
			continue
		}
		count++
		for reason := range strings.SplitSeq(c.Message, "\n") {
			if reason != "" && !slices.Contains(reasons, reason) {
				reasons = append(reasons, reason)
			}
		}
	}
	if count == 0 {
		d.condition("RollingOut", "False", "NotRollingOut", "")
		return
	}
	slices.SortFunc(reasons, func(a, b string) int {
		versionA, versionB := strings.HasPrefix(a, "* Version"), strings.HasPrefix(b, "* Version")
		switch {
		case versionA && !versionB:
			return -1
		case versionB && !versionA:
			return 1
		}
		return strings.Compare(a, b)
	})
	message := fmt.Sprintf("Rolling out %d not up-to-date replicas", count)
	d.condition("RollingOut", "True", "RollingOut", lines(append([]string{message}, reasons...)))
}
