package controllers

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// syncHealthCheck makes the MachineHealthCheck of a part exist where it is
// enabled. It has the name of the object that owns the machines, and is changed in
// place even while that object waits to be upgraded (domain.md 1.6).
func (m *Manager) syncHealthCheck(cluster *unstructured.Unstructured, p part, name string) error {
	current := m.get(kindMachineHealthCheck, namespaceOf(cluster), name)
	if !p.healthChecked() {
		return m.remove(actorTopology, current)
	}
	spec := map[string]any{
		"clusterName": nameOf(cluster),
		"selector":    map[string]any{"matchLabels": p.healthCheckSelector()},
	}
	for field, value := range p.healthCheck() {
		spec[field] = value
	}
	if current == nil {
		_, err := m.create(actorTopology, kindMachineHealthCheck, map[string]any{
			"metadata": map[string]any{
				"namespace": namespaceOf(cluster), "name": name,
				"labels":          map[string]any{labelTopologyOwned: ""}, // that of the Cluster is its own controller's
				"ownerReferences": []any{ref(cluster, false)},
			},
			"spec": spec,
		})
		return err
	}
	d := edit(current, m.now())
	application{d, true}.say(spec, "spec")
	return m.commit(actorTopology, d)
}

// healthChecked says whether the part's machines are watched: where the class or the
// part defines checks, unless the part says that they are not.
func (p part) healthChecked() bool {
	if enabled, ok := resource.Field(p.content, "healthCheck", "enabled").(bool); ok && !enabled {
		return false
	}
	return len(p.healthCheck()) > 0
}

// healthCheck are the checks and the remediation, the part's own if it has any.
func (p part) healthCheck() map[string]any {
	out := map[string]any{}
	for _, from := range []map[string]any{p.content, p.class} {
		for _, field := range []string{"checks", "remediation"} {
			if v := resource.Fields(from, "healthCheck", field); len(v) > 0 {
				out[field] = withoutKey(v, "maxInFlight") // belongs to the MachineDeployment
			}
		}
		if len(out) > 0 {
			break
		}
	}
	return out
}

func withoutKey(m map[string]any, key string) map[string]any {
	c := copyMap(m)
	delete(c, key)
	return c
}

func (p part) healthCheckSelector() map[string]any {
	if p.pool == "" {
		return map[string]any{labelTopologyOwned: "", labelControlPlane: ""}
	}
	return map[string]any{labelTopologyOwned: "", labelTopologyDeployment: p.pool}
}
