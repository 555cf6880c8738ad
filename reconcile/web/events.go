package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
)

// Events keeps the journal of the last run of every loop and hands it, and what
// follows, to whoever asks: server-sent events called "journal", each with the
// event as JSON, and PROCESS-RUN-SEQ as id, by which a client goes on after a
// break. A run begins with Seq 0. Runs count from 1 in each process, so an id of
// another one is the beginning.
type Events struct {
	process string

	mu      sync.Mutex
	streams map[string]*stream
	names   []string // in the order in which they were made
}

// A stream is the journal of one loop.
type stream struct {
	run    int
	events []message // of the last run, the oldest of which may be gone
	more   chan struct{}
}

type message struct {
	run, seq int
	data     []byte
}

// maxKept bounds the events that are kept of one run; a client that comes later
// gets the Begin and the last ones.
const maxKept = 100_000

// keepAlive is how often a silent stream says that it is there.
const keepAlive = 15 * time.Second

// NewEvents makes the streams of no loop yet.
func NewEvents() *Events {
	return &Events{process: strconv.FormatInt(time.Now().UnixNano(), 36), streams: map[string]*stream{}}
}

// Sink is the journal of one loop.
func (e *Events) Sink(source, supervisor string) func(journal.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	name := source + "/" + supervisor
	s := &stream{more: make(chan struct{})}
	e.streams[name], e.names = s, append(e.names, name)
	return func(event journal.Event) {
		data, err := json.Marshal(event)
		if err != nil {
			return // the journal's own encoder has said so
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		s.add(event.Seq, data)
	}
}

// add is called with the lock held.
func (s *stream) add(seq int, data []byte) {
	if seq == 0 {
		s.run++
		s.events = nil
	}
	if len(s.events) >= maxKept {
		s.events = append(s.events[:1], s.events[maxKept/10:]...)
	}
	s.events = append(s.events, message{s.run, seq, data})
	close(s.more)
	s.more = make(chan struct{})
}

// after lists what follows a position, and a channel that is closed when there
// is more. A position in an earlier run is the beginning of this one.
func (e *Events) after(s *stream, run, seq int) ([]message, <-chan struct{}) {
	e.mu.Lock()
	defer e.mu.Unlock()
	from := 0
	if run == s.run {
		for from = len(s.events); from > 0 && s.events[from-1].seq > seq; from-- {
		}
	}
	return append([]message(nil), s.events[from:]...), s.more
}

// ServeHTTP serves the stream of the loop that ?source= and ?supervisor= name;
// they may be left out where there is one.
func (e *Events) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s, err := e.choose(r.URL.Query().Get("source"), r.URL.Query().Get("supervisor"))
	if err != nil {
		answer(w, http.StatusNotFound, err.Error())
		return
	}
	run, seq := e.position(r.Header.Get("Last-Event-ID"))
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	silence := time.NewTicker(keepAlive)
	defer silence.Stop()
	for {
		messages, more := e.after(s, run, seq)
		for _, m := range messages {
			run, seq = m.run, m.seq
			if _, err := fmt.Fprintf(w, "event: journal\nid: %s-%d-%d\ndata: %s\n\n", e.process, run, seq, m.data); err != nil {
				return
			}
		}
		if out.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-more:
		case <-silence.C:
			if _, err := fmt.Fprint(w, ": still here\n\n"); err != nil {
				return
			}
		}
	}
}

func (e *Events) choose(source, supervisor string) (*stream, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var found []string
	for _, name := range e.names {
		if of, at, _ := strings.Cut(name, "/"); (source == "" || of == source) && (supervisor == "" || at == supervisor) {
			found = append(found, name)
		}
	}
	if len(found) == 1 {
		return e.streams[found[0]], nil
	}
	return nil, fmt.Errorf("%d streams fit source=%q supervisor=%q: want one of SOURCE/SUPERVISOR %s", len(found), source, supervisor, strings.Join(e.names, ", "))
}

// position reads an id; what is none of this process is the beginning.
func (e *Events) position(id string) (run, seq int) {
	rest, ours := strings.CutPrefix(id, e.process+"-")
	a, b, _ := strings.Cut(rest, "-")
	run, runErr := strconv.Atoi(a)
	seq, seqErr := strconv.Atoi(b)
	if !ours || runErr != nil || seqErr != nil {
		return 0, -1
	}
	return run, seq
}
