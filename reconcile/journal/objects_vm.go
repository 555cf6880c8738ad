package journal

import (
	"slices"
	"strings"
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

// VMState is a virtual machine as vCenter has it. What no event told is empty.
type VMState struct {
	Zone, Host, Datastore, IP string
	// Power is "on" or "off".
	Power string
	// Tasks are the last that were heard of, the newest at the end.
	Tasks []Task
}

// A Task is something that vCenter did with a virtual machine, or refused.
type Task struct {
	At time.Duration
	// Op is the vSphere operation, ID the task, both as in VM.
	Op, ID string
	// Error is what vCenter answered, empty when it went well.
	Error string
}

// taskCap is how many tasks of a virtual machine are kept.
const taskCap = 4

// Fault is the last task when it failed, else nil.
func (v *VMState) Fault() *Task {
	if n := len(v.Tasks); n > 0 && v.Tasks[n-1].Error != "" {
		return &v.Tasks[n-1]
	}
	return nil
}

// applyVM takes in what happened in vCenter. The machine is known for as long as the
// Supervisor has a VirtualMachine of its name.
func (o *Objects) applyVM(at time.Duration, e *VM) {
	in := o.at(e.Namespace, e.Name, e.Cluster)
	i, known := in.find(KindVM, e.Name)
	owner := in.machine(e.Name)
	if !known && (owner == nil || e.Op == "Destroy_Task") {
		o.noteVM(in, at, &Ident{Kind: KindVM, Namespace: o.words.one(e.Namespace), Name: strings.Clone(e.Name)}, e)
		o.settle(in, e.Namespace, e.Name, e.Cluster)
		return
	}
	if !known {
		came := before
		if e.Op == "CreateVM_Task" {
			came = at
		}
		o.insert(in, i, &Item{
			Ident: &Ident{Kind: KindVM, Namespace: owner.Namespace, Name: owner.Name},
			Owner: resource.Owner{Kind: owner.Kind, Name: owner.Name, Controller: true}, Came: came, VM: &VMState{},
		})
	}
	now := *in.items[i]
	o.noteVM(in, at, now.Ident, e)
	if e.Op == "Destroy_Task" && e.Error == "" {
		o.remove(in, i)
		return
	}
	now.Changed, now.VM = at, o.operated(now.VM, at, e)
	in.items[i] = &now
}

// machine is the object of the Supervisor behind a virtual machine.
func (in *inventory) machine(name string) *Item {
	if it := in.item("VirtualMachine", name); it != nil {
		return it
	}
	return in.item("VSphereVM", name)
}

// operated is a virtual machine after an operation.
func (o *Objects) operated(was *VMState, at time.Duration, e *VM) *VMState {
	now := *was
	told := func(field *string, word string) {
		if word != "" {
			*field = o.words.one(word)
		}
	}
	told(&now.Zone, e.Zone)
	told(&now.Host, e.Host)
	told(&now.Datastore, e.Datastore)
	if e.IP != "" {
		now.IP = strings.Clone(e.IP)
	}
	if e.Error == "" {
		switch e.Op {
		case "PowerOnVM_Task":
			now.Power = "on"
		case "PowerOffVM_Task", "CreateVM_Task":
			now.Power = "off"
		}
	}
	if !strings.HasPrefix(e.Op, "guest.") {
		tasks := append(slices.Clone(now.Tasks), Task{At: at, Op: o.words.one(e.Op), ID: strings.Clone(e.Task), Error: clip(e.Error, messageCap)})
		now.Tasks = slices.Clip(tasks[max(0, len(tasks)-taskCap):])
	}
	return &now
}

func (o *Objects) noteVM(in *inventory, at time.Duration, ident *Ident, e *VM) {
	r := record{ident: ident, what: noteTask, claim: o.words.plain(e.Op), text: o.words.one(e.Host)}
	switch {
	case e.Error != "":
		r.what, r.text = noteFault, clip(e.Error, messageCap)
	case e.IP != "":
		r.text = strings.Clone(e.IP)
	}
	in.note(at, r)
}
