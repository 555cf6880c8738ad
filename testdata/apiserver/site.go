package apiserver

import (
	"context"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/vsphere"
	"github.com/vksync/vksync/simulate/controllers"
	"github.com/vksync/vksync/simulate/inventory"
	"github.com/vksync/vksync/simulate/kubeapi"
	"github.com/vksync/vksync/simulate/vcenter"
)

// A Site is a Supervisor and its vCenter as real as can be had: a real API
// server, a vCenter simulator behind TLS, and the simulated controllers of a
// Supervisor, which act on both as time goes by, only faster.
type Site struct {
	*Server
	VSphere vsphere.Config
	// Pause stops the controllers for good.
	Pause func()

	vcenter     *vcenter.VCenter
	calls       *calls // to vCenter
	loop        *loop
	store       *store
	controllers *controllers.Manager
}

// StartSite runs a site for the test, on an inventory, with speed seconds of
// waiting in one second.
func StartSite(t testing.TB, inv *inventory.Inventory, speed float64) *Site {
	t.Helper()
	server := Start(t)
	server.Define(t, loosen)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	s := &Site{Server: server, loop: newLoop(speed)}
	client, err := dynamic.NewForConfig(server.Config)
	if err != nil {
		t.Fatal(err)
	}
	s.store = &store{
		ctx: ctx, client: client, kinds: servedKinds(), gone: map[string]bool{}, objects: map[kubeapi.Key]*unstructured.Unstructured{},
		observe: func(c kubeapi.Change) { s.controllers.Observe(c) },
	}
	var hooks vcenter.NamespaceHooks
	v, err := vcenter.New(vcenter.Config{Inventory: inv, Namespaces: vcenter.NamespaceHooks{
		Created: func(n vcenter.NamespaceSpec) { hooks.Created(n) },
		Updated: func(n vcenter.NamespaceSpec) { hooks.Updated(n) },
		Deleted: func(n vcenter.NamespaceSpec) { hooks.Deleted(n) },
	}, OnChange: func(c vcenter.Change) {
		s.loop.post(func() { s.controllers.ObserveVM(c) })
	}})
	if err != nil {
		t.Fatalf("building the simulated vCenter: %v", err)
	}
	s.controllers = controllers.New(controllers.Config{Store: s.store, Clock: s.loop, VSphere: v, Inventory: inv, Chance: 1})
	hooks = s.controllers.NamespaceHooks()
	s.vcenter, s.calls = v, &calls{}
	s.VSphere = serveVCenter(t, v, s.calls)
	s.admit(t, inv, s.store)
	s.follow(t, ctx)
	if err := s.controllers.Fixtures(); err != nil {
		t.Fatalf("making what every Supervisor has: %v", err)
	}
	var running sync.WaitGroup
	acting, pause := context.WithCancel(ctx)
	running.Go(func() { s.loop.run(acting) })
	s.Pause = func() {
		pause()
		running.Wait()
	}
	t.Cleanup(func() {
		s.Pause()
		stop()
		if err := s.controllers.Err(); err != nil {
			t.Errorf("the simulated controllers failed: %v", err)
		}
	})
	return s
}

// Endpoints lead an engine to the site.
func (s *Site) Endpoints(source string) reconcile.Endpoints {
	return reconcile.Endpoints{Kube: s.Config, VSphere: s.VSphere, Source: source}
}

func serveVCenter(t testing.TB, v *vcenter.VCenter, asked *calls) vsphere.Config {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.note(r)
		v.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		server.Close()
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	at.User, at.Path = url.UserPassword("administrator@vsphere.local", "simulated"), "/sdk"
	trusted := x509.NewCertPool()
	trusted.AddCert(server.Certificate())
	return vsphere.Config{URL: at, RootCAs: trusted}
}

// servedKinds are those of a Supervisor that Define or Kubernetes' generic
// control plane serve.
func servedKinds() map[schema.GroupKind]kind {
	out := map[schema.GroupKind]kind{}
	for _, k := range append(kubeapi.CoreKinds(), controllers.Kinds()...) {
		if k.Group == "" && (k.Kind == "Service" || k.Kind == "Endpoints") {
			continue
		}
		out[schema.GroupKind{Group: k.Group, Kind: k.Kind}] = kind{
			schema.GroupVersionResource{Group: k.Group, Version: k.Versions[0], Resource: k.Resource}, k.Cluster, k.Status,
		}
	}
	return out
}

// follow feeds the store from watches, in the goroutine of the loop.
func (s *Site) follow(t testing.TB, ctx context.Context) {
	t.Helper()
	factory := dynamicinformer.NewDynamicSharedInformerFactory(s.store.client, 0)
	tell := func(f func(*unstructured.Unstructured)) func(any) {
		return func(obj any) {
			if late, ok := obj.(cache.DeletedFinalStateUnknown); ok {
				obj = late.Obj
			}
			if u, ok := obj.(*unstructured.Unstructured); ok {
				s.loop.post(func() { f(u) })
			}
		}
	}
	for gk, k := range s.store.kinds {
		if gk.Kind == "Event" || gk.Kind == "Lease" {
			continue
		}
		_, err := factory.ForResource(k.GroupVersionResource).Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc: tell(s.store.seen), DeleteFunc: tell(s.store.vanished),
			UpdateFunc: func(_, now any) { tell(s.store.seen)(now) },
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	factory.Start(ctx.Done())
	t.Cleanup(factory.Shutdown)
	for gvr, synced := range factory.WaitForCacheSync(t.Context().Done()) {
		if !synced {
			t.Fatalf("%s could not be listed", gvr)
		}
	}
}
