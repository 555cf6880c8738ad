package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
)

// A document is what a page is made of.
type document struct {
	elements map[string]int
	text     string // all of it, without markup
	ids      map[string]bool
	links    []string
}

// embedded matches the only style and the only script, which are no markup.
var embedded = regexp.MustCompile(`(?s)<(style|script)>(.*?)</(?:style|script)>`)

// parse reads a page, and fails for what no page may have: elements that are not
// closed in order, a second script or style, attributes that run or style
// something, and whatever refers to anything outside.
func parse(t testing.TB, page string) document {
	t.Helper()
	d := document{elements: map[string]int{}, ids: map[string]bool{}}
	for _, m := range embedded.FindAllStringSubmatch(page, -1) {
		d.elements[m[1]]++
		sum := sha256.Sum256([]byte(m[2]))
		source := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
		if !strings.Contains(html.UnescapeString(page[:2000]), m[1]+"-src "+source) {
			t.Errorf("the policy does not allow the %s, %s", m[1], source)
		}
		if strings.Contains(m[2], "//") && m[1] == "style" || strings.Contains(m[2], "http") || strings.Contains(m[2], "@import") {
			t.Errorf("the %s refers to something outside", m[1])
		}
	}
	dec := xml.NewDecoder(strings.NewReader(embedded.ReplaceAllString(page, "")))
	dec.Strict, dec.Entity = false, xml.HTMLEntity
	var open []string
	var words strings.Builder
	for {
		token, err := dec.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not a page: %v", err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			name := e.Name.Local
			d.elements[name]++
			if !slices.Contains([]string{"meta", "input", "br"}, name) {
				open = append(open, name)
			}
			for _, a := range e.Attr {
				words.WriteString(d.attribute(t, name, a))
			}
		case xml.EndElement:
			if slices.Contains([]string{"meta", "input", "br"}, e.Name.Local) {
				continue
			}
			if len(open) == 0 || open[len(open)-1] != e.Name.Local {
				t.Fatalf("</%s> closes %q", e.Name.Local, open)
			}
			open = open[:len(open)-1]
		case xml.CharData:
			words.WriteString(string(e) + " ")
		}
	}
	d.text = words.String()
	if len(open) > 0 {
		t.Errorf("%q are not closed", open)
	}
	for _, bad := range []string{"img", "iframe", "link", "object", "embed", "base", "foreignObject", "audio", "video", "image", "use"} {
		if d.elements[bad] > 0 {
			t.Errorf("%d elements %s", d.elements[bad], bad)
		}
	}
	if d.elements["script"] != 1 || d.elements["style"] != 1 {
		t.Errorf("%d scripts and %d styles, want one of each", d.elements["script"], d.elements["style"])
	}
	for _, to := range d.links {
		if !d.ids[to] {
			t.Errorf("a link leads to #%s, which is not there", to)
		}
	}
	return d
}

// attribute checks one, and returns what it tells people.
func (d *document) attribute(t testing.TB, element string, a xml.Attr) string {
	t.Helper()
	name, value := a.Name.Local, a.Value
	switch {
	case name == "id":
		if d.ids[value] {
			t.Errorf("two elements are called %s", value)
		}
		d.ids[value] = true
	case name == "href":
		if !strings.HasPrefix(value, "#") {
			t.Errorf("a link leads outside: %s", value)
		}
		d.links = append(d.links, strings.TrimPrefix(value, "#"))
	case strings.HasPrefix(name, "on"), name == "style", name == "src", name == "srcset", name == "action", name == "ping":
		t.Errorf("%s has %s=%q", element, name, value)
	case strings.Contains(value, "//") && a.Name.Local != "content" && !strings.HasPrefix(name, "data-") && !strings.HasPrefix(name, "aria-"):
		t.Errorf("%s refers to something: %s=%q", element, name, value)
	}
	if strings.HasPrefix(name, "data-") || name == "aria-label" || name == "value" {
		return " " + value + " "
	}
	return ""
}

func TestPages(t *testing.T) {
	t.Parallel()
	for _, path := range examples(t) {
		events := eventsOf(t, path)
		page := written(t, events, Options{})
		d := parse(t, page)
		for _, g := range events[0].Begin.Goals {
			if !strings.Contains(d.text, g.Addr.Name) {
				t.Errorf("%s: %s is not in the page", path, g.Addr)
			}
		}
		if again := written(t, events, Options{}); again != page {
			t.Errorf("%s: the same journal gives another page", path)
		}
		if got, want := strings.Count(page, `<tr data-goal="`), len(events[0].Begin.Goals); got != want {
			t.Errorf("%s: %d rows, want %d", path, got, want)
		}
	}
}

