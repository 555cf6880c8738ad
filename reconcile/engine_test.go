package reconcile_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/apply"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/reconcile/supervisor"
)

func (s *site) supervisor(t testing.TB) *supervisor.Client {
	t.Helper()
	c, err := supervisor.Connect(t.Context(), s.world.KubeConfig())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func kubernetesNamespace(name string) resource.Addr {
	return resource.Addr{Kind: "Namespace", Name: name}
}

func clusterAddr(name string) resource.Addr {
	return resource.Addr{Group: "cluster.x-k8s.io", Kind: "Cluster", Namespace: "team-a", Name: name}
}

// actions are the actions of a plan, a line for each.
func actions(p *plan.Plan) []string {
	var out []string
	for _, a := range p.Actions {
		line := string(a.Verb) + " " + a.Addr.String()
		if a.Skip != "" {
			line += " skipped: " + a.Skip
		}
		out = append(out, line)
	}
	return out
}

func want(t *testing.T, what string, p *plan.Plan, lines ...string) {
	t.Helper()
	if diff := cmp.Diff(lines, actions(p)); diff != "" {
		t.Errorf("%s (-want +got):\n%s\n%s", what, diff, p.Text())
	}
}

func (s *site) exists(t *testing.T, a resource.Addr) bool {
	t.Helper()
	_, err := s.supervisor(t).Get(t.Context(), a)
	if err != nil && supervisor.ClassOf(err) != supervisor.NotFound {
		t.Fatal(err)
	}
	return err == nil
}

// sourceOf is the label of the source on an object of the Supervisor.
func (s *site) sourceOf(t *testing.T, a resource.Addr) string {
	t.Helper()
	o, err := s.supervisor(t).Get(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	return o.GetLabels()[resource.LabelSource]
}

func TestAfterARunNothingIsLeftToPlan(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := s.engine(t, "fleet")
	d := desired(t, teamA, clusterOf("prod"))
	first := s.bring(t, e, d, reconcile.Options{Prune: true})
	want(t, "the first plan", first, "create VSphereNamespace team-a", "create Cluster team-a/prod")
	for _, a := range []resource.Addr{kubernetesNamespace("team-a"), clusterAddr("prod")} {
		if got := s.sourceOf(t, a); got != "fleet" {
			t.Errorf("%s has source %q", a, got)
		}
	}
	// Also for an engine that has not seen how it came about.
	for _, again := range []*reconcile.Engine{e, s.engine(t, "fleet")} {
		s.wire.take()
		second := s.plan(t, again, d, reconcile.Options{Prune: true})
		if !second.Empty() {
			t.Errorf("the second plan is not empty:\n%s", second.Text())
		}
		for _, request := range s.wire.take() {
			if strings.HasPrefix(request, "PATCH") {
				t.Errorf("a plan without changes asks for a dry run: %s", request)
			}
		}
	}
}

func TestAPlanOfWhatIsAsDesiredAsksTheSameHoweverManyClustersThereAre(t *testing.T) {
	t.Parallel()
	requests := map[int][]string{}
	for _, n := range []int{2, 12} {
		s := newSite(t)
		manifests := []string{teamA}
		for i := range n {
			manifests = append(manifests, clusterOf(fmt.Sprintf("c%02d", i)))
		}
		d := desired(t, manifests...)
		s.applyAll(t, s.engine(t, "fleet"), d)
		e := s.engine(t, "fleet") // which lists what the other's watch may not have seen yet
		s.wire.take()
		if p := s.plan(t, e, d, reconcile.Options{}); slices.ContainsFunc(p.Actions, func(a plan.Action) bool { return a.Verb != plan.None }) {
			t.Errorf("%d clusters: there is something to do:\n%s", n, p.Text())
		}
		requests[n] = s.wire.take()
		slices.Sort(requests[n])
	}
	if diff := cmp.Diff(requests[2], requests[12]); diff != "" || len(requests[2]) == 0 {
		t.Errorf("requests for 2 and for 12 clusters:\n%s", diff)
	}
}

func TestWhatCannotBeReadIsNeverTakenForAbsent(t *testing.T) {
	t.Parallel()
	nothing := &resource.Set{}
	pruning := reconcile.Options{Prune: true}
	t.Run("vCenter", func(t *testing.T) {
		t.Parallel()
		s := newSite(t)
		e := s.engine(t, "fleet")
		s.bring(t, e, desired(t, teamA, clusterOf("prod")), reconcile.Options{})
		s.wire.cutOff()
		if p, err := e.Plan(t.Context(), nothing, pruning); err == nil {
			t.Errorf("there is a plan without vCenter:\n%s", p.Text())
		}
	})
	for _, kind := range []string{"/clusters", "/namespaces"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.bring(t, s.engine(t, "fleet"), desired(t, teamA, clusterOf("prod")), reconcile.Options{})
			s.wire.refuse(kind)
			if _, err := s.connect(t, "fleet"); supervisor.ClassOf(err) != supervisor.Denied {
				t.Errorf("an engine connects without %s: %v", kind, err)
			}
		})
	}
	t.Run("a kind that is only checked against", func(t *testing.T) {
		t.Parallel()
		s := newSite(t)
		e := s.engine(t, "fleet")
		d := desired(t, teamA, clusterOf("prod"))
		s.bring(t, e, d, reconcile.Options{})
		s.wire.refuse("/clusterclasses")
		p := s.plan(t, e, d, pruning)
		if len(p.Actions) != 0 {
			t.Errorf("the plan is not empty:\n%s", p.Text())
		}
		text := p.Text()
		if !strings.Contains(text, "unknown") || !strings.Contains(text, "forbidden to list clusterclasses.cluster.x-k8s.io") {
			t.Errorf("the plan does not say what could not be read:\n%s", text)
		}
	})
	t.Run("the Clusters, after they could be read at first", func(t *testing.T) {
		t.Parallel()
		s := newSite(t)
		e := s.engine(t, "fleet")
		s.bring(t, e, desired(t, teamA, clusterOf("prod")), reconcile.Options{})
		s.wire.refuse("/clusters")
		s.wire.endWatches()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		var err error
		for err == nil { // the watch is tried again before the list is
			_, err = e.Plan(ctx, nothing, pruning)
		}
		if supervisor.ClassOf(err) != supervisor.Denied {
			t.Errorf("Plan: %v, want what was denied", err)
		}
	})
	t.Run("the answer to a dry run", func(t *testing.T) {
		t.Parallel()
		s := newSite(t)
		e := s.engine(t, "fleet")
		d := desired(t, teamA, clusterOf("prod"))
		s.bring(t, e, d, reconcile.Options{})
		s.wire.refuse("/clusters/prod")
		changed := desired(t, teamA, strings.ReplaceAll(clusterOf("prod"), "np, replicas: 1", "np, replicas: 2"))
		p := s.plan(t, e, changed, pruning)
		want(t, "the plan", p, "update Cluster team-a/prod skipped: the API server refuses it: no")
	})
}

