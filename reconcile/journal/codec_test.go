package journal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
)

// journals are the example journals of the repository.
func journals(t testing.TB) []string {
	t.Helper()
	names, err := filepath.Glob("../../testdata/journals/*.jsonl")
	if err != nil || len(names) == 0 {
		t.Fatalf("no example journals: %v", err)
	}
	return names
}

func decode(t testing.TB, r io.Reader) []journal.Event {
	t.Helper()
	d := journal.NewDecoder(r)
	var events []journal.Event
	for {
		e, err := d.Decode()
		if err == io.EOF {
			return events
		}
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
}

func encode(t testing.TB, events []journal.Event) []byte {
	t.Helper()
	var b bytes.Buffer
	enc := journal.NewEncoder(&b)
	for _, e := range events {
		if err := enc.Encode(e); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func TestExampleJournalsRoundTrip(t *testing.T) {
	t.Parallel()
	for _, name := range journals(t) {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		events := decode(t, bytes.NewReader(raw))
		again := decode(t, bytes.NewReader(encode(t, events)))
		if diff := cmp.Diff(events, again); diff != "" {
			t.Errorf("%s does not come back as it was (-before +after):\n%s", name, diff)
		}
	}
}

// The hand-written encoder must give what encoding/json gives, byte for byte,
// or readers in other languages would see two dialects.
func TestEncoderWritesWhatEncodingJSONWrites(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		e := randomEvent(random)
		var want bytes.Buffer
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(e); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.String(), string(encode(t, []journal.Event{e}))); diff != "" {
			t.Fatalf("event %+v (-encoding/json +Encoder):\n%s", e, diff)
		}
	}
}

func randomEvent(r *rand.Rand) journal.Event {
	e := journal.Event{Seq: r.IntN(1 << 30), T: r.Int64N(1 << 40)}
	if r.IntN(3) == 0 {
		e.VM = &journal.VM{
			Op: randomText(r), Task: randomText(r), Namespace: randomText(r), Name: randomText(r), Cluster: randomText(r), Zone: randomText(r),
			Host: randomText(r), Datastore: randomText(r), IP: randomText(r), Error: randomText(r), PhaseID: phase.ID(randomText(r)),
		}
		return e
	}
	if r.IntN(6) == 0 {
		e.Warning = &journal.Warning{
			Kind: randomText(r), Namespace: randomText(r), Name: randomText(r), Reason: randomText(r), Message: randomText(r),
			Cluster: randomText(r), PhaseID: phase.ID(randomText(r)),
		}
		return e
	}
	if r.IntN(6) == 0 {
		e.Goal = &journal.Goal{Addr: resource.Addr{Kind: randomText(r), Name: randomText(r)}, Verb: randomText(r), Workers: r.Int64N(3)}
		return e
	}
	if r.IntN(6) == 0 {
		e.Usage = &journal.Usage{Meters: []journal.Meter{{Kind: journal.Quota, Group: randomText(r), Name: randomText(r), Used: r.Int64N(9)}}}
		return e
	}
	o := &journal.Object{Actor: randomText(r), Cluster: randomText(r), PhaseID: phase.ID(randomText(r))}
	o.Change = resource.Change{
		Verb: resource.Updated, APIVersion: randomText(r), Kind: randomText(r), Namespace: randomText(r), Name: randomText(r),
		Phase: randomText(r), Deleting: r.IntN(2) == 0, Present: r.IntN(2) == 0,
	}
	for range r.IntN(3) {
		o.Owners = append(o.Owners, resource.Owner{Kind: randomText(r), Name: randomText(r), Controller: r.IntN(2) == 0})
		o.Finalizers = append(o.Finalizers, randomText(r))
		o.Conditions = append(o.Conditions, resource.Condition{Type: randomText(r), Status: randomText(r), Reason: randomText(r), Message: randomText(r)})
	}
	for range r.IntN(20) {
		if o.Labels == nil {
			o.Labels = map[string]string{}
		}
		// Two keys of invalid UTF-8 can become one, which no map of JSON has.
		o.Labels[strings.ToValidUTF8(randomText(r), "")] = randomText(r)
	}
	if r.IntN(2) == 0 {
		o.Replicas = &resource.Replicas{Desired: r.Int64N(9), Current: -r.Int64N(9), Ready: 1, Available: 2, UpToDate: 3}
	}
	e.Object = o
	return e
}

func randomText(r *rand.Rand) string {
	parts := []string{"", "a", "Zone-1", "\"", "\\", "\n", "\t", "\x00", "\x1f", "\x7f", "<&>", "é", "日本", "\u2028", "\u2029", "\xff", "\xe2\x82", "😀", "/"}
	var b strings.Builder
	for range r.IntN(5) {
		b.WriteString(parts[r.IntN(len(parts))])
	}
	return b.String()
}

const begin = `{"seq":0,"t_ms":0,"begin":{"version":1,"simulated":true,"start":"2026-01-01T00:00:00Z","goals":null,"plan":null}}` + "\n"

func TestDecoderRefusesWhatIsNoJournal(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ in, want string }{
		"another version":        {strings.Replace(begin, `"version":1`, `"version":2`, 1), "journal line 1: the journal is of version 2; this vksync reads version 1"},
		"no begin":               {`{"seq":0,"t_ms":0,"end":{"outcome":"reached","reached":0,"goals":0}}` + "\n", "journal line 1: a journal begins with a begin event"},
		"two begins":             {begin + strings.Replace(begin, `"seq":0`, `"seq":1`, 1), "journal line 2: a second begin event"},
		"a gap":                  {begin + `{"seq":2,"t_ms":0,"end":{"outcome":"reached","reached":0,"goals":0}}` + "\n", "journal line 2: seq is 2, want 1: events are missing or out of order"},
		"an event of the future": {begin + `{"seq":1,"t_ms":0,"telepathy":{}}` + "\n", "journal line 2: an event without content"},
		"two contents":           {begin + `{"seq":1,"t_ms":0,"end":{"outcome":"","reached":0,"goals":0},"vm":{"op":"x","namespace":"","name":""}}` + "\n", "journal line 2: an event with more than one content"},
		"time before the start":  {begin + `{"seq":1,"t_ms":-5,"vm":{"op":"x","namespace":"","name":""}}` + "\n", "journal line 2: t_ms is -5, want 0 or more"},
		"text that is not JSON":  {"hello\n", "journal line 1: not an event"},
		"an empty line":          {begin + "\n", "journal line 2: not an event"},
		"a line cut off":         {begin + `{"seq":1,"t_ms"`, "journal line 2: unexpected EOF"},
		"a line past the cap":    {begin + `{"seq":1,"x":"` + strings.Repeat("x", journal.LineCap) + "\"}\n", "journal line 2: longer than 4 MiB"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := journal.NewDecoder(strings.NewReader(tt.in))
			var err error
			for err == nil {
				_, err = d.Decode()
			}
			if !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got %q, want %q", err, tt.want)
			}
			if _, again := d.Decode(); again.Error() != err.Error() {
				t.Errorf("a second call got %v, want the same error", again)
			}
		})
	}
}

