package plan_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/vksync/vksync/reconcile/plan"
)

// TestAPlanIsReadBackAsItWasWritten holds Read to MarshalJSON.
func TestAPlanIsReadBackAsItWasWritten(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("finding goldens: %v, %d files", err, len(files))
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c := readCase(t, archive)
		made := plan.Make(&c.desired, &c.live, c.Policy)
		made.Revision = "8f14e45fceea"
		text, err := json.Marshal(made)
		if err != nil {
			t.Fatal(err)
		}
		d, err := plan.Read(text)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		again, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(text), string(again)); diff != "" {
			t.Errorf("%s: it does not come back as it was (-before +after):\n%s", file, diff)
		}
		if d.Digest != made.Digest() || d.Revision != made.Revision || d.Policy != made.Policy || d.Summary != made.Summary() {
			t.Errorf("%s: read %+v", file, d)
		}
		if diff := cmp.Diff(made.Findings, d.Findings); diff != "" {
			t.Errorf("%s: findings (-made +read):\n%s", file, diff)
		}
		if diff := cmp.Diff(shownChanges(made.Actions), shownChanges(actions(d))); diff != "" {
			t.Errorf("%s: changes are shown in other words (-made +read):\n%s", file, diff)
		}
	}
}

func actions(d *plan.Document) (all []plan.Action) {
	for _, p := range d.Phases {
		all = append(all, p.Actions...)
	}
	return all
}

// shownChanges are the changes of actions as a display has them, by path.
func shownChanges(actions []plan.Action) map[string]string {
	out := map[string]string{}
	for _, a := range actions {
		for _, c := range a.Changes {
			out[a.Addr.String()+" "+c.Path] = plan.Shown(c.Old) + " -> " + plan.Shown(c.New)
		}
	}
	return out
}

func TestWhatReadTakesForAPlan(t *testing.T) {
	t.Parallel()
	const head = `{"schemaVersion":"vksync.dev/plan/v1"`
	for text, want := range map[string]string{
		"":     "",
		"null": "",
		head + `,"later":{"a":[1]},"findings":[{"severity":"ok","code":"x","message":"m","later":1}]}`: "",
		`{"schemaVersion":"vksync.dev/plan/v2","findings":{}}`:                                         `it is of version "vksync.dev/plan/v2", and this vksync reads "vksync.dev/plan/v1"`,
		`{}`:                    "it has no schemaVersion, so it is none",
		`[]`:                    "cannot unmarshal array",
		head + `,"findings":1}`: "cannot unmarshal number",
		head:                    "unexpected EOF",
		head + `}{}`:            "something follows it",
	} {
		_, err := plan.Read(json.RawMessage(text))
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", text, err)
		case want != "" && (err == nil || !strings.HasPrefix(err.Error(), "reading a plan: ") || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: the error is %v, want it to say %q", text, err, want)
		}
	}
	if d, err := plan.Read(json.RawMessage(" null\n")); d != nil || err != nil {
		t.Errorf("a plan was read where there is none: %+v, %v", d, err)
	}
}

func TestNumbersAreShownAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	d, err := plan.Read(json.RawMessage(`{"schemaVersion":"vksync.dev/plan/v1","phases":[{"id":"1","actions":[
		{"addr":{"kind":"Cluster","name":"c"},"verb":"update","phase":"1","changes":[{"path":"p","old":9007199254740993,"new":[1.50]}]}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"Cluster c p": "9007199254740993 -> [1.50]"}
	if diff := cmp.Diff(want, shownChanges(actions(d))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func FuzzRead(f *testing.F) {
	desired, observed := scaled()
	text, err := json.Marshal(plan.Make(desired, observed, plan.Policy{Source: "repo", Prune: true}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"schemaVersion":"vksync.dev/plan/v1","findings":null,"phases":[{"actions":null}],"goals":[{}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := plan.Read(data)
		if err != nil || d == nil {
			return
		}
		// What is read can be written, and comes back as it was.
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again, err := plan.Read(text)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, text)
		}
		if diff := cmp.Diff(shownChanges(actions(d)), shownChanges(actions(again))); diff != "" {
			t.Fatalf("it does not come back as it was (-before +after):\n%s", diff)
		}
	})
}

// BenchmarkRead10000 is the plan of a fleet of 10,000 new clusters.
func BenchmarkRead10000(b *testing.B) {
	desired, _ := fleet(10_000)
	text, err := json.Marshal(plan.Make(desired, &plan.Observed{}, policy))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := plan.Read(text); err != nil {
			b.Fatal(err)
		}
	}
}
