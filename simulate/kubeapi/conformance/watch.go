package conformance

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"time"

	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/vksync/vksync/reconcile/resource"
)

// A stream is an open watch.
type stream struct {
	*client
	events chan content // closed at the end of the watch
}

// follow opens a watch that ends with the test.
func (c *client) follow(path, accept string, query ...string) *stream {
	c.Helper()
	response := c.open(c.Context(), request{method: http.MethodGet, path: path, accept: accept, query: pairs(append([]string{"watch", "true"}, query...))})
	c.Cleanup(func() { _ = response.Body.Close() })
	if response.StatusCode != http.StatusOK {
		c.Fatalf("watching %s: %s", path, response.Status)
	}
	s := &stream{client: c, events: make(chan content, 100)}
	go func() {
		defer close(s.events)
		lines := bufio.NewScanner(response.Body)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var event content
			if utiljson.Unmarshal(lines.Bytes(), &event) != nil {
				event = content{"type": "no JSON: " + lines.Text()}
			}
			s.events <- event
		}
	}()
	return s
}

// next is the next event.
func (s *stream) next() content {
	s.Helper()
	select {
	case event, ok := <-s.events:
		if !ok {
			s.Fatal("the watch has ended")
		}
		return event
	case <-time.After(within):
		s.Fatalf("no event in %s", within)
	}
	return nil
}

// expect reads events, as "TYPE NAME", bookmarks aside.
func (s *stream) expect(want ...string) {
	s.Helper()
	for _, w := range want {
		event := s.next()
		for resource.Text(event, "type") == "BOOKMARK" {
			event = s.next()
		}
		s.same("event", fmt.Sprintf("%v %s", event["type"], resource.Text(event, "object", "metadata", "name")), w)
	}
}

// ends waits for the end of the watch.
func (s *stream) ends() {
	s.Helper()
	timeout := time.After(within)
	for {
		select {
		case _, ok := <-s.events:
			if !ok {
				return
			}
		case <-timeout:
			s.Fatalf("the watch goes on after %s", within)
		}
	}
}

