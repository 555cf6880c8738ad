package simulate_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// cluster is prod as it is now.
func (l *life) cluster() *unstructured.Unstructured { l.Helper(); return l.object("Cluster", "prod") }

// pool is the MachineDeployment of a pool; nil when there is none.
func (l *life) pool(name string) *unstructured.Unstructured {
	l.Helper()
	list, err := l.kind("MachineDeployment").List(l.Context(), metav1.ListOptions{LabelSelector: "topology.cluster.x-k8s.io/deployment-name=" + name})
	if err != nil {
		l.Fatal(err)
	}
	if len(list.Items) == 0 {
		return nil
	}
	return &list.Items[0]
}

// reconciled is status and reason of a condition of the Cluster.
func (l *life) reconciled(condition string) string {
	l.Helper()
	c := resource.ConditionOf(l.cluster().Object, condition)
	return c.Status + "/" + c.Reason
}

// pools replaces the pools of prod; each is a JSON object without braces and class.
func (l *life) pools(pools ...string) {
	l.Helper()
	for i, pool := range pools {
		pools[i] = `{"class":"node-pool",` + pool + `}`
	}
	l.patch("Cluster", "prod", `{"spec":{"topology":{"workers":{"machineDeployments":[`+strings.Join(pools, ",")+`]}}}}`)
}

// A variable that only one pool overrides replaces the machines of that pool and
// nothing else; its former template goes with the MachineSet of the machines made
// from it. One that reaches the bootstrap configuration rotates that template.
func TestAVariableReachesWhatUsesIt(t *testing.T) {
	t.Parallel()
	l := liveAs(t, clusterOf("v1.34", "", "name: a, replicas: 1", "name: b, replicas: 1"))
	class := resource.Text(l.pool("a").Object, "spec", "template", "spec", "infrastructureRef", "name")
	l.pools(`"name":"a","replicas":1,"variables":{"overrides":[{"name":"vmClass","value":"best-effort-medium"}]}`, `"name":"b","replicas":1`)
	l.pass(10 * time.Minute)
	h := l.h.happened()
	h.inOrder(t, "3.2, 6.6: rotation of a pool", made("VSphereMachineTemplate", ofPool("a")), made("MachineSet", ofPool("a")), made("Machine", ofPool("a")),
		gone("Machine", ofPool("a")), gone("VSphereMachineTemplate", class), gone("MachineSet", ofPool("a")))
	for _, untouched := range []match{made("Machine", cp+"|"+ofPool("b")), made("KubeadmConfigTemplate", ".*"), made("VSphereMachineTemplate", "prod-[a-z0-9]{5}|"+ofPool("b"))} {
		if found := h.all(untouched); len(found) > 0 {
			t.Errorf("3.2: %s", untouched.what)
		}
	}

	l.cut()
	l.pools(`"name":"a","replicas":1,"variables":{"overrides":[{"name":"vmClass","value":"best-effort-medium"}]}`,
		`"name":"b","replicas":1,"variables":{"overrides":[{"name":"node","value":{"labels":{"x":"y"}}}]}`)
	l.pass(10 * time.Minute)
	h = l.h.happened()
	h.inOrder(t, "3.2: rotation of a bootstrap template", made("KubeadmConfigTemplate", ofPool("b")), made("Machine", ofPool("b")), gone("Machine", ofPool("b")), gone("KubeadmConfigTemplate", ofPool("b")))
	if n := len(h.all(made("Machine", ".*"))); n != 1 || len(h.all(made("VSphereMachineTemplate", ".*"))) > 0 {
		t.Errorf("3.2: %d Machines and %d machine templates were made, want 1 and 0", n, len(h.all(made("VSphereMachineTemplate", ".*"))))
	}
}

