package reconcile

import (
	"testing"
	"time"

	"github.com/vksync/vksync/schema"
)

func TestWhoDecidesThatAPlanIsRun(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 3, 27, 12, 0, 0, 0, time.UTC) // a Friday
	friday := []schema.Window{{Days: []time.Weekday{time.Friday}, From: 9 * time.Hour, To: 17 * time.Hour, Location: time.UTC}}
	for _, test := range []struct {
		name     string
		policy   schema.Policy
		approved string
		want     string
	}{
		{"the push does", schema.Policy{Mode: schema.ModeAutomatic}, "", ""},
		{"nothing said is automatic", schema.Policy{}, "", ""},
		{"nobody", schema.Policy{Mode: schema.ModePlanOnly}, "abc", "the policy is to plan only"},
		{"an operator who has not yet", schema.Policy{Mode: schema.ModeApproval}, "", "waiting for approval of plan abc"},
		{"an operator who approved another", schema.Policy{Mode: schema.ModeApproval}, "xyz", "waiting for approval of plan abc"},
		{"an operator who has", schema.Policy{Mode: schema.ModeApproval}, "abc", ""},
		{"the calendar", schema.Policy{Freeze: friday}, "", "frozen until 2026-03-27T17:00:00Z"},
		{"the calendar, over the operator", schema.Policy{Mode: schema.ModeApproval, Freeze: friday}, "abc", "frozen until 2026-03-27T17:00:00Z"},
		{"a calendar without end", schema.Policy{Freeze: []schema.Window{{To: 24 * time.Hour, Location: time.UTC}}}, "", "frozen for good: the windows of the policy leave no gap"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := hold(test.policy, noon, "abc", test.approved); got != test.want {
				t.Errorf("held by %q, want %q", got, test.want)
			}
		})
	}
}
