package web

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/journal"
)

// follower notes what it is told, a line each.
type follower struct {
	mu    sync.Mutex
	lines []string
	more  chan struct{}
}

func newFollower() *follower { return &follower{more: make(chan struct{}, 1)} }

func (f *follower) note(format string, args ...any) {
	f.mu.Lock()
	f.lines = append(f.lines, fmt.Sprintf(format, args...))
	f.mu.Unlock()
	select {
	case f.more <- struct{}{}:
	default:
	}
}

func (f *follower) Event(of Name, e journal.Event) {
	if e.Begin != nil {
		f.note("%s begins %s", of, e.Begin.Revision)
		return
	}
	f.note("%s %d", of, e.Seq)
}

func (f *follower) Stands(of Name, s Standing) { f.note("%s %s %s", of, s.State, s.Why) }
func (f *follower) Status(reconcile.Status)    {}

// await waits for lines of one loop, in their order, and forgets what came of it
// up to them.
func (f *follower) await(t *testing.T, want ...string) {
	t.Helper()
	limit := time.After(2 * time.Minute)
	for _, line := range want {
		for {
			f.mu.Lock()
			i := slices.IndexFunc(f.lines, func(got string) bool { return strings.HasPrefix(got, line) })
			if i >= 0 {
				loop, _, _ := strings.Cut(line, " ")
				before := slices.DeleteFunc(f.lines[:i+1:i+1], func(got string) bool { return strings.HasPrefix(got, loop+" ") })
				f.lines = slices.Concat(before, f.lines[i+1:])
			}
			f.mu.Unlock()
			if i >= 0 {
				break
			}
			select {
			case <-f.more:
			case <-limit:
				t.Fatalf("%q did not come; there is %q", line, f.lines)
			}
		}
	}
}

// A host is a daemon's server that can be taken away and come back.
type host struct {
	*httptest.Server
	events *Events
	loops  func() []reconcile.LoopStatus
}

func loops(names ...string) []reconcile.LoopStatus {
	out := []reconcile.LoopStatus{}
	for _, name := range names {
		out = append(out, reconcile.LoopStatus{Source: name, Supervisor: "lab"})
	}
	return out
}

// serve begins to serve, at addr unless that is empty.
func serve(t *testing.T, addr string, loops func() []reconcile.LoopStatus) *host {
	t.Helper()
	h := &host{events: NewEvents(), loops: loops}
	handler := Handler(Options{Events: h.events, Status: func() reconcile.Status {
		return reconcile.Status{Loops: h.loops()}
	}})
	h.Server = httptest.NewUnstartedServer(handler)
	if addr != "" {
		listener, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = h.Listener.Close() // the one it has made
		h.Listener = listener
	}
	h.Start()
	t.Cleanup(h.vanish)
	return h
}

func (h *host) vanish() {
	h.CloseClientConnections()
	h.Close()
}

func begin(revision string) journal.Event {
	return journal.Event{Begin: &journal.Begin{Version: journal.Version, Revision: revision}}
}

func end(seq int) journal.Event {
	return journal.Event{Seq: seq, End: &journal.End{Outcome: journal.Reached}}
}

func newTestClient(t *testing.T, o ClientOptions) *Client {
	t.Helper()
	c, err := NewClient(o)
	if err != nil {
		t.Fatal(err)
	}
	c.pace = pace{status: 10 * time.Millisecond, first: 5 * time.Millisecond, most: 20 * time.Millisecond, silence: time.Minute}
	t.Cleanup(c.Close)
	return c
}

// follow follows in the background until the test ends.
func (c *Client) testFollow(t *testing.T, to Follower) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := c.Follow(ctx, to); !errors.Is(err, context.Canceled) {
			t.Errorf("following ended: %v", err)
		}
	})
	t.Cleanup(func() { cancel(); running.Wait() })
}

