// Package phase knows the phases of a cluster's way into being (DESIGN section
// 3): which phase a resource belongs to, which conditions end it, and how far a
// cluster has come. It reduces object changes to progress per phase and to the
// causal chain of why something waits.
package phase

import "fmt"

// ID is a phase. Its text is what users read and what a journal holds.
type ID string

// The phases in order.
const (
	Prerequisites  ID = "0"
	Topology       ID = "1"
	Infrastructure ID = "2"
	Bootstrap      ID = "3a"
	Machine        ID = "3b"
	Node           ID = "3c"
	Workers        ID = "4"
)

// All lists the phases in order.
var All = []ID{Prerequisites, Topology, Infrastructure, Bootstrap, Machine, Node, Workers}

// Title is the name of the phase in words.
func (id ID) Title() string {
	switch id {
	case Prerequisites:
		return "Prerequisites"
	case Topology:
		return "Topology"
	case Infrastructure:
		return "Infrastructure"
	case Bootstrap:
		return "Control-plane bootstrap"
	case Machine:
		return "Control-plane VM"
	case Node:
		return "Node bootstrap"
	case Workers:
		return "Workers"
	}
	panic(fmt.Sprintf("phase: no title for %q", string(id)))
}

// Link is one step of a causal chain: an object and what it says of itself.
type Link struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	// Condition, Reason and Message are of the condition that is not as it
	// should be. Condition is empty where the object has none (a missing object,
	// a refused request).
	Condition string `json:"condition,omitempty"`
	Reason    string `json:"reason,omitempty"`
	Message   string `json:"message,omitempty"`
}
