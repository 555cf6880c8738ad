package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vksync/vksync/gitsource/gittest"
)

// A treeEntry is one of a Git tree, whatever Git thinks of its name. A mode of ""
// is a regular file's.
type treeEntry struct{ mode, name, hash string }

// A hostile revision holds the good files and something beside them. Of each thing
// there is one error, which says what wants says.
type hostile struct {
	name  string
	wants []string
	files map[string]string                         // beside the good ones
	tree  func(t *testing.T, r rawRepo) []treeEntry // in their place, and by what Git does not do
}

// A rawRepo takes what no Git would make.
type rawRepo struct{ *gittest.Repo }

// object stores anything at all as an object of the bare repository.
func (r rawRepo) object(t testing.TB, kind string, content []byte) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), "git", "hash-object", "-w", "--literally", "-t", kind, "--stdin")
	c.Dir, c.Stdin = r.Bare, bytes.NewReader(content)
	out, err := c.Output()
	if err != nil {
		t.Fatalf("git hash-object: %v", err)
	}
	return strings.TrimSpace(string(out))
}

func (r rawRepo) blob(t testing.TB, text string) string {
	return r.object(t, "blob", []byte(text))
}

func (r rawRepo) treeOf(t testing.TB, entries ...treeEntry) string {
	t.Helper()
	var raw bytes.Buffer
	for _, e := range entries {
		mode, hash := e.mode, make([]byte, 20)
		if mode == "" {
			mode = "100644"
		}
		if _, err := hex.Decode(hash, []byte(e.hash)); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&raw, "%s %s\x00%s", mode, e.name, hash)
	}
	return r.object(t, "tree", raw.Bytes())
}

// commitRaw moves main of the bare repository to a commit of a tree, as a server
// does that checks nothing.
func (r rawRepo) commitRaw(t testing.TB, tree, author, message string) string {
	t.Helper()
	h := r.object(t, "commit", fmt.Appendf(nil, "tree %s\nparent %s\nauthor %s 1700000000 +0000\ncommitter %[3]s 1700000000 +0000\n\n%s\n",
		tree, r.Git(t, r.Bare, "rev-parse", "main"), author, message))
	r.Git(t, r.Bare, "update-ref", "refs/heads/main", h)
	return h
}

// commitFiles moves main to a commit of exactly these files in the top directory.
func (r rawRepo) commitFiles(t testing.TB, files map[string]string, more ...treeEntry) string {
	t.Helper()
	var entries []treeEntry
	for name, text := range files {
		entries = append(entries, treeEntry{name: name, hash: r.blob(t, text)})
	}
	return r.commitRaw(t, r.treeOf(t, append(entries, more...)...), "Mallory <m@example.com>", "change")
}

