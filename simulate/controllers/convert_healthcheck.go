package controllers

import (
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

// checkNames pairs what v1beta1 has flat in the spec of a MachineHealthCheck, or in
// a topology's machineHealthCheck, with where v1beta2 has it (domain.md 1.6).
var checkNames = []struct {
	old string
	new []string
}{
	{"enable", []string{"enabled"}},
	{"maxUnhealthy", []string{"remediation", "triggerIf", "unhealthyLessThanOrEqualTo"}},
	{"unhealthyRange", []string{"remediation", "triggerIf", "unhealthyInRange"}},
	{"remediationTemplate", []string{"remediation", "templateRef"}},
}

// checkRules pairs the lists of conditions that a machine or node must not have.
var checkRules = [][2]string{
	{"unhealthyConditions", "unhealthyNodeConditions"}, {"unhealthyMachineConditions", "unhealthyMachineConditions"},
}

// checkToSeconds makes a v1beta2 health check of one in v1beta1, in place.
func checkToSeconds(check map[string]any) {
	for _, n := range checkNames {
		move(check, []string{n.old}, n.new)
	}
	durationToSeconds(check, []string{"nodeStartupTimeout"}, []string{"checks", "nodeStartupTimeoutSeconds"})
	for _, n := range checkRules {
		for _, rule := range rulesOf(check, n[0]) {
			durationToSeconds(rule, []string{"timeout"}, []string{"timeoutSeconds"})
		}
		move(check, []string{n[0]}, []string{"checks", n[1]})
	}
}

// checkToDurations makes a v1beta1 health check of one in v1beta2, in place.
func checkToDurations(check map[string]any) {
	for _, n := range checkNames {
		move(check, n.new, []string{n.old})
	}
	secondsToDuration(check, []string{"checks", "nodeStartupTimeoutSeconds"}, []string{"nodeStartupTimeout"})
	for _, n := range checkRules {
		for _, rule := range rulesOf(check, "checks", n[1]) {
			secondsToDuration(rule, []string{"timeoutSeconds"}, []string{"timeout"})
		}
		move(check, []string{"checks", n[1]}, []string{n[0]})
	}
	delete(check, "checks")
	delete(check, "remediation")
}

func rulesOf(content map[string]any, path ...string) []map[string]any {
	var out []map[string]any
	for _, item := range resource.Items(content, path...) {
		if rule, ok := item.(map[string]any); ok {
			out = append(out, rule)
		}
	}
	return out
}

// durationToSeconds moves a duration to where whole seconds belong. What is none
// stays where it is.
func durationToSeconds(content map[string]any, from, to []string) {
	d, err := time.ParseDuration(resource.Text(content, from...))
	if err != nil {
		return
	}
	resource.SetField(content, int64(d/time.Second), from...)
	move(content, from, to)
}

func secondsToDuration(content map[string]any, from, to []string) {
	if resource.Field(content, from...) == nil {
		return
	}
	resource.SetField(content, (time.Duration(resource.Int(content, from...)) * time.Second).String(), from...)
	move(content, from, to)
}
