package schema

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// hang is a manifest that takes hours to evaluate.
const hang = "import \"list\"\nr: list.Range(0, 500, 1)\nx: [for a in r for b in r for c in r for d in r if a+b+c+d < 0 {a}]\n"

func namespaceNamed(name string) string {
	return strings.Replace(goodNamespace, "name: team-a", "name: "+name, 1)
}

// load loads, and returns what was found and how much of it was evaluated.
func load(t *testing.T, e *Evaluator, fsys fs.FS) (string, int) {
	t.Helper()
	before := e.Stats().Evaluated
	desired, problems, err := e.Load(t.Context(), fsys, ".")
	if err != nil {
		t.Fatal(err)
	}
	return described(desired, problems), e.Stats().Evaluated - before
}

// Only what a change is about is evaluated again: the file, or the package with
// what it imports and what is above it.
func TestEvaluatorEvaluatesWhatChanged(t *testing.T) {
	t.Parallel()
	const cluster = `{apiVersion: "vksync.dev/v1alpha1", kind: "VSphereNamespace", metadata: name: "NAME", spec: supervisor: lib.Supervisor}`
	start := map[string]string{
		"a.yaml":         namespaceNamed("a"),
		"b.json":         `{"apiVersion": "vksync.dev/v1alpha1", "kind": "VSphereNamespace", "metadata": {"name": "b"}, "spec": {"supervisor": "lab"}}`,
		"lib/lib.cue":    "package lib\nSupervisor: \"lab\"\n",
		"eu/c.cue":       "package eu\nimport \"vksync.dev/repo/lib\"\nc: " + strings.Replace(cluster, "NAME", "c", 1) + "\n",
		"eu/d/d.cue":     "package eu\nd: c & {metadata: name: \"c\"}\n",
		"alone/e.cue":    "apiVersion: \"vksync.dev/v1alpha1\", kind: \"VSphereNamespace\", metadata: name: \"e\", spec: supervisor: \"lab\"\n",
		".vksyncignore":  "*.values.yaml\n",
		"x.values.yaml":  "a: 1\n",
		"eu/broken.yaml": "a: [1",
	}
	tests := []struct {
		name string
		edit map[string]string // "" removes the file
		want int
	}{
		{"nothing", nil, 0},
		{"a file", map[string]string{"a.yaml": namespaceNamed("a2")}, 1},
		{"two files", map[string]string{"a.yaml": namespaceNamed("a3"), "b.json": "{}"}, 2},
		{"a file more", map[string]string{"f.yaml": namespaceNamed("f")}, 1},
		{"a file less", map[string]string{"a.yaml": ""}, 0},
		{"a broken file, put right", map[string]string{"eu/broken.yaml": namespaceNamed("g")}, 1},
		{"what a package imports", map[string]string{"lib/lib.cue": "package lib\nSupervisor: \"other\"\n"}, 3}, // lib itself, and both of eu
		{"the package above another", map[string]string{"eu/c.cue": start["eu/c.cue"] + "// more\n"}, 2},
		{"the package below another", map[string]string{"eu/d/d.cue": start["eu/d/d.cue"] + "// more\n"}, 1},
		{"a file of a package more", map[string]string{"eu/more.cue": "package eu\nx: 1\n"}, 2},
		{"a CUE file of its own", map[string]string{"alone/e.cue": start["alone/e.cue"] + "// more\n"}, 1},
		{"the module", map[string]string{"cue.mod/module.cue": "module: \"example.com/x\"\n"}, 4},
		{"what is ignored", map[string]string{"x.values.yaml": "b: 2\n"}, 0},
		{"a file that is ignored from now on", map[string]string{".vksyncignore": "*.values.yaml\na.yaml\n"}, 0},
		{"a file of a package that is ignored from now on", map[string]string{".vksyncignore": "*.values.yaml\neu/d/*\n"}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e := NewEvaluator(EvaluatorOptions{})
			defer e.Close()
			before := newHashed(start)
			first, all := load(t, e, before)
			if all != 7 {
				t.Errorf("the first time %d were evaluated, want 7", all)
			}
			files := maps.Clone(start)
			for name, text := range test.edit {
				if files[name] = text; text == "" {
					delete(files, name)
				}
			}
			after := newHashed(files)
			got, n := load(t, e, after)
			desired, problems := Load(after, ".")
			if diff := cmp.Diff(described(desired, problems), got); diff != "" {
				t.Errorf("an Evaluator differs (-Load +Evaluator):\n%s", diff)
			}
			if n != test.want {
				t.Errorf("%d were evaluated, want %d", n, test.want)
			}
			if again, n := load(t, e, before); again != first || n != 0 {
				t.Errorf("going back evaluates %d and gives\n%s\nwant 0 and\n%s", n, again, first)
			}
		})
	}
}

