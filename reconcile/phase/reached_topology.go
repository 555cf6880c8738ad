package phase

import (
	"fmt"
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
)

// upgradeDeferred is why a topology is not reconciled when all that is left are
// pools that the user wants to be left as they are.
const upgradeDeferred = "MachineDeploymentsUpgradeDeferred"

// asksForPause says whether a Cluster is to be left alone by its controllers.
func asksForPause(o resource.Object) bool {
	return resource.Flag(o.Object, "spec", "paused") ||
		resource.Field(o.Object, "metadata", "annotations", "cluster.x-k8s.io/paused") != nil
}

// lackOfTopology says what of a topology its controller has not handed on yet. The
// generation in the status of a Cluster is that of another controller, which may run
// before: until the topology is looked at everything is as before, and looks done.
func lackOfTopology(o resource.Object, topology resource.Condition) resource.Condition {
	if seen, told := observedBy(o.Object, "TopologyReconciled"); told && seen < o.GetGeneration() {
		return resource.Condition{
			Type: "TopologyReconciled", Reason: NotObserved,
			Message: fmt.Sprintf("the topology controller has seen generation %d of %d", seen, o.GetGeneration()),
		}
	}
	asked := resource.Text(o.Object, "spec", "topology", "version")
	for _, part := range []string{"controlPlane", "workers"} {
		if part == "workers" && topology.Reason == upgradeDeferred {
			continue
		}
		for _, v := range resource.Items(countsOf(o, part), "versions") {
			if runs := resource.Text(v, "version"); asked != "" && runs != "" && !sameKubernetes(asked, runs) {
				return resource.Condition{Type: part + ".versions", Reason: "VersionNotReached", Message: "machines run " + runs + ", want " + asked}
			}
		}
	}
	return resource.Condition{}
}

// observedBy is the generation that a condition of an object speaks of; told is
// false where it does not say.
func observedBy(content map[string]any, kind string) (generation int64, told bool) {
	for _, at := range [][]string{{"status", "v1beta2", "conditions"}, {"status", "conditions"}} {
		for _, c := range resource.Items(content, at...) {
			if resource.Text(c, "type") == kind && resource.Field(c, "observedGeneration") != nil {
				return resource.Int(c, "observedGeneration"), true
			}
		}
	}
	return 0, false
}

// sameKubernetes compares versions without what a vendor put behind them, which a
// kubelet does not report in full, and where one is a prefix of the other.
func sameKubernetes(asked, runs string) bool {
	core := func(v string) string {
		v, _, _ = strings.Cut(strings.TrimPrefix(v, "v"), "+")
		v, _, _ = strings.Cut(v, "-")
		return v
	}
	a, b := core(asked), core(runs)
	return a == b || strings.HasPrefix(b, a+".")
}
