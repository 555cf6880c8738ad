package web

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/drift"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/link"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/plan"
)

func busy() reconcile.Status {
	return reconcile.Status{
		Sources: []reconcile.SourceStatus{{
			Name: "fleet", Newest: "abc", Revision: "abc", CheckedAt: time.Unix(1_700_000_000, 0),
			Evaluations: reconcile.Took{Count: 2, Seconds: 0.5},
		}},
		Loops: []reconcile.LoopStatus{{
			Source: "fleet", Supervisor: "lab", State: reconcile.Running, Leader: true,
			Summary: plan.Summary{Create: 3, Skipped: 1},
			Goals:   []reconcile.GoalStatus{{State: phase.Done}, {State: phase.Done}, {State: phase.Blocked}},
			Plans:   reconcile.Took{Count: 4, Seconds: 2},
			Runs:    reconcile.Runs{Reached: 1},
			Actions: []reconcile.ActionCount{{Verb: "create", Result: journal.ActionDone, Count: 12}},
			Drift:   []drift.Item{{Kind: drift.PoweredOff}},
			Drifted: map[string]int{"powered off": 3},
			Endpoints: []reconcile.EndpointStatus{
				{Name: "vcenter", State: link.OK}, {Name: "supervisor", State: link.Open},
			},
		}},
	}
}

func get(t *testing.T, h http.Handler, path string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "http://localhost:8090"+path, nil)
	r.RemoteAddr = "127.0.0.1:40000"
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestMetricsSayWhatTheStatusSays(t *testing.T) {
	t.Parallel()
	body := get(t, Handler(Options{Status: busy, Events: NewEvents(), Version: "v1"}), "/metrics").Body.String()
	for _, want := range []string{
		`vksync_build_info{version="v1"} 1`,
		`vksync_source_up{source="fleet"} 1`,
		`vksync_source_valid{source="fleet"} 1`,
		`vksync_source_checked_timestamp_seconds{source="fleet"} 1.7e+09`,
		`vksync_source_evaluation_duration_seconds_count{source="fleet"} 2`,
		`vksync_loop_state{source="fleet",state="running",supervisor="lab"} 1`,
		`vksync_loop_leader{source="fleet",supervisor="lab"} 1`,
		`vksync_plan_duration_seconds_sum{source="fleet",supervisor="lab"} 2`,
		`vksync_runs_total{outcome="reached",source="fleet",supervisor="lab"} 1`,
		`vksync_actions_total{result="done",source="fleet",supervisor="lab",verb="create"} 12`,
		`vksync_pending_actions{source="fleet",supervisor="lab",verb="create"} 3`,
		`vksync_goals{source="fleet",state="done",supervisor="lab"} 2`,
		`vksync_goals{source="fleet",state="blocked",supervisor="lab"} 1`,
		`vksync_drift{kind="powered off",source="fleet",supervisor="lab"} 1`,
		`vksync_drift_total{kind="powered off",source="fleet",supervisor="lab"} 3`,
		`vksync_endpoint_up{endpoint="supervisor",source="fleet",supervisor="lab"} 0`,
		`vksync_endpoint_up{endpoint="vcenter",source="fleet",supervisor="lab"} 1`,
	} {
		if !strings.Contains(body, want+"\n") {
			t.Errorf("no %s", want)
		}
	}
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*reconcile.Status)
		code   int
		body   string
	}{
		{"all is well", func(*reconcile.Status) {}, 200, "ready\n"},
		{"another replica leads", func(s *reconcile.Status) { s.Loops[0].State = reconcile.Standby }, 200, "ready\n"},
		{"no revision", func(s *reconcile.Status) { s.Sources[0].Revision = "" }, 503, "source fleet has no valid revision yet\n"},
		{"no Supervisor", func(s *reconcile.Status) { s.Loops[0].State = reconcile.Connecting }, 503, "Supervisor lab for source fleet: connecting\n"},
		{"failing, without the private details", func(s *reconcile.Status) {
			s.Loops[0].State, s.Loops[0].Error = reconcile.Failing, "payments/prod is broken"
		}, 503, "Supervisor lab for source fleet: failing\n"},
		{"a vCenter that is down", func(s *reconcile.Status) {
			s.Loops[0].Endpoints = []reconcile.EndpointStatus{{Kind: "vCenter", Name: "the vCenter at 10.0.0.1", State: link.Open}}
		}, 503, "Supervisor lab for source fleet: the vCenter does not answer\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := busy()
			s.Loops[0].Endpoints = nil
			test.change(&s)
			w := get(t, Handler(Options{Status: func() reconcile.Status { return s }, Events: NewEvents()}), "/readyz")
			if w.Code != test.code || w.Body.String() != test.body {
				t.Errorf("%d %q, want %d %q", w.Code, w.Body, test.code, test.body)
			}
		})
	}
}

