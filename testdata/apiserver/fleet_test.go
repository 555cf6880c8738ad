package apiserver

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/yaml"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/apply"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/reconcile/supervisor"
	"github.com/vksync/vksync/simulate/vcenter"
)

// vmsPerCluster are how many virtual machines a cluster of a fleet has.
const vmsPerCluster = 8

// A fleet is a site with clusters that are as desired, if not ready.
type fleet struct {
	*Site
	desired *resource.Set
	size    int
	kube    *calls
}

// startFleet makes a site with one vSphere Namespace. grow adds the clusters.
func startFleet(t testing.TB) *fleet {
	t.Helper()
	inv := lab(t)
	for _, zone := range inv.Spec.Zones { // as many machines as it takes
		for i := range zone.Hosts {
			zone.Hosts[i].Cores, zone.Hosts[i].MemoryMiB = 1<<14, 1<<28
		}
	}
	for i := range inv.Spec.Datastores {
		inv.Spec.Datastores[i].CapacityGiB, inv.Spec.Datastores[i].FreeGiB = 1<<24, nil
	}
	f := &fleet{Site: StartSite(t, inv, 60), kube: &calls{}}
	e := f.connect(t)
	defer closeEngine(t, e)
	p, err := e.Plan(t.Context(), desired(t, fstest.MapFS{"fleet.yaml": {Data: []byte(teamA)}}), reconcile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), readyWithin)
	defer cancel()
	if end, err := e.Run(ctx, p, apply.Options{}); err != nil || end.Reached != end.Goals {
		t.Fatalf("making the namespace ended %+v, %v", end, err)
	}
	f.Pause()
	return f
}

