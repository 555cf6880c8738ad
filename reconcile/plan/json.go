package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

func (p *Plan) form() Document {
	form := Document{
		SchemaVersion: SchemaVersion, Revision: p.Revision, Policy: p.Policy, Summary: p.Summary(),
		Findings: p.Findings, Phases: p.phases(), Goals: p.Goals,
	}
	if form.Findings == nil {
		form.Findings = []Finding{}
	}
	if form.Phases == nil {
		form.Phases = []Group{}
	}
	if form.Goals == nil {
		form.Goals = []Goal{}
	}
	return form
}

// MarshalJSON is the plan in its JSON form, a Document with its digest. Keys are
// in a fixed order; values are redacted as in the text form.
func (p *Plan) MarshalJSON() ([]byte, error) {
	form := p.form()
	form.Digest = p.Digest()
	return json.Marshal(form)
}

// Digest identifies what the plan says: the SHA-256 of its JSON form without the
// digest. Two plans of one digest do the same to the same observed state, as far
// as it may be shown.
func (p *Plan) Digest() string {
	text, err := json.Marshal(p.form())
	if err != nil {
		// Changes hold what JSON was decoded to, so there is nothing that has no JSON form.
		panic(fmt.Sprintf("plan: encoding a plan: %v", err))
	}
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}