// Every read that a plan needs fails in turn. What
// goes wrong is said, and nothing is deleted for it.
func TestNoReadThatFailsLeadsToADeletion(t *testing.T) {
	t.Parallel()
	pruning := reconcile.Options{Prune: true}
	d := desired(t, teamA, clusterOf("prod"))
	s := newSite(t)
	s.bring(t, s.engine(t, "fleet"), d, reconcile.Options{})
	e := s.engine(t, "fleet")
	s.wire.take()
	if p := s.plan(t, e, d, pruning); !p.Empty() {
		t.Fatalf("there is something to do:\n%s", p.Text())
	}
	reads := map[string]bool{}
	for _, request := range s.wire.take() {
		line := strings.TrimPrefix(request, "vCenter ")
		reads[strings.TrimPrefix(line, "GET ")] = true
	}
	if len(reads) < 10 {
		t.Fatalf("only %d reads to fail: %v", len(reads), reads)
	}
	for _, read := range slices.Sorted(maps.Keys(reads)) {
		s.wire.refuse(read)
		p, err := e.Plan(t.Context(), d, pruning)
		s.wire.refuse("")
		switch {
		case err != nil && ctxErr(err):
			t.Errorf("%s: %v", read, err)
		case err == nil:
			for _, a := range p.Actions {
				t.Errorf("%s fails and leads to %s %s", read, a.Verb, a.Addr)
			}
			if !strings.Contains(p.Text(), "unknown: ") {
				t.Errorf("%s fails and nobody is told:\n%s", read, p.Text())
			}
		}
	}
	if p := s.plan(t, e, d, pruning); !p.Empty() {
		t.Errorf("after all of that the plan is not empty:\n%s", p.Text())
	}
}

