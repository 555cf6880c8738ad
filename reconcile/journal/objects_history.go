package journal

import (
	"fmt"
	"strings"
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

// A Moment is one line of a cluster's history: what happened to which object. The
// same once more makes no other line but moves the one there is.
type Moment struct {
	At time.Duration
	*Ident
	// What is in words, Wrong that it is not as it should be.
	What  string
	Wrong bool
	// Times is how often it happened, 1 at least.
	Times int
}

// historyCap is how many lines of a cluster are kept.
const historyCap = 200

// History is what last happened to the objects of a cluster, or to what a vSphere
// Namespace shares, the oldest first.
func (o *Objects) History(a resource.Addr) []Moment {
	in, shared := o.around(a)
	if a.Kind != resource.KindCluster {
		in = shared
	}
	if in == nil {
		return nil
	}
	out := make([]Moment, 0, len(in.past.records))
	for i := range in.past.records {
		r := in.past.records[(in.past.first+i)%len(in.past.records)]
		out = append(out, Moment{At: r.at, Ident: r.ident, What: r.words(), Wrong: r.wrong(), Times: int(r.more) + 1})
	}
	return out
}

// past is the lines of a history, from first on and round.
type past struct {
	records []record
	first   int
}

// A record is a line before it is put in words.
type record struct {
	at    time.Duration
	ident *Ident
	claim *claim // what was said; of other notes than noteCondition, only the Type
	text  string
	what  noteKind
	more  uint16 // how often it happened again
}

type noteKind uint8

const (
	noteCreated noteKind = iota
	noteGone
	noteMarked
	notePhase
	noteReplicas
	noteCondition
	noteWarning
	noteTask
	noteFault
	noteDone
	noteRefused
	noteDelayed
	noteBlocked
)

// textCap bounds the text of a line, in bytes.
const textCap = 240

// lookback is among how many lines the same one is looked for: those that retry
// every few seconds come in turns.
const lookback = 8

// note adds a line.
func (in *inventory) note(at time.Duration, r record) {
	if len(r.text) > textCap {
		r.text = clip(r.text, textCap)
	}
	r.at = at
	p := &in.past
	n := len(p.records)
	for back := 1; back <= min(lookback, n); back++ {
		i := (p.first + n - back) % n
		if last := p.records[i]; last.sameAs(r) {
			r.more = min(last.more, 1<<16-2) + 1
			p.move(i, back, r)
			return
		}
	}
	if n == cap(p.records) && n < historyCap {
		p.records = append(make([]record, 0, min(max(2*n, 8), historyCap)), p.records...)
	}
	if n < historyCap {
		p.records = append(p.records, r)
		return
	}
	p.records[p.first] = r
	p.first = (p.first + 1) % n
}

// move takes a line out that is back lines from the end, and puts r there.
func (p *past) move(i, back int, r record) {
	n := len(p.records)
	for ; back > 1; back-- {
		p.records[i] = p.records[(i+1)%n]
		i = (i + 1) % n
	}
	p.records[i] = r
}

func (r record) sameAs(o record) bool {
	return r.what == o.what && r.claim == o.claim && r.text == o.text &&
		r.ident.Name == o.ident.Name && r.ident.Kind == o.ident.Kind
}

// noteChange adds what is worth a line in a change of an object.
func (in *inventory) noteChange(at time.Duration, was, now *Item, e *Object) {
	switch {
	case e.Verb == resource.Created:
		in.note(at, record{ident: now.Ident, what: noteCreated})
	case was == nil:
		return // it was there before; what it says is not news
	}
	if now.Deleting && (was == nil || !was.Deleting) {
		in.note(at, record{ident: now.Ident, what: noteMarked})
	}
	if e.Phase != "" {
		in.note(at, record{ident: now.Ident, what: notePhase, text: now.Status})
	}
	if r := now.Replicas; r != nil && was != nil && was.Replicas != nil && was.Replicas.Desired != r.Desired {
		in.note(at, record{ident: now.Ident, what: noteReplicas, text: fmt.Sprintf("%d, was %d", r.Desired, was.Replicas.Desired)})
	}
	for _, c := range e.Conditions {
		if c, there := now.condition(c.Type); there && newsworthy(was, c) {
			in.note(at, record{ident: now.Ident, what: noteCondition, claim: c.claim, text: c.own()})
		}
	}
}

// own is the message of a condition unless it sums up what other objects say of
// themselves: controllers do that in lists.
func (c condition) own() string {
	if strings.HasPrefix(c.message, "* ") {
		return ""
	}
	return c.message
}

// newsworthy reports that a condition says something that it did not say before. That
// something is not known is news only where it was known to be well.
func newsworthy(was *Item, now condition) bool {
	then, known := condition{}, false
	if was != nil {
		then, known = was.condition(now.Type)
	}
	switch {
	case now.Status == "Unknown":
		return known && !then.wrong
	case !known:
		return now.Status == "True" || now.wrong
	case then.Status == "Unknown" && now.Status == "False" && !now.wrong:
		return false // what was not known to go on does not
	}
	return then.Status != now.Status || now.wrong && then.Reason != now.Reason
}

func (it *Item) condition(kind string) (condition, bool) {
	for _, c := range it.conditions {
		if c.Type == kind {
			return c, true
		}
	}
	return condition{}, false
}

func (r record) wrong() bool {
	switch r.what {
	case noteCondition:
		return r.claim.wrong
	case noteWarning, noteFault, noteRefused, noteDelayed, noteBlocked:
		return true
	}
	return false
}

// words is a line as people read it.
func (r record) words() string {
	switch r.what {
	case noteCreated:
		return "created"
	case noteGone:
		return "gone"
	case noteMarked:
		return "to be deleted"
	case notePhase:
		return "phase " + r.text
	case noteReplicas:
		return "replicas wanted: " + r.text
	case noteCondition:
		return r.claim.words(r.text)
	case noteTask:
		return r.claim.task(r.text)
	case noteFault:
		return r.claim.Type + " failed: " + r.text
	case noteDone:
		return "vksync: " + r.claim.Type + " accepted"
	case noteRefused:
		return "vksync: " + r.claim.Type + " refused: " + r.text
	case noteDelayed:
		return "vksync: " + r.claim.Type + " is tried again: " + r.text
	case noteBlocked:
		return "stands still in phase " + r.claim.Type + ": " + r.text
	}
	return r.claim.Type + ": " + r.text // a warning
}

// task is an operation that went well: where, or for one of the guest, what it reports.
func (c *claim) task(where string) string {
	switch {
	case where == "":
		return c.Type
	case c.Type == "guest.ipAddress":
		return "the guest reports " + where
	}
	return c.Type + " on " + where
}

func (c *claim) words(message string) string {
	if !c.wrong && c.Status == "True" {
		return c.Type
	}
	text := c.Type + " " + c.Status
	for _, more := range []string{c.Reason, message} {
		if more != "" && c.wrong {
			text += ": " + more
		}
	}
	return text
}
