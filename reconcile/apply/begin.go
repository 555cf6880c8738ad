package apply

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/plan"
)

// Begin is the first event of the journal of a plan, and of a plan that is only
// proposed the only one: the template with the plan, its goals and a time. The
// plan's revision is taken where the template has none.
func Begin(template journal.Begin, p *plan.Plan, start time.Time) (journal.Begin, error) {
	text, err := json.Marshal(p)
	if err != nil {
		return journal.Begin{}, fmt.Errorf("encoding the plan: %w", err)
	}
	b := template
	b.Version, b.Start, b.Plan = journal.Version, start, text
	if b.Revision == "" {
		b.Revision = p.Revision
	}
	b.Goals = make([]journal.Goal, 0, len(p.Goals))
	for _, g := range p.Goals {
		b.Goals = append(b.Goals, journal.Goal{Addr: g.Addr, Verb: string(g.Verb), ControlPlane: g.ControlPlane, Workers: g.Workers})
	}
	return b, nil
}