// connect makes an engine whose calls are counted.
func (f *fleet) connect(t testing.TB) *reconcile.Engine {
	t.Helper()
	endpoints := f.Endpoints("fleet")
	endpoints.Kube = f.kube.counted(endpoints.Kube)
	e, err := reconcile.Connect(t.Context(), endpoints)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func closeEngine(t testing.TB, e *reconcile.Engine) {
	t.Helper()
	if err := e.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
}

// grow adds clusters until there are n, each with its virtual machines.
func (f *fleet) grow(t testing.TB, n int) {
	t.Helper()
	files := fstest.MapFS{"namespaces.yaml": {Data: []byte(teamA)}}
	for i := range n {
		name := fmt.Sprintf("c%04d", i)
		files[name+".yaml"] = &fstest.MapFile{Data: []byte(clusterNamed(name))}
	}
	f.desired = desired(t, files)
	c, err := supervisor.Connect(t.Context(), f.Config)
	if err != nil {
		t.Fatal(err)
	}
	var group errgroup.Group
	group.SetLimit(8)
	for a, o := range f.desired.All() {
		if a.Kind == resource.KindCluster {
			group.Go(func() error {
				_, err := c.Apply(t.Context(), plan.Prepared(o, plan.Policy{Source: "fleet"}), false)
				return err
			})
		}
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	for ; f.size < n; f.size++ {
		f.addVMs(t, fmt.Sprintf("c%04d", f.size))
	}
}

func (f *fleet) addVMs(t testing.TB, cluster string) {
	t.Helper()
	if _, err := f.vcenter.MakeClusterFolder("team-a", cluster); err != nil {
		t.Fatal(err)
	}
	for i := range vmsPerCluster {
		spot, err := f.vcenter.Place(vcenter.PlaceRequest{Namespace: "team-a", CPUs: 2, MemoryMiB: 4096, DiskGiB: 16, StoragePolicy: "vks-gold"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.vcenter.CreateVM(vcenter.VMSpec{
			Namespace: "team-a", Cluster: cluster, Name: fmt.Sprintf("%s-%d", cluster, i), Spot: spot, CPUs: 2, MemoryMiB: 4096, DiskGiB: 16,
			BiosUUID: string(newUID()), InstanceUUID: string(newUID()),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// nothingToDo plans and wants an empty plan.
func (f *fleet) nothingToDo(t testing.TB, e *reconcile.Engine) {
	t.Helper()
	p, err := e.Plan(t.Context(), f.desired, reconcile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(p.Actions, func(a plan.Action) bool { return a.Verb != plan.None }) {
		t.Fatalf("there is something to do:\n%.2000s", p.Text())
	}
}

func TestCallsOfAPlanGrowWithKindsNotWithClusters(t *testing.T) {
	f := startFleet(t)
	asked := map[int][]string{}
	for _, n := range []int{10, 100} {
		f.grow(t, n)
		f.kube.take()
		f.calls.take()
		e := f.connect(t)
		f.nothingToDo(t, e)
		closeEngine(t, e)
		asked[n] = append(f.kube.take(), f.calls.take()...)
	}
	if d := cmp.Diff(asked[10], asked[100]); d != "" || len(asked[10]) == 0 {
		t.Errorf("calls for 10 and for 100 clusters (-10 +100):\n%s", d)
	}
}

// BenchmarkNoOpPlan compares a plan of a fleet that is as desired with kubectl
// diff --server-side of the same manifests on the same server. An operation is
// what one command does: connect, plan, disconnect. The daemon is connected: its
// plans alone are plan-s. The bar is 30 times as fast at 1,000 clusters. Servers and
// engine share a process and its heap, which is collected as rarely as that of
// cmd/vksync; kubectl's requests gain by that as well.
func BenchmarkNoOpPlan(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	f := startFleet(b)
	for _, n := range []int{100, 1000} {
		f.grow(b, n)
		b.Run(fmt.Sprintf("clusters=%d", n), func(b *testing.B) {
			f.kube.take()
			f.calls.take()
			var planning time.Duration
			for b.Loop() {
				e := f.connect(b)
				connected := time.Now()
				f.nothingToDo(b, e)
				planning += time.Since(connected)
				closeEngine(b, e)
			}
			whole, alone := b.Elapsed().Seconds()/float64(b.N), planning.Seconds()/float64(b.N)
			b.ReportMetric(float64(len(f.kube.take())+len(f.calls.take()))/float64(b.N), "calls/op")
			kubectl := f.diff(b).Seconds()
			b.ReportMetric(kubectl, "kubectl-s")
			b.ReportMetric(alone, "plan-s")
			b.ReportMetric(kubectl/whole, "times-ahead")
			b.ReportMetric(kubectl/alone, "times-ahead-connected")
		})
	}
}

// diff is how long kubectl takes to find no difference.
func (f *fleet) diff(t testing.TB) time.Duration {
	t.Helper()
	dir := t.TempDir()
	for a, o := range f.desired.All() {
		if a.Kind != resource.KindCluster {
			continue
		}
		text, err := yaml.Marshal(plan.Prepared(o, plan.Policy{Source: "fleet"}).Object)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, a.Name+".yaml"), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	kubectl := exec.CommandContext(t.Context(), os.Args[0], "diff", "--server-side", "--field-manager", resource.FieldManager, "-f", dir,
		"--kubeconfig", f.kubeconfig(t), "--cache-dir", t.TempDir())
	kubectl.Env = append(os.Environ(), asKubectl+"=1")
	started := time.Now()
	out, err := kubectl.CombinedOutput()
	if err != nil {
		t.Fatalf("kubectl diff: %v\n%.2000s", err, out)
	}
	return time.Since(started)
}

// kubeconfig writes one for the server.
func (s *Server) kubeconfig(t testing.TB) string {
	t.Helper()
	c := clientcmdapi.NewConfig()
	c.Clusters["s"] = &clientcmdapi.Cluster{Server: s.Config.Host, CertificateAuthority: s.Config.CAFile}
	c.AuthInfos["s"] = &clientcmdapi.AuthInfo{Token: s.Config.BearerToken}
	c.Contexts["s"] = &clientcmdapi.Context{Cluster: "s", AuthInfo: "s"}
	c.CurrentContext = "s"
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*c, path); err != nil {
		t.Fatal(err)
	}
	return path
}
