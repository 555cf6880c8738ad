package main

import (
	"encoding/json"
	"io"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
)

// planDocument is what plan -o json prints. Of a plan for a live world the forecast
// is of a simulated copy.
type planDocument struct {
	Plan     *plan.Plan   `json:"plan"`
	Forecast *runDocument `json:"forecast,omitempty"`
	// Basis says what the copy was made of, NotForecast what of the plan could not be
	// played there and why, and NoForecast why there is no forecast.
	Basis       string   `json:"forecastBasis,omitempty"`
	NotForecast []string `json:"notForecast,omitempty"`
	NoForecast  string   `json:"noForecast,omitempty"`
}

// planDocumentOf is the document of a live session.
func planDocumentOf(s *session) planDocument {
	d := planDocument{Plan: s.plan, NotForecast: s.ahead.without, NoForecast: s.ahead.none}
	if s.ahead.played != nil {
		forecast := runDocumentOf(s.ahead.played.recorder.Timeline())
		d.Forecast, d.Basis = &forecast, s.ahead.basis
	}
	return d
}

// runDocument is what simulate and apply -o json print. Times are milliseconds of
// the world's time since start, null for what has not happened.
type runDocument struct {
	Simulated bool            `json:"simulated"`
	Seed      uint64          `json:"seed"`
	Revision  string          `json:"revision,omitempty"`
	Start     time.Time       `json:"start"`
	Elapsed   int64           `json:"elapsed_ms"`
	Outcome   journal.Outcome `json:"outcome"`
	Totals    totalsDocument  `json:"totals"`
	Goals     []goalDocument  `json:"goals"`
}

// totalsDocument counts goals by what they are about, and what the run has made.
type totalsDocument struct {
	Clusters   int `json:"clusters"`
	Available  int `json:"available"`
	Namespaces int `json:"namespaces"`
	Running    int `json:"running"`
	Stuck      int `json:"stuck"`
	Objects    int `json:"objects"`
	VMs        int `json:"vms"`
	Events     int `json:"events"`
}

type goalDocument struct {
	Addr   resource.Addr   `json:"addr"`
	Verb   string          `json:"verb"`
	State  phase.State     `json:"state"`
	Start  *int64          `json:"start_ms"`
	End    *int64          `json:"end_ms"`
	Phases []phaseDocument `json:"phases"`
	// Why goes from the goal down to the cause; only for what was not reached.
	Why []phase.Link `json:"why,omitempty"`
	// Cause is that in words.
	Cause string `json:"cause,omitempty"`
}

type phaseDocument struct {
	Phase  phase.ID    `json:"phase"`
	Title  string      `json:"title"`
	State  phase.State `json:"state"`
	Done   int64       `json:"done"`
	Wanted int64       `json:"wanted"`
	Start  *int64      `json:"start_ms"`
	End    *int64      `json:"end_ms"`
}

func runDocumentOf(t *journal.Timeline) runDocument {
	d := runDocument{Elapsed: t.Elapsed().Milliseconds(), Goals: []goalDocument{}}
	if b := t.Begin(); b != nil {
		d.Simulated, d.Seed, d.Revision, d.Start = b.Simulated, b.Seed, b.Revision, b.Start
	}
	if e := t.End(); e != nil {
		d.Outcome = e.Outcome
	}
	d.Totals = totalsDocument(t.Totals())
	for _, row := range t.Rows() {
		d.Goals = append(d.Goals, goalDocumentOf(row, t))
	}
	return d
}

func goalDocumentOf(row journal.Row, t *journal.Timeline) goalDocument {
	g := goalDocument{Addr: row.Addr, Verb: row.Verb, State: row.State, Start: milliseconds(row.Start), End: milliseconds(row.End), Phases: []phaseDocument{}}
	for _, s := range row.Steps {
		g.Phases = append(g.Phases, phaseDocument{
			Phase: s.ID, Title: s.ID.Title(), State: s.State, Done: s.Done, Wanted: s.Wanted,
			Start: milliseconds(s.Start), End: milliseconds(s.End),
		})
	}
	if row.State != phase.Done {
		g.Why, g.Cause = t.Why(row.Addr), cause(row)
	}
	return g
}

// milliseconds is nil for what has not happened.
func milliseconds(d time.Duration) *int64 {
	if d == phase.NotYet {
		return nil
	}
	ms := d.Milliseconds()
	return &ms
}

func writeJSON(w io.Writer, document any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(document)
}
