package controllers

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// annotationSkipPreflight lists checks that a set does without.
const annotationSkipPreflight = "machineset.cluster.x-k8s.io/skip-preflight-checks"

// The preflight checks of a MachineSet (domain.md 2.1, E46).
const (
	checkStable  = "ControlPlaneIsStable"
	checkSkew    = "KubernetesVersionSkew"
	checkKubeadm = "KubeadmVersionSkew"
	checkVersion = "ControlPlaneVersionSkew"
)

// kubeletSkew is how many minor versions a node may be behind its control plane.
const kubeletSkew = 3

// preflight is why the set must not make machines now; nothing when it may. The
// control plane is stable as soon as its first Machine exists, which gives it a
// version, and unless it is being upgraded.
func (m *Manager) preflight(set, cluster *unstructured.Unstructured) []string {
	skipped := m.skippedChecks(set)
	named := resource.Text(cluster.Object, "spec", "controlPlaneRef", "name")
	if named == "" || slices.Contains(skipped, "All") {
		return nil
	}
	controlPlane := m.controlPlaneOf(cluster)
	if controlPlane == nil {
		return []string{fmt.Sprintf("failed to perform preflight checks: failed to get ControlPlane %s/%s", namespaceOf(cluster), named)}
	}
	var refusals []string
	refuse := func(check, why string) {
		if why != "" && !slices.Contains(skipped, check) {
			refusals = append(refusals, fmt.Sprintf("%s (%q preflight check failed)", why, check))
		}
	}
	version, mine := resource.Text(controlPlane.Object, "spec", "version"), resource.Text(set.Object, "spec", "template", "spec", "version")
	refuse(checkStable, unstable(controlPlane, cluster))
	minor, known := minorVersion(version)
	if own, ok := minorVersion(mine); ok && known {
		refuse(checkSkew, skew(mine, version, own, minor))
		if own != minor {
			refuse(checkKubeadm, fmt.Sprintf("MachineSet version (%s) and ControlPlane version (%s) do not conform to kubeadm version skew policy as kubeadm only supports joining with the same major+minor version as the control plane", bare(mine), bare(version)))
		}
	}
	if mine != "" && mine != version && resource.Field(cluster.Object, "spec", "topology") != nil {
		refuse(checkVersion, fmt.Sprintf("MachineSet version (%s) is not yet the same as the ControlPlane version (%s), waiting for version to be propagated to the MachineSet", mine, version))
	}
	return refusals
}

// skippedChecks are those that a set does without, or the template of its KubeadmConfigs
// where the set does not say.
func (m *Manager) skippedChecks(set *unstructured.Unstructured) []string {
	skipped := resource.Text(set.Object, "metadata", "annotations", annotationSkipPreflight)
	if skipped == "" {
		_, bootstrap := templatesOf(set)
		skipped = resource.Text(contentOf(m.get(kindKubeadmConfigTemplate, namespaceOf(set), bootstrap)), "metadata", "annotations", annotationSkipPreflight)
	}
	return strings.Split(strings.ReplaceAll(skipped, " ", ""), ",")
}

// unstable is what the control plane is in the middle of, or "".
func unstable(controlPlane, cluster *unstructured.Unstructured) string {
	name := kindControlPlane.Kind + " " + namespaceOf(controlPlane) + "/" + nameOf(controlPlane)
	spec, status := resource.Text(controlPlane.Object, "spec", "version"), resource.Text(controlPlane.Object, "status", "version")
	asked, step := resource.Text(cluster.Object, "spec", "topology", "version"), resource.Text(cluster.Object, "metadata", "annotations", annotationUpgradeStep)
	switch {
	case asked != "" && asked != spec && step != spec:
		return name + " has a pending version upgrade to " + cmp.Or(step, asked)
	case status == "":
		return name + " is provisioning"
	case status != spec:
		return name + " is upgrading"
	}
	return ""
}

func skew(mine, version string, own, minor int) string {
	const policy = "MachineSet version (%s) and ControlPlane version (%s) do not conform to the kubernetes version skew policy as MachineSet version is "
	switch {
	case own > minor:
		return fmt.Sprintf(policy+"higher than ControlPlane version", bare(mine), bare(version))
	case own < minor-kubeletSkew:
		return fmt.Sprintf(policy+"more than %d minor versions older than the ControlPlane version", bare(mine), bare(version), kubeletSkew)
	}
	return ""
}

func bare(version string) string { return strings.TrimPrefix(version, "v") }

// minorVersion is the second number of a version.
func minorVersion(version string) (int, bool) {
	parts := strings.SplitN(bare(version), ".", 3)
	if len(parts) < 2 {
		return 0, false
	}
	n, err := strconv.Atoi(parts[1])
	return n, err == nil
}
