package reconcile_test

import (
	"context"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/apply"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/resource"
)

const teamB = `
apiVersion: vksync.dev/v1alpha1
kind: VSphereNamespace
metadata: {name: team-b}
spec:
  supervisor: lab
  description: The other team
  storagePolicies: [{name: vks-gold}]
  vmClasses: [best-effort-small]
  contentLibraries: [vks-releases]
`

// A run that ends between the creation of a vSphere Namespace and the label on
// its Kubernetes Namespace leaves one that the next run knows for its own.
func TestARunThatEndsBeforeTheLabelLosesNoOwnership(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	d := desired(t, teamB)
	e := s.engine(t, "fleet")
	ctx, crash := context.WithCancel(t.Context())
	recorder := journal.NewRecorder(s.world.Now(), func(ev journal.Event) {
		if ev.Action != nil && ev.Action.State == journal.ActionDone {
			crash()
		}
	})
	end, err := e.Run(ctx, s.plan(t, e, d, reconcile.Options{}), apply.Options{Journal: recorder})
	if err == nil || end.Outcome != journal.Interrupted {
		t.Fatalf("the run ended %v, %v", end, err)
	}
	other := s.engine(t, "others")
	want(t, "the plan of another source", s.plan(t, other, desired(t, strings.ReplaceAll(teamB, "The other team", "Ours")), reconcile.Options{}),
		"update VSphereNamespace team-b skipped: who owns it cannot be known")

	again := s.engine(t, "fleet")
	s.bring(t, again, d, reconcile.Options{})
	if got := s.sourceOf(t, kubernetesNamespace("team-b")); got != "fleet" {
		t.Errorf("the source is %q", got)
	}
	if p := s.plan(t, again, d, reconcile.Options{Prune: true}); !p.Empty() {
		t.Errorf("the plan is not empty:\n%s", p.Text())
	}
	// The mark is there after an update as well, and nobody sees it in a plan.
	changed := desired(t, strings.ReplaceAll(teamB, "The other team", "Team B"))
	p := s.bring(t, again, changed, reconcile.Options{})
	want(t, "the change of a description", p, "update VSphereNamespace team-b")
	if text := p.Text(); !strings.Contains(text, `"The other team" -> "Team B"`) {
		t.Errorf("the plan shows more than the description:\n%s", text)
	}
}

// vCenter takes a creation and its answer is lost: the second attempt finds what
// the first one made, and it is this source's.
func TestACreationWhoseAnswerWasLostIsNotMadeTwice(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := s.engine(t, "fleet")
	d := desired(t, teamB)
	p := s.plan(t, e, d, reconcile.Options{})
	s.wire.lose("POST /api/vcenter/namespaces/instances")
	s.wire.take()
	s.run(t, e, p)
	posts := 0
	for _, request := range s.wire.take() {
		if strings.HasPrefix(request, "vCenter POST /api/vcenter/namespaces/instances") {
			posts++
		}
	}
	if posts != 2 {
		t.Errorf("it was asked for %d times, want twice", posts)
	}
	if p := s.plan(t, e, d, reconcile.Options{}); !p.Empty() {
		t.Errorf("the plan is not empty:\n%s", p.Text())
	}
	// Somebody else's is not taken for it.
	theirs := s.plan(t, s.engine(t, "others"), desired(t, teamA), reconcile.Options{})
	s.bring(t, e, desired(t, teamA), reconcile.Options{})
	end, err := s.engine(t, "others").Run(t.Context(), theirs, apply.Options{})
	if err != nil || end.Outcome != journal.NotReached {
		t.Errorf("another source's run ended %v, %v, want it refused", end, err)
	}
}

// The Supervisor refuses the label of one namespace: only that one fails.
func TestARefusedLabelFailsItsNamespaceOnly(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := s.engine(t, "fleet")
	p := s.plan(t, e, desired(t, teamA, clusterOf("prod"), teamB), reconcile.Options{})
	s.wire.refuse("/api/v1/namespaces/team-a")
	var failed []string
	recorder := journal.NewRecorder(s.world.Now(), func(ev journal.Event) {
		if ev.Action != nil && ev.Action.State == journal.ActionFailed {
			failed = append(failed, ev.Action.Addr.String()+" "+ev.Action.Reason+": "+ev.Action.Message)
		}
	})
	end, err := e.Run(t.Context(), p, apply.Options{Journal: recorder})
	if err != nil || end != (journal.End{Outcome: journal.NotReached, Reached: 1, Goals: 3}) {
		t.Errorf("the run ended %v, %v", end, err)
	}
	want := []string{
		"VSphereNamespace team-a denied: labelling its Kubernetes Namespace: no",
		"Cluster team-a/prod NamespaceFailed: its namespace failed: VSphereNamespace team-a",
	}
	if strings.Join(failed, "\n") != strings.Join(want, "\n") {
		t.Errorf("failed: %q, want %q", failed, want)
	}
	if got := s.sourceOf(t, kubernetesNamespace("team-b")); got != "fleet" {
		t.Errorf("the source of the other namespace is %q", got)
	}
}