// A file system without hashes is read each time, and no more.
func TestEvaluatorWithoutHashes(t *testing.T) {
	t.Parallel()
	e := NewEvaluator(EvaluatorOptions{})
	defer e.Close()
	load(t, e, repoOf("a.yaml", namespaceNamed("a"), "b.yaml", namespaceNamed("b")))
	got, n := load(t, e, repoOf("a.yaml", namespaceNamed("a"), "b.yaml", namespaceNamed("c")))
	if want := "VSphereNamespace a at a.yaml:1:1\nVSphereNamespace c at b.yaml:1:1"; got != want || n != 1 {
		t.Errorf("got %d evaluated and %s, want 1 and %s", n, got, want)
	}
}

// With hashes nothing is read that has not changed.
func TestEvaluatorReadsWhatChanged(t *testing.T) {
	t.Parallel()
	e := NewEvaluator(EvaluatorOptions{})
	defer e.Close()
	all := fleet(100)
	load(t, e, all)
	next := all.with("team-7/c00007.yaml", namespaceNamed("x"))
	load(t, e, next)
	if n := next.reads.Load(); n != 1 {
		t.Errorf("%d files were read, want 1", n)
	}
}

// Whatever revisions follow each other, each is what it is on its own.
func TestEvaluatorAgreesWithLoad(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	e := NewEvaluator(EvaluatorOptions{})
	defer e.Close()
	files := map[string]string{"a.yaml": namespaceNamed("a")}
	texts := []func(name string) string{
		namespaceNamed,
		func(name string) string { return namespaceNamed(name) + "---\n" + namespaceNamed(name+"2") },
		func(string) string { return "a: [1" },
		func(string) string { return labText() },
		func(name string) string { return strings.Replace(goodCluster, "prod", name, 1) },
	}
	for step := range 150 {
		name := fmt.Sprintf("%c", 'a'+rune(random.IntN(6)))
		switch dir := []string{"", "x/", "x/y/"}[random.IntN(3)]; random.IntN(8) {
		case 0:
			delete(files, dir+name+".yaml")
		case 1:
			files[dir+name+".cue"] = fmt.Sprintf("package p\n%s: {apiVersion: \"vksync.dev/v1alpha1\", kind: \"VSphereNamespace\", metadata: name: \"%s\", spec: supervisor: \"lab\"}\n", name, name)
		case 2:
			delete(files, dir+name+".cue")
		case 3:
			files[dir+".vksyncignore"] = name + ".yaml\n"
		case 4:
			delete(files, dir+".vksyncignore")
		default:
			files[dir+name+".yaml"] = texts[random.IntN(len(texts))](fmt.Sprintf("%c", 'a'+rune(random.IntN(6))))
		}
		revision := newHashed(files)
		desired, problems := Load(revision, ".")
		got, _ := load(t, e, revision)
		if diff := cmp.Diff(described(desired, problems), got); diff != "" {
			t.Fatalf("step %d: an Evaluator differs (-Load +Evaluator):\n%s", step, diff)
		}
	}
	if s := e.Stats(); s.Reused < s.Evaluated {
		t.Errorf("%d results were reused and %d made, want most of them reused", s.Reused, s.Evaluated)
	}
}