func TestAClientFollowsADaemonThatComesAndGoes(t *testing.T) {
	t.Parallel()
	names := make(chan []string, 1)
	present := []string{"fleet"}
	var mu sync.Mutex
	list := func() []reconcile.LoopStatus {
		mu.Lock()
		defer mu.Unlock()
		select {
		case present = <-names:
		default:
		}
		return loops(present...)
	}
	h := serve(t, "", list)
	sink := h.events.Sink("fleet", "lab")
	sink(begin("one"))
	f := newFollower()
	newTestClient(t, ClientOptions{URL: h.URL}).testFollow(t, f)
	f.await(t, "fleet/lab connecting", "fleet/lab following", "fleet/lab begins one")
	sink(end(1))
	f.await(t, "fleet/lab 1")

	h.CloseClientConnections() // and takes it up where it was
	f.await(t, "fleet/lab lost", "fleet/lab connecting", "fleet/lab following")
	sink(end(2))
	f.await(t, "fleet/lab 2")

	more := h.events.Sink("second", "lab") // a loop that comes later
	more(begin("two"))
	names <- []string{"fleet", "second"}
	f.await(t, "second/lab begins two")

	addr := h.Listener.Addr().String()
	h.vanish()
	f.await(t, "fleet/lab lost nothing listens at")
	h = serve(t, addr, func() []reconcile.LoopStatus { return loops("fleet") }) // restarted, with another configuration
	sink = h.events.Sink("fleet", "lab")
	sink(begin("three"))
	f.await(t, "fleet/lab following", "fleet/lab begins three")
	f.await(t, "second/lab gone")
}

func TestASilentDaemonIsLost(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/status") {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"loops":[{"source":"fleet","supervisor":"lab"}]}`)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(hang) })
	f := newFollower()
	c := newTestClient(t, ClientOptions{URL: server.URL})
	c.pace.silence = 20 * time.Millisecond
	c.testFollow(t, f)
	f.await(t, "fleet/lab following", "fleet/lab lost nothing was heard", "fleet/lab following")
}

func TestWhatIsNotADaemonIsToldFromOne(t *testing.T) {
	t.Parallel()
	text := func(code int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { answer(w, code, body) }
	}
	for _, test := range []struct {
		name    string
		handler http.Handler
		token   string
		want    string
	}{
		{"a web site", text(200, "<html>"), "", "is not 'vksync run', or another version of it: its status is no JSON"},
		{"JSON of something else", text(200, "{}"), "", "its status has no loops"},
		{"nothing there", http.NotFoundHandler(), "", "it answers 404 Not Found"},
		{"a redirect, which would get the token", http.RedirectHandler("http://127.0.0.1:1/", http.StatusFound), "sesame", "it answers 302 Found"},
		{"a token is wanted", text(401, "a valid token is needed"), "", "wants a token: give it with --token-file or VKSYNC_TOKEN"},
		{"another token", text(401, "a valid token is needed"), "sesame", "does not take the token: it has to be the daemon's server.token"},
		{"from another machine", text(403, "only clients on the daemon's machine may read this"), "", "refuses: only clients on the daemon's machine"},
		{"it fails", text(503, "starting"), "", "503 Service Unavailable: starting"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(test.handler)
			t.Cleanup(server.Close)
			o := ClientOptions{URL: server.URL}
			if test.token != "" {
				o.Token = func() (string, error) { return test.token, nil }
			}
			err := newTestClient(t, o).Follow(t.Context(), newFollower())
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error is %v, want one with %q", err, test.want)
			}
			if err != nil && test.token != "" && strings.Contains(err.Error(), "sesame") {
				t.Errorf("the error holds the token: %v", err)
			}
			if refused := new(Refused); errors.As(err, &refused) == (test.name == "it fails") {
				t.Errorf("%v: whether it will be the same again is not told", err)
			}
		})
	}
}

