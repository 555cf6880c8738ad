package plan

import (
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
)

// noise decides which differences between a live and a desired object are not
// the user's: what webhooks and controllers write into it (domain.md 8.1).
type noise struct {
	// pausedForUpgrade: the addon interlock has paused the Cluster.
	pausedForUpgrade bool
	// autoscaled has the node pools whose replicas the autoscaler owns.
	autoscaled map[string]bool
	// classNamespace is where a Cluster looks for a class without a namespace.
	namespace string
}

const annotationInterlock = "tkg.tanzu.vmware.com/paused"

func noiseOf(live, desired resource.Object) noise {
	n := noise{
		pausedForUpgrade: live.GetAnnotations()[annotationInterlock] != "",
		namespace:        live.GetNamespace(),
	}
	for _, o := range []resource.Object{live, desired} {
		for _, pool := range resource.Items(o.Object, "spec", "topology", "workers", "machineDeployments") {
			if autoscaled(pool) {
				if n.autoscaled == nil {
					n.autoscaled = map[string]bool{}
				}
				n.autoscaled[resource.Text(pool, "name")] = true
			}
		}
	}
	return n
}

// ignored are the paths that only others write, whatever is in them.
var ignored = map[string]bool{
	"metadata.labels[run.tanzu.vmware.com/tkr]":                              true,
	"metadata.labels[cluster.x-k8s.io/cluster-name]":                         true,
	"metadata.labels[topology.cluster.x-k8s.io/owned]":                       true,
	"metadata.annotations[" + annotationInterlock + "]":                      true,
	"metadata.annotations[kubectl.kubernetes.io/last-applied-configuration]": true,
	"spec.controlPlaneEndpoint":                                              true,
	"spec.infrastructureRef":                                                 true,
	"spec.controlPlaneRef":                                                   true,
}

func (n noise) ignores(at path, old, new any) bool {
	if old == nil && len(at.keys) == 0 {
		return false
	}
	if ignored[at.text] && old != nil {
		return true
	}
	if name, _ := at.variable(); name == "TKR_DATA" {
		return true
	}
	was, _ := old.(string)
	is, _ := new.(string)
	switch at.text {
	case "spec.paused":
		return n.pausedForUpgrade
	case "spec.topology.version":
		return coversVersion(is, was)
	case "spec.topology.classRef.name":
		return rebased(is, was)
	case "spec.topology.classRef.namespace":
		return is == "" && was == n.namespace || was == "" && is == n.namespace
	}
	return n.autoscales(at)
}

// autoscales says whether a path is the size of a node pool that the autoscaler owns.
func (n noise) autoscales(at path) bool {
	return len(at.keys) == 6 && at.keys[3] == "machineDeployments" && at.keys[5] == "replicas" && n.autoscaled[at.keys[4]]
}

// rebased says whether the class of a live Cluster is a later one of the family
// that was asked for: admission does that on its own (domain.md 1.21).
func rebased(asked, live string) bool {
	family, number, ok := cutVersion(asked)
	liveFamily, liveNumber, liveOK := cutVersion(live)
	return ok && liveOK && family == liveFamily && compareVersions(liveNumber, number) >= 0
}

// cutVersion splits "builtin-generic-v3.4.0" into "builtin-generic" and "v3.4.0".
func cutVersion(class string) (family, number string, ok bool) {
	i := strings.LastIndex(class, "-v")
	if i < 0 {
		return "", "", false
	}
	return class[:i], class[i+1:], true
}
