package supervisor_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/reconcile/supervisor"
)

func (s *server) events() []*unstructured.Unstructured {
	return s.List(eventGK, "", nil)
}

func emit(t *testing.T, c *supervisor.Client, e supervisor.Event) {
	t.Helper()
	if err := c.Emit(t.Context(), e); err != nil {
		t.Errorf("Emit: %v", err)
	}
}

func TestEventsAreAboutTheirObjectAndCountUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := serve(t)
		about := resource.Object{Unstructured: s.putCluster(t, "c1", nil)}
		c := s.connect(t)
		failed := supervisor.Event{About: about, Reason: "PlanFailed", Message: "no room at https://u:canary@vc.example", Warning: true}
		began := time.Now().UTC()
		for range 3 {
			emit(t, c, failed)
			time.Sleep(time.Minute)
		}
		emit(t, c, supervisor.Event{About: about, Reason: "Applied", Message: "scaled to 3"})
		events := s.events()
		if len(events) != 2 {
			t.Fatalf("%d events, want one that came three times and another", len(events))
		}
		for _, e := range events {
			if resource.Text(e.Object, "involvedObject", "uid") != string(about.GetUID()) || resource.Text(e.Object, "involvedObject", "kind") != "Cluster" ||
				resource.Text(e.Object, "involvedObject", "name") != "c1" || e.GetNamespace() != "team-a" || resource.Text(e.Object, "source", "component") != "vksync" {
				t.Errorf("event %v", e.Object)
			}
			if resource.Text(e.Object, "reason") != "PlanFailed" {
				continue
			}
			if n, last := resource.Int(e.Object, "count"), resource.Text(e.Object, "lastTimestamp"); n != 3 || last != began.Add(2*time.Minute).Format(time.RFC3339) {
				t.Errorf("counted %d, last at %s", n, last)
			}
			if resource.Text(e.Object, "type") != "Warning" || strings.Contains(resource.Text(e.Object, "message"), "canary") {
				t.Errorf("event %v", e.Object)
			}
		}
		// Kubernetes forgets events after an hour; the next one is new.
		for _, e := range events {
			if err := s.Delete("ttl", key(resource.Object{Unstructured: e})); err != nil {
				t.Fatal(err)
			}
		}
		emit(t, c, failed)
		if events := s.events(); len(events) != 1 || resource.Int(events[0].Object, "count") != 1 {
			t.Errorf("after the old ones were gone: %v", events)
		}
	})
}

func TestEventsAreLimited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := serve(t)
		about := resource.Object{Unstructured: s.putCluster(t, "c1", nil)}
		other := resource.Object{Unstructured: s.putCluster(t, "c2", nil)}
		c := s.connect(t)
		for i := range 100 {
			emit(t, c, supervisor.Event{About: about, Reason: "Applied", Message: fmt.Sprint(i)})
		}
		emit(t, c, supervisor.Event{About: other, Reason: "Applied", Message: "another object is not held up"})
		if got := len(s.events()); got != 26 {
			t.Errorf("%d events, want 25 and one", got)
		}
		time.Sleep(5 * time.Minute)
		emit(t, c, supervisor.Event{About: about, Reason: "Applied", Message: strings.Repeat("ä", 2000)})
		last := s.events()
		if len(last) != 27 {
			t.Errorf("%d events, want one more after a while", len(last))
		}
		for _, e := range last {
			if len(resource.Text(e.Object, "message")) > 1024 {
				t.Error("a message is longer than the API allows")
			}
		}
	})
}

func TestEventsOfWhatHasNoNamespaceAreInDefault(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.put(t, "v1", "Namespace", "", "default", nil)
	emit(t, s.connect(t), supervisor.Event{About: object("v1", "Namespace", "", "team-a", nil), Reason: "Created", Message: "x"})
	if events := s.events(); len(events) != 1 || events[0].GetNamespace() != "default" {
		t.Errorf("got %v", events)
	}
}

func TestForbiddenEventsAreSaidOnceAndFailNothing(t *testing.T) { //nolint:paralleltest // it replaces the process's logger
	var logged bytes.Buffer
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, nil)))
	defer slog.SetDefault(old)
	s := serve(t)
	about := resource.Object{Unstructured: s.putCluster(t, "c1", nil)}
	c := s.connect(t)
	s.fail("/events", http.StatusForbidden, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","message":"events is forbidden","code":403}`)
	for i := range 5 {
		emit(t, c, supervisor.Event{About: about, Reason: "Applied", Message: fmt.Sprint(i)})
	}
	if got := strings.Count(logged.String(), "no Kubernetes events will be written"); got != 1 || s.count("POST /api/v1/namespaces/team-a/events") != 1 {
		t.Errorf("said %d times after %d requests: %s", got, s.count("POST /api/v1/namespaces/team-a/events"), logged.String())
	}
	s.fail("/events", http.StatusInternalServerError, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"InternalError","message":"etcd","code":500}`)
	if err := s.connect(t).Emit(t.Context(), supervisor.Event{About: about, Reason: "Applied", Message: "x"}); supervisor.ClassOf(err) != supervisor.Transient {
		t.Errorf("another failure is %v, want a transient error", err)
	}
}
