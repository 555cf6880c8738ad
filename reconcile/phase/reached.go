package phase

import (
	"fmt"
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

// NotObserved is the Reason of a Link when controllers have not taken in yet what was
// asked for, and everything else may be as it was before.
const NotObserved = "NotObserved"

// Reached reports whether a live Cluster or VSphereNamespace is all that its
// spec asks for; the Link says what is not so yet. Available alone is not
// enough for a Cluster: with one healthy control-plane machine of three it is
// True already (domain.md 2.1, note on E52). Other kinds are reached when they
// exist. The object may be of v1beta1 or v1beta2.
func Reached(o resource.Object) (bool, Link) {
	switch o.GetKind() {
	case resource.KindCluster:
		link := lackOfCluster(o)
		return link == Link{}, link
	case resource.KindVSphereNamespace:
		link := lackOfNamespace(o)
		return link == Link{}, link
	}
	return true, Link{}
}

// Short says whether a live Cluster that is not to be left alone has fewer machines
// available than it asks for. Then it is not Reached, which takes longer to find out.
func Short(o resource.Object) bool {
	for _, part := range []string{"controlPlane", "workers"} {
		counts := countsOf(o, part)
		if resource.Int(counts, "availableReplicas") < resource.Int(counts, "desiredReplicas") {
			return !asksForPause(o)
		}
	}
	return false
}

func lackOfNamespace(o resource.Object) Link {
	status := resource.Text(o.Object, "status", "configStatus")
	if status == "RUNNING" {
		return Link{}
	}
	link := Link{Kind: o.GetKind(), Name: o.GetName(), Condition: "configStatus", Reason: status}
	for _, m := range resource.Items(o.Object, "status", "messages") {
		link.Message = joined(link.Message, resource.Text(m, "message"))
	}
	return link
}

func lackOfCluster(o resource.Object) Link {
	link := func(c resource.Condition) Link {
		return Link{
			Kind: o.GetKind(), Namespace: o.GetNamespace(), Name: o.GetName(),
			Condition: c.Type, Reason: c.Reason, Message: c.Message,
		}
	}
	if asksForPause(o) {
		if c := clusterCondition(o.Object, "Paused"); c.Status != "True" {
			return link(resource.Condition{Type: "Paused", Reason: NotObserved, Message: "its controllers have not stopped yet"})
		}
		return Link{} // all the rest waits for the end of the pause
	}
	if seen := resource.Int(o.Object, "status", "observedGeneration"); seen < o.GetGeneration() {
		return link(resource.Condition{
			Type: "observedGeneration", Reason: NotObserved,
			Message: fmt.Sprintf("its controller has seen generation %d of %d", seen, o.GetGeneration()),
		})
	}
	topology := clusterCondition(o.Object, "TopologyReconciled")
	if topology.Status == "False" && topology.Reason != upgradeDeferred {
		return link(topology)
	}
	if lack := lackOfTopology(o, topology); lack != (resource.Condition{}) {
		return link(lack)
	}
	for _, activity := range []string{"RollingOut", "ScalingUp", "ScalingDown"} {
		if c := clusterCondition(o.Object, activity); c.Status == "True" {
			return link(c)
		}
	}
	available := clusterCondition(o.Object, "Available")
	if available.Status != "True" {
		if available.Type == "" {
			available = resource.Condition{Type: "Available", Reason: "NotReported"}
		}
		return link(available)
	}
	return lackOfReplicas(o, link)
}

// NeverWell says whether a live Cluster that is not Available has never been: its
// control plane does not run yet, or its Available condition has been as it is
// since about when the Cluster was made.
func NeverWell(o resource.Object) bool {
	if clusterCondition(o.Object, "ControlPlaneInitialized").Status != "True" {
		return true
	}
	for _, at := range [][]string{{"status", "conditions"}, {"status", "v1beta2", "conditions"}} {
		for _, c := range resource.Items(o.Object, at...) {
			since, err := time.Parse(time.RFC3339, resource.Text(c, "lastTransitionTime"))
			if resource.Text(c, "type") == "Available" && err == nil {
				return since.Sub(o.GetCreationTimestamp().Time) < untilFirstSaid
			}
		}
	}
	return false
}

// untilFirstSaid is how long controllers may take to write a first condition.
const untilFirstSaid = 5 * time.Minute

// clusterCondition is a condition of a Cluster by its name in v1beta2, the zero one
// where there is none. A v1beta1 object has those below status.v1beta2, and its own
// Ready stands for Available where a server does not fill them.
func clusterCondition(content map[string]any, kind string) resource.Condition {
	for _, status := range []map[string]any{resource.Fields(content, "status", "v1beta2"), resource.Fields(content, "status")} {
		if c := resource.ConditionIn(status, kind); c.Type != "" {
			return c
		}
	}
	if kind != "Available" {
		return resource.Condition{}
	}
	ready := clusterCondition(content, "Ready")
	if ready.Type != "" {
		ready.Type = kind
	}
	return ready
}

// lackOfReplicas compares the machine counts in the status of a Cluster, which
// is where v1beta2 sums up all pools. A count that no server wrote is not held
// against the Cluster: v1beta1 has none.
func lackOfReplicas(o resource.Object, link func(resource.Condition) Link) Link {
	for _, part := range []string{"controlPlane", "workers"} {
		counts := countsOf(o, part)
		if counts == nil {
			continue
		}
		want := resource.Int(counts, "desiredReplicas")
		// The generation is observed by a controller that may run before the one that
		// hands the topology on: until then everything is as before, and looks done.
		if asked, all := askedReplicas(o, part); all && asked != want {
			return link(resource.Condition{
				Type: part + ".desiredReplicas", Reason: NotObserved,
				Message: fmt.Sprintf("its controllers have been asked for %d of %d", want, asked),
			})
		}
		for _, count := range []string{"replicas", "upToDateReplicas", "availableReplicas"} {
			if have := resource.Int(counts, count); have != want {
				return link(resource.Condition{
					Type: part + "." + count, Reason: "ReplicasNotReached",
					Message: fmt.Sprintf("%d of %d", have, want),
				})
			}
		}
	}
	return Link{}
}

// Wanted counts the machines that a live Cluster asks for: as its topology says
// where that sets every number, or else as its controllers were last asked.
func Wanted(o resource.Object) (controlPlane, workers int64) {
	count := func(part string) int64 {
		if asked, all := askedReplicas(o, part); all {
			return asked
		}
		return resource.Int(countsOf(o, part), "desiredReplicas")
	}
	return count("controlPlane"), count("workers")
}

// countsOf are the machine counts in the status of a Cluster; nil where there are none.
func countsOf(o resource.Object, part string) map[string]any {
	if counts := resource.Fields(o.Object, "status", part); counts != nil {
		return counts
	}
	return resource.Fields(o.Object, "status", "v1beta2", part)
}

// askedReplicas are those that the topology asks for; all says that it sets every
// number, and leaves none to an autoscaler.
func askedReplicas(o resource.Object, part string) (n int64, all bool) {
	topology := resource.Fields(o.Object, "spec", "topology")
	if part == "controlPlane" {
		return resource.Int(topology, part, "replicas"), resource.Field(topology, part, "replicas") != nil
	}
	for _, pools := range []string{"machineDeployments", "machinePools"} {
		for _, pool := range resource.Items(topology, "workers", pools) {
			if resource.Field(pool, "replicas") == nil {
				return 0, false
			}
			n += resource.Int(pool, "replicas")
		}
	}
	return n, topology != nil
}

func joined(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}
