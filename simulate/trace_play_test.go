package simulate_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/vksync/vksync/simulate"
	"github.com/vksync/vksync/simulate/controllers"
	"github.com/vksync/vksync/simulate/kubeapi"
	"github.com/vksync/vksync/simulate/trace"
)

const (
	// traceQuiet is how long nothing may change in a world that has settled: longer
	// than any controller waits for its next try.
	traceQuiet = 3 * time.Minute
	// tracePatience is how long a step may take.
	tracePatience = 3 * time.Hour
)

// A tracePlayer plays the steps of a recording as a user of the Supervisor does.
type tracePlayer struct {
	t      testing.TB
	world  *simulate.World
	client dynamic.Interface
	script *trace.Script
	real   *trace.Recording

	mu     sync.Mutex
	start  time.Time
	last   time.Time
	played trace.Recording
}

// playTrace plays a whole script and returns what happened, in the form of a
// recording. What is no controller takes as long as in r.
func playTrace(t testing.TB, s *trace.Script, r *trace.Recording, seed uint64) *trace.Recording {
	t.Helper()
	return playTraceIn(t, s, r, seed, traceLatencies(r))
}

func playTraceIn(t testing.TB, s *trace.Script, r *trace.Recording, seed uint64, latencies map[controllers.Step]controllers.Triangle) *trace.Recording {
	t.Helper()
	world, err := simulate.New(simulate.Config{Inventory: traceInventory(t, s, r), Seed: seed, Latencies: latencies})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := world.Close(); err != nil {
			t.Error(err)
		}
	}()
	openTraceNamespaces(t, world, s)
	client, err := dynamic.NewForConfig(world.KubeConfig())
	if err != nil {
		t.Fatal(err)
	}
	p := &tracePlayer{t: t, world: world, client: client, script: s, real: r, start: world.Now()}
	p.prepareClasses()
	simulate.OnChange(world, p.record)
	for i, step := range s.Steps {
		p.mark(step.Mark)
		for _, ask := range step.Asks {
			if err := p.ask(ask); err != nil {
				p.refused(step, err)
			}
		}
		if wait, cut := r.Overlap(s, i); cut {
			p.run(world.Now().Add(wait), tracePatience)
			continue
		}
		p.run(world.Now().Add(tracePatience), traceQuiet)
		p.mark("settled")
	}
	return &p.played
}

// prepareClasses makes the ClusterClasses of the recording that are the user's own,
// with their templates and the classes of node pools that its steps use.
func (p *tracePlayer) prepareClasses() {
	for _, namespace := range p.script.Namespaces() {
		for _, class := range p.script.Classes() {
			if shippedClass(class) {
				continue
			}
			if err := p.prepareClass(namespace, class); err != nil {
				p.t.Fatalf("preparing ClusterClass %s: %v", class, err)
			}
		}
	}
	p.last = p.world.Now() // nobody records yet
	p.run(p.world.Now().Add(time.Minute), traceQuiet)
}

func (p *tracePlayer) prepareClass(namespace, class string) error {
	const vmware, bootstrap = "vmware.infrastructure.cluster.x-k8s.io", "bootstrap.cluster.x-k8s.io"
	names := trace.TemplatesOf(p.real, p.script).Named(class)
	ref := func(group, kind, name string) map[string]any {
		return map[string]any{"templateRef": map[string]any{"apiVersion": group + "/v1beta2", "kind": kind, "name": name}}
	}
	template := func(group, kind, name string, spec map[string]any) map[string]any {
		return map[string]any{
			"apiVersion": group + "/v1beta2", "kind": kind,
			"metadata": map[string]any{"namespace": namespace, "name": name},
			"spec":     map[string]any{"template": map[string]any{"spec": spec}},
		}
	}
	var pools []any
	for _, name := range p.script.PoolClasses() {
		pools = append(pools, map[string]any{"class": name,
			"bootstrap":      ref(bootstrap, "KubeadmConfigTemplate", names.Bootstrap),
			"infrastructure": ref(vmware, "VSphereMachineTemplate", names.Worker),
		})
	}
	size := map[string]any{"className": traceClass, "storageClass": traceClass}
	for _, object := range []map[string]any{
		template(vmware, "VSphereMachineTemplate", names.ControlPlane, size),
		template(vmware, "VSphereMachineTemplate", names.Worker, size),
		template(bootstrap, "KubeadmConfigTemplate", names.Bootstrap, map[string]any{}),
		{
			"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "ClusterClass",
			"metadata": map[string]any{"namespace": namespace, "name": class},
			"spec": map[string]any{
				"controlPlane": map[string]any{"machineInfrastructure": ref(vmware, "VSphereMachineTemplate", names.ControlPlane)},
				"workers":      map[string]any{"machineDeployments": pools},
			},
		},
	} {
		if err := p.apply(object); err != nil {
			return err
		}
	}
	return nil
}

