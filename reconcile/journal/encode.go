package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/vksync/vksync/reconcile/resource"
)

// An Encoder writes a journal, a line at a time. It is not safe for concurrent
// use. Each line is one Write, so a journal that is read while it is written
// never shows half a line that was not followed by the other half.
type Encoder struct {
	w    io.Writer
	line line
}

// NewEncoder writes to w. The caller buffers and closes w.
func NewEncoder(w io.Writer) *Encoder { return &Encoder{w: w} }

// Encode writes one event. It fails when the line is longer than a Decoder
// takes, and with the error of the writer.
func (e *Encoder) Encode(ev Event) error {
	b, err := e.line.event(ev)
	if err != nil {
		return fmt.Errorf("encoding journal event %d: %w", ev.Seq, err)
	}
	limit := LineCap
	if ev.Begin != nil {
		limit = BeginCap
	}
	if len(b) > limit {
		return fmt.Errorf("encoding journal event %d: longer than %d MiB", ev.Seq, limit>>20)
	}
	if _, err := e.w.Write(b); err != nil {
		return fmt.Errorf("writing journal event %d: %w", ev.Seq, err)
	}
	return nil
}

// A line is the bytes of an event. Events of objects and VMs, of which there
// are a million in a run, are written field by field; the rest by encoding/json.
// Both give the same text.
type line struct{ b []byte }

func (l *line) event(e Event) ([]byte, error) {
	l.b = append(l.b[:0], `{"seq":`...)
	l.int(int64(e.Seq))
	l.raw(`,"t_ms":`)
	l.int(e.T)
	var err error
	switch {
	case e.Object != nil:
		l.raw(`,"object":`)
		l.object(e.Object)
	case e.VM != nil:
		l.raw(`,"vm":`)
		l.vm(e.VM)
	case e.Begin != nil:
		err = l.any(`,"begin":`, e.Begin)
	case e.Action != nil:
		err = l.any(`,"action":`, e.Action)
	case e.Warning != nil:
		err = l.any(`,"warning":`, e.Warning)
	case e.Blocked != nil:
		err = l.any(`,"blocked":`, e.Blocked)
	case e.Goal != nil:
		err = l.any(`,"goal":`, e.Goal)
	case e.Usage != nil:
		err = l.any(`,"usage":`, e.Usage)
	case e.End != nil:
		err = l.any(`,"end":`, e.End)
	}
	l.raw("}\n")
	return l.b, err
}

func (l *line) object(o *Object) {
	l.raw(`{"actor":`)
	l.text(o.Actor)
	l.change(&o.Change)
	l.optional(`,"cluster":`, o.Cluster)
	l.optional(`,"phase":`, string(o.PhaseID))
	l.raw("}")
}

func (l *line) change(c *resource.Change) {
	l.raw(`,"verb":`)
	l.text(string(c.Verb))
	if c.Present {
		l.raw(`,"present":true`)
	}
	l.raw(`,"apiVersion":`)
	l.text(c.APIVersion)
	l.raw(`,"kind":`)
	l.text(c.Kind)
	l.optional(`,"namespace":`, c.Namespace)
	l.raw(`,"name":`)
	l.text(c.Name)
	list(l, `,"owners":[`, c.Owners, l.owner)
	l.labels(c.Labels)
	list(l, `,"finalizers":[`, c.Finalizers, l.text)
	list(l, `,"conditions":[`, c.Conditions, l.condition)
	l.optional(`,"statusPhase":`, c.Phase)
	if c.Deleting {
		l.raw(`,"deleting":true`)
	}
	if r := c.Replicas; r != nil {
		l.replicas(r)
	}
}

func (l *line) owner(o resource.Owner) {
	l.raw(`{"kind":`)
	l.text(o.Kind)
	l.raw(`,"name":`)
	l.text(o.Name)
	if o.Controller {
		l.raw(`,"controller":true`)
	}
	l.raw("}")
}

func (l *line) condition(c resource.Condition) {
	l.raw(`{"type":`)
	l.text(c.Type)
	l.raw(`,"status":`)
	l.text(c.Status)
	l.optional(`,"reason":`, c.Reason)
	l.optional(`,"message":`, c.Message)
	l.raw("}")
}

func (l *line) replicas(r *resource.Replicas) {
	l.raw(`,"replicas":{"desired":`)
	l.int(r.Desired)
	l.raw(`,"current":`)
	l.int(r.Current)
	l.raw(`,"ready":`)
	l.int(r.Ready)
	l.raw(`,"available":`)
	l.int(r.Available)
	l.raw(`,"upToDate":`)
	l.int(r.UpToDate)
	l.raw("}")
}

func (l *line) vm(v *VM) {
	l.raw(`{"op":`)
	l.text(v.Op)
	l.optional(`,"task":`, v.Task)
	l.raw(`,"namespace":`)
	l.text(v.Namespace)
	l.raw(`,"name":`)
	l.text(v.Name)
	l.optional(`,"cluster":`, v.Cluster)
	l.optional(`,"zone":`, v.Zone)
	l.optional(`,"host":`, v.Host)
	l.optional(`,"datastore":`, v.Datastore)
	l.optional(`,"ip":`, v.IP)
	l.optional(`,"error":`, v.Error)
	l.optional(`,"phase":`, string(v.PhaseID))
	l.raw("}")
}

// any writes a value by encoding/json. HTML in it stays as it is.
func (l *line) any(name string, v any) error {
	l.raw(name)
	buf := bytes.NewBuffer(l.b)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	l.b = bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
	return err
}
