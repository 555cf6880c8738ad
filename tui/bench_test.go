package tui

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/resource"
)

// BenchmarkKeyToScreen measures what the user feels: from a key to the bytes that
// the terminal gets for it, through the whole program, with 10,000 clusters on the
// board and 1,000 events a second coming in.
func BenchmarkKeyToScreen(b *testing.B) {
	keys, typed := io.Pipe()
	screen := &screen{seen: make(chan struct{}, 1)}
	l := startLive(b.Context(), keys, screen, Options{Width: 140, Height: 40, Color: true, Title: "vksync"}, nil, 0)
	begin := &journal.Begin{Version: journal.Version, Simulated: true}
	for i := range 10_000 {
		begin.Goals = append(begin.Goals, journal.Goal{
			Addr: resource.Addr{Group: resource.GroupCluster, Kind: resource.KindCluster, Namespace: "team", Name: name(i)},
			Verb: "none", ControlPlane: 3, Workers: 5, // so that rows stay where they are
		})
	}
	l.Event(journal.Event{Begin: begin})
	stop := make(chan struct{})
	var fed sync.WaitGroup
	fed.Go(func() { feed(l, begin.Goals, stop) })
	screen.await(b, name(0))

	var took []time.Duration
	for b.Loop() {
		screen.forget()
		at := time.Now()
		if _, err := typed.Write([]byte("j")); err != nil {
			b.Fatal(err)
		}
		screen.await(b, "\x1b[7m") // the mark of the row that is selected now
		took = append(took, time.Since(at))
	}
	close(stop)
	fed.Wait()
	if _, err := typed.Write([]byte("q")); err != nil { // who has pressed a key ends it with one
		b.Fatal(err)
	}
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}

func name(i int) string { return fmt.Sprintf("cluster-%05d", i) }

// feed tells 1,000 events a second.
func feed(l *live, goals []journal.Goal, stop chan struct{}) {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for n := 0; ; {
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
		for range 10 {
			n++
			g := goals[n%len(goals)]
			l.Event(journal.Event{Seq: n, T: int64(n), Object: &journal.Object{Actor: "m", Cluster: g.Addr.Name, PhaseID: "1", Change: resource.Change{
				Verb: resource.Updated, APIVersion: "cluster.x-k8s.io/v1beta2", Kind: "Cluster", Namespace: g.Addr.Namespace, Name: g.Addr.Name,
				Conditions: []resource.Condition{{Type: "Available", Status: "False", Message: fmt.Sprint(n)}},
			}}})
		}
	}
}

// A screen is a terminal that remembers what it was sent.
type screen struct {
	mu   sync.Mutex
	got  bytes.Buffer
	seen chan struct{}
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.seen <- struct{}{}:
	default:
	}
	return s.got.Write(p)
}

func (s *screen) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got.Reset()
}

// await waits until a text was sent.
func (s *screen) await(b *testing.B, text string) {
	b.Helper()
	deadline := time.After(10 * time.Second)
	for {
		s.mu.Lock()
		there := bytes.Contains(s.got.Bytes(), []byte(text))
		s.mu.Unlock()
		if there {
			return
		}
		select {
		case <-s.seen:
		case <-deadline:
			b.Fatalf("%s did not come on the screen", text)
		}
	}
}
