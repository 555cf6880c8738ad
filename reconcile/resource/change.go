package resource

import (
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
	metadata := Fields(u.Object, "metadata")
	c := Change{
		Verb:       Updated,
		APIVersion: Text(u.Object, "apiVersion"),
		Kind:       Text(u.Object, "kind"),
		Namespace:  Text(metadata, "namespace"),
		Name:       Text(metadata, "name"),
		Deleting:   Text(metadata, "deletionTimestamp") != "",
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
	differs := c.diffMetadata(before, after)
	differs = c.diffState(old, after.Object) || differs
	return c, differs
}

// diffMetadata takes in how the metadata differs, from nothing for a creation.
func (c *Change) diffMetadata(before, after *unstructured.Unstructured) (differs bool) {
	var old map[string]any
	if before != nil {
		old = Fields(before.Object, "metadata")
	}
	now := Fields(after.Object, "metadata")
	differs = before == nil || (Text(old, "deletionTimestamp") != "") != c.Deleting
	if is, was := Items(now, "ownerReferences"), Items(old, "ownerReferences"); !SameList(is, was) {
		if owners := ownersIn(is); !slices.Equal(owners, ownersIn(was)) {
			c.Owners, differs = owners, true
		}
	}
	if before == nil || !sameTexts(Fields(now, "labels"), Fields(old, "labels")) {
		c.Labels, differs = after.GetLabels(), true
	}
	if !SameList(Items(now, "finalizers"), Items(old, "finalizers")) {
		if f := after.GetFinalizers(); !slices.Equal(f, finalizersOf(before)) {
			c.Finalizers, differs = f, true
		}
	}
	return differs
}

// diffState takes in how far the state of an object differs.
func (c *Change) diffState(old, content map[string]any) (differs bool) {
	is, was := Fields(content, "status"), Fields(old, "status")
	if now, before := replicasOf(content, is), replicasOf(old, was); now != before {
		c.Replicas = &now
	}
	if !SameMap(is, was) {
		c.Conditions = changedConditions(Items(was, "conditions"), Items(is, "conditions"))
		if phase := Text(is, "phase"); phase != Text(was, "phase") {
			c.Phase = phase
		}
	}
	return len(c.Conditions) > 0 || c.Phase != "" || c.Replicas != nil
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
	return ConditionIn(Fields(content, "status"), kind)
}

// ConditionIn is ConditionOf of an object with that status.
func ConditionIn(status map[string]any, kind string) Condition {
	for _, item := range Items(status, "conditions") {
		m, _ := item.(map[string]any)
		if is, _ := m["type"].(string); is == kind { // which is quicker than to compare with any
			return conditionOf(m)
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

// sameTexts says whether two maps hold the same strings.
func sameTexts(a, b map[string]any) bool {
	if len(a) != len(b) {
		return false
	}
	if SameMap(a, b) {
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

// changedConditions are those of after that before has not, and the empty ones of
// types that only before has, by type.
func changedConditions(before, after []any) []Condition {
	if SameList(before, after) {
		return nil
	}
	var out []Condition
	for i, item := range after {
		if sameItem(before, after, i) {
			continue
		}
		if c := conditionOf(item); conditionOf(ofType(before, i, c.Type)) != c {
			out = append(out, c)
		}
	}
	for i, item := range before {
		if sameItem(before, after, i) {
			continue
		}
		if kind := Text(item, "type"); ofType(after, i, kind) == nil {
			out = append(out, Condition{Type: kind})
		}
	}
	slices.SortFunc(out, func(a, b Condition) int { return strings.Compare(a.Type, b.Type) })
	return out
}

// sameItem says whether two lists have one and the same map in memory at a place.
func sameItem(a, b []any, i int) bool {
	return i < len(a) && i < len(b) && SameItem(a[i], b[i])
}

// ofType finds a condition by its type, nil where there is none. Writers keep the
// order, so it is looked for at a place first.
func ofType(conditions []any, at int, kind string) any {
	if at < len(conditions) && Text(conditions[at], "type") == kind {
		return conditions[at]
	}
	for _, item := range conditions {
		if Text(item, "type") == kind {
			return item
		}
	}
	return nil
}

func ownersIn(refs []any) []Owner {
	if len(refs) == 0 {
		return nil
	}
	out := make([]Owner, 0, len(refs))
	for _, item := range refs {
		ref, _ := item.(map[string]any)
		out = append(out, Owner{Kind: Text(ref, "kind"), Name: Text(ref, "name"), Controller: Flag(ref, "controller")})
	}
	return out
}

func replicasOf(content, status map[string]any) Replicas {
	return Replicas{
		Desired:   Int(content, "spec", "replicas"),
		Current:   Int(status, "replicas"),
		Ready:     Int(status, "readyReplicas"),
		Available: Int(status, "availableReplicas"),
		UpToDate:  Int(status, "upToDateReplicas"),
	}
}
