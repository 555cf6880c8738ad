package trace

import ()

// A Recording is every change of every object of a namespace while something was
// asked of it, in the order in which it was seen.
type Recording struct {
	Changes []Change
}

// Verb says what a Change is.
type Verb string

// The verbs. A Mark is no change: it says what was asked, or that nothing moved
// any more.
const (
	Added    Verb = "ADDED"
	Modified Verb = "MODIFIED"
	Deleted  Verb = "DELETED"
	Mark     Verb = "MARK"
)

// An ID names an object; the version of its API is not part of it.
type ID struct {
	Group, Kind, Namespace, Name string
	// Life counts the objects of this name before it: a simulator may use a name
	// again, which the real controllers hardly ever do.
	Life int
}

// Change is one line of a recording. What is nil did not change.
type Change struct {
	Line int   // in the file, from 1; 0 for a change that was played
	T    int64 // milliseconds since the recording began
	Verb Verb
	Mark string // only of a Mark
	ID   ID

	// Owners are the owner references as "Kind/name", with * for the controller
	// and ! for blockOwnerDeletion.
	Owners *[]string
	Labels *map[string]string
	// Finalizers are those that are left.
	Finalizers *[]string
	// Annotations holds what changed: "key" or "key=value" for one that was set,
	// "key=null" for one that was taken off. The empty key stands for all of them,
	// when the first one came or the last one went.
	Annotations []string
	// Conditions are "Status/Reason" by type; empty is a condition taken off.
	Conditions map[string]string
	Phase      string // empty: not changed
	Deleting   bool   // the object was marked for deletion by this change
	// Writers are the field managers that wrote, without the subresource.
	Writers []string
}
