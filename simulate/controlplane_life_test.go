package simulate_test

import (
	"regexp"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/apply"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/resource"
	manifests "github.com/vksync/vksync/schema"
	"github.com/vksync/vksync/simulate"
	"github.com/vksync/vksync/simulate/controllers"
)

// A life is the cluster prod in a world in which people go on changing things, as
// with kubectl. At every instant of it the rules that hold always are checked.
type life struct {
	*testing.T
	world *simulate.World
	api   dynamic.Interface
	h     history // since it was last cut off
	most  int     // control-plane Machines at once
	// doomed says that nobody wants etcd to have quorum any more.
	doomed bool
}

// live creates prod and lets it come to rest.
func live(t *testing.T, controlPlane, workers int) *life {
	t.Helper()
	l := begin(t)
	l.create(controlPlane, workers)
	l.settle("the creation")
	l.pass(3 * time.Minute)
	return l
}

// begin has a vSphere Namespace and nothing in it.
func begin(t *testing.T) *life {
	t.Helper()
	l := &life{T: t}
	recorder := journal.NewRecorder(simulate.Epoch, func(e journal.Event) { l.h = append(l.h, e) })
	var err error
	l.world, err = simulate.New(simulate.Config{Inventory: labInventory(t), Record: func(now time.Time, e journal.Event) {
		recorder.Record(now, e)
		l.check()
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.world.Close(); err != nil {
			t.Error(err)
		}
	})
	if l.api, err = dynamic.NewForConfig(l.world.KubeConfig()); err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{"a.yaml": &fstest.MapFile{Data: []byte(namespaceTeamA)}}
	desired, problems := manifests.Load(files, ".")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	engine, err := reconcile.Connect(t.Context(), reconcile.Endpoints{Kube: l.world.KubeConfig(), VSphere: l.world.VSphereConfig(), World: l.world, Source: "test"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := engine.Plan(t.Context(), &desired.Resources, reconcile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	end, err := engine.Run(t.Context(), p, apply.Options{World: l.world, Journal: recorder, Concurrency: 1, Begin: journal.Begin{Simulated: true}})
	if err != nil {
		t.Fatal(err)
	}
	if end.Outcome != journal.Reached {
		t.Fatalf("the creation ended %s", end.Outcome)
	}
	if err := engine.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	recorder = journal.NewRecorder(l.world.Now(), func(e journal.Event) { l.h = append(l.h, e) }) // the run's is closed
	return l
}

// create makes prod.
func (l *life) create(controlPlane, workers int) {
	l.Helper()
	l.make(clusterProd(controlPlane, workers))
}

// make makes a Cluster of team-a, or whatever else a manifest says.
func (l *life) make(text string) {
	l.Helper()
	content := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &content); err != nil {
		l.Fatal(err)
	}
	if _, err := l.kind(resource.Text(content, "kind")).Create(l.Context(), &unstructured.Unstructured{Object: content}, metav1.CreateOptions{}); err != nil {
		l.Fatal(err)
	}
}

// check is what holds at every instant: etcd has quorum.
func (l *life) check() {
	if members := l.world.EtcdMembers("team-a", "prod"); !l.doomed && !controllers.HasQuorum(members) {
		l.Errorf("domain.md 3.1: etcd has no quorum at %s: %+v", l.world.Now().Sub(simulate.Epoch), members)
	}
	if l.api != nil {
		l.most = max(l.most, len(l.world.EtcdMembers("team-a", "prod")))
	}
}

// cut forgets what happened up to now.
func (l *life) cut() {
	l.h = nil
	l.most = 0
}

// pass lets time go by.
func (l *life) pass(d time.Duration) {
	l.Helper()
	for until := l.world.Now().Add(d); l.world.Now().Before(until); {
		if _, err := l.world.Wait(l.Context(), until, nil); err != nil {
			l.Fatal(err)
		}
	}
}

// until lets time go by until something is so, at most an hour.
func (l *life) until(what string, is func() bool) {
	l.Helper()
	for range 3600 {
		if is() {
			return
		}
		l.pass(time.Second)
	}
	l.Fatalf("in an hour it did not come about that %s", what)
}

var plurals = map[string]schema.GroupVersionResource{
	"Cluster":               {Group: "cluster.x-k8s.io", Version: "v1beta2", Resource: "clusters"},
	"MachineDeployment":     {Group: "cluster.x-k8s.io", Version: "v1beta2", Resource: "machinedeployments"},
	"MachineHealthCheck":    {Group: "cluster.x-k8s.io", Version: "v1beta2", Resource: "machinehealthchecks"},
	"ClusterClass":          {Group: "cluster.x-k8s.io", Version: "v1beta2", Resource: "clusterclasses"},
	"Machine":               {Group: "cluster.x-k8s.io", Version: "v1beta2", Resource: "machines"},
	"KubeadmControlPlane":   {Group: "controlplane.cluster.x-k8s.io", Version: "v1beta2", Resource: "kubeadmcontrolplanes"},
	"KubeadmConfigTemplate": {Group: "bootstrap.cluster.x-k8s.io", Version: "v1beta2", Resource: "kubeadmconfigtemplates"},
	"KubeadmConfig":         {Group: "bootstrap.cluster.x-k8s.io", Version: "v1beta2", Resource: "kubeadmconfigs"},
	"VirtualMachine":        {Group: "vmoperator.vmware.com", Version: "v1alpha5", Resource: "virtualmachines"},
	"VSphereMachine":        {Group: "vmware.infrastructure.cluster.x-k8s.io", Version: "v1beta2", Resource: "vspheremachines"},
	"Secret":                {Version: "v1", Resource: "secrets"},
}

func (l *life) kind(kind string) dynamic.ResourceInterface {
	return l.api.Resource(plurals[kind]).Namespace("team-a")
}

// controlPlane is the KubeadmControlPlane, empty when there is none.
func (l *life) controlPlane() *unstructured.Unstructured {
	l.Helper()
	list, err := l.kind("KubeadmControlPlane").List(l.Context(), metav1.ListOptions{})
	if err != nil {
		l.Fatal(err)
	}
	if len(list.Items) != 1 {
		return &unstructured.Unstructured{Object: map[string]any{}}
	}
	return &list.Items[0]
}

// machines are the control-plane Machines, oldest first.
func (l *life) machines() []unstructured.Unstructured {
	l.Helper()
	list, err := l.kind("Machine").List(l.Context(), metav1.ListOptions{LabelSelector: "cluster.x-k8s.io/control-plane"})
	if err != nil {
		l.Fatal(err)
	}
	slices.SortStableFunc(list.Items, func(a, b unstructured.Unstructured) int {
		return a.GetCreationTimestamp().Compare(b.GetCreationTimestamp().Time)
	})
	return list.Items
}

func (l *life) names() []string {
	var out []string
	for _, machine := range l.machines() {
		out = append(out, machine.GetName())
	}
	return out
}

// zones are those that have control-plane Machines.
func (l *life) zones() map[string]bool {
	out := map[string]bool{}
	for _, machine := range l.machines() {
		out[resource.Text(machine.Object, "spec", "failureDomain")] = true
	}
	return out
}

// patch merges text, which is JSON, into an object.
func (l *life) patch(kind, name, text string, sub ...string) {
	l.Helper()
	if _, err := l.kind(kind).Patch(l.Context(), name, types.MergePatchType, []byte(text), metav1.PatchOptions{}, sub...); err != nil {
		l.Fatal(err)
	}
}

// change merges text into the control plane.
func (l *life) change(text string) {
	l.Helper()
	l.patch("KubeadmControlPlane", l.controlPlane().GetName(), text)
}

func (l *life) scale(replicas string) {
	l.Helper()
	l.patch("Cluster", "prod", `{"spec":{"topology":{"controlPlane":{"replicas":`+replicas+`}}}}`)
}

// says is status/reason of a condition of the control plane.
func (l *life) says(condition string) string {
	l.Helper()
	c := resource.ConditionOf(l.controlPlane().Object, condition)
	return c.Status + "/" + c.Reason
}

// mark sets conditions of a Machine, as a health check does.
func (l *life) mark(machine string, conditions ...resource.Condition) {
	l.Helper()
	u, err := l.kind("Machine").Get(l.Context(), machine, metav1.GetOptions{})
	if err != nil {
		l.Fatal(err)
	}
	list := resource.Items(u.Object, "status", "conditions")
	for _, c := range conditions {
		list = slices.DeleteFunc(list, func(item any) bool { return resource.Text(item, "type") == c.Type })
		list = append(list, map[string]any{"type": c.Type, "status": c.Status, "reason": c.Reason, "message": c.Message,
			"lastTransitionTime": l.world.Now().Format(time.RFC3339)})
	}
	text, err := utiljson.Marshal(map[string]any{"status": map[string]any{"conditions": list}})
	if err != nil {
		l.Fatal(err)
	}
	l.patch("Machine", machine, string(text), "status")
}

// settled says whether the control plane has what it wants, all of it healthy and
// up to date.
func (l *life) settled() bool {
	u := l.controlPlane()
	want := resource.Int(u.Object, "spec", "replicas")
	for _, condition := range []string{"Available", "MachinesReady", "MachinesUpToDate"} {
		if resource.ConditionOf(u.Object, condition).Status != "True" {
			return false
		}
	}
	for _, count := range []string{"replicas", "readyReplicas", "availableReplicas", "upToDateReplicas"} {
		if resource.Int(u.Object, "status", count) != want {
			return false
		}
	}
	return resource.Int(u.Object, "status", "observedGeneration") == u.GetGeneration()
}

// settle waits until it is so after a change, and a moment longer.
func (l *life) settle(what string) {
	l.Helper()
	l.pass(10 * time.Second)
	l.until(what+" is through", l.settled)
	l.pass(30 * time.Second)
}

// marked are the control-plane Machines in the order in which they were marked as
// going.
func (l *life) gone() []string { return l.order(marked("Machine", cp)) }
func (l *life) made() []string { return l.order(made("Machine", cp)) }

func (l *life) order(m match) []string {
	var out []string
	for _, i := range l.h.all(m) {
		if name := l.h[i].Object.Name; !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// sequence is what a condition went through: status/reason, each once.
func (l *life) sequence(kind, names, condition string) []string {
	var out []string
	is := regexp.MustCompile("^(" + names + ")$")
	for _, e := range l.h {
		if e.Object == nil || e.Object.Kind != kind || !is.MatchString(e.Object.Name) {
			continue
		}
		for _, c := range e.Object.Conditions {
			if now := c.Status + "/" + c.Reason; c.Type == condition && (len(out) == 0 || out[len(out)-1] != now) {
				out = append(out, now)
			}
		}
	}
	return out
}

func (l *life) object(kind, name string) *unstructured.Unstructured {
	l.Helper()
	u, err := l.kind(kind).Get(l.Context(), name, metav1.GetOptions{})
	if err != nil {
		l.Fatal(err)
	}
	return u
}
