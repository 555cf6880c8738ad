package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vksync/vksync/gitsource/gittest"
	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/simulate"
	"github.com/vksync/vksync/simulate/controllers"
	"github.com/vksync/vksync/simulate/kubeapi"
)

// A right is what one rule of RBAC allows, in one of its combinations.
type right struct {
	verb, group, resource, name string
	namespace                   string // empty is all
}

func (r right) String() string {
	return strings.TrimSpace(fmt.Sprintf("%s %s %s", r.verb, strings.TrimSuffix(r.resource+"."+r.group, "."), strings.TrimSpace(r.namespace+" "+r.name)))
}

// rightsOf are what the roles of a directory of deploy/ grant.
func rightsOf(t *testing.T, dir string) map[right]bool {
	t.Helper()
	out := map[right]bool{}
	for _, role := range deployed(t, dir) {
		if !strings.HasSuffix(role.GetKind(), "Role") {
			continue
		}
		for _, r := range at[[]any](t, role.Object, "rules") {
			rule := r.(map[string]any)
			names := texts(rule["resourceNames"])
			if len(names) == 0 {
				names = []string{""}
			}
			for _, group := range texts(rule["apiGroups"]) {
				for _, resource := range texts(rule["resources"]) {
					for _, verb := range texts(rule["verbs"]) {
						for _, name := range names {
							out[right{verb, group, resource, name, role.GetNamespace()}] = true
						}
					}
				}
			}
		}
	}
	return out
}

// asked are the rights that an API server wants for a request; none for what
// everybody may do, such as finding out what is served.
func asked(r *http.Request) []right {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	var a right
	switch {
	case len(parts) > 2 && parts[0] == "api":
		parts = parts[2:]
	case len(parts) > 3 && parts[0] == "apis":
		a.group, parts = parts[1], parts[3:]
	default:
		return nil
	}
	if parts[0] == "namespaces" && len(parts) > 2 {
		a.namespace, parts = parts[1], parts[2:]
	}
	a.resource = parts[0]
	if len(parts) > 1 {
		a.name = parts[1]
	}
	switch {
	case r.Method == http.MethodGet && r.URL.Query().Get("watch") != "":
		a.verb = "watch"
	case r.Method == http.MethodGet && a.name == "":
		a.verb = "list"
	default:
		a.verb = map[string]string{"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}[r.Method]
	}
	if r.Header.Get("Content-Type") == "application/apply-patch+yaml" && a.resource != "namespaces" {
		creates := a
		creates.verb = "create" // which is wanted besides when the object is not there
		return []right{a, creates}
	}
	return []right{a}
}

// A guard is the authorizer of an API server with the roles of deploy/.
type guard struct {
	granted map[right]bool

	mu     sync.Mutex // guards what is below
	used   map[right]bool
	denied map[string]bool
}

// judge lets a request pass, or answers it as an API server that forbids it.
func (g *guard) judge(r *http.Request) *simulate.Fault {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, a := range asked(r) {
		by, ok := g.grants(a)
		if !ok {
			g.denied[a.String()] = true
			return &simulate.Fault{Status: http.StatusForbidden}
		}
		g.used[by] = true
	}
	return nil
}

func (g *guard) grants(a right) (by right, ok bool) {
	for _, namespace := range []string{"", a.namespace} {
		for _, name := range []string{"", a.name} {
			by = right{a.verb, a.group, a.resource, name, namespace}
			if g.granted[by] {
				return by, true
			}
		}
	}
	return right{}, false
}

// A daemon that has the rights of deploy/rbac and no other does all of its work,
// and needs each of them.
func TestRightsAreThoseThatAreNeeded(t *testing.T) {
	t.Parallel()
	g := &guard{granted: rightsOf(t, "rbac"), used: map[right]bool{}, denied: map[string]bool{}}
	w := newLiveWorld(t)
	own := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "vksync"}}}
	namespaces := schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	if _, err := w.kube(t).Resource(namespaces).Create(context.Background(), own, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	w.Fail(simulate.Supervisor, g.judge)
	repo := gittest.New(t)
	pushes := rollout()
	revision := repo.Push(t, pushes[0])
	p := w.runDaemon(t, repo.Bare, "--source=fleet", "--namespace=vksync", "--leader-elect", "--prune", "--prune-limit=0")
	p.synced(t, revision)
	p.synced(t, repo.Push(t, pushes[1]))
	// The same change of a Cluster as before counts up its Event.
	p.synced(t, repo.Push(t, pushes[0]))
	p.synced(t, repo.Push(t, pushes[1]))
	p.stop(t)
	w.Fail(simulate.Supervisor, nil)

	g.mu.Lock()
	defer g.mu.Unlock()
	if diff := cmp.Diff([]string{"list secrets"}, slices.Sorted(maps.Keys(g.denied))); diff != "" {
		t.Errorf("denied (-want +got):\n%s", diff)
	}
	absent := rightsOfAbsentKinds(t)
	for r := range g.granted {
		if strings.Contains(r.verb+r.group+r.resource, "*") || r.resource == "secrets" {
			t.Errorf("%s is more than anybody should have", r)
		}
		if !g.used[r] && !absent[r] {
			t.Errorf("%s is granted and not needed", r)
		}
	}
	for r := range absent {
		if !g.granted[r] {
			t.Errorf("%s is needed and not granted", r)
		}
	}
}

// rightsOfAbsentKinds are the rights to read the kinds that the engine looks for,
// and that the simulated Supervisor has not: those of another network.
func rightsOfAbsentKinds(t *testing.T) map[right]bool {
	t.Helper()
	served := map[string]bool{}
	for _, k := range append(kubeapi.CoreKinds(), controllers.Kinds()...) {
		served[schema.GroupKind{Group: k.Group, Kind: k.Kind}.String()] = true
	}
	out := map[right]bool{}
	watched, listed := reconcile.Kinds()
	absent := func(kinds []schema.GroupKind, verbs ...string) (n int) {
		for _, k := range kinds {
			if served[k.String()] {
				continue
			}
			n++
			plural, _ := meta.UnsafeGuessKindToResource(k.WithVersion("v1"))
			for _, verb := range verbs {
				out[right{verb: verb, group: k.Group, resource: plural.Resource}] = true
			}
		}
		return n
	}
	if n := absent(watched, "list", "watch") + absent(listed, "list"); n > 4 {
		t.Fatalf("%d kinds are not served, which is more than those of another network", n)
	}
	return out
}
