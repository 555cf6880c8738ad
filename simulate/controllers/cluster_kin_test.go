package controllers

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/simulate/kubeapi"
)

func TestTheKinOfAClusterAreAsStored(t *testing.T) {
	t.Parallel()
	m := &Manager{kin: map[clusterName]*kin{}, views: map[*unstructured.Unstructured]*view{}}
	stored := map[kubeapi.Key]*unstructured.Unstructured{}
	version := uint64(0)
	write := func(k kind, name string, labels fields) {
		version++
		key := k.key("team-a", name)
		c := kubeapi.Change{Key: key, Before: stored[key], Version: version}
		if labels != nil {
			c.After = &unstructured.Unstructured{Object: fields{"kind": k.Kind, "metadata": fields{"namespace": "team-a", "name": name, "labels": labels}}}
		}
		stored[key] = c.After
		m.outdate(c)
		m.noteKin(c)
		m.dropOutdated()
	}
	of := func(cluster string) string {
		k := m.kin[clusterName{"team-a", cluster}]
		if k == nil {
			return ""
		}
		var out []string
		for _, r := range []relatives{k.deployments, k.controlPlanes, k.workers} {
			for _, v := range r.views {
				out = append(out, v.name)
				if v != m.view(stored[kubeapi.Key{Group: groupCluster, Kind: v.kind, Namespace: "team-a", Name: v.name}]) {
					t.Errorf("%s of %s is not as stored", v.name, cluster)
				}
			}
			out = append(out, "|")
		}
		return strings.Join(out, " ")
	}
	expect := func(cluster, want string) {
		t.Helper()
		if got := of(cluster); got != want {
			t.Errorf("the kin of %s are %q, want %q", cluster, got, want)
		}
	}
	worker, controlPlane := fields{labelCluster: "prod"}, fields{labelCluster: "prod", labelControlPlane: ""}
	write(kindMachine, "b", worker)
	write(kindMachine, "a", worker)
	write(kindMachine, "c", controlPlane)
	write(kindMachineDeployment, "pool", worker)
	write(kindMachineSet, "set", worker)
	write(kindMachine, "stranger", fields{})
	expect("prod", "pool | c | a b |")
	write(kindMachine, "b", worker)
	expect("prod", "pool | c | a b |")
	write(kindMachine, "b", controlPlane)
	write(kindMachine, "a", fields{labelCluster: "test"})
	expect("prod", "pool | b c | |")
	expect("test", "| | a |")
	for _, name := range []string{"a", "b", "c"} {
		write(kindMachine, name, nil)
	}
	write(kindMachineDeployment, "pool", nil)
	if len(m.kin) > 0 {
		t.Errorf("the kin of %d clusters are left", len(m.kin))
	}
}