// refusedByGit are revisions that are not evaluated: their trees are no good.
func refusedByGit(outside string) []hostile {
	one := func(e treeEntry) func(*testing.T, rawRepo) []treeEntry {
		return func(t *testing.T, r rawRepo) []treeEntry {
			if e.hash == "" {
				e.hash = r.blob(t, "a: 1\n")
			}
			return []treeEntry{e}
		}
	}
	link := func(name, to string) func(*testing.T, rawRepo) []treeEntry {
		return func(t *testing.T, r rawRepo) []treeEntry { return []treeEntry{{"120000", name, r.blob(t, to)}} }
	}
	within := func(dir, name string) func(*testing.T, rawRepo) []treeEntry {
		return func(t *testing.T, r rawRepo) []treeEntry {
			return []treeEntry{{"40000", dir, r.treeOf(t, treeEntry{name: name, hash: r.blob(t, "a: 1\n")})}}
		}
	}
	both := func(a, b string) func(*testing.T, rawRepo) []treeEntry {
		return func(t *testing.T, r rawRepo) []treeEntry {
			return []treeEntry{{name: a, hash: r.blob(t, "a: 1\n")}, {name: b, hash: r.blob(t, "a: 2\n")}}
		}
	}
	return []hostile{
		{name: "a link out of the repository", wants: []string{"out is a symbolic link that leaves the repository"}, tree: link("out", "../../victim")},
		{name: "a manifest that is a link to a file of the host", wants: []string{"a.yaml is a symbolic link"}, tree: link("a.yaml", outside)},
		{name: "two dots", wants: []string{`the top directory holds the name ".."`}, tree: within("..", "a.yaml")},
		{name: "a path up", wants: []string{`eu holds the name "../../a.yaml"`}, tree: within("eu", "../../a.yaml")},
		{name: "an absolute path", wants: []string{`holds the name "/tmp/a.yaml"`}, tree: within("eu", "/tmp/a.yaml")},
		{name: "a backslash", wants: []string{`holds the name "..\\a.yaml"`}, tree: one(treeEntry{name: `..\a.yaml`})},
		{name: "bad UTF-8 in a name", wants: []string{`holds the name "a\xff.yaml"`}, tree: one(treeEntry{name: "a\xff.yaml"})},
		{name: "a terminal escape in a name", wants: []string{`holds the name "a\x1b[2J.yaml"`}, tree: one(treeEntry{name: "a\x1b[2J.yaml"})},
		{name: "text that runs backwards in a name", wants: []string{"has invisible characters"}, tree: one(treeEntry{name: "a\u202elmay.yaml"})},
		{name: "names that differ by case", wants: []string{"Prod.yaml and prod.YAML are one name"}, tree: both("Prod.yaml", "prod.YAML")},
		{name: "names that differ by Unicode form", wants: []string{`cafe\u0301.yaml and caf\u00e9.yaml are one name where case or Unicode form does not count`}, tree: both("cafe\u0301.yaml", "caf\u00e9.yaml")},
		{name: "a submodule", wants: []string{"sub is a submodule"}, tree: one(treeEntry{"160000", "sub", strings.Repeat("ab", 20)})},
		{name: "a giant manifest", wants: []string{"giant.yaml: the file has 67108864 bytes"}, files: map[string]string{"giant.yaml": strings.Repeat("# \n#", 16<<20)}},
		{name: "more files than any memory holds", wants: []string{"has more than 100000 manifests"}, tree: func(t *testing.T, r rawRepo) []treeEntry {
			e := treeEntry{hash: r.blob(t, "a: 1\n")}
			for range 9 {
				var copies []treeEntry
				for i := range 10 {
					e.name = fmt.Sprintf("d%d.yaml", i)
					copies = append(copies, e)
				}
				e = treeEntry{mode: "40000", hash: r.treeOf(t, copies...)}
			}
			e.name = "many"
			return []treeEntry{e}
		}},
		{name: "directories without end", wants: []string{"more than 64 directories are in one another"}, tree: func(t *testing.T, r rawRepo) []treeEntry {
			e := treeEntry{name: "x.yaml", hash: r.blob(t, "a: 1\n")}
			for range 80 {
				e = treeEntry{"40000", "d", r.treeOf(t, e)}
			}
			return []treeEntry{e}
		}},
	}
}