// What a caller does to a set is not seen by the next Load.
func TestEvaluatorGivesCopies(t *testing.T) {
	t.Parallel()
	e := NewEvaluator(EvaluatorOptions{})
	defer e.Close()
	all := fleet(3)
	first, _, err := e.Load(t.Context(), all, ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range maps.Collect(first.Resources.All()) {
		o.Source.File = "elsewhere"
		first.Resources.Put(o)
		if o.GetName() == "c00000" {
			first.Resources.Delete(o.Addr())
		}
	}
	if got, _ := load(t, e, all); strings.Contains(got, "elsewhere") || strings.Count(got, "\n") != 2 {
		t.Errorf("got %s", got)
	}
}

func TestEvaluatorCacheFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "state", "cache")
	all := newHashed(map[string]string{
		"a.yaml": goodCluster, "b.yaml": "a: [1", "c/c.cue": "package c\nimport \"vksync.dev/repo/d\"\nx: d.y & {metadata: name: \"c\"}\n",
		"d/d.cue": "package d\ny: {apiVersion: \"vksync.dev/v1alpha1\", kind: \"VSphereNamespace\", metadata: name: string, spec: supervisor: \"lab\"}\n",
	})
	open := func() *Evaluator { return NewEvaluator(EvaluatorOptions{CacheFile: file}) }
	first := open()
	want, n := load(t, first, all)
	if err := errors.Join(first.Close(), first.Close()); err != nil || n != 4 {
		t.Fatalf("%d evaluated, closing gave %v", n, err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v (%v), want 0600", info.Mode(), err)
	}
	if left, _ := os.ReadDir(filepath.Dir(file)); len(left) != 1 {
		t.Errorf("%d files are left, want one", len(left))
	}
	second := open()
	if got, n := load(t, second, all); got != want || n != 0 {
		t.Errorf("after a restart %d are evaluated and give\n%s\nwant 0 and\n%s", n, got, want)
	}
	if got, n := load(t, second, all.with("d/d.cue", strings.Replace(all.files["d/d.cue"], "lab", "other", 1))); n != 2 {
		t.Errorf("a change to what is imported evaluates %d, want 2:\n%s", n, got)
	}
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	damaged := map[string][]byte{
		"empty": {}, "cut": good[:len(good)-1], "longer": append(slices.Clone(good), 0),
		"of another build": []byte(strings.Replace(string(good), snapshotHead(), snapshotForm+strings.Repeat("0", 32)+"\n", 1)),
	}
	for i := 0; i < len(good); i += max(1, len(good)/40) {
		flipped := slices.Clone(good)
		flipped[i] ^= 0x10
		damaged[fmt.Sprintf("flipped at %d", i)] = flipped
	}
	for name, data := range damaged {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, n := load(t, open(), all); got != want || n != 4 {
			t.Errorf("%s: %d are evaluated and give\n%s\nwant 4 and\n%s", name, n, got, want)
		}
	}
}

