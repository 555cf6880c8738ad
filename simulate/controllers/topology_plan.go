package controllers

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/version"

	"github.com/vksync/vksync/reconcile/resource"
)

// An upgradePlan is the versions that control plane and pools have to take one after
// the other to reach that of the topology. It is empty where both have it. Pools skip
// what they may: they are at most three minors behind the control plane.
type upgradePlan struct{ controlPlane, workers []string }

// planUpgrade finds the way to a version from that of the control plane and the
// lowest of the pools, "" where there is none. A class that lists versions leads
// through the last of each minor; any other allows one minor only.
func planUpgrade(listed []string, to, controlPlane, least string) (plan upgradePlan, err error) {
	if controlPlane == to && (least == "" || least == to) {
		return plan, nil
	}
	if controlPlane != to {
		if plan.controlPlane, err = controlPlaneSteps(listed, to, controlPlane); err != nil {
			return plan, err
		}
	}
	if least != "" && least != to {
		plan.workers = workerSteps(append([]string{controlPlane}, plan.controlPlane...), to, least)
	}
	return plan, nil
}

func controlPlaneSteps(listed []string, to, from string) ([]string, error) {
	if len(listed) == 0 {
		if minorOf(to) > minorOf(from)+1 {
			return nil, fmt.Errorf("cannot compute an upgrade plan from %s to %s", from, to)
		}
		return []string{to}, nil
	}
	var steps []string
	for _, v := range listed {
		if compareVersions(v, from) <= 0 || compareVersions(v, to) > 0 {
			continue
		}
		if last := len(steps) - 1; last >= 0 && minorOf(steps[last]) == minorOf(v) {
			steps[last] = v
		} else if minorOf(v) > minorOf(from) || minorOf(to) == minorOf(from) {
			steps = append(steps, v)
		}
	}
	if len(steps) == 0 || steps[len(steps)-1] != to {
		return nil, fmt.Errorf("invalid ControlPlane upgrade plan: control plane upgrade plan must end with version %s", to)
	}
	return steps, nil
}

// workerSteps are the versions of the control plane, now and later, that pools cannot
// skip on their way, and the one that all want.
func workerSteps(passed []string, to, least string) []string {
	var steps []string
	for ahead := uint(3); minorOf(least)+ahead < minorOf(to); ahead += 3 {
		for _, v := range slices.Backward(passed) {
			if minorOf(v) == minorOf(least)+ahead {
				steps = append(steps, v)
				break
			}
		}
	}
	return append(steps, to)
}

// minorOf is the minor number of a version, 0 of what is none.
func minorOf(text string) uint {
	v, err := version.ParseSemantic(text)
	if err != nil {
		return 0
	}
	return v.Minor()
}

// lowestVersion is that of the MachineDeployments that has most to go.
func lowestVersion(deployments map[string]*unstructured.Unstructured) string {
	var least string
	for _, u := range deployments {
		if v := deploymentVersion(u); v != "" && (least == "" || compareVersions(v, least) < 0) {
			least = v
		}
	}
	return least
}

// listedVersions are those that Clusters of a class go through.
func listedVersions(class map[string]any) []string {
	var out []string
	for _, v := range resource.Items(class, "spec", "kubernetesVersions") {
		if text, ok := v.(string); ok {
			out = append(out, text)
		}
	}
	return out
}
