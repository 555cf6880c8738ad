package schema

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"cuelang.org/go/cue"
	"github.com/google/go-cmp/cmp"
)

// A row is what docs/config.md says of a field.
type row struct{ value, otherwise string }

// rows are those of the tables of docs/config.md, by the field.
func rows(t *testing.T, text string) map[string]row {
	t.Helper()
	out := map[string]row{}
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(cells) != 3 {
			t.Fatalf("%d cells: %s", len(cells), line)
		}
		field := strings.Trim(cells[0], " `")
		if _, twice := out[field]; twice {
			t.Errorf("%s is there twice", field)
		}
		out[field] = row{strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2])}
	}
	return out
}

// fieldsOf are the fields of a definition that hold a value, and lists of others,
// by their path.
func fieldsOf(t *testing.T, v cue.Value, path string, out map[string]configField) {
	t.Helper()
	all, err := v.Fields(cue.Optional(true))
	if err != nil {
		t.Fatal(err)
	}
	for all.Next() {
		name := strings.TrimRight(all.Selector().String(), "?!")
		at := strings.TrimPrefix(path+"."+name, ".")
		f := configField{required: all.FieldType().ConstraintType() == cue.RequiredConstraint, value: all.Value()}
		switch {
		case slices.Contains(append(secretFields, "username"), name): // one of two forms
			out[at] = f
		case f.value.IncompleteKind() == cue.StructKind:
			fieldsOf(t, f.value, at, out)
		case f.value.IncompleteKind() == cue.ListKind:
			out[at] = f
			if item := f.value.LookupPath(cue.MakePath(cue.AnyIndex)); item.IncompleteKind() == cue.StructKind {
				fieldsOf(t, item, at+"[]", out)
			}
		default:
			out[at] = f
		}
	}
}

type configField struct {
	required bool
	value    cue.Value
}

// The reference of the configuration has every field and no other, says of each
// whether it is required, and names all values of those that have few.
func TestReferenceOfTheConfiguration(t *testing.T) {
	t.Parallel()
	documented, fields := rows(t, reference(t)), map[string]configField{}
	fieldsOf(t, compiled().config, "", fields)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(fields)), slices.Sorted(maps.Keys(documented))); diff != "" {
		t.Fatalf("fields (-definition +documented):\n%s", diff)
	}
	for name, f := range fields {
		doc := documented[name]
		if (doc.otherwise == "required") != f.required {
			t.Errorf("%s: documented as %q, and required is %v", name, doc.otherwise, f.required)
		}
		value := f.value
		if value.IncompleteKind() == cue.ListKind {
			value = value.LookupPath(cue.MakePath(cue.AnyIndex))
		}
		for _, choice := range choices(value) {
			if !strings.Contains(doc.value, "`"+choice+"`") {
				t.Errorf("%s: %s is allowed and not documented", name, choice)
			}
		}
	}
}

// choices are the texts that a constraint lists; none where it is of another form.
func choices(v cue.Value) []string {
	var out []string
	op, parts := v.Expr()
	if op == cue.OrOp {
		for _, p := range parts {
			out = append(out, choices(p)...)
		}
	} else if text, err := v.String(); err == nil {
		out = append(out, text)
	}
	return out
}

// Defaults are those that a file without the field has.
func TestDefaultsInTheReference(t *testing.T) {
	t.Parallel()
	const least = `{apiVersion: vksync.dev/v1alpha1, kind: Config, sources: [{name: fleet, url: fleet.git, policy: {freeze: [{from: "00:00", to: "24:00"}]}}],
		supervisors: [{name: lab, vcenter: {url: "https://vc.example", username: ada, password: {env: P}}, kubernetes: {login: {address: sv.example}}}]}`
	c, problems := LoadConfig("vksync.yaml", []byte(least))
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	supervisor, source := c.Supervisors[0], c.Sources[0]
	want := map[string]any{
		"supervisors[].vcenter.insecure":          supervisor.VCenter.TLS.Insecure,
		"supervisors[].kubernetes.login.insecure": supervisor.Kubernetes.Login.TLS.Insecure,
		"sources[].poll":                          source.Poll, "sources[].allowRewrite": source.AllowRewrite,
		"sources[].policy.mode": source.Policy.Mode, "sources[].policy.drift": source.Policy.Drift,
		"sources[].policy.prune": source.Policy.Prune, "sources[].policy.pruneLimit": source.Policy.PruneLimit,
		"sources[].policy.adopt": source.Policy.Adopt, "sources[].policy.forceConflicts": source.Policy.ForceConflicts,
		"sources[].policy.freeze[].timeZone": source.Policy.Freeze[0].Location,
		"server.address":                     c.Server.Address,
		"leaderElection.namespace":           c.LeaderElection.Namespace, "leaderElection.name": c.LeaderElection.Name,
		"leaderElection.disabled": c.LeaderElection.Disabled,
		// It is the transport's to find, below the home directory.
		"sources[].auth.knownHostsFile": "~/.ssh/known_hosts",
	}
	for name, doc := range rows(t, reference(t)) {
		value, literal := strings.CutPrefix(doc.otherwise, "`")
		if given, known := want[name]; literal != known || known && strings.TrimSuffix(value, "`") != fmt.Sprint(given) {
			t.Errorf("%s: documented is %s, and without it there is %v", name, doc.otherwise, given)
		}
	}
}

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

func TestExamplesInTheReference(t *testing.T) {
	t.Parallel()
	examples := yamlBlock.FindAllStringSubmatch(reference(t), -1)
	if len(examples) < 2 {
		t.Errorf("found %d examples", len(examples))
	}
	for _, e := range examples {
		if _, problems := LoadConfig("vksync.yaml", []byte(e[1])); problems.Err() != nil {
			t.Errorf("%v\n%s", problems, e[1])
		}
	}
}

func reference(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", "config.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
