package schema

import (
	"bytes"
	"fmt"
	"io/fs"
	"strings"
	"testing"
)

// bomb is a file of a hostile repo.
type bomb struct{ name, file, text, want string }

// bombs are those that a child is needed for: nothing sees beforehand what they
// will take. want is part of the one problem they may give.
func bombs() []bomb {
	var arms, doubling strings.Builder
	for i := range 16 {
		fmt.Fprintf(&arms, "& ({f%d: 1} | {f%d: 2}) ", i, i)
	}
	doubling.WriteString("x0: \"aaaaaaaaaaaaaaaa\"\n")
	for i := range 34 {
		fmt.Fprintf(&doubling, "x%d: \"\\(x%d)\\(x%d)\"\n", i+1, i, i)
	}
	unknown := goodCluster
	for i := range 24_000 {
		unknown += fmt.Sprintf("x%d: 1\n", i)
	}
	const ended = "was ended (allowed: at most "
	return []bomb{
		{"loops in loops", "for.cue", "import \"list\"\nr: list.Range(0, 90, 1)\nx: [for a in r for b in r for c in r for d in r {a + b + c + d}]\n", ended},
		{"a product of disjunctions", "disjunction.cue", "x: {} " + arms.String() + "\n", ended},
		{"a long list", "range.cue", "import \"list\"\nx: list.Range(0, 10000000, 1)\n", ended},
		{"a long list that is sorted", "sort.cue", "import \"list\"\nx: list.Sort(list.Range(0, 3000000, 1), list.Descending)\n", ended},
		{"text that doubles", "double.cue", doubling.String(), ended},
		{"text that is repeated", "repeat.cue", "import \"strings\"\nx: strings.Repeat(strings.Repeat(\"a\", 1000000), 1000)\n", ended},
		{"more unknown fields than can be explained", "unknown.yaml", unknown, ended},
	}
}