// Everything that a journal can hold is in the page, in words.
func TestARichPage(t *testing.T) {
	t.Parallel()
	page := written(t, rich(t), Options{Title: "Friday"})
	d := parse(t, page)
	flat := strings.Join(strings.Fields(d.text), " ")
	for _, want := range []string{
		"Friday SIMULATED", "not reached: 8 of 10 goals were", "Supervisor lab", "2026-01-01 00:00:00 UTC", "a copy of the site at 09:00",
		"5 of 7 as wanted", "Against forecast", "+0:30",
		"web/shop-us-east", "blocked in phase 2, Infrastructure", "IPAllocationFailed", "LoadBalancerReady WaitingForIP",
		"no address is free in 10.20.0.10-10.20.0.13 (4 of 4 in use)", "Fix ", "kubectl -n web describe service shop-us-east",
		"create Cluster web/shop-us-east is tried again", "the Supervisor did not answer",
		"create Cluster data-platform/kafka was refused", "spec.topology.version: v9 is not there",
		"1 to create, 1 to update, 0 to delete, 1 to wait for, 1 skipped", "source fleet, prunes what is no longer in the repository, adopts what exists",
		"Phase 1: Topology", "spec.clusterNetwork.pods", `["192.168.0.0/16"]`, "none", "(hidden)", "rolling replacement", "forbidden", "in place", "scale",
		"skipped: the limit of 0 deletions", "it is being created",
		"cpu-quota", "clusters/payments.yaml:12:3", "raise its limit or ask for less", "✗ fail", "! warn", "? unknown", "· skipped", "✓ ok",
		"AllocationFailed", "2 times, until 15:00", "Node esx-1",
		"Memory of hosts", "192.0 GiB", "20.0 GiB", "176.0 GiB at 15:00", "100.0 GiB", "160.0 GiB", "52 %", "Addresses", "100 %", "no limit known", "some-kind", "of a newer vksync",
		"42", "Events in the journal",
	} {
		if !strings.Contains(flat, want) {
			t.Errorf("%q is not in the page", want)
		}
	}
	if t.Failed() {
		t.Log(flat)
	}
}

