package simulate_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/apply"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/schema"
	"github.com/vksync/vksync/simulate"
	"github.com/vksync/vksync/simulate/controllers"
	"github.com/vksync/vksync/simulate/inventory"
	"github.com/vksync/vksync/simulate/trace"
)

// traceInventory is the site of a recording: as many zones as said, with the names
// that its labels tell, room for everything, and a release with an image for each
// version that is asked for.
func traceInventory(t testing.TB, s *trace.Script, r *trace.Recording) *inventory.Inventory {
	t.Helper()
	var zones, datastores, stores []any
	for _, zone := range traceZones(s, r) {
		var hosts []any
		for i := range 4 {
			hosts = append(hosts, map[string]any{"name": fmt.Sprintf("esx-%d.%s.example", i, zone), "cores": 256, "mhz": 2600, "memoryMiB": 4 << 20})
		}
		zones = append(zones, map[string]any{"name": zone, "cluster": "compute-" + zone, "hosts": hosts})
		datastores = append(datastores, map[string]any{"name": "store-" + zone, "capacityGiB": 1 << 20, "zones": []any{zone}})
		stores = append(stores, "store-"+zone)
	}
	var policies, classes, images, releases []any
	vmClasses, storageClasses := s.Sizes()
	for _, name := range append(vmClasses, traceClass) {
		classes = append(classes, map[string]any{"name": name, "cpus": 2, "memoryMiB": 4096})
	}
	for _, name := range append(storageClasses, traceClass) {
		policies = append(policies, map[string]any{"name": name, "datastores": stores})
	}
	for i, version := range s.Versions() {
		image := fmt.Sprintf("vmi-%017x", i+1)
		if !slices.Contains(s.World.MissingImages, version) {
			images = append(images, map[string]any{"name": image, "displayName": "photon-5-" + version, "os": map[string]any{"name": "photon", "version": "5"}, "diskGiB": 20})
		}
		releases = append(releases, map[string]any{"version": version, "images": []any{image}})
	}
	supervisor := map[string]any{"name": "recorded"}
	if s.World.EndpointGiven || s.World.NetworkProvider == inventory.Plain {
		supervisor["controlPlaneEndpoint"] = map[string]any{"host": "127.0.0.1", "port": 22003}
	}
	inv, err := inventory.Decode(map[string]any{
		"metadata": map[string]any{"name": "recorded"},
		"spec": map[string]any{
			"datacenter": "dc0", "supervisor": supervisor, "zones": zones, "datastores": datastores,
			"storagePolicies":    policies,
			"networks":           traceNetworks(s.World.NetworkProvider),
			"loadBalancer":       map[string]any{"ranges": []any{"10.20.0.10-10.20.0.250"}},
			"vmClasses":          classes,
			"contentLibraries":   []any{map[string]any{"name": "images", "images": images}},
			"kubernetesReleases": releases,
			"clusterClasses":     slices.DeleteFunc(s.Classes(), func(name string) bool { return !shippedClass(name) }),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

// traceNetworks has room for every node, in the form the provider wants.
func traceNetworks(provider string) map[string]any {
	if provider == inventory.VDS || provider == inventory.Plain {
		return map[string]any{"provider": provider, "ranges": []any{"172.26.0.10-172.26.255.250"}}
	}
	return map[string]any{"provider": provider, "privateCIDRs": []any{"172.26.0.0/16"}}
}

// traceClass is what VM class and storage class are called, which a recording's
// ClusterClass has in its templates.
const traceClass = "recorded"

// shippedClass says whether a Supervisor brings a ClusterClass along.
func shippedClass(name string) bool {
	return strings.HasPrefix(name, "builtin-generic") || name == "tanzukubernetescluster"
}

func traceZones(s *trace.Script, r *trace.Recording) []string {
	seen := map[string]bool{}
	for _, c := range r.Changes {
		if c.Labels != nil && (*c.Labels)["topology.kubernetes.io/zone"] != "" {
			seen[(*c.Labels)["topology.kubernetes.io/zone"]] = true
		}
	}
	zones := slices.Sorted(maps.Keys(seen))
	for i := len(zones); i < s.World.Zones; i++ {
		zones = append(zones, fmt.Sprintf("zone-%d", i+1))
	}
	return zones
}

// traceLatencies are those of vcsim and of a fake guest, so far as the recording
// tells them.
func traceLatencies(r *trace.Recording) map[controllers.Step]controllers.Triangle {
	exactly := func(seconds float64) controllers.Triangle {
		d := time.Duration(seconds * float64(time.Second))
		return controllers.Triangle{Min: d, Mode: d, Max: d}
	}
	paces := trace.PacesOf(r)
	return map[controllers.Step]controllers.Triangle{
		controllers.StepSubnetSet:    exactly(0.1),
		controllers.StepVIP:          exactly(cmp.Or(paces.LoadBalancer, 5)),
		controllers.StepSubnetPort:   exactly(0.4),
		controllers.StepInterface:    exactly(0.4),
		controllers.StepPlacement:    exactly(0),
		controllers.StepCreate:       exactly(0),
		controllers.StepPowerOn:      exactly(0.5),
		controllers.StepGuestAddress: exactly(cmp.Or(paces.Address, 2)),
		controllers.StepTools:        controllers.Never, // the guests are fake
		controllers.StepProbe:        controllers.Never,
		controllers.StepInit:         exactly(30),
		controllers.StepJoinControl:  exactly(cmp.Or(paces.JoinControl, 11)),
		controllers.StepJoinWorker:   exactly(cmp.Or(paces.JoinWorker, 11)),
		controllers.StepNodeReady:    exactly(0),
		controllers.StepEtcd:         exactly(cmp.Or(paces.Etcd, 12)),
		controllers.StepDrain:        exactly(0),
		controllers.StepPowerOff:     exactly(0),
		controllers.StepDestroy:      exactly(0.5),
	}
}

// openTraceNamespaces makes the vSphere Namespaces of a recording.
func openTraceNamespaces(t testing.TB, world *simulate.World, s *trace.Script) {
	t.Helper()
	ctx := t.Context()
	files := fstest.MapFS{}
	vmClasses, storageClasses := s.Sizes()
	classes, policies := append(vmClasses, traceClass), []string{}
	for _, name := range append(storageClasses, traceClass) {
		policies = append(policies, "{name: "+name+"}")
	}
	for _, name := range s.Namespaces() {
		files[name+".yaml"] = &fstest.MapFile{Data: fmt.Appendf(nil, `apiVersion: vksync.dev/v1alpha1
kind: VSphereNamespace
metadata: {name: %s}
spec:
  supervisor: recorded
  storagePolicies: [%s]
  vmClasses: [%s]
  contentLibraries: [images]
`, name, strings.Join(policies, ", "), strings.Join(classes, ", "))}
	}
	desired, problems := schema.Load(files, ".")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	engine, err := reconcile.Connect(ctx, reconcile.Endpoints{Kube: world.KubeConfig(), VSphere: world.VSphereConfig(), World: world, Source: "trace"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := engine.Plan(ctx, &desired.Resources, reconcile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	recorder := journal.NewRecorder(world.Now(), func(journal.Event) {})
	end, err := engine.Run(ctx, p, apply.Options{World: world, Journal: recorder, Concurrency: 1, Begin: journal.Begin{Simulated: true}})
	if err != nil || end.Outcome != journal.Reached {
		t.Fatalf("the namespaces %v were not made: %v %v", s.Namespaces(), end.Outcome, err)
	}
	if err := engine.Close(ctx); err != nil {
		t.Fatal(err)
	}
}