// Everything that Cluster API changes in place reaches pool, machines and health
// check, goes again when the topology says it no more, and replaces nothing.
func TestWhatIsChangedInPlaceReplacesNothing(t *testing.T) {
	t.Parallel()
	l := liveAs(t, clusterOf("v1.34", "", "name: a, replicas: 1"))
	const plain = `"name":"a","replicas":1`
	l.pools(plain + `,"metadata":{"labels":{"team":"blue"},"annotations":{"note":"n","topology.cluster.x-k8s.io/defer-upgrade":""}},"minReadySeconds":5,"deletion":{"order":"Oldest","nodeDrainTimeoutSeconds":60},
		"readinessGates":[{"conditionType":"Mine"}],"taints":[{"key":"k","effect":"NoSchedule","propagation":"Always"}],"rollout":{"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":2,"maxUnavailable":1}}},
		"healthCheck":{"checks":{"nodeStartupTimeoutSeconds":1200},"remediation":{"maxInFlight":1}}`)
	l.pass(10 * time.Minute)
	spec := func(path ...string) any {
		t.Helper()
		return resource.Field(l.pool("a").Object, append([]string{"spec"}, path...)...)
	}
	for path, want := range map[string]any{
		"template.metadata.labels.team": "blue", "template.metadata.annotations.note": "n", "template.spec.minReadySeconds": int64(5),
		"deletion.order": "Oldest", "template.spec.deletion.nodeDrainTimeoutSeconds": int64(60), "rollout.strategy.rollingUpdate.maxSurge": int64(2), "remediation.maxInFlight": int64(1),
	} {
		if got := spec(strings.Split(path, ".")...); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	if got := l.pool("a").GetAnnotations()["topology.cluster.x-k8s.io/defer-upgrade"]; l.pool("a").GetLabels()["team"] != "blue" || got != "" {
		t.Errorf("labels are %v, annotations %v", l.pool("a").GetLabels(), l.pool("a").GetAnnotations())
	}
	check := l.object("MachineHealthCheck", l.pool("a").GetName())
	if got := resource.Int(check.Object, "spec", "checks", "nodeStartupTimeoutSeconds"); got != 1200 {
		t.Errorf("nodeStartupTimeoutSeconds is %d", got)
	}
	l.pools(plain)
	l.pass(time.Minute)
	if spec("template", "metadata", "labels", "team") != nil || spec("deletion") != nil || spec("rollout") != nil || spec("template", "spec", "taints") != nil {
		t.Errorf("what the topology says no more is still there: %v", spec())
	}
	if _, err := l.kind("MachineHealthCheck").Get(t.Context(), l.pool("a").GetName(), metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the MachineHealthCheck is still there: %v", err)
	}
	if made := l.h.all(made("Machine|VSphereMachineTemplate|KubeadmConfigTemplate", ".*")); len(made) > 0 {
		t.Errorf("3.2: %+v was made", l.h[made[0]].Object)
	}
}

// A pool that is added is made; one that is removed goes, its health check first and
// its templates with it, while the rest of the cluster stays as it is.
func TestPoolsComeAndGo(t *testing.T) {
	t.Parallel()
	l := liveAs(t, clusterOf("v1.34", "", "name: a, replicas: 2, healthCheck: {checks: {nodeStartupTimeoutSeconds: 1200}}"))
	old := l.pool("a").GetName()
	l.pools(`"name":"b","replicas":1`)
	l.pass(10 * time.Minute)
	h := l.h.happened()
	h.inOrder(t, "E7: a new pool", made("VSphereMachineTemplate", ofPool("b")), made("KubeadmConfigTemplate", ofPool("b")), made("MachineDeployment", ofPool("b")), made("MachineSet", ofPool("b")), made("Machine", ofPool("b")))
	h.inOrder(t, "3.1: a pool that goes", gone("MachineHealthCheck", old), marked("MachineDeployment", old), marked("Machine", ofPool("a")), gone("Machine", ofPool("a")), gone("MachineDeployment", old))
	h.inOrder(t, "6.6: its templates go with it", marked("MachineDeployment", old), gone("VSphereMachineTemplate", ofPool("a")))
	if touched := h.all(made("Machine", cp)); len(touched) > 0 {
		t.Error("a control-plane Machine was made")
	}
	if got := l.reconciled("TopologyReconciled"); got != "True/ReconcileSucceeded" {
		t.Errorf("TopologyReconciled is %s", got)
	}
}

// Replicas that the topology does not give belong to the autoscaler.
func TestReplicasOfTheAutoscalerStay(t *testing.T) {
	t.Parallel()
	l := liveAs(t, clusterOf("v1.34", "", `name: a, metadata: {annotations: {cluster.x-k8s.io/cluster-api-autoscaler-node-group-min-size: "2", cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size: "4"}}`))
	replicas := func() int64 { t.Helper(); return resource.Int(l.pool("a").Object, "spec", "replicas") }
	if got := replicas(); got != 2 {
		t.Fatalf("a new pool has %d replicas, want the least that the autoscaler may set", got)
	}
	l.patch("MachineDeployment", l.pool("a").GetName(), `{"spec":{"replicas":3}}`)
	l.pass(5 * time.Minute)
	l.patch("Cluster", "prod", `{"spec":{"topology":{"controlPlane":{"metadata":{"labels":{"x":"y"}}}}}}`)
	l.pass(time.Minute)
	if got := replicas(); got != 3 {
		t.Errorf("the pool has %d replicas, want the autoscaler's 3", got)
	}
}

// While a Cluster is paused nothing moves, whatever is asked of it, and everything
// says so; afterwards all of it is made up for (domain.md 3.7).
func TestAPauseHoldsEverything(t *testing.T) {
	t.Parallel()
	l := liveAs(t, clusterOf("v1.34", "", "name: a, replicas: 1"))
	l.patch("Cluster", "prod", `{"spec":{"paused":true}}`)
	l.pass(10 * time.Second)
	for _, kind := range []string{"Cluster", "VSphereCluster", "KubeadmControlPlane", "MachineDeployment", "MachineSet", "Machine", "KubeadmConfig", "VSphereMachine"} {
		l.h.first(t, says(kind, ".*", "Paused", "True", "Paused"))
	}
	if got := l.reconciled("TopologyReconciled"); got != "False/Paused" {
		t.Errorf("TopologyReconciled is %s", got)
	}
	if got := l.reconciled("Available"); got != "True/Available" {
		t.Errorf("Available is %s", got)
	}
	l.cut()
	l.pools(`"name":"a","replicas":3`)
	victim := l.names()[0]
	if err := l.kind("Machine").Delete(t.Context(), victim, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	l.pass(10 * time.Minute)
	for _, e := range l.h {
		if e.Object == nil || e.Object.Kind == "Machine" && e.Object.Name == victim && e.Object.Verb == resource.Updated || e.Object.Kind == "Cluster" || e.Object.Kind == "StoragePolicyQuota" {
			continue
		}
		t.Errorf("%s of %s %s while paused", e.Object.Verb, e.Object.Kind, e.Object.Name)
	}
	if gone := l.h.all(gone("Machine", ".*")); len(gone) > 0 {
		t.Error("a deletion went on")
	}
	l.patch("Cluster", "prod", `{"spec":{"paused":false}}`)
	l.pass(15 * time.Minute)
	l.h.first(t, gone("Machine", victim))
	if got := resource.Int(l.pool("a").Object, "status", "availableReplicas"); got != 3 {
		t.Errorf("%d workers are available after the pause, want 3", got)
	}
	if names := l.names(); len(names) != 1 || slices.Contains(names, victim) {
		t.Errorf("the control plane has %v", names)
	}
}

// A class that is not VKS's is in the namespace, is looked at by its controller
// before it is used, and a Cluster of it has nothing of VKS's.
func TestAClassOfOnesOwn(t *testing.T) {
	t.Parallel()
	l := begin(t)
	l.make(`{apiVersion: cluster.x-k8s.io/v1beta2, kind: ClusterClass, metadata: {name: qs, namespace: team-a}, spec: {
		infrastructure: {templateRef: {apiVersion: vmware.infrastructure.cluster.x-k8s.io/v1beta2, kind: VSphereClusterTemplate, name: qs-cluster}},
		controlPlane: {metadata: {labels: {from: class}}, templateRef: {apiVersion: controlplane.cluster.x-k8s.io/v1beta2, kind: KubeadmControlPlaneTemplate, name: qs-cp}},
		workers: {machineDeployments: [{class: w, deletion: {nodeDrainTimeoutSeconds: 30}, bootstrap: {templateRef: {apiVersion: bootstrap.cluster.x-k8s.io/v1beta2, kind: KubeadmConfigTemplate, name: qs-b}},
			infrastructure: {templateRef: {apiVersion: vmware.infrastructure.cluster.x-k8s.io/v1beta2, kind: VSphereMachineTemplate, name: qs-m}}}]}}}`)
	l.make(`{apiVersion: cluster.x-k8s.io/v1beta2, kind: Cluster, metadata: {name: prod, namespace: team-a}, spec: {clusterNetwork: {pods: {cidrBlocks: [192.168.0.0/16]}, services: {cidrBlocks: [10.96.0.0/12]}},
		topology: {classRef: {name: qs}, version: v1.34.1+vmware.1-vkr.4, controlPlane: {replicas: 1}, workers: {machineDeployments: [{class: w, name: a, replicas: 1}]},
		variables: [{name: vmClass, value: best-effort-small}, {name: storageClass, value: vks-gold}]}}}`)
	l.pass(15 * time.Minute)
	if got := l.reconciled("Available"); got != "True/Available" {
		t.Errorf("Available is %s: %s", got, resource.ConditionOf(l.cluster().Object, "Available").Message)
	}
	for _, condition := range []string{"VariablesReady", "RefVersionsUpToDate"} {
		if c := resource.ConditionOf(l.object("ClusterClass", "qs").Object, condition); c.Status != "True" {
			t.Errorf("%s of the class is %+v", condition, c)
		}
	}
	if l.cluster().GetLabels()["run.tanzu.vmware.com/tkr"] != "" || len(resource.Items(l.cluster().Object, "spec", "topology", "variables")) != 2 {
		t.Errorf("the Cluster has %v and variables %v", l.cluster().GetLabels(), resource.Items(l.cluster().Object, "spec", "topology", "variables"))
	}
	if got := l.controlPlane().GetLabels()["from"]; got != "class" {
		t.Errorf("the label of the class is %q", got)
	}
	if got := resource.Int(l.pool("a").Object, "spec", "template", "spec", "deletion", "nodeDrainTimeoutSeconds"); got != 30 {
		t.Errorf("the timeout of the class is %d", got)
	}

	l.patch("ClusterClass", "qs", `{"metadata":{"annotations":{"cluster.x-k8s.io/paused":""}},"spec":{"controlPlane":{"metadata":{"labels":{"from":"another"}}}}}`)
	l.pass(10 * time.Second)
	if got, available := l.reconciled("TopologyReconciled"), l.reconciled("Available"); got != "False/ReconcileFailed" || available != "False/NotAvailable" {
		t.Errorf("TopologyReconciled is %s and Available %s while nobody has looked at the class", got, available)
	}
	l.patch("ClusterClass", "qs", `{"metadata":{"annotations":{"cluster.x-k8s.io/paused":null}}}`)
	l.pass(10 * time.Second)
	if got, available := l.reconciled("TopologyReconciled"), l.reconciled("Available"); got != "True/ReconcileSucceeded" || available != "True/Available" {
		t.Errorf("TopologyReconciled is %s and Available %s once it was looked at", got, available)
	}
	if got := l.controlPlane().GetLabels()["from"]; got != "another" {
		t.Errorf("the label of the class is %q", got)
	}
}