func ctxErr(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

func TestPruningDeletesOnlyWhatIsOwned(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ours := s.engine(t, "ours")
	s.bring(t, ours, desired(t, teamA, clusterOf("prod")), reconcile.Options{})
	s.bring(t, s.engine(t, "theirs"), desired(t, clusterOf("dev")), reconcile.Options{})

	nothing := &resource.Set{}
	want(t, "without the policy", s.plan(t, ours, nothing, reconcile.Options{}))
	want(t, "past the limit", s.plan(t, ours, nothing, reconcile.Options{Prune: true, PruneLimit: 1}),
		"delete Cluster team-a/prod skipped: the limit on deletions is exceeded",
		"delete VSphereNamespace team-a skipped: the limit on deletions is exceeded")
	p := s.plan(t, ours, nothing, reconcile.Options{Prune: true})
	want(t, "with another's cluster in the namespace", p,
		"delete Cluster team-a/prod", "delete VSphereNamespace team-a skipped: Cluster team-a/dev stays in it")
	s.run(t, ours, p)
	for name, there := range map[string]bool{"prod": false, "dev": true} {
		if got := s.exists(t, clusterAddr(name)); got != there {
			t.Errorf("cluster %s is there: %t, want %t", name, got, there)
		}
	}
	theirs := s.engine(t, "theirs")
	s.bring(t, theirs, nothing, reconcile.Options{Prune: true})
	s.bring(t, ours, nothing, reconcile.Options{Prune: true})
	if s.exists(t, kubernetesNamespace("team-a")) {
		t.Error("the namespace is there after all that was in it was deleted")
	}
}

func TestANamespaceIsNotDeletedUnderAClusterThatCameAfterThePlan(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ours := s.engine(t, "ours")
	s.bring(t, ours, desired(t, teamA), reconcile.Options{})
	p := s.plan(t, ours, &resource.Set{}, reconcile.Options{Prune: true})
	want(t, "the plan", p, "delete VSphereNamespace team-a")
	s.bring(t, s.engine(t, "theirs"), desired(t, clusterOf("dev")), reconcile.Options{})
	end, err := ours.Run(t.Context(), p, apply.Options{})
	if err != nil || end.Outcome != journal.NotReached {
		t.Errorf("the run ended %v, %v; want it not reached", end, err)
	}
	if !s.exists(t, kubernetesNamespace("team-a")) || !s.exists(t, clusterAddr("dev")) {
		t.Error("the namespace or the cluster in it is gone")
	}
}

func TestAnotherSourceTakesOverOnlyWhenTold(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	d := desired(t, teamA, clusterOf("prod"))
	s.bring(t, s.engine(t, "first"), d, reconcile.Options{})
	second := s.engine(t, "second")
	want(t, "without adoption", s.plan(t, second, d, reconcile.Options{}),
		"update Cluster team-a/prod skipped: exists and is not owned")

	s.wire.take()
	p := s.bring(t, second, d, reconcile.Options{Adopt: true})
	want(t, "with adoption", p, "update VSphereNamespace team-a", "update Cluster team-a/prod")
	for _, a := range []resource.Addr{kubernetesNamespace("team-a"), clusterAddr("prod")} {
		if got := s.sourceOf(t, a); got != "second" {
			t.Errorf("%s has source %q", a, got)
		}
	}
	for _, request := range s.wire.take() {
		if strings.HasPrefix(request, "vCenter PUT") || strings.HasPrefix(request, "vCenter PATCH") {
			t.Errorf("a vSphere Namespace that is as desired was written: %s", request)
		}
	}
	if p := s.plan(t, second, d, reconcile.Options{Prune: true}); !p.Empty() {
		t.Errorf("after the adoption:\n%s", p.Text())
	}
	if p := s.plan(t, s.engine(t, "first"), &resource.Set{}, reconcile.Options{Prune: true}); len(p.Actions) > 0 {
		t.Errorf("the first source still deletes what it lost:\n%s", p.Text())
	}
}

func TestALabelThatSomebodyElseSetIsTakenOverByForce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	d := desired(t, teamA)
	s.bring(t, s.engine(t, ""), d, reconcile.Options{Adopt: true})
	namespace := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Namespace",
		"metadata": map[string]any{"name": "team-a", "labels": map[string]any{resource.LabelSource: "by-hand"}},
	}}
	if _, err := s.kubectl(t, "namespaces").Apply(t.Context(), "team-a", namespace, metav1.ApplyOptions{FieldManager: "kubectl"}); err != nil {
		t.Fatal(err)
	}
	e := s.engine(t, "fleet")
	s.bring(t, e, d, reconcile.Options{Adopt: true})
	if got := s.sourceOf(t, kubernetesNamespace("team-a")); got != "fleet" {
		t.Errorf("the source is %q", got)
	}
}