var watchCases = []testCase{
	{"tells what is there and every change", func(c *client) {
		c.want(http.StatusCreated, c.post(c.vms(), vm("a", nil)))
		s := c.follow(c.vms(), "")
		s.expect("ADDED a")
		made := c.want(http.StatusCreated, c.post(c.vms(), vm("b", nil)))
		changed := c.want(http.StatusOK, c.patch(mergeMedia, c.vms("b"), content{"spec": content{"k": "v"}}))
		c.want(http.StatusOK, c.delete(c.vms("b"), nil))
		added, modified, deleted := s.next(), s.next(), s.next()
		c.same("ADDED", added, content{"type": "ADDED", "object": made})
		c.same("MODIFIED", modified, content{"type": "MODIFIED", "object": changed})
		c.same("DELETED", resource.Text(deleted, "type"), "DELETED")
		c.same("last content", resource.Field(deleted, "object", "spec"), resource.Field(changed, "spec"))
		if v := resource.Text(deleted, "object", "metadata", "resourceVersion"); v == versionOf(changed) {
			c.Errorf("a deletion has the version %s of the change before", v)
		}
	}},
	{"resumes from a version", func(c *client) {
		first := c.want(http.StatusCreated, c.post(c.vms(), vm("a", nil)))
		c.want(http.StatusCreated, c.post(c.vms(), vm("b", nil)))
		c.want(http.StatusOK, c.delete(c.vms("a"), nil))
		s := c.follow(c.vms(), "", "resourceVersion", versionOf(first))
		s.expect("ADDED b", "DELETED a")
		c.want(http.StatusCreated, c.post(c.vms(), vm("c", nil)))
		s.expect("ADDED c")
	}},
	{"resumes from a list", func(c *client) {
		c.want(http.StatusCreated, c.post(c.vms(), vm("a", nil)))
		list := c.want(http.StatusOK, c.get(c.vms()))
		s := c.follow(c.vms(), "", "resourceVersion", versionOf(list))
		c.want(http.StatusCreated, c.post(c.vms(), vm("b", nil)))
		s.expect("ADDED b")
	}},
	{"marks the end of what was there", func(c *client) {
		c.want(http.StatusCreated, c.post(c.vms(), vm("a", nil)))
		s := c.follow(c.vms(), "", "sendInitialEvents", "true", "resourceVersionMatch", "NotOlderThan", "allowWatchBookmarks", "true")
		c.same("first", resource.Text(s.next(), "type"), "ADDED")
		mark := s.next()
		c.same("second", resource.Text(mark, "type"), "BOOKMARK")
		c.same("kind", resource.Text(mark, "object", "kind"), "VirtualMachine")
		c.same("annotation", resource.Text(mark, "object", "metadata", "annotations", "k8s.io/initial-events-end"), "true")
		if resource.Text(mark, "object", "metadata", "resourceVersion") == "" {
			c.Error("the bookmark has no version")
		}
		c.want(http.StatusCreated, c.post(c.vms(), vm("b", nil)))
		s.expect("ADDED b")
	}},
	{"initial events need their match", func(c *client) {
		details := c.refused(c.get(c.vms(), "watch", "true", "sendInitialEvents", "true"), http.StatusUnprocessableEntity, "Invalid",
			"ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
		c.same("causes", len(resource.Items(details, "causes")), 1)
	}},
	{"a version too old is an ERROR event", func(c *client) {
		s := c.follow(c.vms(), "", "resourceVersion", "1")
		event := s.next()
		c.same("type", resource.Text(event, "type"), "ERROR")
		c.same("kind", resource.Text(event, "object", "kind"), "Status")
		c.same("code", resource.Int(event, "object", "code"), int64(http.StatusGone))
		c.same("reason", resource.Text(event, "object", "reason"), "Expired")
		if m := resource.Text(event, "object", "message"); !strings.HasPrefix(m, "too old resource version: 1 (") {
			c.Errorf("message %q", m)
		}
		s.ends()
	}},
	{"ends after its time", func(c *client) {
		c.follow(c.vms(), "", "timeoutSeconds", "1").ends()
	}},
	{"what begins to match is added, what stops is deleted", func(c *client) {
		s := c.follow(c.vms(), "", "labelSelector", "on=yes")
		set := func(value any) {
			c.want(http.StatusOK, c.patch(mergeMedia, c.vms("a"), content{"metadata": content{"labels": content{"on": value}}}))
		}
		c.want(http.StatusCreated, c.post(c.vms(), vm("a", nil)))
		set("yes")
		set("no")
		set("yes")
		c.want(http.StatusOK, c.delete(c.vms("a"), nil))
		s.expect("ADDED a", "DELETED a", "ADDED a", "DELETED a")
	}},
	{"one object by name", func(c *client) {
		s := c.follow(c.vms(), "", "fieldSelector", "metadata.name=b")
		for _, name := range []string{"a", "b", "c"} {
			c.want(http.StatusCreated, c.post(c.vms(), vm(name, nil)))
		}
		c.want(http.StatusOK, c.delete(c.vms("b"), nil))
		s.expect("ADDED b", "DELETED b")
	}},
	{"a deletion that waits is a change", func(c *client) {
		s := c.follow(c.vms(), "")
		c.want(http.StatusCreated, c.post(c.vms(), with(vm("a", nil), []any{"test.vksync.dev/hold"}, "metadata", "finalizers")))
		c.want(http.StatusOK, c.delete(c.vms("a"), nil))
		c.want(http.StatusOK, c.patch(mergeMedia, c.vms("a"), content{"metadata": content{"finalizers": nil}}))
		s.expect("ADDED a", "MODIFIED a", "DELETED a")
	}},
}