// A protection that came after the plan is respected all the same.
func TestWhatIsProtectedAfterThePlanStays(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := s.engine(t, "fleet")
	s.bring(t, e, desired(t, teamA, clusterOf("prod")), reconcile.Options{})
	p := s.plan(t, e, &resource.Set{}, reconcile.Options{Prune: true})
	want(t, "the plan", p, "delete Cluster team-a/prod", "delete VSphereNamespace team-a")
	s.annotate(t, clusterAddr("prod"), resource.AnnotationProtection, "true")
	end, err := e.Run(t.Context(), p, apply.Options{})
	if err != nil || end.Outcome != journal.NotReached || end.Reached != 0 {
		t.Errorf("the run ended %v, %v", end, err)
	}
	want(t, "the next plan", s.plan(t, e, &resource.Set{}, reconcile.Options{Prune: true}),
		"delete Cluster team-a/prod skipped: it is protected from deletion",
		"delete VSphereNamespace team-a skipped: Cluster team-a/prod stays in it")
	s.annotate(t, clusterAddr("prod"), resource.AnnotationProtection, "false")
	s.bring(t, e, &resource.Set{}, reconcile.Options{Prune: true})
	if s.exists(t, kubernetesNamespace("team-a")) {
		t.Error("the namespace is there after the protection was lifted")
	}
}

// annotate writes as somebody with kubectl does, and waits until every engine's
// watch must have seen it: the next plan with Prune lists anyway.
func (s *site) annotate(t *testing.T, a resource.Addr, key, value string) {
	t.Helper()
	patch := `{"metadata":{"annotations":{"` + key + `":"` + value + `"}}}`
	client := s.dynamic(t).Resource(schema.GroupVersionResource{Group: a.Group, Version: "v1beta2", Resource: "clusters"})
	if _, err := client.Namespace(a.Namespace).Patch(t.Context(), a.Name, types.MergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: "kubectl-annotate"}); err != nil {
		t.Fatal(err)
	}
}

// Fields that another manager owns are taken over only when told, and the plan
// says whose they are.
func TestFieldsOfAnotherManagerAreTakenOverOnlyByForce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := s.engine(t, "fleet")
	s.bring(t, e, desired(t, teamA, clusterOf("prod")), reconcile.Options{})
	scaled := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster", "metadata": map[string]any{"name": "prod", "namespace": "team-a"},
		"spec": map[string]any{"paused": true},
	}}
	clusters := s.dynamic(t).Resource(schema.GroupVersionResource{Group: "cluster.x-k8s.io", Version: "v1beta2", Resource: "clusters"})
	if _, err := clusters.Namespace("team-a").Apply(t.Context(), "prod", scaled, metav1.ApplyOptions{FieldManager: "night-shift"}); err != nil {
		t.Fatal(err)
	}
	d := desired(t, teamA, strings.Replace(clusterOf("prod"), "spec:\n", "spec:\n  paused: false\n", 1))
	fresh := s.engine(t, "fleet")
	p := s.plan(t, fresh, d, reconcile.Options{Adopt: true})
	want(t, "without force", p, "update Cluster team-a/prod skipped: the API server refuses it: field manager night-shift owns spec.paused (--force-conflicts takes over)")
	if text := p.Text(); !strings.Contains(text, "--force-conflicts") {
		t.Errorf("the plan does not say what to do:\n%s", text)
	}
	// The conflict may come up only when it is applied.
	unforced := s.plan(t, fresh, d, reconcile.Options{ForceConflicts: true})
	unforced.Actions[0].Force = false
	var refused *journal.Action
	recorder := journal.NewRecorder(s.world.Now(), func(ev journal.Event) {
		if ev.Action != nil && ev.Action.State == journal.ActionFailed {
			refused = ev.Action
		}
	})
	if _, err := fresh.Run(t.Context(), unforced, apply.Options{Journal: recorder}); err != nil {
		t.Fatal(err)
	}
	if refused == nil || refused.Reason != "conflict" || refused.Message != "field manager night-shift owns spec.paused (--force-conflicts takes over)" {
		t.Errorf("the journal says %+v", refused)
	}
	want(t, "with force", s.bring(t, fresh, d, reconcile.Options{ForceConflicts: true}), "update Cluster team-a/prod")
}
