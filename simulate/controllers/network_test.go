package controllers

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/inventory"
	"github.com/vksync/vksync/simulate/kubeapi"
)

// What CAPV says of an endpoint that it cannot get, or need not (observed.md 6.5).
func TestEndpointOfACluster(t *testing.T) {
	t.Parallel()
	networks := map[string]any{"pods": map[string]any{"cidrBlocks": []any{"192.168.0.0/16"}}, "services": map[string]any{"cidrBlocks": []any{"10.96.0.0/12"}}}
	for name, test := range map[string]struct {
		cluster map[string]any // spec
		open    bool           // the namespace has its default Network
		says    string         // LoadBalancerReady
		message string
		service bool // a VirtualMachineService is made
		left    bool // one of a cluster of the same name is there
	}{
		"the load balancer is asked": {map[string]any{"clusterNetwork": networks}, true, "False/WaitingForIP", "VirtualMachineService prod has no ingress address", true, false},
		"no CIDR blocks":             {map[string]any{}, true, "False/NotReady", "cluster team-a/prod has no Pod or Service CIDR blocks", false, false},
		"no default Network":         {map[string]any{"clusterNetwork": networks}, false, "False/NotReady", "no default network found", false, false},
		"another is in the way":      {map[string]any{"clusterNetwork": networks}, true, "False/NotReady", "owned by a different VSphereCluster instance", true, true},
		"an endpoint is given": {
			map[string]any{"controlPlaneEndpoint": map[string]any{"host": "10.0.0.9", "port": int64(6443)}}, false, "True/Ready", "", false, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := &stoppedClock{}
			inv := &inventory.Inventory{}
			inv.Spec.Networks = inventory.Networks{Provider: inventory.VDS, Ranges: []string{"172.26.0.1-172.26.0.9"}}
			store := kubeapi.New(kubeapi.Config{Kinds: append(kubeapi.CoreKinds(), Kinds()...), Clock: clock, Convert: Convert})
			m := New(Config{Store: store, Clock: clock, Inventory: inv})
			put := func(k kind, meta, spec map[string]any) *unstructured.Unstructured {
				u, err := m.create("test", k, map[string]any{"metadata": meta, "spec": spec})
				if err != nil {
					t.Fatal(err)
				}
				return u
			}
			put(kindNamespace, map[string]any{"name": "team-a"}, nil)
			if test.open {
				if err := m.openNetwork("team-a"); err != nil {
					t.Fatal(err)
				}
			}
			cluster := put(kindCluster, map[string]any{"namespace": "team-a", "name": "prod"}, test.cluster)
			infrastructure := put(kindVSphereCluster, map[string]any{"namespace": "team-a", "name": "prod-x"}, map[string]any{})
			if test.left {
				for _, k := range []kind{kindVMService, kindResourcePolicy} {
					put(k, map[string]any{"namespace": "team-a", "name": "prod", "ownerReferences": []any{
						map[string]any{"apiVersion": kindVSphereCluster.apiVersion, "kind": kindVSphereCluster.Kind, "name": "prod-w", "uid": "another"},
					}}, map[string]any{})
				}
			}
			d := edit(infrastructure, m.now())
			ready, err := m.provisionInfrastructure(d, infrastructure, cluster)
			if err != nil {
				t.Fatal(err)
			}
			c := resource.ConditionOf(d.root, "LoadBalancerReady")
			if got := c.Status + "/" + c.Reason; got != test.says || !strings.Contains(c.Message, test.message) || ready != (c.Status == "True") {
				t.Errorf("LoadBalancerReady is %s (%s), ready %v; want %s (%s)", got, c.Message, ready, test.says, test.message)
			}
			if made := m.get(kindVMService, "team-a", "prod") != nil; made != test.service {
				t.Errorf("a VirtualMachineService was made: %v, want %v", made, test.service)
			}
			if policy := m.view(m.get(kindResourcePolicy, "team-a", "prod")); !policy.ownedBy(m.view(infrastructure)) {
				t.Errorf("the resource policy is owned by %v, want the VSphereCluster too", policy.owners)
			}
		})
	}
}
