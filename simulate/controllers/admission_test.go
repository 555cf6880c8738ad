package controllers

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vksync/vksync/simulate/inventory"
	"github.com/vksync/vksync/simulate/kubeapi"
)

// found are the objects a request finds.
type found []*unstructured.Unstructured

func (s found) get(k kubeapi.Key) *unstructured.Unstructured {
	for _, u := range s {
		if u.GetKind() == k.Kind && u.GetNamespace() == k.Namespace && u.GetName() == k.Name {
			return u
		}
	}
	return nil
}

func (s found) list(gk schema.GroupKind, _ string, labels map[string]string) []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	for _, u := range s {
		of := func(key string) bool { return u.GetLabels()[key] == labels[key] }
		if u.GetKind() == gk.Kind && !slices.ContainsFunc(slices.Collect(maps.Keys(labels)), func(key string) bool { return !of(key) }) {
			out = append(out, u)
		}
	}
	return out
}

func objectOf(k kind, namespace, name string, spec map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": k.apiVersion, "kind": k.Kind,
		"metadata": map[string]any{"namespace": namespace, "name": name, "labels": map[string]any{labelCluster: "prod"}}, "spec": spec,
	}}
}

// ofPools is the content of a ClusterClass with one class of node pools.
func ofPools(namespace, name string) map[string]any {
	return map[string]any{
		"metadata": map[string]any{"namespace": namespace, "name": name},
		"spec":     map[string]any{"workers": map[string]any{"machineDeployments": []any{map[string]any{"class": "node-pool"}}}},
	}
}

func topologySpec(class string, replicas int64, version string) map[string]any {
	return map[string]any{"controlPlaneRef": map[string]any{"name": "kcp"}, "topology": map[string]any{
		"classRef": map[string]any{"name": class}, "version": version, "controlPlane": map[string]any{"replicas": replicas},
		"workers": map[string]any{"machineDeployments": []any{map[string]any{"class": "node-pool", "name": "np"}}},
	}}
}

