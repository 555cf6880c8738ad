//go:build !race

package schema

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// Bounds of time and memory are held to by a build without the race detector,
// which takes several times as much of both.

// One repo holds everything that is hostile, and two files that are not. Every
// bomb gives one problem, in bounded time and memory, and costs nobody else.
func TestHostileRepo(t *testing.T) {
	t.Parallel()
	const memory = 256 << 20
	all := append(bombs(), refused()...)
	files := fstest.MapFS{
		"good.yaml":     {Data: []byte(goodNamespace)},
		"zz/good.cue":   {Data: []byte("import \"vksync.dev/schema\"\na: schema.#VSphereNamespace & {apiVersion: \"vksync.dev/v1alpha1\", kind: \"VSphereNamespace\", metadata: name: \"team-z\", spec: supervisor: \"lab\"}\n")},
		"zz/wrong.yaml": {Data: []byte(strings.Replace(goodNamespace, "supervisor:", "superviser:", 1))},
	}
	for _, b := range all {
		files[b.file] = &fstest.MapFile{Data: []byte(b.text)}
	}
	e := newEvaluator(t, EvaluatorOptions{Timeout: 5 * time.Second, MemoryBytes: memory})
	desired, problems, err := e.Load(t.Context(), files, ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range all {
		shown := visible(b.file)
		var its Problems
		for _, p := range problems {
			if p.Pos.File == shown {
				its = append(its, p)
			}
		}
		if !strings.Contains(its.Error(), b.want) {
			t.Errorf("%s: got %.400q, want %q", b.name, its.Error(), b.want)
		}
		if len(its) != 1 {
			t.Errorf("%s: got %d problems, want one: %.400q", b.name, len(its), its.Error())
		}
	}
	if text := problems.Error(); strings.ContainsFunc(strings.ReplaceAll(text, "\n", ""), invisible) {
		t.Errorf("what is not seen reaches a message: %q", text)
	}
	if got := fmt.Sprint(slices.Collect(names(desired))); got != "[team-a team-z]" {
		t.Errorf("got the namespaces %s, want those of the good files", got)
	}
	if !strings.Contains(problems.Error(), "zz/wrong.yaml:5:3: spec.superviser: unknown field") {
		t.Errorf("the wrong file is not reported:\n%s", problems)
	}
	before := e.Stats()
	if want := len(bombs()); before.Died < want || before.Died > 2*want {
		t.Errorf("%d children died, want one for each of %d bombs, or two", before.Died, want)
	}
	if before.PeakBytes > memory+(128<<20) {
		t.Errorf("a child used %d MiB, want at most %d, what a process needs anyway and what is left of its first arena", before.PeakBytes>>20, memory>>20)
	}

	// The same bombs are known from now on.
	_, same, err := e.Load(t.Context(), files, ".")
	if err != nil {
		t.Fatal(err)
	}
	if after := e.Stats(); len(same) != len(problems) || after.Evaluated != before.Evaluated {
		t.Errorf("the second time gives %d problems of %d, and evaluates %d files", len(same), len(problems), after.Evaluated-before.Evaluated)
	}
}