func TestWhatAnswersInAnotherProtocol(t *testing.T) {
	t.Parallel()
	plain, secure := httptest.NewServer(http.NotFoundHandler()), httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	nobody := httptest.NewServer(nil)
	nobody.Close()
	for url, want := range map[string]string{
		strings.Replace(plain.URL, "http:", "https:", 1):  "speaks no TLS: want http:// in the URL",
		strings.Replace(secure.URL, "https:", "http:", 1): "speaks TLS: want https:// in the URL",
		secure.URL: "certificate",
		nobody.URL: "connection refused; is 'vksync run' running there",
	} {
		if err := newTestClient(t, ClientOptions{URL: url}).Follow(t.Context(), newFollower()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestURLsOfNoDaemon(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"127.0.0.1:8090":          "is not a URL, such as http://127.0.0.1:8090",
		"ftp://127.0.0.1":         "want http://HOST:PORT",
		"http://":                 "want http://HOST:PORT",
		"http://u:secret@h":       "give a token",
		"http://h\x7f":            "is not a URL",
		"http://127.0.0.1:8090/x": "",
	} {
		_, err := NewClient(ClientOptions{URL: url})
		switch {
		case want == "" && err != nil, want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %q", url, err, want)
		case err != nil && strings.Contains(err.Error(), "secret"):
			t.Errorf("a password is shown: %v", err)
		}
	}
}

func TestATokenInTheClearIsNoticed(t *testing.T) {
	t.Parallel()
	token := func() (string, error) { return "", nil }
	for url, want := range map[string]bool{"http://127.0.0.1:1": false, "http://[::1]:1": false, "http://localhost:1": false, "http://h:1": true, "https://h:1": false} {
		c, err := NewClient(ClientOptions{URL: url, Token: token})
		if err != nil || c.Exposed() != want {
			t.Errorf("%s: exposed is %v, want %v (%v)", url, !want, want, err)
		}
	}
}

func TestWhoMayApprove(t *testing.T) {
	t.Parallel()
	token := func() (string, error) { return "sesame", nil }
	pending := fmt.Errorf("%w: the plan that waits is abc", reconcile.ErrNotPending)
	status := func() reconcile.Status {
		l := loops("fleet")
		l[0].Approve = "kubectl annotate configmap/vksync-fleet vksync.dev/approve=abc"
		return reconcile.Status{Loops: l}
	}
	for _, test := range []struct {
		name           string
		server, client func() (string, error)
		result         error
		want           string
		asked          bool
	}{
		{"with the token", token, token, nil, "", true},
		{"another plan waits", token, token, pending, "refuses: nothing was approved: the plan that waits is abc", true},
		{"the Supervisor is away", token, token, errors.New("no route"), "502 Bad Gateway: the approval was not written: no route", true},
		{"without the token", token, nil, nil, "wants a token", false},
		{"where there is none", nil, nil, nil, "kubectl annotate configmap/vksync-fleet vksync.dev/approve=abc", false},
		{"where there is none, with one", nil, token, nil, "set server.token in the daemon's configuration", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			asked := ""
			server := httptest.NewServer(Handler(Options{Status: status, Events: NewEvents(), Token: test.server,
				Approve: func(_ context.Context, source, supervisor, digest string) error {
					asked = source + "/" + supervisor + " " + digest
					return test.result
				}}))
			t.Cleanup(server.Close)
			err := newTestClient(t, ClientOptions{URL: server.URL, Token: test.client}).Approve(t.Context(), "fleet", "lab", "abc")
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("%v, want %q", err, test.want)
			}
			if got := asked == "fleet/lab abc"; got != test.asked {
				t.Errorf("the daemon was asked %q", asked)
			}
		})
	}
}

func TestApprovalsThatAreNone(t *testing.T) {
	t.Parallel()
	h := Handler(Options{Status: busy, Events: NewEvents(), Token: func() (string, error) { return "s", nil },
		Approve: func(context.Context, string, string, string) error { t.Error("approved"); return nil }})
	for _, body := range []string{``, `{}`, `{"source":"a","supervisor":"b"}`, `{"source":"a","supervisor":"b","digest":"c","force":true}`, `[` + strings.Repeat(" ", 5000)} {
		w := get(t, h, "/api/v1/approve", func(r *http.Request) {
			r.Method, r.Body = http.MethodPost, io.NopCloser(strings.NewReader(body))
			r.Header.Set("Authorization", "Bearer s")
		})
		if w.Code != http.StatusBadRequest {
			t.Errorf("%.40q: %d %s", body, w.Code, w.Body)
		}
	}
}

func FuzzServerSentEvents(f *testing.F) {
	f.Add([]byte("event: journal\nid: p-1-0\ndata: {\"seq\":0}\n\n: still here\n\ndata: x\n\n"))
	f.Add([]byte("data: a\ndata: b\n\n"))
	f.Add([]byte("\r\ndata:\r\n\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		r := eventReader{bufio.NewReaderSize(strings.NewReader(string(in)), 16)}
		total := 0
		for {
			e, err := r.next()
			if err != nil {
				break
			}
			total += len(e.data)
		}
		if total > len(in) {
			t.Errorf("%d bytes came of %d", total, len(in))
		}
	})
}

func TestALineThatIsTooLongIsRefused(t *testing.T) {
	t.Parallel()
	read := func(text string, n int) error {
		endless := io.MultiReader(strings.NewReader(text), io.LimitReader(zeros{}, int64(n)), strings.NewReader("\n\n"))
		_, err := eventReader{bufio.NewReaderSize(endless, 64<<10)}.next()
		return err
	}
	if err := read(`data: {"seq":1,`, journal.LineCap); err != nil {
		t.Errorf("an event as long as it may be: %v", err)
	}
	if err := read(`data: {"seq":0,`, 2*journal.LineCap); err != nil {
		t.Errorf("a first event that is longer: %v", err)
	}
	if err := read(`data: {"seq":1,`, 2*journal.LineCap); err == nil {
		t.Error("a line of any length is read")
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}