// refusedByEvaluation are revisions with files that are judged one by one; owned
// is a file that none of them can make.
func refusedByEvaluation(owned string) []hostile {
	deep := strings.Repeat("[", 100) + strings.Repeat("]", 100)
	alias, merge := "a0: &a0 [x, x]\n", "a0: &a0 {x: 1}\n"
	for i := range 25 {
		alias += fmt.Sprintf("a%d: &a%d [*a%d, *a%d, *a%d]\n", i+1, i+1, i, i, i)
		merge += fmt.Sprintf("a%d: &a%d {<<: [*a%d, *a%d]}\n", i+1, i+1, i, i)
	}
	var laughs, arms, doubling strings.Builder
	laughs.WriteString("a0: {k: 1}\n")
	for i := range 7 {
		fmt.Fprintf(&laughs, "a%d: {", i+1)
		for field := range 10 {
			fmt.Fprintf(&laughs, "f%d: a%d, ", field, i)
		}
		laughs.WriteString("}\n")
	}
	doubling.WriteString("x0: \"aaaaaaaaaaaaaaaa\"\n")
	for i := range 34 {
		fmt.Fprintf(&doubling, "x%d: \"\\(x%d)\\(x%d)\"\n", i+1, i, i)
	}
	for i := range 16 {
		fmt.Fprintf(&arms, "& ({f%d: 1} | {f%d: 2}) ", i, i)
	}
	team := namespaces(1, 1, 1)[0]
	named := func(name string) string { return strings.ReplaceAll(strings.Split(team, "---\n")[1], "team-000", name) }
	var unknown strings.Builder
	unknown.WriteString(named("unknown"))
	for i := range 24_000 {
		fmt.Fprintf(&unknown, "x%d: 1\n", i)
	}
	const ended = ": evaluating it takes too "
	each := func(files map[string]string, wants ...string) hostile { return hostile{files: files, wants: wants} }
	all := []hostile{
		each(map[string]string{"deep.yaml": deep, "deep.json": deep, "alias.yaml": alias, "merge.yaml": merge},
			"deep.yaml:1:66: values are nested deeper than 64", "deep.json:1:67: this is not JSON: values are nested deeper than 64", "alias.yaml:1:5: YAML anchors and aliases", "merge.yaml:1:5: YAML anchors and aliases"),
		each(map[string]string{
			"parens.cue": "x: " + strings.Repeat("(", 9000) + "1" + strings.Repeat(")", 9000), "sum.cue": "x: 1" + strings.Repeat("+1", 20_000),
			"chain.cue": strings.Repeat("a: ", 20_000) + "1", "fields.cue": strings.Repeat("a: 1\n", 20_000), "number.cue": "x: " + strings.Repeat("9", 200_000),
			"five.cue": "x: [1]\ny: [for a in x for b in x for c in x for d in x for e in x {1}]", "laughs.cue": laughs.String(), "self.cue": "#a: {n: #a}\nx: #a\n",
		}, "parens.cue", "sum.cue", "chain.cue", "fields.cue", "number.cue", "five.cue", "laughs.cue:1:1: the result has more than 100000 values", "self.cue"),
		each(map[string]string{"loops.cue": "import \"list\"\nr: list.Range(0, 90, 1)\nx: [for a in r for b in r for c in r for d in r {a + b + c + d}]\n"}, "loops.cue"),
		each(map[string]string{"arms.cue": "x: {} " + arms.String() + "\n"}, "arms.cue"),
		each(map[string]string{"range.cue": "import \"list\"\nx: list.Sort(list.Range(0, 3000000, 1), list.Descending)\n"}, "range.cue"),
		each(map[string]string{"double.cue": doubling.String()}, "double.cue"),
		each(map[string]string{"repeat.cue": "import \"strings\"\nx: strings.Repeat(strings.Repeat(\"a\", 1000000), 1000)\n"}, "repeat.cue"),
		each(map[string]string{"unknown.yaml": unknown.String()}, "unknown.yaml"),
		each(map[string]string{"bytes.yaml": "a: b\nx: \"\xff\"\n", "bytes.json": "{\"x\": \"\xff\"}", "bytes.cue": "x: \"\xff\""},
			"bytes.yaml:2:5: the file is not UTF-8", "bytes.json", "bytes.cue"),
		each(map[string]string{
			"exec.cue": "import \"tool/exec\"\nx: exec.Run & {cmd: [\"touch\", \"" + owned + "\"]}\n", "extern.cue": "@extern(embed)\npackage extern\nx: _ @embed(file=\"/etc/passwd\")\n",
			"up.cue": "import \"vksync.dev/repo/../../etc\"\nx: etc.y\n", "http.cue": "import \"net/http\"\nx: http.Get\n",
			"kubeconfig.yaml": "apiVersion: v1\nkind: Config\nusers:\n- {name: x, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: touch, args: [" + owned + "]}}}\n",
			"plugin.yaml":     strings.Replace(named("plugin"), "spec:\n", "spec:\n  users: [{user: {exec: {command: touch, args: ["+owned+"]}}}]\n", 1),
		}, "exec.cue:1:8", "extern.cue:1:1", "up.cue:1:8", "http.cue:1:8", "kubeconfig.yaml:2:7: kind: vksync does not manage this kind", "plugin.yaml:5:3: spec.users: unknown field"),
		each(map[string]string{
			"homoglyph.yaml": named("te\u0430m"), "zero.yaml": named("te\u200bam"), "upper.yaml": named("Team-000"),
			"escape.yaml": named(`"\e]0;owned\a\e[2J"`), "field.yaml": strings.Replace(named("field"), "supervisor:", `"\e[2Jsupervisor"`+": lab\n  supervisor:", 1),
		}, "homoglyph.yaml:3:18", "zero.yaml:3:18", "upper.yaml:3:18", `escape.yaml:3:18: metadata.name: must be a DNS label (found "\x1b]0;owned\a\x1b[2J"`, "field.yaml"),
		each(map[string]string{"again.yaml": named("team-000")}, "VSphereNamespace team-000 is defined twice, first at again.yaml:1:1"),
	}
	for i := range all {
		all[i].name = strings.Join(all[i].wants, ", ")
		if len(all[i].wants) == 1 && !strings.Contains(all[i].wants[0], ":") {
			all[i].wants[0] += ended
		}
	}
	return all
}

// snapshotOf is every file below a directory with its content.
func snapshotOf(t testing.TB, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		found[path] = e.Type().String()
		if e.Type().IsRegular() {
			text, err := os.ReadFile(path)
			found[path] = string(text)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
