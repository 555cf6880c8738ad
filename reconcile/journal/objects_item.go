package journal

import (
	"slices"
	"strings"
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

// KindVM is the Kind of an Item that is a virtual machine in vCenter, as that of a
// phase.Link. It is owned by the VirtualMachine of its name.
const KindVM = "vSphere VM"

// An Item is what is known of one object. It never changes: an event that tells of
// the object makes another one. Times are since the start of the run;
// phase.NotYet is before it.
type Item struct {
	*Ident
	// Owner is the object's controller, or else its first owner; zero without any.
	Owner resource.Owner
	// Status is status.phase.
	Status string
	// Replicas are nil for what has none.
	Replicas *resource.Replicas
	// Came is when it was created, Changed when something was last heard of it, and
	// Marked when its deletion was asked for, which means nothing unless Deleting.
	Came, Changed, Marked time.Duration
	Deleting              bool
	// Finalizers are those it has; who is to take them away holds up a deletion.
	Finalizers []string
	// Said is the last Kubernetes Event of type Warning; nil without any.
	Said *Said
	// VM is what vCenter told; nil unless Kind is KindVM.
	VM         *VMState
	conditions []condition // by type
}

// Ident names an object. A virtual machine in vCenter has no APIVersion.
type Ident struct {
	APIVersion, Kind, Namespace, Name string
}

// Group is the API group, empty for the core one.
func (i *Ident) Group() string {
	group, _, named := strings.Cut(i.APIVersion, "/")
	if !named {
		return ""
	}
	return group
}

// Said is a Kubernetes Event of type Warning.
type Said struct {
	At              time.Duration
	Reason, Message string
}

// A Condition is one of an Item.
type Condition struct {
	resource.Condition
	// Since is when it got its Status, phase.NotYet when it had it before the run.
	Since time.Duration
	// Wrong is set when it is not as it should be.
	Wrong bool
}

// condition is a Condition whose words are shared: most objects say the same.
type condition struct {
	*claim
	message string
	since   time.Duration
}

// Conditions are all of the object, by type.
func (it *Item) Conditions() []Condition {
	out := make([]Condition, len(it.conditions))
	for i, c := range it.conditions {
		out[i] = c.whole()
	}
	return out
}

func (c condition) whole() Condition {
	return Condition{
		Condition: resource.Condition{Type: c.Type, Status: c.Status, Reason: c.Reason, Message: c.message},
		Since:     c.since, Wrong: c.wrong,
	}
}

// Condition finds a condition by its type.
func (it *Item) Condition(kind string) (Condition, bool) {
	i, ok := slices.BinarySearchFunc(it.conditions, kind, compareType)
	if !ok {
		return Condition{}, false
	}
	return it.conditions[i].whole(), true
}

// Wrong are the conditions that are not as they should be, by type.
func (it *Item) Wrong() []Condition {
	var out []Condition
	for _, c := range it.conditions {
		if c.wrong {
			out = append(out, c.whole())
		}
	}
	return out
}

// Sound reports that nothing of the object is known to be other than it should be:
// its conditions, its replicas, and what vCenter last answered.
func (it *Item) Sound() bool {
	if it.Deleting || it.VM != nil && it.VM.Fault() != nil {
		return false
	}
	if r := it.Replicas; r != nil && (r.Current != r.Desired || r.Ready < r.Desired) {
		return false
	}
	return !slices.ContainsFunc(it.conditions, func(c condition) bool { return c.wrong })
}

// messageCap bounds what is kept of one message, in bytes.
const messageCap = 1024

// next is what an object is after a change.
func (o *Objects) next(in *inventory, was *Item, at time.Duration, e *Object) *Item {
	var now Item
	if was == nil || e.Verb == resource.Created {
		now = Item{Ident: o.identify(in, e), Came: at}
		if e.Verb != resource.Created {
			now.Came = before
		}
	} else {
		now = *was
	}
	since := at
	if was == nil {
		since = now.Came
	}
	if now.APIVersion != e.APIVersion {
		ident := *now.Ident
		ident.APIVersion = o.words.one(e.APIVersion)
		now.Ident = &ident
	}
	now.Changed = at
	if e.Owners != nil {
		now.Owner = o.ownerOf(in, e.Owners)
	}
	if e.Finalizers != nil {
		now.Finalizers = o.words.list(e.Finalizers)
	}
	if e.Phase != "" {
		now.Status = o.words.one(e.Phase)
	}
	if e.Replicas != nil {
		counts := *e.Replicas
		now.Replicas = &counts
	}
	if e.Deleting && !now.Deleting {
		now.Deleting, now.Marked = true, since
	}
	now.conditions = o.words.conditions(e.Kind, now.conditions, e.Conditions, since)
	return &now
}

// identify names a new object. The objects of a machine have one name; it is kept once.
func (o *Objects) identify(in *inventory, e *Object) *Ident {
	return &Ident{
		APIVersion: o.words.one(e.APIVersion), Kind: o.words.one(e.Kind),
		Namespace: o.words.one(e.Namespace), Name: in.named(e.Name),
	}
}

// named is a name as an object of the inventory has it, if one has.
func (in *inventory) named(name string) string {
	if i, _ := in.find("", name); i < len(in.items) && in.items[i].Name == name {
		return in.items[i].Name
	}
	return strings.Clone(name)
}

func (o *Objects) ownerOf(in *inventory, owners []resource.Owner) resource.Owner {
	if len(owners) == 0 {
		return resource.Owner{}
	}
	chief := owners[0]
	for _, owner := range owners {
		if owner.Controller {
			chief = owner
		}
	}
	return resource.Owner{Kind: o.words.one(chief.Kind), Name: in.named(chief.Name), Controller: chief.Controller}
}

// conditions are those of an object after some of them changed. A list that has been
// handed out is never written to.
func (w *words) conditions(kind string, was []condition, changed []resource.Condition, at time.Duration) []condition {
	if len(changed) == 0 {
		return was
	}
	more := 0
	for _, c := range changed {
		if _, known := slices.BinarySearchFunc(was, c.Type, compareType); !known && c.Status != "" {
			more++
		}
	}
	now := make([]condition, len(was), len(was)+more)
	copy(now, was)
	for _, c := range changed {
		i, known := slices.BinarySearchFunc(now, c.Type, compareType)
		switch {
		case c.Status == "" && known:
			now = slices.Delete(now, i, i+1)
		case c.Status == "":
		case !known:
			now = slices.Insert(now, i, w.condition(kind, c, at))
		case now[i].Status == c.Status:
			now[i] = w.condition(kind, c, now[i].since)
		default:
			now[i] = w.condition(kind, c, at)
		}
	}
	return now
}

func (w *words) condition(kind string, c resource.Condition, since time.Duration) condition {
	return condition{claim: w.claim(kind, c), message: clip(c.Message, messageCap), since: since}
}

func compareType(c condition, kind string) int { return strings.Compare(c.Type, kind) }

// clip is a copy of at most limit bytes of a text, whole characters only.
func clip(s string, limit int) string {
	if len(s) > limit {
		return strings.ToValidUTF8(s[:limit], "")
	}
	return strings.Clone(s)
}

// Count is how many conditions the object has.
func (it *Item) Count() int { return len(it.conditions) }