func TestEncoderRefusesALineThatNoDecoderTakes(t *testing.T) {
	t.Parallel()
	e := journal.Event{VM: &journal.VM{Error: strings.Repeat("x", journal.LineCap)}}
	if err := journal.NewEncoder(io.Discard).Encode(e); err == nil {
		t.Error("got no error")
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestEncoderReportsTheWritersError(t *testing.T) {
	t.Parallel()
	if err := journal.NewEncoder(broken{}).Encode(journal.Event{VM: &journal.VM{}}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v, want %v", err, io.ErrClosedPipe)
	}
}

func TestRecorderNumbersEventsAndNeverGoesBack(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var seen [][2]int64
	r := journal.NewRecorder(start, func(e journal.Event) { seen = append(seen, [2]int64{int64(e.Seq), e.T}) })
	r.Record(start, journal.Event{Begin: &journal.Begin{Version: journal.Version, Start: start}})
	r.Record(start.Add(1500*time.Millisecond), journal.Event{VM: &journal.VM{Op: "CreateVM_Task"}})
	r.Record(start.Add(time.Second), journal.Event{VM: &journal.VM{Op: "PowerOnVM_Task"}})
	r.Record(start.Add(2*time.Second), journal.Event{End: &journal.End{Outcome: journal.Reached}})
	want := [][2]int64{{0, 0}, {1, 1500}, {2, 1500}, {3, 2000}}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("seq and time (-want +got):\n%s", diff)
	}
	if got := r.Timeline().Elapsed(); got != 2*time.Second {
		t.Errorf("elapsed is %v, want 2s", got)
	}
	if got := r.Timeline().Totals().VMs; got != 1 {
		t.Errorf("%d VMs, want 1", got)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(begin))
	f.Add([]byte(begin + `{"seq":1,"t_ms":5,"object":{"actor":"a","verb":"created","apiVersion":"v1","kind":"Machine","name":"m","cluster":"c","phase":"4"}}` + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d := journal.NewDecoder(bytes.NewReader(data))
		timeline := journal.NewTimeline()
		var kept []journal.Event
		for {
			e, err := d.Decode()
			if err != nil {
				break
			}
			kept = append(kept, e)
			timeline.Apply(e)
		}
		for _, row := range timeline.Rows() {
			phase.Cause(timeline.Why(row.Addr))
		}
		first := encode(t, kept)
		if again := encode(t, decode(t, bytes.NewReader(first))); !bytes.Equal(first, again) {
			t.Errorf("a journal does not come back as it was:\n%s\n%s", first, again)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	events := example(b)
	enc := journal.NewEncoder(io.Discard)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := enc.Encode(events[i%len(events)]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkApply(b *testing.B) {
	events := example(b)
	timeline := journal.NewTimeline()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%len(events) == 0 {
			timeline = journal.NewTimeline()
		}
		timeline.Apply(events[i%len(events)])
	}
}

func example(b *testing.B) []journal.Event {
	f, err := os.Open("../../testdata/journals/observed-create.jsonl")
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	return decode(b, f)
}

// Times are since the beginning that the journal names, which may be later than
// when its Recorder was made.
func TestTimesAreSinceTheBegin(t *testing.T) {
	t.Parallel()
	made := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	begun := made.Add(10 * time.Second)
	var times []int64
	r := journal.NewRecorder(made, func(e journal.Event) { times = append(times, e.T) })
	r.Record(begun, journal.Event{Begin: &journal.Begin{Start: begun}})
	r.Record(begun.Add(time.Second), journal.Event{Usage: &journal.Usage{}})
	if diff := cmp.Diff([]int64{0, 1000}, times); diff != "" {
		t.Errorf("times (-want +got):\n%s", diff)
	}
}
