package journal_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/journal"
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
