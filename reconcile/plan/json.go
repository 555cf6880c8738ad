package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/vksync/vksync/reconcile/phase"
)

// jsonPlan is the JSON form. Its members never change their meaning within one
// SchemaVersion; new ones may come.
type jsonPlan struct {
	SchemaVersion string      `json:"schemaVersion"`
	Digest        string      `json:"digest,omitempty"`
	Revision      string      `json:"revision,omitempty"`
	Policy        jsonPolicy  `json:"policy"`
	Summary       Summary     `json:"summary"`
	Findings      []Finding   `json:"findings"`
	Phases        []jsonPhase `json:"phases"`
	Goals         []Goal      `json:"goals"`
}

type jsonPolicy struct {
	Source     string `json:"source,omitempty"`
	Prune      bool   `json:"prune"`
	PruneLimit int    `json:"pruneLimit,omitempty"`
	Adopt      bool   `json:"adopt"`
	// left out where it is not set, so that plans made before it keep their digest
	ForceConflicts bool `json:"forceConflicts,omitempty"`
}

type jsonPhase struct {
	ID      phase.ID `json:"id"`
	Title   string   `json:"title"`
	Actions []Action `json:"actions"`
}

func (p *Plan) form() jsonPlan {
	form := jsonPlan{
		SchemaVersion: SchemaVersion, Revision: p.Revision, Policy: jsonPolicy(p.Policy), Summary: p.Summary(),
		Findings: p.Findings, Phases: p.phases(), Goals: p.Goals,
	}
	if form.Findings == nil {
		form.Findings = []Finding{}
	}
	if form.Phases == nil {
		form.Phases = []jsonPhase{}
	}
	if form.Goals == nil {
		form.Goals = []Goal{}
	}
	return form
}

// MarshalJSON is the plan in its JSON form, with its digest. Keys are in a fixed
// order; values are redacted as in the text form.
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
