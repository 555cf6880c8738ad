package journal_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/resource"
)

// What is deferred comes between what was recorded before and after it, however
// much of it there is.
func TestDeferredEventsKeepTheirPlace(t *testing.T) {
	t.Parallel()
	var got, want []string
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := journal.NewRecorder(start, func(e journal.Event) { got = append(got, e.VM.Name) })
	vm := func(name string) journal.Event {
		return journal.Event{VM: &journal.VM{Op: "CreateVM_Task", Name: name}}
	}
	for round := range 20 {
		name := fmt.Sprint("recorded ", round)
		r.Record(start, vm(name))
		want = append(want, name)
		for n := range 100 {
			name := fmt.Sprint("deferred ", round, n)
			r.Defer(func(record func(time.Time, journal.Event)) {
				record(start, vm(name))
				record(start, vm(name+" again"))
			})
			want = append(want, name, name+" again")
		}
	}
	r.Read(func(timeline *journal.Timeline) {
		if made := timeline.Totals().VMs; made != len(want) {
			t.Errorf("%d VMs when read, want %d", made, len(want))
		}
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// Who tells makes all its events of the same memory; a sink may keep what it is given.
func TestSinksKeepWhatATellingLends(t *testing.T) {
	t.Parallel()
	var got []*journal.Object
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := journal.NewRecorder(start, func(e journal.Event) { got = append(got, e.Object) })
	set := func(replicas int64) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{
			"kind": "MachineSet", "spec": map[string]any{"replicas": replicas},
			"status": map[string]any{"conditions": []any{map[string]any{"type": "Ready", "reason": fmt.Sprint(replicas)}}},
		}}
	}
	r.Defer(func(record func(time.Time, journal.Event)) {
		var differ resource.Differ
		var lent journal.Object
		for n := range int64(3) {
			lent.Change, _ = differ.Diff(set(n), set(n+1))
			record(start, journal.Event{Object: &lent})
		}
	})
	r.Read(func(*journal.Timeline) {})
	for n, o := range got {
		if o.Replicas.Desired != int64(n+1) || o.Conditions[0].Reason != fmt.Sprint(n+1) {
			t.Errorf("event %d tells of %d replicas and %q, want %d", n, o.Replicas.Desired, o.Conditions[0].Reason, n+1)
		}
	}
	if len(got) != 3 {
		t.Errorf("%d events, want 3", len(got))
	}
}
