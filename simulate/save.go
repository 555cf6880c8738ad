package simulate

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/inventory"
	"github.com/vksync/vksync/simulate/vcenter"
)

// A saved world is a folder of two files: world.json (time, inventory and what
// is in vCenter) and objects.jsonl (the Supervisor's objects, one a line). It
// holds no Secret content and no class variable that may be secret.
const (
	snapshotVersion = 1
	worldFile       = "world.json"
	objectsFile     = "objects.jsonl"
)

type snapshot struct {
	Version   int                  `json:"version"`
	Time      time.Time            `json:"time"`
	Seed      uint64               `json:"seed"`
	Inventory *inventory.Inventory `json:"inventory"`
	VCenter   vcenter.State        `json:"vcenter"`

	dir string // where the objects are
}

// Save writes the world to the folder dir, which is made if need be and must not
// hold a saved world yet: a world is a result, and none is overwritten.
func (w *World) Save(dir string) error {
	w.changes.drain()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("saving the world: %w", err)
	}
	head, err := json.MarshalIndent(snapshot{
		Version: snapshotVersion, Time: w.Now(), Seed: w.seed, Inventory: w.inventory, VCenter: describedPlainly(w.vcenter.State()),
	}, "", "  ")
	if err != nil {
		return fmt.Errorf("saving the world: %w", err)
	}
	if err := write(filepath.Join(dir, worldFile), func(out io.Writer) error {
		_, err := out.Write(append(head, '\n'))
		return err
	}); err != nil {
		return err
	}
	return write(filepath.Join(dir, objectsFile), func(out io.Writer) error {
		lines := json.NewEncoder(out)
		for _, u := range w.store.Dump() {
			if err := lines.Encode(withoutSecrets(u).Object); err != nil {
				return err
			}
		}
		return nil
	})
}

// write creates a file that must not exist.
func write(path string, content func(io.Writer) error) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("saving the world: %s exists already; name an empty folder", path)
	}
	if err != nil {
		return fmt.Errorf("saving the world: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	out := bufio.NewWriter(f)
	if err := content(out); err != nil {
		return fmt.Errorf("saving the world: %s: %w", path, err)
	}
	return out.Flush()
}

// withoutSecrets empties the values of a Secret, and hides class variables and
// whatever an annotation may hold.
func withoutSecrets(u *unstructured.Unstructured) *unstructured.Unstructured {
	u = u.DeepCopy()
	resource.HideAnnotations(u.Object, resource.NotKept)
	for _, handsOn := range []string{"template", "machineTemplate"} { // to machines
		resource.HideAnnotations(resource.Fields(u.Object, "spec", handsOn), resource.NotKept)
	}
	switch u.GetKind() {
	case "Secret":
		for key := range resource.Fields(u.Object, "data") {
			resource.SetField(u.Object, "", "data", key)
		}
		delete(u.Object, "stringData")
	case resource.KindCluster:
		resource.HideVariables(u.Object, resource.NotKept)
	}
	return u
}

// describedPlainly hides the credentials of URLs in the one free text of a
// vSphere Namespace.
func describedPlainly(s vcenter.State) vcenter.State {
	s.Namespaces = slices.Clone(s.Namespaces)
	for i := range s.Namespaces {
		s.Namespaces[i].Description = resource.Redact(s.Namespaces[i].Description)
	}
	return s
}

// load reads a saved world, but for its objects.
func load(dir string) (*snapshot, error) {
	text, err := os.ReadFile(filepath.Join(dir, worldFile))
	if err != nil {
		return nil, fmt.Errorf("loading the world: %w; name a folder that simulate --save wrote", err)
	}
	s := &snapshot{dir: dir}
	if err := json.Unmarshal(text, s); err != nil {
		return nil, fmt.Errorf("loading the world: %s: %w", filepath.Join(dir, worldFile), err)
	}
	if s.Version != snapshotVersion {
		return nil, fmt.Errorf("loading the world: %s has version %d, this vksync reads version %d", filepath.Join(dir, worldFile), s.Version, snapshotVersion)
	}
	return s, nil
}

// objects are those of the Supervisor.
func (s *snapshot) objects() ([]*unstructured.Unstructured, error) {
	path := filepath.Join(s.dir, objectsFile)
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("loading the world: %w", err)
	}
	defer f.Close()
	var out []*unstructured.Unstructured
	parser := resource.Parser{Shared: true} // half of what a world says it says more than once
	lines := bufio.NewReader(f)
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("loading the world: %s:%d: the last line is cut off: %w", path, n, err)
		}
		u, err := parsed(&parser, line)
		if err != nil {
			return nil, fmt.Errorf("loading the world: %s:%d: %w", path, n, err)
		}
		out = append(out, u)
	}
}

// parsed reads an object. What the parser cannot read, somebody else has written:
// then apimachinery judges it.
func parsed(parser *resource.Parser, line []byte) (*unstructured.Unstructured, error) {
	u := new(unstructured.Unstructured)
	var err error
	if u.Object, err = parser.Object(line); err != nil || u.GetKind() == "" {
		err = u.UnmarshalJSON(line)
	}
	return u, err
}