// What is refused is refused in the words of the webhook that does, with its status.
func TestAdmissionAnswersAsTheWebhooksDo(t *testing.T) {
	t.Parallel()
	const vks, plain, version = "builtin-generic-v3.3.0", "plain", "v1.33.1"
	class := func(name string) *unstructured.Unstructured {
		u := &unstructured.Unstructured{Object: ofPools("team", name)}
		u.SetAPIVersion(kindClusterClass.apiVersion)
		u.SetKind(kindClusterClass.Kind)
		return u
	}
	cluster := func(class string, replicas int64, version string) *unstructured.Unstructured {
		return objectOf(kindCluster, "team", "prod", topologySpec(class, replicas, version))
	}
	upgrading := objectOf(kindControlPlane, "team", "kcp", map[string]any{"version": version, "replicas": int64(3)})
	upgrading.Object["status"] = map[string]any{"versions": []any{map[string]any{"version": "v1.32.0"}}}
	site := found{class(vks), class(plain), upgrading, objectOf(kindMachineDeployment, "team", "np", map[string]any{
		"template": map[string]any{"spec": map[string]any{"version": "v1.32.0"}},
	}), cluster(plain, 3, version)}
	inv := &inventory.Inventory{}
	for _, v := range []string{version, "v1.34.1", "v1.35.0"} {
		inv.Spec.KubernetesReleases = append(inv.Spec.KubernetesReleases, inventory.KubernetesRelease{Version: v, Images: []string{"photon"}})
	}
	machine := func(class string) *unstructured.Unstructured {
		return objectOf(kindVSphereMachine, "team", "m", map[string]any{"className": class})
	}
	renamed := class(plain)
	renamed.Object["spec"] = map[string]any{"workers": map[string]any{"machineDeployments": []any{map[string]any{"class": "other"}}}}
	tests := []struct {
		name     string
		old, new *unstructured.Unstructured
		reason   func(error) bool
		want     string
	}{
		{"VKS: class that is missing", nil, cluster("builtin-generic-v9.0.0", 3, version), apierrors.IsForbidden,
			`admission webhook "default.tkr-resolver.run.tanzu.vmware.com" denied the request: ClusterClass not found: team/builtin-generic-v9.0.0`},
		{"VKS: even", nil, cluster(vks, 2, version), apierrors.IsForbidden,
			`admission webhook "capi.validating.tanzukubernetescluster.run.tanzu.vmware.com" denied the request: spec.topology.controlPlane.replicas: Invalid value: 2: must be an odd number`},
		{"VKS: skip", cluster(vks, 3, version), cluster(vks, 3, "v1.35"), apierrors.IsInvalid,
			`admission webhook "validation.cluster.cluster.x-k8s.io" denied the request: Cluster.cluster.x-k8s.io "prod" is invalid: spec.topology.version: Invalid value: "v1.35.0": version cannot be increased from "1.33.1" to "1.35.0"`},
		{"while upgrading", cluster(vks, 3, version), cluster(vks, 3, "v1.34.1"), apierrors.IsInvalid,
			`admission webhook "validation.cluster.cluster.x-k8s.io" denied the request: Cluster.cluster.x-k8s.io "prod" is invalid: spec.topology.version: Invalid value: "v1.34.1": version cannot be changed: [control plane is still completing a previous upgrade, there are still MachineDeployments completing a previous upgrade: [np]]`},
		{"plain: class that is missing is only warned of", nil, cluster("none", 3, version), nil, ""},
		{"plain: even is the control plane's matter", nil, cluster(plain, 2, version), nil, ""},
		{"plain: prefix of a version", nil, cluster(plain, 3, "v1.33"), apierrors.IsInvalid,
			`admission webhook "validation.cluster.cluster.x-k8s.io" denied the request: Cluster.cluster.x-k8s.io "prod" is invalid: spec.topology.version: Invalid value: "v1.33": version must be a valid semantic version`},
		{"even, of a control plane", upgrading, objectOf(kindControlPlane, "team", "kcp", map[string]any{"version": version, "replicas": int64(2)}), apierrors.IsInvalid,
			`admission webhook "validation.kubeadmcontrolplane.controlplane.cluster.x-k8s.io" denied the request: KubeadmControlPlane.controlplane.cluster.x-k8s.io "kcp" is invalid: spec.replicas: Forbidden: cannot be an even number when etcd is stacked`},
		{"a machine by hand", machine("small"), machine("large"), apierrors.IsInvalid,
			`admission webhook "validation.vspheremachine.vmware.infrastructure.cluster.x-k8s.io" denied the request: VSphereMachine.vmware.infrastructure.cluster.x-k8s.io "m" is invalid: spec.className: Forbidden: cannot be modified`},
		{"pool class in use", class(plain), renamed, apierrors.IsInvalid,
			`admission webhook "validation.clusterclass.cluster.x-k8s.io" denied the request: ClusterClass.cluster.x-k8s.io "plain" is invalid: spec.workers.machineDeployments: Forbidden: MachineDeploymentClass "node-pool" cannot be deleted because it is used by Cluster "prod"`},
		{"class in use", class(plain), nil, apierrors.IsForbidden,
			`admission webhook "validation.clusterclass.cluster.x-k8s.io" denied the request: ClusterClass.cluster.x-k8s.io "plain" is forbidden: ClusterClass cannot be deleted because it is used by Cluster(s): team/prod`},
		{"class that nobody uses", class(vks), nil, nil, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := kubeapi.Request{Verb: "update", Object: test.new.DeepCopy(), Old: test.old, Get: site.get, List: site.list}
			if test.new == nil {
				r.Verb, r.Object = "delete", nil
			}
			err := Admission(inv)(r)
			if err == nil || test.want == "" {
				if err != nil || test.want != "" {
					t.Errorf("got  %v\nwant %s", err, test.want)
				}
				return
			}
			if err.Error() != test.want {
				t.Errorf("got  %s\nwant %s", err, test.want)
			}
			// The API server passes what has no status on as forbidden.
			if status := apierrors.APIStatus(nil); errors.As(err, &status) && !test.reason(err) {
				t.Errorf("its reason is %s", status.Status().Reason)
			}
		})
	}
}

// What webhooks fill in, they fill in for VKS's own classes only.
func TestAdmissionFillsInForItsOwnClassesOnly(t *testing.T) {
	t.Parallel()
	inv := &inventory.Inventory{}
	inv.Spec.KubernetesReleases = []inventory.KubernetesRelease{{Version: "v1.33.1+vmware.1", Images: []string{"photon"}}}
	for class, filled := range map[string]bool{"builtin-generic-v3.3.0": true, "plain": false} {
		u := &unstructured.Unstructured{Object: ofPools("team", class)}
		u.SetKind(kindClusterClass.Kind)
		o := objectOf(kindCluster, "team", "prod", topologySpec(class, 1, "v1.33.1"))
		site := found{u}
		if err := Admission(inv)(kubeapi.Request{Verb: "create", Object: o, Get: site.get, List: site.list}); err != nil {
			t.Fatal(err)
		}
		version, _, _ := unstructured.NestedString(o.Object, "spec", "topology", "version")
		_, network, _ := unstructured.NestedMap(o.Object, "spec", "clusterNetwork")
		if got := strings.HasSuffix(version, "+vmware.1") && network; got != filled {
			t.Errorf("%s: version %s, network %v", class, version, network)
		}
	}
}