func TestWhoMayReadTheStatus(t *testing.T) {
	t.Parallel()
	token := func() (string, error) { return "sesame", nil }
	broken := func() (string, error) { return "", errors.New("no such file") }
	from := func(addr string) func(*http.Request) { return func(r *http.Request) { r.RemoteAddr = addr } }
	host := func(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }
	with := func(auth string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", auth) }
	}
	for _, test := range []struct {
		name   string
		token  func() (string, error)
		change []func(*http.Request)
		code   int
	}{
		{"this machine", nil, nil, 200},
		{"this machine by IPv6", nil, []func(*http.Request){from("[::1]:5"), host("[::1]:8090")}, 200},
		{"another machine", nil, []func(*http.Request){from("10.0.0.1:40000")}, 403},
		{"a web page in a browser here", nil, []func(*http.Request){host("evil.example:8090")}, 403},
		{"the token", token, []func(*http.Request){from("10.0.0.1:4"), with("Bearer sesame")}, 200},
		{"no token, though from here", token, nil, 401},
		{"a wrong token", token, []func(*http.Request){with("Bearer sesam")}, 401},
		{"another scheme", token, []func(*http.Request){with("Basic sesame")}, 401},
		{"a token that cannot be read", broken, []func(*http.Request){with("Bearer ")}, 401},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := Handler(Options{Status: busy, Events: NewEvents(), Token: test.token})
			for _, path := range []string{"/api/v1/status", "/api/v1/events?source=none"} {
				want := test.code
				if want == 200 && strings.Contains(path, "events") {
					want = 404 // there is no such stream
				}
				if w := get(t, h, path, test.change...); w.Code != want {
					t.Errorf("%s: %d %s, want %d", path, w.Code, w.Body, want)
				}
			}
			if w := get(t, h, "/healthz", test.change...); w.Code != 200 {
				t.Errorf("health is for everybody: %d", w.Code)
			}
		})
	}
}

// A client reads events as server-sent events.
type client struct {
	*bufio.Scanner
	body io.Closer
}

func listen(t *testing.T, url, last string) *client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	if response.StatusCode != 200 || response.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s, %s", response.Status, response.Header)
	}
	return &client{bufio.NewScanner(response.Body), response.Body}
}

// take reads the ids of the next n events.
func (c *client) take(t *testing.T, n int) []string {
	t.Helper()
	var ids []string
	for len(ids) < n && c.Scan() {
		if id, is := strings.CutPrefix(c.Text(), "id: "); is {
			ids = append(ids, id)
		}
	}
	if len(ids) < n {
		t.Fatalf("only %q: %v", ids, c.Err())
	}
	return ids
}

func TestEventsAreFollowedAndTakenUpAgain(t *testing.T) {
	t.Parallel()
	events := NewEvents()
	events.process = "p"
	sink := events.Sink("fleet", "lab")
	server := httptest.NewServer(Handler(Options{Status: busy, Events: events}))
	t.Cleanup(server.Close)
	record := func(seqs ...int) {
		for _, seq := range seqs {
			sink(journal.Event{Seq: seq})
		}
	}
	check := func(got, want []string) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	}
	record(0, 1)
	a := listen(t, server.URL+"/api/v1/events", "")
	check(a.take(t, 2), []string{"p-1-0", "p-1-1"})
	record(2)
	check(a.take(t, 1), []string{"p-1-2"})
	b := listen(t, server.URL+"/api/v1/events?source=fleet&supervisor=lab", "p-1-1")
	check(b.take(t, 1), []string{"p-1-2"})
	record(0, 1) // another run
	check(a.take(t, 2), []string{"p-2-0", "p-2-1"})
	check(b.take(t, 2), []string{"p-2-0", "p-2-1"})
	for _, old := range []string{"p-1-2", "q-2-1", "2-1", "p-2"} { // of an earlier run, of another process, of none
		c := listen(t, server.URL+"/api/v1/events", old)
		check(c.take(t, 2), []string{"p-2-0", "p-2-1"})
	}
}

func TestALongRunKeepsItsBeginAndItsEnd(t *testing.T) {
	t.Parallel()
	s := &stream{more: make(chan struct{})}
	const n = maxKept + maxKept/5
	for seq := range n {
		s.add(seq, nil)
	}
	first, last := s.events[0].seq, s.events[len(s.events)-1].seq
	if first != 0 || last != n-1 || len(s.events) > maxKept {
		t.Errorf("%d events are kept, from %d to %d", len(s.events), first, last)
	}
}

func TestAStreamIsChosenByName(t *testing.T) {
	t.Parallel()
	events := NewEvents()
	events.Sink("fleet", "lab")
	events.Sink("fleet", "prod")
	h := Handler(Options{Status: busy, Events: events})
	w := get(t, h, "/api/v1/events?source=fleet")
	if w.Code != 404 || !strings.Contains(w.Body.String(), "fleet/lab, fleet/prod") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
