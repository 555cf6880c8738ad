package controllers

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// What is stored is shared: a draft must leave it as it is, and what was read of it too.
func TestADraftLeavesWhatItIsMadeOf(t *testing.T) {
	t.Parallel()
	m := &Manager{clock: &stoppedClock{}, views: map[*unstructured.Unstructured]*view{}}
	u := &unstructured.Unstructured{Object: fields{
		"metadata": fields{"name": "one", "labels": fields{"a": "1"}},
		"status": fields{"conditions": []any{
			fields{"type": "Ready", "status": "False", "reason": "NotReady", "message": "waits", "lastTransitionTime": "2025-01-01T00:00:00Z"},
			fields{"type": "Paused", "status": "False", "reason": "NotPaused", "message": "", "lastTransitionTime": "2025-01-01T00:00:00Z"},
		}},
	}}
	before := u.DeepCopy()
	for name, d := range map[string]*draft{"with a view": m.edit(u), "without": edit(u, m.now())} {
		d.condition("Paused", "False", "NotPaused", "")
		if d.changed() {
			t.Errorf("%s: a condition that is so already is a change", name)
		}
		d.condition("Ready", "False", "NotReady", "waits for long")
		d.condition("Available", "True", "Available", "")
		d.condition("Ready", "True", "Ready", "")
		d.label("a", "2")
		want := []resource.Condition{
			{Type: "Ready", Status: "True", Reason: "Ready"},
			{Type: "Paused", Status: "False", Reason: "NotPaused"},
			{Type: "Available", Status: "True", Reason: "Available"},
		}
		if diff := cmp.Diff(want, resource.ConditionsOf(d.object().Object)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if !d.isTrue("Ready") || !d.has("Available") || !d.since("Ready").Equal(m.now()) {
			t.Errorf("%s: the draft does not know what it says", name)
		}
		if diff := cmp.Diff(before, u); diff != "" {
			t.Errorf("%s: the object changed (-before +after):\n%s", name, diff)
		}
		if m.view(u).isTrue("Ready") {
			t.Errorf("%s: the view changed", name)
		}
	}
}

// A condition keeps the time of its status while only its words change.
func TestAConditionKeepsTheTimeOfItsStatus(t *testing.T) {
	t.Parallel()
	epoch := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	d := edit(&unstructured.Unstructured{Object: fields{}}, epoch)
	d.condition("Ready", "False", "NotReady", "a")
	later := edit(d.object(), epoch.Add(time.Minute))
	if later.condition("Ready", "False", "Other", "b"); !later.since("Ready").Equal(epoch) {
		t.Errorf("with another message it is so since %s", later.since("Ready"))
	}
	if later.condition("Ready", "True", "Ready", ""); !later.since("Ready").Equal(epoch.Add(time.Minute)) {
		t.Errorf("with another status it is so since %s", later.since("Ready"))
	}
}

// What is equal is kept once, and what was remembered goes when there is too much of it.
func TestConditionsThatAreEqualAreOne(t *testing.T) {
	t.Parallel()
	m := &Manager{clock: &stoppedClock{}, views: map[*unstructured.Unstructured]*view{}, shared: newSharedConditions()}
	write := func(message string) any {
		d := m.edit(&unstructured.Unstructured{Object: fields{}})
		d.condition("Ready", "False", "NotReady", message)
		return resource.Items(d.object().Object, "status", "conditions")[0]
	}
	first := write("waits")
	if !resource.SameItem(first, write("waits")) {
		t.Error("two objects that say the same do not share it")
	}
	if resource.SameItem(first, write("waits for long")) {
		t.Error("two objects share what they do not both say")
	}
	for i := range 3 * sharedLimit {
		write(strconv.Itoa(i))
	}
	if len(m.shared.known) > sharedLimit {
		t.Errorf("%d conditions are remembered", len(m.shared.known))
	}
	if again := write("waits"); !cmp.Equal(first, again) {
		t.Errorf("a condition that was forgotten is %v, was %v", again, first)
	}
}

// The store does not compare what a draft knows: it must not know what is not so.
func TestADraftKnowsWhetherItIsAnother(t *testing.T) {
	t.Parallel()
	m := &Manager{clock: &stoppedClock{}, views: map[*unstructured.Unstructured]*view{}, shared: newSharedConditions()}
	first := m.edit(&unstructured.Unstructured{Object: fields{}})
	first.condition("Ready", "False", "NotReady", "waits")
	u := first.object()
	for name, test := range map[string]struct {
		change func(d *draft)
		want   bool
	}{
		"nothing":              {func(*draft) {}, false},
		"a condition":          {func(d *draft) { d.condition("Ready", "True", "Ready", "") }, true},
		"one more":             {func(d *draft) { d.condition("Placed", "True", "Placed", "") }, true},
		"one less":             {func(d *draft) { d.dropConditions("Ready") }, true},
		"one that was dropped": {func(d *draft) { d.dropConditions("Ready"); d.condition("Ready", "False", "NotReady", "waits") }, false},
		"one taken back": {func(d *draft) {
			d.condition("Ready", "False", "NotReady", "waits for long")
			d.condition("Ready", "False", "NotReady", "waits")
		}, false},
		"a label too":    {func(d *draft) { d.condition("Ready", "True", "Ready", ""); d.label("a", "b") }, false},
		"another status": {func(d *draft) { d.condition("Ready", "True", "Ready", ""); d.replace(fields{}, "status") }, false},
		"no condition":   {func(d *draft) { d.set("Running", "status", "phase") }, false},
	} {
		d := m.edit(u)
		if test.change(d); d.anotherStatus() != test.want {
			t.Errorf("%s: it is for sure another in its status alone: %t", name, !test.want)
		}
	}
}

// What is left of a list of conditions is found, whatever was dropped and added.
func TestDroppedConditionsAreGone(t *testing.T) {
	t.Parallel()
	m := &Manager{clock: &stoppedClock{}, views: map[*unstructured.Unstructured]*view{}, shared: newSharedConditions()}
	d := m.edit(&unstructured.Unstructured{Object: fields{}})
	for _, kind := range []string{"Ready", "Placed", "Created"} {
		d.condition(kind, "True", kind, "")
	}
	d = m.edit(d.object())
	d.dropConditions("Ready", "Created")
	d.condition("Available", "True", "Available", "")
	v := viewOf(d.object().Object, nil)
	if d.has("Ready") || !d.isTrue("Placed") || !d.isTrue("Available") {
		t.Errorf("the draft has %v", d.conditions.items)
	}
	if v.isTrue("Ready") || !v.isTrue("Placed") || !v.isTrue("Available") {
		t.Errorf("what it became has %v", v.conditions.items)
	}
}
