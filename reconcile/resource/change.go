package resource

import (
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Verb says how an object changed.
type Verb string

// The verbs of a Change.
const (
	Created Verb = "created"
	Updated Verb = "updated"
	Deleted Verb = "deleted" // the object is gone; a deletion that waits for finalizers is an update with Deleting set
)

// Condition is one entry of status.conditions, without its times.
type Condition struct {
	Type    string `json:"type"`
	Status  string `json:"status"` // True, False or Unknown; empty when the condition was removed
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
}

// Owner is an owner reference.
type Owner struct {
	Kind       string `json:"kind"`
	Name       string `json:"name"`
	Controller bool   `json:"controller,omitempty"`
}

// Change is how one object differs from what it was before, as far as anybody
// who follows a run needs to know. Owners, labels and finalizers are the whole
// present state, and only there when they differ from before; Conditions holds
// only those that changed. Secret content and bootstrap data are never in it.
type Change struct {
	Verb Verb `json:"verb"`
	// Present is set on the first word about an object that existed before anything
	// was told: the Change is its whole state, and nothing has happened to it. Its
	// Verb is Updated.
	Present    bool              `json:"present,omitempty"`
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Namespace  string            `json:"namespace,omitempty"`
	Name       string            `json:"name"`
	Owners     []Owner           `json:"owners,omitempty"`
	Labels     map[string]string `json:"labels,omitempty"`
	Finalizers []string          `json:"finalizers,omitempty"`
	Conditions []Condition       `json:"conditions,omitempty"`
	// Phase is status.phase, when it changed.
	Phase string `json:"statusPhase,omitempty"`
	// Deleting is set from the change on that gave the object a deletion timestamp.
	Deleting bool `json:"deleting,omitempty"`
	// Replicas is spec.replicas and its status counterparts, when any of them changed.
	Replicas *Replicas `json:"replicas,omitempty"`
}

// Replicas are the counts of a MachineDeployment, MachineSet or control plane.
type Replicas struct {
	Desired   int64 `json:"desired"`
	Current   int64 `json:"current"`
	Ready     int64 `json:"ready"`
	Available int64 `json:"available"`
	UpToDate  int64 `json:"upToDate"`
}

// Diff describes the step from before to after; either may be nil, not both.
// It reports false when nothing that a Change holds is different, so that
// bookkeeping writes do not reach a journal.
func Diff(before, after *unstructured.Unstructured) (Change, bool) {
	u := after
	if u == nil {
		u = before
	}
	c := Change{
		Verb:       Updated,
		APIVersion: Text(u.Object, "apiVersion"),
		Kind:       Text(u.Object, "kind"),
		Namespace:  Text(u.Object, "metadata", "namespace"),
		Name:       Text(u.Object, "metadata", "name"),
		Deleting:   deleting(u),
	}
	if after == nil {
		c.Verb = Deleted
		return c, true
	}
	var old map[string]any
	if before == nil {
		c.Verb = Created
	} else {
		old = before.Object
	}
	differs := before == nil || deleting(before) != c.Deleting
	if !sameList(old, after.Object, "metadata", "ownerReferences") {
		if owners := OwnersOf(after.Object); !slices.Equal(owners, OwnersOf(old)) {
			c.Owners, differs = owners, true
		}
	}
	if before == nil || !sameTexts(Fields(after.Object, "metadata", "labels"), Fields(old, "metadata", "labels")) {
		c.Labels, differs = after.GetLabels(), differs || before != nil
	}
	if !sameList(old, after.Object, "metadata", "finalizers") {
		if f := after.GetFinalizers(); !slices.Equal(f, finalizersOf(before)) {
			c.Finalizers, differs = f, true
		}
	}
	c.Conditions = changedConditions(Items(old, "status", "conditions"), Items(after.Object, "status", "conditions"))
	if phase := Text(after.Object, "status", "phase"); phase != Text(old, "status", "phase") {
		c.Phase = phase
	}
	if now, was := replicasOf(after.Object), replicasOf(old); now != was {
		c.Replicas = &now
	}
	return c, differs || len(c.Conditions) > 0 || c.Phase != "" || c.Replicas != nil
}

func deleting(u *unstructured.Unstructured) bool {
	return Text(u.Object, "metadata", "deletionTimestamp") != ""
}

// Describe is the whole state of an object that existed before anything was told.
func Describe(u *unstructured.Unstructured) Change {
	c, _ := Diff(nil, u)
	c.Verb, c.Present = Updated, true
	return c
}

// ConditionsOf lists status.conditions in their stored order.
func ConditionsOf(content map[string]any) []Condition {
	items := Items(content, "status", "conditions")
	out := make([]Condition, 0, len(items))
	for _, item := range items {
		out = append(out, conditionOf(item))
	}
	return out
}

// ConditionOf finds a condition by type; the zero Condition means there is none.
func ConditionOf(content map[string]any, kind string) Condition {
	for _, item := range Items(content, "status", "conditions") {
		if m, _ := item.(map[string]any); m["type"] == kind {
			return conditionOf(item)
		}
	}
	return Condition{}
}

func conditionOf(item any) (c Condition) {
	m, _ := item.(map[string]any)
	c.Type, _ = m["type"].(string)
	c.Status, _ = m["status"].(string)
	c.Reason, _ = m["reason"].(string)
	c.Message, _ = m["message"].(string)
	return c
}

// sameList says whether a list of two contents is one and the same in memory,
// as it is where a writer copied only what it changed.
func sameList(a, b map[string]any, path ...string) bool {
	x, y := Items(a, path...), Items(b, path...)
	return len(x) == len(y) && (len(x) == 0 || &x[0] == &y[0])
}

// sameMap says whether two values are one map in memory.
func sameMap(a, b any) bool {
	x, _ := a.(map[string]any)
	y, _ := b.(map[string]any)
	return x != nil && y != nil && reflect.ValueOf(x).Pointer() == reflect.ValueOf(y).Pointer()
}

// sameTexts says whether two maps hold the same strings.
func sameTexts(a, b map[string]any) bool {
	if len(a) != len(b) {
		return false
	}
	if reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer() {
		return true
	}
	for key := range a {
		if _, there := b[key]; !there || Text(a, key) != Text(b, key) {
			return false
		}
	}
	return true
}

func finalizersOf(u *unstructured.Unstructured) []string {
	if u == nil {
		return nil
	}
	return u.GetFinalizers()
}

func changedConditions(before, after []any) []Condition {
	if len(before) == len(after) && (len(before) == 0 || &before[0] == &after[0]) {
		return nil
	}
	var out []Condition
	for i, item := range after {
		// Writers keep the order, so the old value is nearly always at the same place,
		// and the very same where it did not change.
		if i < len(before) && sameMap(item, before[i]) {
			continue
		}
		c := conditionOf(item)
		if i < len(before) && conditionOf(before[i]) == c {
			continue
		}
		if !slices.ContainsFunc(before, func(b any) bool { return conditionOf(b) == c }) {
			out = append(out, c)
		}
	}
	for i, item := range before {
		if i < len(after) && sameMap(item, after[i]) {
			continue
		}
		kind := Text(item, "type")
		if !slices.ContainsFunc(after, func(a any) bool { return Text(a, "type") == kind }) {
			out = append(out, Condition{Type: kind})
		}
	}
	slices.SortFunc(out, func(a, b Condition) int { return strings.Compare(a.Type, b.Type) })
	return out
}

// OwnersOf lists metadata.ownerReferences in their stored order.
func OwnersOf(content map[string]any) []Owner {
	var out []Owner
	for _, ref := range Items(content, "metadata", "ownerReferences") {
		out = append(out, Owner{Kind: Text(ref, "kind"), Name: Text(ref, "name"), Controller: Flag(ref, "controller")})
	}
	return out
}

func replicasOf(content map[string]any) Replicas {
	if content == nil {
		return Replicas{}
	}
	status := Fields(content, "status")
	return Replicas{
		Desired:   Int(content, "spec", "replicas"),
		Current:   Int(status, "replicas"),
		Ready:     Int(status, "readyReplicas"),
		Available: Int(status, "availableReplicas"),
		UpToDate:  Int(status, "upToDateReplicas"),
	}
}
