package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/vksync/vksync/reconcile/phase"
)

// Document is the JSON form of a plan, for whoever reads it where no Plan is: in a
// journal, or in the answer of a server. Its members never change their meaning
// within one SchemaVersion; new ones may come.
type Document struct {
	SchemaVersion string `json:"schemaVersion"`
	// Digest is that of Plan.Digest.
	Digest   string    `json:"digest,omitempty"`
	Revision string    `json:"revision,omitempty"`
	Policy   Policy    `json:"policy"`
	Summary  Summary   `json:"summary"`
	Findings []Finding `json:"findings"`
	// Phases are in the order of phase.All, without those that have no action.
	Phases []Group `json:"phases"`
	Goals  []Goal  `json:"goals"`
}

// A Group is what belongs to one phase, removals too.
type Group struct {
	ID      phase.ID `json:"id"`
	Title   string   `json:"title"`
	Actions []Action `json:"actions"`
}

// Read reads the JSON form, as it is in journal.Begin.Plan. It is nil for none:
// nothing, or null. Members that it does not know are passed over; numbers in
// changes are json.Number, so that they are shown as they were written. It fails on
// what is no plan, and on a plan of another SchemaVersion.
func Read(text json.RawMessage) (*Document, error) {
	text = bytes.TrimSpace(text)
	if len(text) == 0 || string(text) == "null" {
		return nil, nil
	}
	var d Document
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	err := decoder.Decode(&d)
	// Another version may have members of other types: it is that which is wrong then.
	if d.SchemaVersion != "" && d.SchemaVersion != SchemaVersion {
		return nil, fmt.Errorf("reading a plan: it is of version %q, and this vksync reads %q", d.SchemaVersion, SchemaVersion)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading a plan: %w", err)
	case d.SchemaVersion == "":
		return nil, errors.New("reading a plan: it has no schemaVersion, so it is none")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("reading a plan: something follows it")
	}
	return &d, nil
}
