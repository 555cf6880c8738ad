package vcenter

import (
	"cmp"
	"errors"
	"fmt"
	"sync"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// keptTasks is how many finished tasks stay in vcsim, which never frees one by
// itself. It is the length of vCenter's own list of recent tasks.
const keptTasks = 200

// tasks follows every task of vcsim to its end. vcsim tells it as it tells a
// property collector, so that nobody has to poll.
type tasks struct {
	registry *simulator.Registry
	settled  func(task types.TaskInfo, user string) // called with each task that ended

	mu       sync.Mutex                            // guards what is below
	ended    sync.Cond                             // signalled when a task has ended
	running  map[types.ManagedObjectReference]bool // those that have not
	finished []types.ManagedObjectReference        // those that have, oldest first
	// user is the client whose call is being served, "" while there is none; asked
	// are the tasks that call has started, which are all that run.
	user  string
	asked []types.ManagedObjectReference
	// cleanups are tasks that others started and did not wait for: the removal of
	// the files of a destroyed VM.
	cleanups []types.ManagedObjectReference
}

var _ simulator.RegisterObject = (*tasks)(nil)

func newTasks(r *simulator.Registry, settled func(types.TaskInfo, string)) *tasks {
	t := &tasks{registry: r, settled: settled, running: map[types.ManagedObjectReference]bool{}}
	t.ended.L = &t.mu
	return t
}

// Reference is the name under which vcsim keeps the handler.
func (t *tasks) Reference() types.ManagedObjectReference {
	return types.ManagedObjectReference{Type: "TaskFollower", Value: "vksync"}
}

// PutObject is called by vcsim with each new object.
func (t *tasks) PutObject(_ *simulator.Context, o mo.Reference) {
	task, ok := o.(*simulator.Task)
	if !ok {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	task.Info.Reason = &types.TaskReasonUser{UserName: cmp.Or(t.user, supervisorUser)}
	if isEnd(task.Info.State) {
		t.finished = append(t.finished, task.Self)
		return
	}
	t.running[task.Self] = true
	switch {
	case task.Info.Name == "DeleteDatastoreFile":
		t.cleanups = append(t.cleanups, task.Self)
	case t.user != "":
		t.asked = append(t.asked, task.Self)
	}
}

// serve says that user is the client whose call is being served. Only the holder
// of VCenter.direct may call it, and calls waitAsked at the end.
func (t *tasks) serve(user string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.user = user
}

// waitAsked returns when no task runs any more that the client's call started,
// whatever came of it.
func (t *tasks) waitAsked() {
	for {
		t.mu.Lock()
		if len(t.asked) == 0 {
			t.user = ""
			t.mu.Unlock()
			return
		}
		ref := t.asked[0]
		t.asked = t.asked[1:]
		t.mu.Unlock()
		_, _ = t.wait(ref) // the client sees its fault
		_ = t.waitCleanups()
	}
}

// RemoveObject does nothing.
func (t *tasks) RemoveObject(*simulator.Context, types.ManagedObjectReference) {}

// UpdateObject is called by vcsim with the lock of the changed object held.
func (t *tasks) UpdateObject(_ *simulator.Context, o mo.Reference, changes []types.PropertyChange) {
	task, ok := o.(*mo.Task)
	if !ok || !isEnd(task.Info.State) || !changesState(changes) {
		return
	}
	t.mu.Lock()
	user := t.user
	t.mu.Unlock()
	t.settled(task.Info, user)
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.running, task.Self)
	t.finished = append(t.finished, task.Self)
	t.ended.Broadcast()
}

// wait returns when the task has ended, with its fault as an error. Only the
// holder of VCenter.direct may call it.
func (t *tasks) wait(ref types.ManagedObjectReference) (types.TaskInfo, error) {
	t.await(ref)
	info, err := t.info(ref)
	if err != nil {
		return info, err
	}
	t.sweep()
	if info.Error != nil {
		return info, &TaskError{Task: ref.Value, Fault: info.Error.Fault}
	}
	return info, nil
}

// await returns when the task has ended, whatever came of it.
func (t *tasks) await(ref types.ManagedObjectReference) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.running[ref] {
		t.ended.Wait()
	}
}

// waitCleanups returns when no removal of files runs any more, whatever came of it.
// Only the holder of VCenter.direct may call it.
func (t *tasks) waitCleanups() error {
	t.mu.Lock()
	running := t.cleanups
	t.cleanups = nil
	t.mu.Unlock()
	for _, ref := range running {
		var failed *TaskError
		if _, err := t.wait(ref); err != nil && !errors.As(err, &failed) {
			return err
		}
	}
	return nil
}

func (t *tasks) info(ref types.ManagedObjectReference) (info types.TaskInfo, err error) {
	task, ok := t.registry.Get(ref).(*simulator.Task)
	if !ok {
		return info, fmt.Errorf("task %s is gone", ref.Value)
	}
	t.registry.WithLock(&simulator.Context{Map: t.registry}, task.Self, func() { info = task.Info })
	return info, nil
}

// sweep takes the oldest finished tasks out of vcsim.
func (t *tasks) sweep() {
	t.mu.Lock()
	var old []types.ManagedObjectReference
	if n := len(t.finished) - keptTasks; n > 0 {
		old, t.finished = t.finished[:n], t.finished[n:]
	}
	t.mu.Unlock()
	ctx := &simulator.Context{Map: t.registry}
	for _, ref := range old {
		t.registry.Remove(ctx, ref)
	}
}

func isEnd(s types.TaskInfoState) bool {
	return s == types.TaskInfoStateSuccess || s == types.TaskInfoStateError
}

func changesState(changes []types.PropertyChange) bool {
	for _, c := range changes {
		if c.Name == "info.state" {
			return true
		}
	}
	return false
}

// TaskError is a vCenter task that ended with a fault.
type TaskError struct {
	Task  string // task-43
	Fault types.BaseMethodFault
}

// Error names the task and the type of the fault, as vCenter's own logs do.
func (e *TaskError) Error() string { return fmt.Sprintf("%s ended with %T", e.Task, e.Fault) }