// refused tells that a step could not be asked for.
func (p *tracePlayer) refused(step trace.Step, err error) {
	tell := p.t.Errorf
	if slices.Contains(listedDifferences(p.t).Pending, step.Mark) {
		tell = p.t.Logf
	}
	tell("%s | - | asked | real: accepted | simulated: %v", step.Mark, err)
}

func (p *tracePlayer) record(now time.Time, c kubeapi.Change) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change, differs := trace.Played(now.Sub(p.start).Milliseconds(), c.Before, c.After, c.Actor)
	if differs {
		p.last = now
		p.played.Changes = append(p.played.Changes, change)
	}
}

func (p *tracePlayer) mark(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = p.world.Now()
	p.played.Changes = append(p.played.Changes, trace.Change{T: p.last.Sub(p.start).Milliseconds(), Verb: trace.Mark, Mark: text})
}

// run lets model time pass until deadline, or until nothing changed for as long as
// quiet.
func (p *tracePlayer) run(deadline time.Time, quiet time.Duration) {
	for p.world.Now().Before(deadline) {
		p.mu.Lock()
		until := p.last.Add(quiet)
		p.mu.Unlock()
		if !p.world.Now().Before(until) {
			return
		}
		if deadline.Before(until) {
			until = deadline
		}
		if _, err := p.world.Wait(p.t.Context(), until, nil); err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p *tracePlayer) resource(id trace.ID) (dynamic.ResourceInterface, error) {
	for _, k := range append(kubeapi.CoreKinds(), controllers.Kinds()...) {
		if k.Group != id.Group || k.Kind != id.Kind {
			continue
		}
		r := p.client.Resource(schema.GroupVersionResource{Group: k.Group, Version: k.Versions[0], Resource: k.Resource})
		if k.Cluster {
			return r, nil
		}
		return r.Namespace(p.namespace(id)), nil
	}
	return nil, fmt.Errorf("the simulated Supervisor serves no %s of group %q", id.Kind, id.Group)
}

// namespace is where an object is that a step names without one.
func (p *tracePlayer) namespace(id trace.ID) string {
	if id.Namespace != "" {
		return id.Namespace
	}
	for _, c := range p.real.Changes {
		if c.ID.Kind == id.Kind && c.ID.Name == id.Name {
			return c.ID.Namespace
		}
	}
	if all := p.script.Namespaces(); len(all) > 0 {
		return all[0]
	}
	return ""
}

func (p *tracePlayer) ask(a trace.Ask) error {
	ctx := p.t.Context()
	if a.Verb == trace.Apply {
		return p.apply(a.Body.(map[string]any))
	}
	id := p.counterpart(a.Object)
	r, err := p.resource(id)
	if err != nil {
		return err
	}
	kind, body := types.MergePatchType, a.Body
	switch a.Verb {
	case trace.Delete:
		return r.Delete(ctx, id.Name, metav1.DeleteOptions{})
	case trace.JSON:
		kind = types.JSONPatchType
	case trace.Annotate:
		body = map[string]any{"metadata": map[string]any{"annotations": a.Body}}
	case trace.Label:
		body = map[string]any{"metadata": map[string]any{"labels": a.Body}}
	}
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	_, err = r.Patch(ctx, id.Name, kind, text, metav1.PatchOptions{FieldManager: "user"})
	return err
}

// counterpart is the played object for a generated one that a step names.
func (p *tracePlayer) counterpart(id trace.ID) trace.ID {
	p.mu.Lock()
	defer p.mu.Unlock()
	return trace.Counterpart(p.real, &p.played, id)
}

// apply creates an object, or makes an existing one be as given.
func (p *tracePlayer) apply(content map[string]any) error {
	ctx := p.t.Context()
	object := &unstructured.Unstructured{Object: content}
	gvk := object.GroupVersionKind()
	r, err := p.resource(trace.ID{Group: gvk.Group, Kind: gvk.Kind, Namespace: object.GetNamespace(), Name: object.GetName()})
	if err != nil {
		return err
	}
	if _, err = r.Create(ctx, object, metav1.CreateOptions{FieldManager: "user"}); !apierrors.IsAlreadyExists(err) {
		return err
	}
	_, err = r.Apply(ctx, object.GetName(), object, metav1.ApplyOptions{FieldManager: "user", Force: true})
	if meta.IsNoMatchError(err) {
		return fmt.Errorf("%s: %w", strings.ToLower(gvk.Kind), err)
	}
	return err
}
