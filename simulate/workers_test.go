package simulate_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/session"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/soap"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/reconcile/vsphere"
	"github.com/vksync/vksync/simulate"
)

// A pool is a world with the cluster prod and its one pool, played second by
// second through the API as kubectl would.
type pool struct {
	*simulate.World
	t       *testing.T
	objects dynamic.Interface
	events  history
	// each is called after every second that passes; nil is nothing to watch.
	each func()
}

// newPool makes the cluster and lets it become available with all its machines.
func newPool(t *testing.T, controlPlane, workers int) *pool {
	t.Helper()
	return newPoolIn(t, simulate.Config{Inventory: labInventory(t)}, controlPlane, workers)
}

func newPoolIn(t *testing.T, config simulate.Config, controlPlane, workers int) *pool {
	t.Helper()
	p := enter(t, config)
	client, err := vsphere.Dial(t.Context(), p.VSphereConfig())
	if err != nil {
		t.Fatal(err)
	}
	if err := client.CreateNamespace(t.Context(), resource.NewObject(decoded(t, namespaceTeamA))); err != nil {
		t.Fatal(err)
	}
	if err := client.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.pass(30 * time.Second)
	cluster := &unstructured.Unstructured{Object: decoded(t, strings.TrimPrefix(clusterProd(controlPlane, workers), "---\n"))}
	if _, err := p.kind("clusters").Create(t.Context(), cluster, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	p.until("the machines to be available", 30*time.Minute, func() bool {
		return p.count(p.machines(), "Available") == workers && p.count(p.list("machines"), "Available") == workers+controlPlane
	})
	return p
}

// enter opens a world.
func enter(t *testing.T, config simulate.Config) *pool {
	t.Helper()
	p := &pool{t: t}
	var recorder *journal.Recorder
	config.Record = func(now time.Time, e journal.Event) { recorder.Record(now, e) }
	world, err := simulate.New(config)
	if err != nil {
		t.Fatal(err)
	}
	recorder = journal.NewRecorder(world.Now(), func(e journal.Event) { p.events = append(p.events, e) })
	p.World = world
	t.Cleanup(func() {
		if err := world.Close(); err != nil {
			t.Error(err)
		}
	})
	if p.objects, err = dynamic.NewForConfig(world.KubeConfig()); err != nil {
		t.Fatal(err)
	}
	return p
}

func decoded(t *testing.T, text string) map[string]any {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var u unstructured.Unstructured
	if err := json.Unmarshal(data, &u.Object); err != nil {
		t.Fatal(err)
	}
	return u.Object
}

func (p *pool) kind(resource string) dynamic.ResourceInterface {
	group, version := "cluster.x-k8s.io", "v1beta2"
	switch resource {
	case "vspheremachinetemplates", "vspheremachines":
		group = "vmware.infrastructure." + group
	case "kubeadmconfigtemplates", "kubeadmconfigs":
		group = "bootstrap." + group
	case "virtualmachines":
		group, version = "vmoperator.vmware.com", "v1alpha5"
	}
	return p.objects.Resource(schema.GroupVersionResource{Group: group, Version: version, Resource: resource}).Namespace("team-a")
}

// pass lets time pass.
func (p *pool) pass(d time.Duration) {
	p.t.Helper()
	for end := p.Now().Add(d); p.Now().Before(end); {
		second := p.Now().Add(time.Second)
		for p.Now().Before(second) {
			if _, err := p.Wait(p.t.Context(), second, nil); err != nil {
				p.t.Fatal(err)
			}
		}
		if p.each != nil {
			p.each()
		}
	}
}

// until lets time pass until something holds.
func (p *pool) until(what string, limit time.Duration, holds func() bool) {
	p.t.Helper()
	for end := p.Now().Add(limit); !holds(); p.pass(time.Second) {
		if p.Now().After(end) {
			p.t.Fatalf("after %s: %s not reached\n%s", limit, what, p.overview())
		}
	}
}

func (p *pool) list(resource string) []*unstructured.Unstructured {
	p.t.Helper()
	list, err := p.kind(resource).List(p.t.Context(), metav1.ListOptions{})
	if err != nil {
		p.t.Fatal(err)
	}
	var out []*unstructured.Unstructured
	for i := range list.Items {
		out = append(out, &list.Items[i])
	}
	slices.SortFunc(out, func(a, b *unstructured.Unstructured) int { return cmp.Compare(a.GetName(), b.GetName()) })
	return out
}

// machines are the worker Machines by name.
func (p *pool) machines() []*unstructured.Unstructured {
	p.t.Helper()
	return slices.DeleteFunc(p.list("machines"), func(u *unstructured.Unstructured) bool {
		_, control := u.GetLabels()["cluster.x-k8s.io/control-plane"]
		return control
	})
}

func (p *pool) deployment() *unstructured.Unstructured {
	p.t.Helper()
	list := p.list("machinedeployments")
	if len(list) != 1 {
		p.t.Fatalf("%d MachineDeployments, want one", len(list))
	}
	return list[0]
}

// patch changes an object as kubectl patch --type merge does.
func (p *pool) patch(resource, name, change string) {
	p.t.Helper()
	data, err := yaml.YAMLToJSON([]byte(change))
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.kind(resource).Patch(p.t.Context(), name, types.MergePatchType, data, metav1.PatchOptions{}); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pool) count(list []*unstructured.Unstructured, condition string) (n int) {
	for _, u := range list {
		if resource.ConditionOf(u.Object, condition).Status == "True" {
			n++
		}
	}
	return n
}

func (p *pool) overview() string {
	var b strings.Builder
	for _, kind := range []string{"machinedeployments", "machinesets", "machines", "machinehealthchecks"} {
		for _, u := range p.list(kind) {
			fmt.Fprintf(&b, "%s %s %v %v\n", kind, u.GetName(), u.Object["spec"].(map[string]any)["replicas"], u.GetAnnotations())
			for _, c := range resource.Items(u.Object, "status", "conditions") {
				fmt.Fprintf(&b, "   %v=%v %v %.120v\n", resource.Text(c, "type"), resource.Text(c, "status"), resource.Text(c, "reason"), resource.Text(c, "message"))
			}
		}
	}
	return b.String()
}

// change changes the one pool of the topology: more is merged into it.
func (p *pool) change(more string) {
	p.t.Helper()
	cluster, err := p.kind("clusters").Get(p.t.Context(), "prod", metav1.GetOptions{})
	if err != nil {
		p.t.Fatal(err)
	}
	md := resource.Items(cluster.Object, "spec", "topology", "workers", "machineDeployments")[0].(map[string]any)
	for key, value := range decoded(p.t, "kind: none\napiVersion: none\npool: "+more)["pool"].(map[string]any) {
		if md[key] = value; value == nil {
			delete(md, key)
		}
	}
	if _, err := p.kind("clusters").Update(p.t.Context(), cluster, metav1.UpdateOptions{}); err != nil {
		p.t.Fatal(err)
	}
}

// vm is a VM in vCenter, to do with it what an operator does behind the
// Supervisor's back.
func (p *pool) vm(name string) *object.VirtualMachine {
	p.t.Helper()
	config := p.VSphereConfig()
	sc := soap.NewClient(config.URL, true)
	sc.DefaultTransport().DialContext = p.DialContext
	sc.DefaultTransport().DialTLSContext = p.DialContext
	client, err := vim25.NewClient(p.t.Context(), sc)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := session.NewManager(client).Login(p.t.Context(), config.URL.User); err != nil {
		p.t.Fatal(err)
	}
	vm, err := find.NewFinder(client).VirtualMachine(p.t.Context(), "/dc-lab/vm/Namespaces/team-a/prod/"+name)
	if err != nil {
		p.t.Fatal(err)
	}
	return vm
}
