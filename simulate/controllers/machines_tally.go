package controllers

import (
	"fmt"
	"slices"
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

// upToDatePatience is how long a new Machine may be without the condition
// UpToDate before its owner takes that for unknown.
const upToDatePatience = 10 * time.Second

// tally counts machines for the status of whoever owns them.
type tally struct{ total, ready, available, upToDate int64 }

// tallyOf counts what the machines say of themselves. One that goes counts until it
// is gone, and as available until it says that it is not (observed.md 6.6).
func tallyOf[M interface{ isTrue(string) bool }](machines []M) tally {
	t := tally{total: int64(len(machines))}
	for _, machine := range machines {
		if machine.isTrue("Ready") {
			t.ready++
		}
		if machine.isTrue("Available") {
			t.available++
		}
		if machine.isTrue("UpToDate") {
			t.upToDate++
		}
	}
	return t
}

func (t tally) write(d *draft) {
	d.set(t.total, "status", "replicas")
	d.set(t.ready, "status", "readyReplicas")
	d.set(t.available, "status", "availableReplicas")
	d.set(t.upToDate, "status", "upToDateReplicas")
	d.observeGeneration()
}

// conditions writes MachinesReady and MachinesUpToDate. A machine that is too new
// to have said whether it is up to date does not count for that.
func (t tally) conditions(d *draft, machines []*view) {
	aggregate(d, "MachinesReady", "Ready", machines)
	known := slices.DeleteFunc(slices.Clone(machines), func(machine *view) bool {
		return machine.condition("UpToDate").Type == "" && d.now.Sub(machine.createdAt()) <= upToDatePatience
	})
	aggregate(d, "MachinesUpToDate", "UpToDate", known)
}

// aggregate writes a condition that sums up one of all machines: false where one
// is false, else unknown where one is, and true without machines (NoReplicas).
func aggregate(d *draft, target, of string, machines []*view) {
	if len(machines) == 0 {
		d.condition(target, "True", "NoReplicas", "")
		return
	}
	status := "True"
	issues := newIssueList()
	for _, machine := range machines {
		c := machine.condition(of)
		if c.Type == "" {
			c = resource.Condition{Status: "Unknown", Message: "* Condition " + of + " not yet reported"}
		}
		if c.Status == "True" {
			continue
		}
		if status == "True" || c.Status == "False" {
			status = c.Status
		}
		issues = issues.add(machine.name, c.Message)
	}
	reason := of
	switch status {
	case "False":
		reason = "Not" + of
	case "Unknown":
		reason = of + "Unknown"
	}
	d.summarizeIssues(target, status, reason, kindMachine.Kind, issues)
}

// scaling writes ScalingUp and ScalingDown. Both speak of Machine objects, not of
// whether they are ready (observed.md 6.4). blocked is why nothing is added, or "".
func (t tally) scaling(d *draft, desired int64, blocked string) {
	direction := func(kind, verb string, active bool) {
		if !active {
			d.condition(kind, "False", "Not"+kind, "")
			return
		}
		message := fmt.Sprintf("%s from %d to %d replicas", verb, t.total, desired)
		if blocked != "" && kind == "ScalingUp" {
			message = blocked
		}
		d.condition(kind, "True", kind, message)
	}
	direction("ScalingUp", "Scaling up", t.total < desired)
	direction("ScalingDown", "Scaling down", t.total > desired)
}

// summarizeRemediation writes Remediating: true while an owner has to replace a machine
// that failed its health check, with what it says of that. by is who else would have
// to replace those that are not healthy all the same.
func summarizeRemediation(d *draft, machines []*view, by string) {
	var issues issueList // nearly always empty
	var unhealthy []string
	for _, machine := range machines {
		if machine.condition(conditionHealthCheck).Status != "False" {
			continue
		}
		if c := machine.condition(conditionOwnerRemediated); c.Status == "False" {
			issues = issues.add(machine.name, c.Message)
		} else {
			unhealthy = append(unhealthy, machine.name)
		}
	}
	switch {
	case len(issues.named) > 0:
		d.summarizeIssues("Remediating", "True", "Remediating", kindMachine.Kind, issues)
	case len(unhealthy) > 0:
		d.condition("Remediating", "False", "NotRemediating", machineList(unhealthy)+areOrIs(len(unhealthy))+"not healthy (not to be remediated by "+by+")")
	default:
		d.condition("Remediating", "False", "NotRemediating", "")
	}
}

func areOrIs(n int) string {
	if n == 1 {
		return " is "
	}
	return " are "
}

// remediationAsked says whether a health check failed and asks the owner to
// replace the machine.
func (v *view) remediationAsked() bool {
	return v.condition(conditionHealthCheck).Status == "False" && v.condition(conditionOwnerRemediated).Status == "False"
}
