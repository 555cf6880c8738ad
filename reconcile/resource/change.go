package resource

import (
	"slices"

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
	// Replicas is spec.replicas, where an object has that, and its status counterparts,
	// when any of them changed.
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

// Clone is a Change that outlives the next one of its Differ.
func (c Change) Clone() Change {
	c.Conditions = slices.Clone(c.Conditions)
	if c.Replicas != nil {
		counts := *c.Replicas
		c.Replicas = &counts
	}
	return c
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
