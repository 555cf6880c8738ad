package plan

import (
	"cmp"
	"slices"

	"github.com/vksync/vksync/reconcile/resource"
	rules "github.com/vksync/vksync/reconcile/topology"
)

// labelClusterName is on everything that belongs to a Cluster.
const labelClusterName = "cluster.x-k8s.io/cluster-name"

// clusterParts are what controllers have made of a Cluster, as far as it is known.
type clusterParts struct {
	controlPlane map[string]any
	deployments  []map[string]any
	machines     []map[string]any
}

// partsOf are those of a live Cluster; none where it has no content.
func (m *maker) partsOf(live resource.Object) clusterParts {
	if live.Unstructured == nil {
		return clusterParts{}
	}
	if m.parts == nil {
		m.parts = partsByCluster(m.observed)
	}
	return m.parts[[2]string{live.GetNamespace(), live.GetName()}]
}

// partsByCluster are those of all Clusters, by namespace and name.
func partsByCluster(observed *Observed) map[[2]string]clusterParts {
	out := map[[2]string]clusterParts{}
	for addr, o := range observed.Live.All() {
		switch addr.Kind {
		case kindControlPlane, kindDeployment, kindMachine:
		default:
			continue
		}
		key := [2]string{addr.Namespace, o.GetLabels()[labelClusterName]}
		parts := out[key]
		switch addr.Kind {
		case kindControlPlane:
			parts.controlPlane = o.Object
		case kindDeployment:
			parts.deployments = append(parts.deployments, o.Object)
		case kindMachine:
			parts.machines = append(parts.machines, o.Object)
		}
		out[key] = parts
	}
	return out
}

// The kinds that say which machines a Cluster has.
const (
	kindControlPlane = "KubeadmControlPlane"
	kindDeployment   = "MachineDeployment"
	kindMachine      = "Machine"
)

// around is what webhooks read beside a Cluster. A class that is not there is the
// matter of another check.
func (m *maker) around(live resource.Object) rules.Around {
	parts := m.partsOf(live)
	return rules.Around{
		Class: func(namespace, name string) (map[string]any, bool) {
			for _, o := range m.catalog.inNamespace[[2]string{"ClusterClass", namespace}] {
				if o.GetName() == name && o.Object["spec"] != nil {
					return o.Object, true
				}
			}
			return nil, false
		},
		ControlPlane: parts.controlPlane, Deployments: parts.deployments, Machines: parts.machines,
	}
}

// resolved is the version that VKS's release resolver puts in the place of the one
// that is asked for: that of the live Cluster as long as it will do, else that of the
// latest release that does (domain.md 1.20).
func (m *maker) resolved(asked topology, live resource.Object) string {
	if !rules.VKS(asked.class()) {
		return asked.version()
	}
	if live.Unstructured != nil && coversVersion(asked.version(), topologyOf(live).version()) {
		return topologyOf(live).version()
	}
	for _, v := range slices.Backward(m.releases()) {
		if coversVersion(asked.version(), v) {
			return v
		}
	}
	return whole(asked.version())
}

// releases are the versions that can be had, the earliest first.
func (m *maker) releases() []string {
	var out []string
	for _, kind := range []string{"KubernetesRelease", "TanzuKubernetesRelease"} {
		for _, r := range m.catalog.byKind[kind] {
			version := cmp.Or(resource.Text(r.Object, "spec", "kubernetes", "version"), resource.Text(r.Object, "spec", "version"))
			if version != "" && unfitness(r) == "" {
				out = append(out, version)
			}
		}
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(compareVersions(a, b), cmp.Compare(a, b)) })
	return slices.Compact(out)
}