func TestWhereAJournalEnds(t *testing.T) {
	t.Parallel()
	file := journalOf(t, rich(t))
	tests := map[string]struct {
		text  []byte
		until time.Duration
		want  []string
	}{
		"whole":     {file, 0, []string{"not reached"}},
		"cut":       {file[:len(file)-30], 0, []string{"no end in the journal", "ends in the middle of a line", "at 15:00"}},
		"no end":    {file[:bytes.LastIndexByte(file[:len(file)-1], '\n')+1], 0, []string{"no end in the journal", "the run went on, or was killed"}},
		"asked for": {file, 2 * time.Minute, []string{"as it stood at 2:00", "This is the state at 2:00, as was asked for."}},
	}
	for name, test := range tests {
		r, err := Read(bytes.NewReader(test.text), test.until, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if r.Cut() != (name == "cut") {
			t.Errorf("%s: cut is %t", name, r.Cut())
		}
		d := parse(t, rendered(t, r, Options{}))
		for _, want := range test.want {
			if !strings.Contains(d.text, want) {
				t.Errorf("%s: the page does not say %q", name, want)
			}
		}
	}
}

func TestOtherWorldsThanRuns(t *testing.T) {
	t.Parallel()
	a := resource.Addr{Group: resource.GroupCluster, Kind: resource.KindCluster, Namespace: "team", Name: "prod"}
	tests := map[string]struct {
		begin journal.Begin
		want  []string
	}{
		"proposed": {journal.Begin{Proposed: true, World: "Supervisor lab"}, []string{"Plan on Supervisor lab", "waits for approval", "Nothing of it has run.", "· pending", "not begun"}},
		"watched":  {journal.Begin{Watched: true}, []string{"World LIVE", "only looked at"}},
		"broken":   {journal.Begin{Plan: []byte(`{"findings":7}`)}, []string{"The plan in the journal cannot be read"}},
		"nothing":  {journal.Begin{Plan: []byte(`{}`)}, []string{"No changes. What exists is as desired."}},
	}
	for name, test := range tests {
		test.begin.Version = journal.Version
		test.begin.Goals = []journal.Goal{{Addr: a, Verb: "create", ControlPlane: 1, Workers: 1}}
		d := parse(t, written(t, []journal.Event{{Begin: &test.begin}}, Options{}))
		for _, want := range test.want {
			if !strings.Contains(strings.Join(strings.Fields(d.text), " "), want) {
				t.Errorf("%s: the page does not say %q", name, want)
			}
		}
		if test.begin.Proposed && (strings.Contains(d.text, "so far") || strings.Contains(d.text, "● running")) {
			t.Errorf("%s: something runs", name)
		}
	}
}

// Of more goals than are shown, those that somebody must look at are.
func TestManyGoalsAreCapped(t *testing.T) {
	t.Parallel()
	page := written(t, rich(t), Options{Rows: 4})
	d := parse(t, page)
	for _, want := range []string{"4 of 10 goals are shown", "web/shop-us-east", "data-platform/kafka", "data-platform/spark-batch-workers", "web/shop-eu-west"} {
		if !strings.Contains(d.text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if rows := strings.Count(page, `<tr data-goal="`); rows != 4 {
		t.Errorf("%d rows, want 4", rows)
	}
}

func TestManyWarningsAreCounted(t *testing.T) {
	t.Parallel()
	events := rich(t)
	for i := range warningCap + 7 {
		w := &journal.Warning{Kind: "Pod", Namespace: "web", Name: fmt.Sprint("p-", i), Reason: "BackOff", Message: strings.Repeat("x", sayCap+1), Cluster: "preview"}
		events = append(events, journal.Event{Warning: w})
	}
	d := parse(t, written(t, events, Options{}))
	for _, want := range []string{"more than 1,000 different warnings. 9 that came later are not shown", "978 more warnings are in the table", "(1 bytes more)"} {
		if !strings.Contains(d.text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// evil is what foreign text may hold; the secret is in a URL, which is where
// nobody but a display can find it.
const evil = "\x1b[2J\x1b]0;owned\x07\u202e\u2066\ufeff\x00\r\n<script>alert(1)</script>\"'><img src=http://evil.example/x onerror=alert(1)>`${1}{{.}}]]>--> https://ada:CANARY-password@git.example/x \xff"

// corrupt puts evil behind every text of an event that is not of a fixed
// vocabulary.
func corrupt(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			corrupt(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			corrupt(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			switch f := v.Type().Field(i); f.Name {
			case "Kind", "Verb", "Type", "Status", "Op", "Start", "Plan":
				continue
			default:
				corrupt(v.Field(i))
			}
		}
	case reflect.String:
		switch v.Interface().(type) {
		case phase.ID, phase.State, journal.ActionState, journal.Outcome, journal.MeterKind, resource.Verb:
		default:
			v.SetString(v.String() + evil)
		}
	}
}

func corruptAll(events []journal.Event) {
	for i := range events {
		corrupt(reflect.ValueOf(&events[i]).Elem())
	}
}

func TestForeignTextStaysText(t *testing.T) {
	t.Parallel()
	events := rich(t)
	corruptAll(events)
	events[0].Begin.Plan = []byte(strings.ReplaceAll(string(planJSON(t, events[0].Begin.Goals)), `gold`, `gold https://ada:CANARY-plan@h/ <script>`))
	page := written(t, events, Options{Title: evil})
	d := parse(t, page)
	for what, found := range map[string]bool{
		"a secret":         strings.Contains(page, "CANARY"),
		"a control code":   strings.ContainsFunc(page, func(r rune) bool { return r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 }),
		"a mark of bidi":   strings.ContainsAny(page, "\u202e\u2066"),
		"no foreign text":  !strings.Contains(d.text, "<script>alert(1)</script>"),
		"a foreign script": strings.Count(page, "<script") != 1,
		"no mark of a URL": !strings.Contains(d.text, "https://(hidden)@"),
	} {
		if found {
			t.Errorf("the page has %s", what)
		}
	}
}

func FuzzSay(f *testing.F) {
	f.Add(evil)
	f.Add(strings.Repeat("é", sayCap))
	f.Fuzz(func(t *testing.T, s string) {
		got := say(s)
		if len(got) > sayCap+40 || strings.ContainsFunc(got, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u202e' }) {
			t.Errorf("say(%q) is %q", s, got)
		}
	})
}

// journalOf is a journal as it is in a file.
func journalOf(t testing.TB, events []journal.Event) []byte {
	t.Helper()
	var out bytes.Buffer
	e := journal.NewEncoder(&out)
	for _, event := range events {
		if err := e.Encode(event); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

// Texts of a page can be read on what is behind them, in both schemes.
func TestThePageCanBeRead(t *testing.T) {
	t.Parallel()
	light, dark, found := strings.Cut(styleSheet, "prefers-color-scheme")
	if !found {
		t.Fatal("there is one scheme only")
	}
	variable := regexp.MustCompile(`--([a-z0-9]+): (#[0-9a-f]+);`)
	for scheme, css := range map[string]string{"light": light, "dark": dark} {
		values := map[string]string{}
		for _, m := range variable.FindAllStringSubmatch(css, -1) {
			if len(m[2]) == 4 {
				m[2] = "#" + strings.Repeat(m[2][1:2], 2) + strings.Repeat(m[2][2:3], 2) + strings.Repeat(m[2][3:], 2)
			}
			values[m[1]] = m[2]
		}
		check := func(ratio float64, texts string, backs ...string) {
			for _, text := range strings.Fields(texts) {
				for _, back := range backs {
					if got := contrast(t, values[text], values[back]); got < ratio {
						t.Errorf("%s: %s on %s has %.1f:1, want %.1f:1", scheme, text, back, got, ratio)
					}
				}
			}
		}
		check(4.5, "text quiet link done running blocked failed pending warn", "back", "card")
		check(4.5, "text", "mark", "added", "removed", "g0", "g1", "g2", "g3a", "g3b", "g3c", "g4")
		check(3, "c0 c1 c2 c3a c3b c3c c4", "back", "card") // what is no text (WCAG 2.2, 1.4.11)
	}
}

// huge is a fleet of n clusters that have only begun, with a plan for each.
func huge(t testing.TB, n int) []journal.Event {
	t.Helper()
	b := &journal.Begin{Version: journal.Version, Simulated: true}
	p := &plan.Plan{}
	events := []journal.Event{{Begin: b}}
	for i := range n {
		a := resource.Addr{Group: resource.GroupCluster, Kind: resource.KindCluster, Namespace: fmt.Sprintf("team-%03d", i/25), Name: fmt.Sprintf("cluster-%05d", i)}
		b.Goals = append(b.Goals, journal.Goal{Addr: a, Verb: "create", ControlPlane: 3, Workers: 5})
		action := plan.Action{Addr: a, Verb: plan.Create, Phase: phase.Topology}
		for j := range 25 {
			action.Changes = append(action.Changes, plan.Change{Path: fmt.Sprint("spec.topology.variables[", j, "]"), New: "a value"})
		}
		p.Actions = append(p.Actions, action)
		events = append(events, journal.Event{Seq: i + 1, T: int64(i), Action: &journal.Action{Addr: a, Verb: "create", Phase: phase.Topology, State: journal.ActionStarted}})
	}
	var err error
	if b.Plan, err = json.Marshal(p); err != nil {
		t.Fatal(err)
	}
	return events
}

// However large a fleet, its page is one that a browser opens.
func TestAHugeFleetIsCapped(t *testing.T) {
	t.Parallel()
	page := written(t, huge(t, 5000), Options{})
	for _, want := range []string{
		"2,000 of 5,000 goals are shown", "more than 20,000 changes of fields", "2,000 of 5,000 actions are shown",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if size := len(page); size > 24<<20 {
		t.Errorf("the page has %d MiB", size>>20)
	}
}

func BenchmarkHTML(b *testing.B) {
	r := NewRun()
	for _, e := range huge(b, 1000) {
		r.Apply(e)
	}
	b.ReportAllocs()
	for b.Loop() {
		b.ReportMetric(float64(len(rendered(b, r, Options{})))/(1<<20), "MiB/page")
	}
}

// Whatever a file holds, its page is whole and keeps to itself.
func FuzzPage(f *testing.F) {
	events := rich(f)
	f.Add(journalOf(f, append(events[:40:40], events[len(events)-9:]...)))
	f.Add(journalOf(f, events[:3]))
	f.Add([]byte(`{"seq":0,"t_ms":0,"begin":{"version":1,"goals":[{"addr":{"kind":"Cluster","namespace":"a","name":"b"},"verb":"<b>"}],"plan":{"phases":[{"actions":[{"changes":[{"path":"</td>","new":{"a":[1,"<"]}}]}]}],"findings":[{"severity":"\"x"}]},"forecast":{"goals":[{"addr":{"kind":"Cluster","namespace":"a","name":"b"},"steps":[{"phase":"9","start_ms":-5,"end_ms":9}]}]},"site":[{"kind":"quota","capacity":-1,"used":9}]}}` + "\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := Read(bytes.NewReader(file), 0, nil)
		if err != nil {
			return
		}
		parse(t, rendered(t, r, Options{}))
	})
}
