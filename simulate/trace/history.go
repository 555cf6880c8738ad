package trace

// A Step's histories: what happened to every object in it.

// Attributes that are no conditions. A condition's is its type after condition.
const (
	exists     = "exists" // created, marked, gone
	phase      = "phase"
	owners     = "owners"
	finalizers = "finalizers"
	condition  = "condition "
)

// A moment is a value that an attribute took.
type moment struct {
	at    int // place in the whole recording
	t     int64
	value string
}

// A history is the life of one object during one step.
type history struct {
	id                 ID
	name               string // normalised
	before             bool   // it was there when the step began
	after              bool   // it is there at the end
	part               *Part
	touched            bool   // anything that is compared happened to it
	role               string // controlplane or worker for what is a machine's; else empty
	cluster            string
	pool               string              // of a worker or a pool's object; else empty
	machine            string              // the Machine whose name it has or begins with; else empty
	born               int                 // place of its creation in the whole recording
	series             map[string][]moment // in the step
	start              map[string]string   // values when the step began
	labels             map[string]string   // at the end, keys and values normalised
	labelsSet          bool
	annotations        map[string]bool
	unknownAnnotations bool // there are more than are known
	annotated          bool
}

// Part is one step with its histories.
type Part struct {
	Step      Step
	From, To  int64 // milliseconds, when it was asked for and when something happened last
	Settled   bool  // nothing moved any more when it ended
	histories []*history
}
