package schema

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// hashed is a file system in memory that knows its hashes, as a commit does.
// Another revision shares all that is the same.
type hashed struct {
	files map[string]string // content by path
	dirs  map[string][]fs.DirEntry
	sums  map[string]string // by path, also of directories
	reads *atomic.Int64
}

func newHashed(files map[string]string) hashed {
	h := hashed{files: files, reads: new(atomic.Int64)}
	h.index()
	return h
}

func (h *hashed) index() {
	h.dirs, h.sums = map[string][]fs.DirEntry{".": nil}, map[string]string{}
	contents := map[string]*bytes.Buffer{}
	seen := map[string]bool{}
	add := func(dir string, e entry, sum string) {
		if contents[dir] == nil {
			contents[dir] = &bytes.Buffer{}
		}
		fmt.Fprintf(contents[dir], "%s %s\n", e.name, sum)
	}
	var below func(dir string) string
	children := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(h.files)) {
		sum := sha256.Sum256([]byte(h.files[name]))
		h.sums[name] = hex.EncodeToString(sum[:])
		for at := name; at != "."; at = path.Dir(at) {
			if !seen[at] {
				seen[at] = true
				children[path.Dir(at)] = append(children[path.Dir(at)], at)
			}
		}
	}
	below = func(dir string) string {
		slices.Sort(children[dir])
		for _, at := range children[dir] {
			_, isFile := h.files[at]
			e := entry{name: path.Base(at), isDir: !isFile}
			if !isFile {
				h.sums[at] = below(at)
			}
			h.dirs[dir] = append(h.dirs[dir], e)
			add(dir, e, h.sums[at])
		}
		sum := sha256.New()
		if contents[dir] != nil {
			sum.Write(contents[dir].Bytes())
		}
		return hex.EncodeToString(sum.Sum(nil))
	}
	h.sums["."] = below(".")
}

// with is the next revision: the same with one file changed.
func (h hashed) with(name, content string) hashed {
	files := maps.Clone(h.files)
	files[name] = content
	next := newHashed(files)
	return next
}

func (h hashed) Hash(name string) (string, error) {
	if sum, known := h.sums[name]; known {
		return sum, nil
	}
	return "", &fs.PathError{Op: "hash", Path: name, Err: fs.ErrNotExist}
}

func (h hashed) Open(name string) (fs.File, error) {
	content, known := h.files[name]
	if !known {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	h.reads.Add(1)
	return &openText{name: name, Reader: bytes.NewReader([]byte(content))}, nil
}

func (h hashed) ReadDir(name string) ([]fs.DirEntry, error) {
	if entries, known := h.dirs[name]; known {
		return entries, nil
	}
	return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
}

func (h hashed) Stat(name string) (fs.FileInfo, error) {
	if content, known := h.files[name]; known {
		return &openText{name: name, Reader: bytes.NewReader([]byte(content))}, nil
	}
	if _, known := h.dirs[name]; known {
		return dirInfo{&openText{name: name, Reader: bytes.NewReader(nil)}}, nil
	}
	return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
}

type dirInfo struct{ *openText }

func (dirInfo) IsDir() bool       { return true }
func (dirInfo) Mode() fs.FileMode { return fs.ModeDir | 0o555 }

// fleet is n clusters, a file each, in 50 directories.
func fleet(n int) hashed {
	files := map[string]string{}
	for i := range n {
		name, team := fmt.Sprintf("c%05d", i), fmt.Sprintf("team-%d", i%50)
		files[path.Join(team, name+".yaml")] = strings.NewReplacer("name: prod,", "name: "+name+",", "team-a", team).Replace(goodCluster)
	}
	return newHashed(files)
}

func loadFleet(b *testing.B, e *Evaluator, fsys fs.FS, want int) {
	b.Helper()
	desired, problems, err := e.Load(context.Background(), fsys, ".")
	if err != nil || len(problems) > 0 || desired.Resources.Len() != want {
		b.Fatalf("got %v, %v, want %d resources", err, problems, want)
	}
}

// BenchmarkEvaluatorCold is a first start: everything goes to the children.
func BenchmarkEvaluatorCold10000(b *testing.B) {
	all := fleet(10_000)
	for b.Loop() {
		loadFleet(b, newEvaluator(b, EvaluatorOptions{}), all, 10_000)
	}
}

// BenchmarkEvaluatorOneChanged is a push: from the new tree to all that is desired.
func BenchmarkEvaluatorOneChanged10000(b *testing.B) {
	all := fleet(10_000)
	e := newEvaluator(b, EvaluatorOptions{})
	loadFleet(b, e, all, 10_000)
	const name = "team-7/c00007.yaml"
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		next := all.with(name, fmt.Sprintf("%s# %d\n", all.files[name], i))
		runtime.GC() // the making of the revision is no part of this
		b.StartTimer()
		loadFleet(b, e, next, 10_000)
	}
}

// BenchmarkEvaluatorRestart is a second start: everything comes from the file.
func BenchmarkEvaluatorRestart10000(b *testing.B) {
	all := fleet(10_000)
	file := filepath.Join(b.TempDir(), "cache")
	first := newEvaluator(b, EvaluatorOptions{CacheFile: file})
	loadFleet(b, first, all, 10_000)
	if err := first.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		e := newEvaluator(b, EvaluatorOptions{CacheFile: file})
		loadFleet(b, e, all, 10_000)
		if e.idle != nil {
			b.Fatal("something was evaluated again")
		}
	}
}
