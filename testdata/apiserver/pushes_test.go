package apiserver

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"

	"github.com/vksync/vksync/reconcile/resource"
)

// The example fleet comes, grows and shrinks by pushes, on a real API server: all but
// the cluster that is written in v1beta1, since nothing converts versions here.
func TestTheExampleFleetOnARealSupervisor(t *testing.T) {
	s := StartSite(t, lab(t), 100)
	o := newOperator(t, s)
	if err := os.CopyFS(o.work, os.DirFS(filepath.Join("..", "fleet"))); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(o.work, "clusters", "payments-dev.yaml")); err != nil {
		t.Fatal(err)
	}
	d := o.follow(t, "--prune")
	d.synced(t, o.pushAll(t))
	s.fleet(t, 11)

	prod := filepath.Join(o.work, "clusters", "payments-prod.yaml")
	text, err := os.ReadFile(prod)
	if err != nil {
		t.Fatal(err)
	}
	grown := strings.Replace(string(text), "        replicas: 4\n", "        replicas: 5\n", 1)
	if grown == string(text) {
		t.Fatal("the pool of payments-prod is not what this test changes")
	}
	if err := os.WriteFile(prod, []byte(grown), 0o644); err != nil {
		t.Fatal(err)
	}
	d.synced(t, o.pushAll(t))
	s.fleet(t, 11)

	if err := os.Remove(prod); err != nil {
		t.Fatal(err)
	}
	d.synced(t, o.pushAll(t))
	s.fleet(t, 10)
	d.stop(t)
}

// pushAll pushes the work tree as it is.
func (o *operator) pushAll(t testing.TB) string {
	t.Helper()
	o.run(t, o.work, "git", "add", "-A")
	o.run(t, o.work, "git", "commit", "--quiet", "-m", "change")
	o.run(t, o.work, "git", "push", "--quiet", "origin", "HEAD:main")
	return o.run(t, o.work, "git", "rev-parse", "HEAD")
}

// fleet checks that there are so many clusters, all of them available.
func (s *Site) fleet(t testing.TB, want int) {
	t.Helper()
	c, err := dynamic.NewForConfig(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	list, err := c.Resource(clusters).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range list.Items {
		if status := resource.ConditionOf(o.Object, "Available").Status; status != "True" {
			t.Errorf("cluster %s/%s is available: %s", o.GetNamespace(), o.GetName(), status)
		}
	}
	if len(list.Items) != want {
		t.Errorf("there are %d clusters, want %d", len(list.Items), want)
	}
}
