package controllers

import (
	"maps"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/kubeapi"
)

func TestWhatUnsettlesATopology(t *testing.T) {
	t.Parallel()
	one, other := clusterName{"n", "one"}, clusterName{"n", "other"}
	object := func(k kind, name string, fields ...any) *unstructured.Unstructured {
		content := map[string]any{"apiVersion": k.apiVersion, "kind": k.Kind}
		resource.SetField(content, "n", "metadata", "namespace")
		resource.SetField(content, name, "metadata", "name")
		resource.SetField(content, int64(1), "metadata", "generation")
		resource.SetField(content, "one", "metadata", "labels", labelCluster)
		for i := 0; i < len(fields); i += 2 {
			resource.SetField(content, fields[i+1], fields[i].([]string)...)
		}
		return &unstructured.Unstructured{Object: content}
	}
	at := func(path ...string) []string { return path }
	pool := at("metadata", "labels", labelTopologyDeployment)
	conditions := func(kind, status string) []any {
		return []any{map[string]any{"type": kind, "status": status}}
	}
	for name, c := range map[string]struct {
		before, after *unstructured.Unstructured
		left          []clusterName
	}{
		"a count of a control plane":      {object(kindControlPlane, "one-x"), object(kindControlPlane, "one-x", at("status", "replicas"), int64(3)), []clusterName{one, other}},
		"its lowest version":              {object(kindControlPlane, "one-x"), object(kindControlPlane, "one-x", at("status", "version"), "v1"), []clusterName{other}},
		"its spec":                        {object(kindControlPlane, "one-x"), object(kindControlPlane, "one-x", at("metadata", "generation"), int64(2)), []clusterName{other}},
		"a pool that is gone":             {object(kindMachineDeployment, "one-p"), nil, []clusterName{other}},
		"a pool of another cluster now":   {object(kindMachineDeployment, "one-p"), object(kindMachineDeployment, "one-p", at("metadata", "labels", labelCluster), "other"), nil},
		"a machine of a control plane":    {nil, object(kindMachine, "m"), []clusterName{one, other}},
		"one of a pool, as it asks for":   {nil, object(kindMachine, "m", pool, "p", at("spec", "version"), "v1"), []clusterName{one, other}},
		"one of another version":          {nil, object(kindMachine, "m", pool, "p"), []clusterName{other}},
		"its node":                        {object(kindMachine, "m", pool, "p"), object(kindMachine, "m", pool, "p", at("status", "nodeRef", "name"), "m"), []clusterName{one, other}},
		"its version":                     {object(kindMachine, "m", pool, "p"), object(kindMachine, "m", pool, "p", at("spec", "version"), "v1"), []clusterName{other}},
		"the endpoint of a cluster":       {object(kindVSphereCluster, "one-x"), object(kindVSphereCluster, "one-x", at("metadata", "generation"), int64(2)), []clusterName{one, other}},
		"a summary of a cluster":          {object(kindCluster, "one"), object(kindCluster, "one", at("status", "conditions"), conditions("Available", "True")), []clusterName{one, other}},
		"somebody's word on the topology": {object(kindCluster, "one"), object(kindCluster, "one", at("status", "conditions"), conditions("TopologyReconciled", "True")), []clusterName{other}},
		"an annotation of a cluster":      {object(kindCluster, "one"), object(kindCluster, "one", at("metadata", "annotations", annotationPaused), ""), []clusterName{other}},
		"somebody's shim":                 {nil, object(kindSecret, "one-shim"), []clusterName{other}},
		"a template of a class":           {nil, object(kindVSphereTemplate, "class", at("metadata", "labels"), nil), nil},
		"a value that fits no field":      {object(kindMachine, "m", at("spec", "version"), []any{}), object(kindMachine, "m", at("spec", "version"), []any{}), []clusterName{one, other}},
	} {
		k := &kin{deployments: relatives{views: []*view{viewOf(object(kindMachineDeployment, "one-p", pool, "p", at("spec", "template", "spec", "version"), "v1").Object, nil)}}}
		m := &Manager{kin: map[clusterName]*kin{one: k}, settled: map[clusterName]*settlement{one: {done: true}, other: {done: true}}, views: map[*unstructured.Unstructured]*view{}}
		u := c.after
		if u == nil {
			u = c.before
		}
		m.unsettle(kubeapi.Change{Key: keyOf(u), Before: c.before, After: c.after})
		left := slices.Collect(maps.Keys(m.settled))
		left = slices.DeleteFunc(left, func(cluster clusterName) bool { return !m.settled[cluster].done })
		if len(left) != len(c.left) {
			t.Errorf("%s: settled are %v, want %v", name, left, c.left)
		}
		for _, cluster := range c.left {
			if !slices.Contains(left, cluster) {
				t.Errorf("%s: settled are %v, want %v", name, left, c.left)
			}
		}
	}
}

func TestASettledPartIsLookedAtAgainWhenItsTemplatesChange(t *testing.T) {
	t.Parallel()
	object := func(k kind, labels fields) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: fields{
			"apiVersion": k.apiVersion, "kind": k.Kind,
			"metadata": fields{"namespace": "n", "name": "one-np", "labels": labels},
			"spec":     fields{"clusterName": labels[labelCluster]},
		}}
	}
	ofOne := fields{labelCluster: "one"}
	deployment := object(kindMachineDeployment, ofOne)
	cluster := &view{header: &header{identity: &identity{namespace: "n", name: "one"}}}
	for name, c := range map[string]struct {
		change  *unstructured.Unstructured
		settled bool
	}{
		"its own template":      {object(kindVSphereTemplate, ofOne), false},
		"that of its bootstrap": {object(kindKubeadmConfigTemplate, ofOne), false},
		"one of the class":      {object(kindVSphereTemplate, nil), false},
		"its Cluster is gone":   {object(kindCluster, nil), true}, // another has the name
		"another's template":    {object(kindVSphereTemplate, fields{labelCluster: "other"}), true},
		"its health check":      {object(kindMachineHealthCheck, ofOne), true},
	} {
		m := &Manager{settled: map[clusterName]*settlement{{"n", "one"}: {}}, views: map[*unstructured.Unstructured]*view{}}
		p := part{pool: "np", version: "v1", topology: fields{}}
		m.settleFor(cluster, p, deployment)
		m.unsettle(kubeapi.Change{Key: keyOf(c.change), Before: c.change})
		if settled := m.settledFor(cluster, p, deployment); settled != c.settled {
			t.Errorf("%s: settled: %t, want %t", name, settled, c.settled)
		}
		p.version = "v2"
		if m.settledFor(cluster, p, deployment) {
			t.Errorf("%s: it is settled for another version", name)
		}
	}
}