func TestAVSphereNamespaceIsChangedInPlace(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := s.engine(t, "fleet")
	s.bring(t, e, desired(t, teamA), reconcile.Options{})
	changed := desired(t, strings.ReplaceAll(teamA, ", best-effort-medium", ""))
	want(t, "the plan", s.bring(t, e, changed, reconcile.Options{}), "update VSphereNamespace team-a")
	if p := s.plan(t, e, changed, reconcile.Options{}); !p.Empty() {
		t.Errorf("after the update:\n%s", p.Text())
	}
}

func TestSecretsAppearNowhere(t *testing.T) {
	t.Parallel()
	const secret, user, password = "canary-secret-data", "canary-user-password", "canary-proxy-password"
	variable := func(revision string) string {
		return "    - name: osConfiguration\n      value: {systemProxy: {http: \"http://u:" + password + revision + "@proxy:3128\"}, user: {password: " + user + revision + "}}\n"
	}
	s := newSite(t)
	e := s.engine(t, "fleet")
	var texts []string
	look := func(p *plan.Plan) {
		t.Helper()
		encoded, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, p.Text(), string(encoded))
	}
	look(s.bring(t, e, desired(t, teamA, clusterOf("prod", variable("-1"))), reconcile.Options{}))
	created := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": "prod-user-trusted-ca-secret", "namespace": "team-a"},
		"data": map[string]any{"ca": secret},
	}}
	if _, err := s.kubectl(t, "secrets").Namespace("team-a").Create(t.Context(), created, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	p := s.bring(t, e, desired(t, teamA, clusterOf("prod", variable("-2"))), reconcile.Options{})
	want(t, "the change of a hidden value", p, "update Cluster team-a/prod")
	look(p)
	texts = append(texts, s.journal.String())
	for _, text := range texts {
		for _, canary := range []string{secret, user, password} {
			if i := strings.Index(text, canary); i >= 0 {
				t.Errorf("%s appears: ...%s...", canary, text[max(0, i-200):min(len(text), i+100)])
			}
		}
	}
	if !strings.Contains(strings.Join(texts, ""), resource.Hidden) {
		t.Error("nothing was hidden, so nothing was tested")
	}
}

// kubectl writes as somebody else does.
func (s *site) kubectl(t *testing.T, plural string) dynamic.NamespaceableResourceInterface {
	t.Helper()
	return s.dynamic(t).Resource(schema.GroupVersionResource{Version: "v1", Resource: plural})
}

func (s *site) dynamic(t *testing.T) dynamic.Interface {
	t.Helper()
	client, err := dynamic.NewForConfig(s.world.KubeConfig())
	if err != nil {
		t.Fatal(err)
	}
	return client
}
