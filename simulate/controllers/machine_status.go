package controllers

import (
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

// summarizeMachine writes Ready, Available and the phase. It returns when a
// machine that is ready will be available.
func summarizeMachine(d *draft, v *view) time.Duration {
	status, issues := readiness(d, v, newSummary())
	switch status {
	case "True":
		d.condition("Ready", "True", "Ready", "")
	case "False":
		d.summarize("Ready", "False", "NotReady", issues)
	default:
		d.summarize("Ready", "Unknown", "ReadyUnknown", issues)
	}
	again := availability(d, status)
	if phase := machinePhase(d, v); phase != resource.Text(d.root, "status", "phase") {
		d.set(phase, "status", "phase")
		d.set(stamp(d.now), "status", "lastUpdated")
	}
	d.set(v.generation, "status", "observedGeneration")
	return again
}

// readiness sums up what a machine waits for: an issue is false, else something
// unknown is unknown. That the parts of a machine that goes are gone is no issue.
func readiness(d *draft, v *view, issues summary) (string, summary) {
	status := "True"
	note := func(kind, is, message string) {
		if is == "False" || status == "True" {
			status = is
		}
		issues = issues.add(kind, message)
	}
	if v.deleting {
		note("Deleting", "False", "Machine deletion in progress, stage: "+d.conditionOf("Deleting").Reason)
	}
	for _, kind := range []string{"BootstrapConfigReady", "InfrastructureReady", "NodeHealthy", conditionHealthCheck} {
		c := d.conditionOf(kind)
		switch {
		case c.Status == "True", kind == conditionHealthCheck && c.Type == "", v.deleting && expectedToGo[c.Reason]:
		case c.Type == "":
			note(kind, "Unknown", "Condition "+kind+" not yet reported")
		default:
			note(kind, c.Status, c.Message)
		}
	}
	for _, gate := range gatesOf(v) {
		c := d.conditionOf(gate.kind)
		switch {
		case c.Type == "":
			note(gate.kind, "Unknown", "Condition "+gate.kind+" not yet reported")
		case c.Status == "Unknown":
			note(gate.kind, "Unknown", c.Message)
		case (c.Status == "True") == gate.negative:
			note(gate.kind, "False", c.Message)
		}
	}
	return status, issues
}

// expectedToGo are the reasons of conditions of parts that go with their machine.
var expectedToGo = map[string]bool{
	"ObjectDeleted": true, "ObjectDoesNotExist": true, "NodeDeleted": true, "NodeDoesNotExist": true,
}

// A gate is a further condition that a machine is ready by; a negative one must
// not be true.
type gate struct {
	kind     string
	negative bool
}

// gatesOf are a machine's readiness gates. A control-plane machine has those that
// its control plane writes, whether it names them or not.
func gatesOf(machine *view) []gate {
	named := resource.Items(machine.spec, "readinessGates")
	if resource.SameList(named, gatesOfAll) {
		return controlPlaneGates // as nearly all that have any
	}
	var out []gate
	for _, item := range named {
		if kind := resource.Text(item, "conditionType"); kind != "" {
			out = append(out, gate{kind, resource.Text(item, "polarity") == "Negative"})
		}
	}
	if len(out) == 0 && machine.controlPlane {
		return controlPlaneGates
	}
	return out
}

// controlPlaneGates are what gatesOfAll says.
var controlPlaneGates = func() []gate {
	gates := make([]gate, len(machineGates))
	for i, kind := range machineGates {
		gates[i] = gate{kind: kind}
	}
	return gates
}()

// availability writes Available: ready for minReadySeconds.
func availability(d *draft, ready string) time.Duration {
	if ready != "True" {
		d.condition("Available", "False", "NotReady", "")
		return 0
	}
	due := d.since("Ready").Add(time.Duration(resource.Int(d.root, "spec", "minReadySeconds")) * time.Second)
	if wait := due.Sub(d.now); wait > 0 {
		d.condition("Available", "False", "WaitingForMinReadySeconds", "")
		return wait
	}
	d.condition("Available", "True", "Available", "")
	return 0
}

func machinePhase(d *draft, v *view) string {
	status := resource.Fields(d.root, "status")
	switch {
	case v.deleting:
		return "Deleting"
	case d.isTrue("Updating"):
		return "Updating"
	case resource.Text(status, "nodeRef", "name") != "" && resource.Flag(status, "initialization", "infrastructureProvisioned"):
		return "Running"
	case resource.Text(d.root, "spec", "providerID") != "":
		return "Provisioned"
	case resource.Flag(status, "initialization", "bootstrapDataSecretCreated"):
		return "Provisioning"
	}
	return "Pending"
}
