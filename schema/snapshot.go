package schema

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The cache on disk: a line that names form and build, the SHA-256 of the rest,
// and the results. A file of another build, or a damaged one, counts as none.
const (
	snapshotForm = "vksync evaluation cache 1 "
	// savedAtOnce is how many new results make it worth to write the file before
	// the Evaluator is closed. Fewer are soon found again.
	savedAtOnce = 100
	// maxSnapshotBytes is some times what 50,000 manifests need.
	maxSnapshotBytes = 1 << 30
)

func snapshotHead() string { return snapshotForm + buildHash() + "\n" }

// open reads the cache from file.
func (c *cache) open(file string) {
	c.entries, c.file = map[unit][]*outcome{}, file
	if file == "" {
		return
	}
	info, err := os.Stat(file)
	if err != nil || info.Size() > maxSnapshotBytes || !info.Mode().IsRegular() {
		return
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return
	}
	if entries, err := decodeSnapshot(data); err == nil {
		c.entries = entries
	}
}

// encodeSnapshot puts results into the form of the file; those of units in no
// order. What ended a child is left out, so that a restart is a way to try again.
func encodeSnapshot(outcomes []*outcome) []byte {
	var e encoder
	e.int(len(outcomes))
	for _, o := range outcomes {
		e.text(o.unit.file)
		e.text(o.unit.dir)
		e.text(o.unit.pkg)
		e.int(len(o.deps))
		for _, d := range o.deps {
			e.text(d.name)
			e.flag(d.list)
			e.text(d.state)
		}
		e.loaded(o.loaded)
	}
	sum := sha256.Sum256(e.data)
	return slices.Concat([]byte(snapshotHead()), sum[:], e.data)
}

func decodeSnapshot(data []byte) (map[unit][]*outcome, error) {
	rest, is := strings.CutPrefix(string(data[:min(len(data), len(snapshotHead()))]), snapshotHead())
	if !is || rest != "" || len(data) < len(snapshotHead())+sha256.Size {
		return nil, errors.New("it is of another build")
	}
	data = data[len(snapshotHead()):]
	if sum := sha256.Sum256(data[sha256.Size:]); string(sum[:]) != string(data[:sha256.Size]) {
		return nil, errors.New("it is damaged")
	}
	d := &decoder{data: data[sha256.Size:]}
	entries := d.snapshot()
	return entries, d.end()
}

// snapshot reads results; nil where the message is damaged.
func (d *decoder) snapshot() map[unit][]*outcome {
	entries := map[unit][]*outcome{}
	for range d.count() {
		o := &outcome{unit: unit{file: d.text(), dir: d.text(), pkg: d.text()}}
		for range d.count() {
			o.deps = append(o.deps, dependency{access{name: d.text(), list: d.flag()}, d.text()})
			if d.err != nil {
				return nil
			}
		}
		if o.loaded = d.loaded(); d.err != nil {
			return nil
		}
		entries[o.unit] = append(entries[o.unit], o)
	}
	if d.err != nil {
		return nil
	}
	return entries
}

// save writes the cache beside everything else. The results themselves are not
// changed any more.
func (e *Evaluator) save() {
	if e.cache.file == "" || !e.cache.changed {
		return
	}
	e.saving.Wait() // for the one before
	var outcomes []*outcome
	for _, versions := range e.cache.entries {
		for _, o := range versions {
			if !o.died {
				outcomes = append(outcomes, o)
			}
		}
	}
	e.cache.changed = false
	file := e.cache.file
	e.saving.Go(func() { e.cache.err = writeAtomically(file, encodeSnapshot(outcomes)) })
}

// saved is what went wrong with the last save.
func (c *cache) saved() error {
	if c.err != nil {
		return fmt.Errorf("saving the evaluation cache: %w", c.err)
	}
	return nil
}

// writeAtomically leaves either the old file or the new one. Nobody else may read
// it.
func writeAtomically(file string, data []byte) (err error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ignoreMissing(os.Remove(f.Name())))
		}
	}()
	if _, err = f.Write(data); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