// What ended a child is tried again after a restart, and not before.
func TestEvaluatorForgetsDeathsOverARestart(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "cache")
	bomb := newHashed(map[string]string{"a.cue": hang, "b.yaml": goodNamespace})
	for range 2 {
		e := newEvaluator(t, EvaluatorOptions{Timeout: 2 * time.Second, CacheFile: file})
		for want := 1; want >= 0; want-- {
			died := e.Stats().Died
			got, _ := load(t, e, bomb)
			if !strings.Contains(got, "a.cue: evaluating it takes too long, and was ended (allowed: at most 2s)") || e.Stats().Died-died != want {
				t.Errorf("%d died, want %d:\n%s", e.Stats().Died-died, want, got)
			}
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A revision that takes too long as a whole is reported as such, and the next
// Load gets further.
func TestEvaluatorLoadTimeout(t *testing.T) {
	t.Parallel()
	e := newEvaluator(t, EvaluatorOptions{Timeout: time.Second, LoadTimeout: 1500 * time.Millisecond})
	files := repoOf("a.cue", hang, "b.cue", hang+"//\n", "c.cue", hang+"///\n", "d.yaml", goodNamespace)
	got, _ := load(t, e, files)
	if !strings.Contains(got, "was not evaluated: the revision as a whole takes too long (allowed: at most 1.5s for what is new in it)") {
		t.Errorf("got %s", got)
	}
	for range 40 { // two on an idle machine
		if got, _ = load(t, e, files); !strings.Contains(got, "as a whole") {
			break
		}
	}
	if strings.Count(got, "evaluating it takes too long") != 3 || !strings.Contains(got, "VSphereNamespace team-a at d.yaml:1:1") {
		t.Errorf("in the end it is\n%s", got)
	}
}

func TestEvaluatorIsCancelled(t *testing.T) {
	t.Parallel()
	e := newEvaluator(t, EvaluatorOptions{Timeout: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	files := signalling{repoOf("a.cue", hang), make(chan struct{}, 100)}
	go func() {
		for range 3 { // the survey reads it, the unit is sent, and the child looks for its module
			<-files.opened
		}
		cancel()
	}()
	if _, _, err := e.Load(ctx, files, "."); !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
	if _, _, err := e.Load(ctx, files, "."); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled from the start it ended with %v", err)
	}
}

// signalling tells of every file that is opened.
type signalling struct {
	fs.FS
	opened chan struct{}
}

func (s signalling) Open(name string) (fs.File, error) {
	if strings.HasSuffix(name, ".cue") {
		s.opened <- struct{}{}
	}
	return s.FS.Open(name)
}

// A child that is gone between two Loads is replaced without a word.
func TestEvaluatorReplacesADeadChild(t *testing.T) {
	t.Parallel()
	e := newEvaluator(t, EvaluatorOptions{})
	load(t, e, repoOf("a.yaml", goodNamespace))
	e.idle.stop()
	got, n := load(t, e, repoOf("a.yaml", namespaceNamed("x")))
	if want := "VSphereNamespace x at a.yaml:1:1"; got != want || n != 2 || e.Stats().Started != 2 {
		t.Errorf("got %s after %d tries with %d children, want %s, 2 and 2", got, n, e.Stats().Started, want)
	}
}

func TestEvaluatorCannotStart(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]string{
		"/nonexistent/vksync": "no such file or directory",
		"/bin/true":           "starting the process that evaluates manifests",
		"/bin/cat":            "it is no evaluator|of another build|damaged",
	} {
		e := NewEvaluator(EvaluatorOptions{Command: []string{command}})
		_, _, err := e.Load(t.Context(), repoOf("a.yaml", goodNamespace), ".")
		if command == "/bin/cat" && err == nil {
			continue // it says hello as it is told
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", command, err, want)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestServeEvaluatorByHand(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	err := serve(strings.NewReader("hello\n"), &out, func(limits) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "this command is run by vksync itself") {
		t.Errorf("got %v", err)
	}
	var other encoder
	other.text("another build")
	other.int(0)
	var in strings.Builder
	if err := writeFrame(&in, frameHello, other.data); err != nil {
		t.Fatal(err)
	}
	err = serve(strings.NewReader(in.String()), &out, func(limits) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "the program was replaced while it runs; restart it") {
		t.Errorf("got %v", err)
	}
}

// The child ends with its parent, also amid an evaluation that does not end.
func TestChildEndsWithItsParent(t *testing.T) {
	t.Parallel()
	c := startedChild(t, limits{})
	if err := writeFrame(c.in, frameUnit, encodeUnit(unit{file: "a.cue"}, []byte(hang), true)); err != nil {
		t.Fatal(err)
	}
	if _, err := readFrame(c.out, maxFrameBytes); err != nil { // it asks for its module
		t.Fatal(err)
	}
	c.in.Close()
	ended := make(chan error, 1)
	go func() { ended <- c.wait() }()
	select {
	case <-ended:
	case <-time.After(2 * time.Minute):
		t.Error("the child is still there")
	}
}

func startedChild(t *testing.T, l limits) *child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c, err := startChild(t.Context(), []string{self, "evaluate"}, l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.close)
	return c
}

// FuzzChild: whatever a child says, the parent ends with a result or an error,
// having allocated no more than it was sent.
func FuzzChild(f *testing.F) {
	frames := func(all ...frame) []byte {
		var b strings.Builder
		for _, one := range all {
			if err := writeFrame(&b, one.kind, one.data); err != nil {
				f.Fatal(err)
			}
		}
		return []byte(b.String())
	}
	var result, nested encoder
	r := &repo{fsys: repoOf("a.yaml", goodCluster+"---\nx: 1\n")}
	result.loaded(r.load(unit{file: "a.yaml"}))
	nested.int(1)
	nested.position(r.load(unit{file: "a.yaml"}).objects[0].Source)
	for range 100 {
		nested.byte(tagList)
		nested.int(1 << 20)
	}
	f.Add(frames(frame{frameResult, result.data}))
	f.Add(frames(frame{frameResult, nested.data}))
	f.Add(frames(frame{frameRead, []byte("a.yaml")}, frame{frameList, []byte(".")}, frame{frameRead, []byte("../x")}))
	f.Add([]byte{frameResult, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, said []byte) {
		c := &child{in: discard{}, out: bufio.NewReader(strings.NewReader(string(said))), names: map[string]string{}}
		files := &recording{view: newView(repoOf("a.yaml", goodCluster), nil)}
		found, err := c.converse(unit{file: "a.yaml"}, nil, false, files)
		if err != nil && (found.objects != nil || found.problems != nil) && !errors.Is(err, errWire) {
			t.Errorf("it gave something beside %v", err)
		}
		for _, o := range found.objects {
			if o.GetName() == "" || kindDefinitions[o.GetAPIVersion()+" "+o.GetKind()] == "" {
				t.Errorf("%v came out", o.Addr())
			}
		}
	})
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) Close() error                { return nil }

// FuzzServe: whatever comes to the child's side, it ends when that does.
func FuzzServe(f *testing.F) {
	var hello strings.Builder
	if err := writeFrame(&hello, frameHello, limits{}.encode()); err != nil {
		f.Fatal(err)
	}
	start := hello.String()
	if err := writeFrame(&hello, frameUnit, encodeUnit(unit{file: "a.yaml"}, []byte(goodNamespace), true)); err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(hello.String()[len(start):]))
	f.Add([]byte("c\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, said []byte) {
		_ = serve(strings.NewReader(start+string(said)), discard{}, func(limits) error { return nil })
	})
}

// FuzzCacheFile: a file that is none is no cache, and nothing worse.
func FuzzCacheFile(f *testing.F) {
	e := NewEvaluator(EvaluatorOptions{})
	if _, _, err := e.Load(context.Background(), repoOf("a.yaml", goodCluster, "b.cue", "package x\nx: y"), "."); err != nil {
		f.Fatal(err)
	}
	var all []*outcome
	for _, versions := range e.cache.entries {
		all = append(all, versions...)
	}
	f.Add([]byte{})
	f.Add(encodeSnapshot(all)[len(snapshotHead())+32:])
	f.Fuzz(func(t *testing.T, data []byte) {
		d := &decoder{data: data}
		entries := d.snapshot()
		if d.err != nil && entries != nil {
			t.Error("a damaged file gives results")
		}
	})
}
