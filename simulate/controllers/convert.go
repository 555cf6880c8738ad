package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// Convert gives u in another served version of its kind. Only Clusters and
// MachineHealthChecks differ in more than their apiVersion (domain.md 1.1, 1.6). u
// is not written to.
func Convert(u *unstructured.Unstructured, version string) *unstructured.Unstructured {
	group, from, _ := cutGroup(resource.Text(u.Object, "apiVersion"))
	if from == version {
		return u
	}
	out := u.DeepCopy()
	if group == "" {
		out.Object["apiVersion"] = version
		return out
	}
	out.Object["apiVersion"] = group + "/" + version
	if group == groupCluster && u.GetKind() == kindMachineHealthCheck.Kind {
		if spec := resource.Fields(out.Object, "spec"); spec != nil && version == "v1beta2" {
			checkToSeconds(spec)
		} else if spec != nil {
			checkToDurations(spec)
		}
	}
	if group != groupCluster || u.GetKind() != kindCluster.Kind {
		return out
	}
	topology := resource.Fields(out.Object, "spec", "topology")
	switch {
	case version == "v1beta2":
		classToRef(topology)
		eachPart(topology, timeoutsToSeconds)
		eachRef(out.Object, refToGroup)
	case version == "v1beta1":
		refToClass(topology)
		eachPart(topology, secondsToTimeouts)
		eachRef(out.Object, func(r map[string]any) { refToVersion(r, out.GetNamespace()) })
	}
	return out
}

func classToRef(topology map[string]any) {
	if topology == nil {
		return
	}
	move(topology, []string{"class"}, []string{"classRef", "name"})
	move(topology, []string{"classNamespace"}, []string{"classRef", "namespace"})
}

func refToClass(topology map[string]any) {
	if topology == nil {
		return
	}
	move(topology, []string{"classRef", "name"}, []string{"class"})
	move(topology, []string{"classRef", "namespace"}, []string{"classNamespace"})
	delete(topology, "classRef")
}

// move takes a value from one place to another, if there is one.
func move(content map[string]any, from, to []string) {
	value := resource.Field(content, from...)
	if value == nil {
		return
	}
	parent := content
	if len(from) > 1 {
		parent = resource.Fields(content, from[:len(from)-1]...)
	}
	delete(parent, from[len(from)-1])
	resource.SetField(content, value, to...)
}

// eachPart visits the control plane and the node pools of a topology.
func eachPart(topology map[string]any, visit func(map[string]any)) {
	if cp := resource.Fields(topology, "controlPlane"); cp != nil {
		visit(cp)
	}
	for _, md := range deploymentsOf(topology) {
		visit(md)
	}
}

// timeoutNames pairs v1beta1's durations with v1beta2's whole seconds.
var timeoutNames = [][2]string{
	{"nodeDrainTimeout", "nodeDrainTimeoutSeconds"},
	{"nodeVolumeDetachTimeout", "nodeVolumeDetachTimeoutSeconds"},
	{"nodeDeletionTimeout", "nodeDeletionTimeoutSeconds"},
}

func timeoutsToSeconds(part map[string]any) {
	for _, n := range timeoutNames {
		d, err := time.ParseDuration(resource.Text(part, n[0]))
		if err != nil {
			continue
		}
		delete(part, n[0])
		resource.SetField(part, int64(d/time.Second), "deletion", n[1])
	}
	move(part, []string{"machineHealthCheck"}, []string{"healthCheck"})
	if check := resource.Fields(part, "healthCheck"); check != nil {
		checkToSeconds(check)
	}
	move(part, []string{"strategy", "remediation", "maxInFlight"}, []string{"healthCheck", "remediation", "maxInFlight"})
	if strategy := resource.Fields(part, "strategy"); strategy != nil {
		delete(strategy, "remediation")
	}
	move(part, []string{"strategy"}, []string{"rollout", "strategy"})
}

func secondsToTimeouts(part map[string]any) {
	for _, n := range timeoutNames {
		if resource.Field(part, "deletion", n[1]) != nil {
			part[n[0]] = (time.Duration(resource.Int(part, "deletion", n[1])) * time.Second).String()
		}
	}
	delete(part, "deletion")
	move(part, []string{"rollout", "strategy"}, []string{"strategy"})
	delete(part, "rollout")
	move(part, []string{"healthCheck", "remediation", "maxInFlight"}, []string{"strategy", "remediation", "maxInFlight"})
	move(part, []string{"healthCheck"}, []string{"machineHealthCheck"})
	if check := resource.Fields(part, "machineHealthCheck"); check != nil {
		checkToDurations(check)
	}
}

func eachRef(cluster map[string]any, visit func(map[string]any)) {
	for _, field := range []string{"controlPlaneRef", "infrastructureRef"} {
		if r := resource.Fields(cluster, "spec", field); r != nil {
			visit(r)
		}
	}
}

func refToGroup(r map[string]any) {
	group, _, _ := cutGroup(resource.Text(r, "apiVersion"))
	r["apiGroup"] = group
	delete(r, "apiVersion")
	delete(r, "namespace")
}

func refToVersion(r map[string]any, namespace string) {
	r["apiVersion"] = resource.Text(r, "apiGroup") + "/v1beta2"
	r["namespace"] = namespace
	delete(r, "apiGroup")
}
