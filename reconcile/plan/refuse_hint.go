package plan

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
	rules "github.com/vksync/vksync/reconcile/topology"
)

// instead says what to do in the place of what is refused.
func (m *maker) instead(r rules.Refusal, want, live resource.Object) string {
	said := func(what string) bool { return strings.Contains(r.Message, what) }
	switch {
	case said("cannot be increased"), said("cannot update Kubernetes version"):
		return m.steps(want, live)
	case said("cannot be decreased"):
		return "a cluster cannot be downgraded; make it anew"
	case said("version cannot be changed"):
		return fmt.Sprintf("wait until the upgrade to %s is done, then plan again", topologyOf(live).version())
	case said("one of the versions defined in the ClusterClass"):
		return "versions of the class: " + list(m.versionsOfClass(want))
	case said("semantic version"), said("must start with v"):
		return "write it in full, such as " + m.exampleVersion()
	case r.Path == controlPlaneReplicas && said("at least 3"):
		return "keep 3 machines, or let the control plane surge by 1 first"
	case r.Path == controlPlaneReplicas:
		return oddNeighbours(resource.Int(topologyOf(want).root, "controlPlane", "replicas"))
	case said("does not exist in ClusterClass"):
		return "classes of pools there: " + list(m.poolClasses(want))
	case said("autoscaler annotations"):
		return "leave replicas out, or take the autoscaler's annotations away"
	case said("cannot both be 0"):
		return "give maxSurge or maxUnavailable at least 1"
	case said("is not defined"):
		return "leave it out, or name a class that defines it"
	case said("must be set"):
		return "give it a value in spec.topology.variables"
	case said("condition is not True"):
		return "see to what the condition names, then plan again"
	case said("to prevent incompatible changes"):
		return "name a class of the same family, or make the cluster anew"
	case r.Path == "spec.clusterNetwork", said("cannot be removed"):
		return "undo the change, or delete the cluster and make it anew"
	}
	return "correct it in the manifest"
}

// steps names the versions to go through on the way to one that is too far: of every
// minor release in between the latest that can be had.
func (m *maker) steps(want, live resource.Object) string {
	from, to := topologyOf(live).version(), topologyOf(want).version()
	first, _ := minor(from)
	last, _ := minor(to)
	major := "1"
	if n := numbers(from); len(n) > 0 {
		major = strconv.Itoa(n[0])
	}
	var steps, missing []string
	for n := first + 1; n < last; n++ {
		step := fmt.Sprintf("v%s.%d", major, n)
		found := ""
		for _, v := range m.releases() {
			if coversVersion(step, v) {
				found = v
			}
		}
		if found == "" {
			missing = append(missing, step)
			found = step
		}
		steps = append(steps, found)
	}
	text := "one minor release at a time: go to " + strings.Join(append(steps, to), ", then to ")
	if len(missing) > 0 && len(m.releases()) > 0 {
		text += "; there is no Kubernetes release " + strings.Join(missing, ", ") + " yet"
	}
	return text
}

// oddNeighbours names the numbers of machines a control plane can have next to n.
func oddNeighbours(n int64) string {
	if n < 2 {
		return "a control plane has 1 machine or 3"
	}
	return fmt.Sprintf("etcd needs an odd number of machines: %d or %d", n-1, n+1)
}

// classOf is the content of the ClusterClass of a Cluster; nil when it is not known.
func (m *maker) classOf(o resource.Object) map[string]any {
	class, _ := m.around(resource.Object{}).Class(rules.ClassOf(content(o)))
	return class
}

func (m *maker) poolClasses(o resource.Object) []string {
	var out []string
	for _, item := range resource.Items(m.classOf(o), "spec", "workers", "machineDeployments") {
		out = append(out, resource.Text(item, "class"))
	}
	return out
}

func (m *maker) versionsOfClass(o resource.Object) []string {
	return texts(resource.Items(m.classOf(o), "spec", "kubernetesVersions"))
}

// exampleVersion is one that can be had.
func (m *maker) exampleVersion() string {
	if all := m.releases(); len(all) > 0 {
		return all[len(all)-1]
	}
	return "v1.34.1"
}
