package schema

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"path"
	"strings"
	"sync"

	"github.com/vksync/vksync/reconcile/resource"
)

// view is the file system of one Load with what results depend on: a state for
// every file and directory that was looked at. Same state, same answer.
type view struct {
	*repo
	hashes HashFS
	mu     sync.Mutex
	states map[access]string
}

// access is a look at a file, or at the names in a directory.
type access struct {
	name string
	list bool
}

// dependency is an access with what was found.
type dependency struct {
	access
	state string
}

func newView(fsys fs.FS, ig ignores) *view {
	v := &view{repo: &repo{fsys: fsys, ignores: ig}, states: map[access]string{}}
	v.hashes, _ = fsys.(HashFS)
	return v
}

// now is the present state of what a result depends on.
func (v *view) now(a access) string {
	v.mu.Lock()
	state, known := v.states[a]
	v.mu.Unlock()
	switch {
	case known:
		return state
	case a.list:
		_, state = v.entries(a.name)
	case v.hashes != nil:
		hash, err := v.hashes.Hash(a.name)
		if state = hash; err != nil {
			state = fault(err)
		}
	default:
		_, _, state = v.file(a.name)
	}
	v.mu.Lock()
	v.states[a] = state
	v.mu.Unlock()
	return state
}

// file reads a file.
func (v *view) file(name string) ([]byte, *Problem, string) {
	content, problem := v.read(name)
	if problem != nil {
		return nil, problem, "!" + problem.Message
	}
	sum := sha256.Sum256(content)
	return content, nil, hex.EncodeToString(sum[:])
}

// entries lists what CUE may look for in a directory: the subdirectories and the
// CUE files that are not ignored.
func (v *view) entries(name string) ([]entry, string) {
	listed, err := fs.ReadDir(v.fsys, name)
	if err != nil {
		return nil, fault(err)
	}
	var entries []entry
	sum := sha256.New()
	for _, one := range listed {
		at := path.Join(name, one.Name())
		if one.IsDir() || path.Ext(at) != ".cue" || v.ignores.match(at, false) {
			continue
		}
		entries = append(entries, entry{name: one.Name()})
		sum.Write([]byte(one.Name() + "\x00"))
	}
	return entries, hex.EncodeToString(sum.Sum(nil))
}

// fault is the state of what cannot be looked at.
func fault(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "!missing"
	}
	return "!" + reason(err)
}

// recording is a view that notes what was looked at for one result.
type recording struct {
	*view
	seen []dependency
	has  map[access]bool
}

func (r *recording) note(a access, state string) {
	if r.has[a] {
		return
	}
	if r.has == nil {
		r.has = map[access]bool{}
	}
	r.has[a] = true
	r.seen = append(r.seen, dependency{a, state})
}

// content reads a file for the child.
func (r *recording) content(name string) ([]byte, *Problem) {
	content, problem, state := r.file(name)
	if r.hashes != nil {
		state = r.now(access{name: name})
	}
	r.note(access{name: name}, state)
	return content, problem
}

func (r *recording) list(name string) ([]entry, *Problem) {
	entries, state := r.entries(name)
	r.note(access{name, true}, state)
	if message, failed := strings.CutPrefix(state, "!"); failed {
		return nil, &Problem{Pos: resource.Position{File: name}, Message: "cannot be read: " + message}
	}
	return entries, nil
}

func (r *recording) outcome(u unit, l loaded) *outcome {
	return &outcome{loaded: l, unit: u, deps: r.seen}
}
