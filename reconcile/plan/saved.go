package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/vksync/vksync/reconcile/resource"
)

// Saved is a plan in a file, to be looked at now and applied later: exactly that,
// or not at all. It holds what the plan says, as it may be shown, what it is bound
// to, and hashes of what it was computed from. What is to be applied is not in it,
// since that may hold secrets: it is read again from where it came, and has to be
// the same to the last byte.
type Saved struct {
	// Version is SavedVersion. Its name is how a saved plan is told from a manifest.
	Version int `json:"vksyncPlan"`
	// From is where the manifests were read.
	From From `json:"from"`
	// Endpoints name the Supervisor and the vCenter that the plan is for.
	Endpoints []string `json:"endpoints,omitempty"`
	// Key is that of the hashes, random for each file: two files cannot be compared
	// with each other, nor with a list of guesses made beforehand.
	Key []byte `json:"key"`
	// Content is the hash of what is desired.
	Content string `json:"content"`
	Facts   []Fact `json:"facts"`
	// Plan is the plan in its JSON form.
	Plan json.RawMessage `json:"plan"`
}

// From says where manifests are.
type From struct {
	// Path is absolute.
	Path string `json:"path"`
	// Revision is the full hash of the commit. It is empty for a work tree, which is
	// bound by Content alone.
	Revision string `json:"revision,omitempty"`
	// Inventory is the file with the Inventory, when one was named.
	Inventory string `json:"inventory,omitempty"`
}

const (
	// SavedVersion is the version of the file.
	SavedVersion = 1
	// KeyBytes is the length of Saved.Key.
	KeyBytes = 32
	// MaxSavedBytes is the size of the largest file that is read.
	MaxSavedBytes = 256 << 20
)

// Save makes a Saved of a plan that Make has made. The key is KeyBytes long and random.
func (p *Plan) Save(key []byte, from From, endpoints ...string) (*Saved, error) {
	if p.observed == nil || p.Desired == nil {
		return nil, errors.New("saving a plan: it was not made by Make")
	}
	text, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("saving a plan: %w", err)
	}
	return &Saved{
		Version: SavedVersion, From: from, Endpoints: endpoints, Key: key,
		Content: contentSum(key, p.Desired), Facts: p.facts(key), Plan: text,
	}, nil
}

// contentSum is the hash of everything desired, wherever it is written.
func contentSum(key []byte, desired *resource.Set) string {
	var all []any
	for addr, o := range desired.All() {
		all = append(all, addr.String(), o.Object)
	}
	return sum(key, all...)
}

// Encode is the content of the file.
func (s *Saved) Encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return nil, fmt.Errorf("encoding a saved plan: %w", err)
	}
	return b.Bytes(), nil
}

// IsSaved says whether a file holds a saved plan, of whatever version.
func IsSaved(text []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(text), []byte(`{"vksyncPlan":`))
}

// ReadSaved reads the content of a file. It takes nothing that Encode does not write.
func ReadSaved(text []byte) (*Saved, error) {
	if len(text) > MaxSavedBytes {
		return nil, fmt.Errorf("it is larger than %d MiB", MaxSavedBytes>>20)
	}
	var head struct {
		Version *int `json:"vksyncPlan"`
	}
	if err := json.Unmarshal(text, &head); err != nil || head.Version == nil {
		return nil, errors.New("it is not a saved plan: want a file that plan --out has written")
	}
	if *head.Version != SavedVersion {
		return nil, fmt.Errorf("it is of version %d, and this vksync reads version %d: make the plan again", *head.Version, SavedVersion)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	s := &Saved{}
	if err := decoder.Decode(s); err != nil {
		return nil, fmt.Errorf("it is damaged: %w", err)
	}
	if decoder.More() {
		return nil, errors.New("it is damaged: something follows the plan")
	}
	return s, s.check()
}

func (s *Saved) check() error {
	if len(s.Key) != KeyBytes || s.Content == "" || len(s.Plan) == 0 || s.From.Path == "" {
		return errors.New("it is damaged: a part is missing")
	}
	if _, err := s.Policy(); err != nil {
		return err
	}
	for i, f := range s.Facts {
		if f.Addr.Kind == "" || f.Addr.Name == "" || f.Aspect == "" || f.Sum == "" {
			return errors.New("it is damaged: a fact is incomplete")
		}
		if i > 0 && f.Addr.Compare(s.Facts[i-1].Addr) < 0 {
			return errors.New("it is damaged: its facts are out of order")
		}
	}
	return nil
}

// Policy is what the plan was made under, and is to be made under again.
func (s *Saved) Policy() (Policy, error) {
	var form struct {
		SchemaVersion string `json:"schemaVersion"`
		Policy        Policy `json:"policy"`
	}
	if err := json.Unmarshal(s.Plan, &form); err != nil {
		return Policy{}, fmt.Errorf("it is damaged: %w", err)
	}
	if form.SchemaVersion != SchemaVersion {
		return Policy{}, fmt.Errorf("its plan is of version %q, and this vksync reads %q: make the plan again", form.SchemaVersion, SchemaVersion)
	}
	return form.Policy, nil
}
