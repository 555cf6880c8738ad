package apiserver

import (
	"context"
	"sync"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/controller-manager/pkg/informerfactory"
	"k8s.io/kubernetes/pkg/controller/garbagecollector"
	"k8s.io/kubernetes/pkg/controller/namespace"
)

const (
	// collectorLooks is how often the garbage collector asks for new kinds.
	collectorLooks   = time.Second
	collectorWorkers = 5
)

// startControllers runs the two controllers that any client of an API server
// counts on: the garbage collector and the namespace controller.
// They end before the server does.
func startControllers(t testing.TB, ctx context.Context, config *rest.Config) {
	t.Helper()
	ctx, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	t.Cleanup(func() {
		stop()
		running.Wait()
	})
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	objects, err := metadata.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	var mapper meta.ResettableRESTMapper = restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client.Discovery()))
	native := informers.NewSharedInformerFactory(client, 0)
	factory := informerfactory.NewInformerFactory(native, metadatainformer.NewSharedInformerFactory(objects, 0))
	started := make(chan struct{})
	collector, err := garbagecollector.NewGarbageCollector(ctx, client, objects, mapper, garbagecollector.DefaultIgnoredResources(), factory, started)
	if err != nil {
		t.Fatalf("making the garbage collector: %v", err)
	}
	namespaces := namespace.NewNamespaceController(ctx, client, objects,
		func() ([]*metav1.APIResourceList, error) {
			return discovery.ServerPreferredNamespacedResources(client.Discovery())
		},
		native.Core().V1().Namespaces(), time.Minute, core.FinalizerKubernetes)
	factory.Start(ctx.Done())
	close(started)
	running.Go(func() { collector.Run(ctx, collectorWorkers, collectorLooks) })
	running.Go(func() { collector.Sync(ctx, client.Discovery(), collectorLooks) })
	running.Go(func() { namespaces.Run(ctx, 2) })
}