// refused are what is seen before it costs anything, or without a child's death.
func refused() []bomb {
	deep := strings.Repeat("[", maxDepth+2) + strings.Repeat("]", maxDepth+2)
	alias, merge := "a0: &a0 [x, x]\n", "a0: &a0 {x: 1}\n"
	for i := range 25 {
		alias += fmt.Sprintf("a%d: &a%d [*a%d, *a%d, *a%d]\n", i+1, i+1, i, i, i)
		merge += fmt.Sprintf("a%d: &a%d {<<: [*a%d, *a%d]}\n", i+1, i+1, i, i)
	}
	return []bomb{
		{"a giant file", "giant.yaml", strings.Repeat("# \n", maxFileBytes), "larger than 256 KiB"},
		{"deep YAML", "deep.yaml", deep, "nested deeper than 64"},
		{"deep JSON", "deep.json", deep, "nested deeper than 64"},
		{"an alias bomb", "alias.yaml", alias, "anchors and aliases are not accepted"},
		{"a merge key bomb", "merge.yaml", merge, "anchors and aliases are not accepted"},
		{"deep parentheses", "parens.cue", "x: " + strings.Repeat("(", 9000) + "1" + strings.Repeat(")", 9000), "nested deeper than 64"},
		{"a long selector", "selector.cue", "x: a" + strings.Repeat(".a", 20_000), "more than 1000 operators"},
		{"a long sum", "sum.cue", "x: 1" + strings.Repeat("+1", 20_000), "more than 1000 operators"},
		{"fields within fields", "chain.cue", strings.Repeat("a: ", 20_000) + "1", "nested deeper than 64"},
		{"a field over and over", "duplicate.cue", strings.Repeat("a: 1\n", 20_000), "more than 50000 tokens"},
		{"a number without end", "number.cue", "x: " + strings.Repeat("9", 200_000), "more than 64 digits"},
		{"five loops in one", "loops.cue", "x: [1]\ny: [for a in x for b in x for c in x for d in x for e in x {1}]", "for clauses are nested"},
		{"billion laughs", "laughs.cue", billionLaughs(5), "more than 100000 values"},
		{"a struct in itself", "recursion.cue", "#a: {n: #a}\nx: #a\n", "structural cycle"},
		{"bytes that are no text in YAML", "bytes.yaml", "a: b\nx: \"\xff\"\n", "bytes.yaml:2:5: the file is not UTF-8 text"},
		{"bytes that are no text in JSON", "bytes.json", "{\"x\": \"\xff\"}", "not UTF-8"},
		{"bytes that are no text in CUE", "bytes.cue", "x: \"\xff\"", "not UTF-8"},
		{"files of the host", "extern.cue", "@extern(embed)\npackage extern\nx: _ @embed(file=\"/etc/passwd\")\n", "@extern is not supported"},
		{"programs", "exec.cue", "import \"tool/exec\"\nx: exec.Run & {cmd: \"id\"}\n", "\"tool/exec\" is for the commands of the cue tool"},
		{"the system", "os.cue", "import \"os\"\nx: os.Getenv\n", "builtin package \"os\" undefined\n    imports come from the repo"},
		{"the network", "http.cue", "import \"net/http\"\nx: http.Get\n", "builtin package \"net/http\" undefined"},
		{"another module", "module.cue", "import \"example.com/x\"\ny: x.z\n", "is not in this repo"},
		{"out of the repo", "up.cue", "import \"vksync.dev/repo/../../etc\"\nx: etc.y\n", "is not the path of a package"},
		{"a kubeconfig that runs a program", "kubeconfig.yaml", "apiVersion: v1\nkind: Config\nusers:\n- {name: x, user: {exec: {command: /bin/sh}}}\n", "vksync does not manage this kind"},
		{"an exec plugin in a Cluster", "plugin.yaml", strings.Replace(goodCluster, "spec:\n", "spec:\n  users: [{user: {exec: {command: /bin/sh}}}]\n", 1), "spec.users: unknown field"},
		{"a letter of another alphabet", "homoglyph.yaml", strings.Replace(goodCluster, "prod", "p\u0430y", 1), "the character U+0430 in it is not one of ASCII"},
		{"a character without width", "zerowidth.yaml", strings.Replace(goodCluster, "prod", "pro\u200bd", 1), `(found "pro\u200bd"`},
		{"text that runs backwards", "bidi.yaml", strings.Replace(goodCluster, "prod", "\u202edorp", 1), `(found "\u202edorp"`},
		{"a terminal escape in a name", "escape.yaml", strings.Replace(goodCluster, "prod", `"\e[2Jprod"`, 1), `(found "\x1b[2Jprod"`},
		{"a terminal escape in a field", "field.yaml", strings.Replace(goodCluster, "name: prod", `"\e[2Jname": prod`, 1), `metadata["\x1b[2Jname"]: the name of the field holds characters that cannot be seen`},
		{"a terminal escape in a kind", "kind.yaml", strings.Replace(goodCluster, "kind: Cluster", `kind: "Clu\e[2Jster"`, 1), `Clu\x1b[2Jster`},
		{"a terminal escape in CUE", "escape.cue", "x: \"\\u001b]0;mine\\u0007\" & \"b\"\n", "two different values"},
		{"a terminal escape in the name of a file", "a\x1b[2J\u202e.yaml", "a: [1", `a\x1b[2J\u202e.yaml:1:1: this is not YAML`},
	}
}

func names(d *Desired) func(func(string) bool) {
	return func(yield func(string) bool) {
		for addr := range d.Resources.All() {
			if !yield(addr.Name) {
				return
			}
		}
	}
}

// A tree with more files than are accepted is not walked to its end.
func TestTooManyFiles(t *testing.T) {
	t.Parallel()
	files := many(maxFiles + 10)
	all := (&survey{repo: &repo{fsys: files}}).of(".", nil).found()
	want := ".: there are more than 50000 files or 512 MiB of them\n    split the repo, or list what is not for vksync in .vksyncignore"
	if got := all.problems.Error(); got != want || len(all.manifests) != maxFiles {
		t.Errorf("got %d files and %q, want %d and %q", len(all.manifests), got, maxFiles, want)
	}
}

// many is a directory of that many empty files.
type many int

func (m many) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

func (m many) ReadDir(string) ([]fs.DirEntry, error) {
	entries := make([]fs.DirEntry, m)
	for i := range entries {
		entries[i] = entry{name: fmt.Sprintf("%06d.yaml", i)}
	}
	return entries, nil
}

func (m many) Stat(name string) (fs.FileInfo, error) {
	if name == "." {
		return dirInfo{&openText{name: name, Reader: bytes.NewReader(nil)}}, nil
	}
	return &openText{name: name, Reader: bytes.NewReader(nil)}, nil
}
