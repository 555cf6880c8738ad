package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate"
)

// A narrator tells what happens in a sandbox: a line for what its user would want
// to know, and nothing for the many steps on the way.
type narrator struct {
	mu        sync.Mutex
	out, errs io.Writer
	now       func() time.Time // in the sandbox

	available map[string]string // status of the condition, by namespace/name of a Cluster
	hurt      map[string]bool   // VMs that somebody interfered with, by namespace/name
}

// everywhere are the namespaces that every Kubernetes has, which vCenter has not made.
var everywhere = []string{"default", "kube-system"}

func newNarrator(out, errs io.Writer) *narrator {
	return &narrator{out: out, errs: errs, available: map[string]string{}, hurt: map[string]bool{}}
}

// line prints one line, with the time of day in the sandbox.
func (n *narrator) line(now time.Time, format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	text := shown(fmt.Sprintf(format, args...))
	fmt.Fprintf(n.out, "%s  %s\n", now.Local().Format(time.TimeOnly), strings.ReplaceAll(text, "\n", " "))
}

// fault says what went wrong, also to who wants to hear nothing else.
func (n *narrator) fault(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	fmt.Fprintf(n.errs, "vksync: %s\n", shown(err.Error()))
}

func (n *narrator) welcome(o *sandboxOptions, s *simulate.Served) {
	n.mu.Lock()
	defer n.mu.Unlock()
	pace := fmt.Sprintf("%g times as fast as real time", o.speed)
	if o.speed == 1 {
		pace = "in real time"
	}
	fmt.Fprintf(n.out, `Simulated site, %s. Ctrl-C ends it.

  Supervisor  %s
  vCenter     %s

In a second terminal:

  . %s
  kubectl get clusters -A -w
  govc ls

`, pace, s.SupervisorURL(), s.VCenterURL(), quoted(sourced(filepath.Join(o.dir, sandboxEnv))))
}

// sourced is path as the shell's dot takes it, which looks for a bare name in PATH.
func sourced(path string) string {
	if filepath.IsAbs(path) || strings.HasPrefix(path, ".") {
		return path
	}
	return "./" + path
}

// record is told of every change in the world.
func (n *narrator) record(now time.Time, e journal.Event) {
	switch {
	case e.VM != nil:
		n.machine(now, e.VM)
	case e.Object == nil:
	case e.Object.Kind == resource.KindCluster:
		n.cluster(now, e.Object.Change)
	case e.Object.Kind == "Namespace" && slices.Contains(everywhere, e.Object.Name):
	case e.Object.Kind == "Namespace" && e.Object.Verb == resource.Created:
		n.line(now, "vSphere Namespace %s is ready", e.Object.Name)
	case e.Object.Kind == "Namespace" && e.Object.Verb == resource.Deleted:
		n.line(now, "vSphere Namespace %s is gone", e.Object.Name)
	}
}

func (n *narrator) cluster(now time.Time, c resource.Change) {
	name := c.Namespace + "/" + c.Name
	switch {
	case c.Verb == resource.Created:
		n.line(now, "Cluster %s is created", name)
	case c.Verb == resource.Deleted:
		delete(n.available, name)
		n.line(now, "Cluster %s is gone", name)
	}
	for _, condition := range c.Conditions {
		if condition.Type != "Available" || condition.Status == n.available[name] {
			continue
		}
		switch was := n.available[name]; {
		case condition.Status == "True":
			n.line(now, "Cluster %s is available", name)
		case was == "True":
			n.line(now, "Cluster %s is not available: %s", name, condition.Message)
		}
		n.available[name] = condition.Status
	}
}

// interference tells what somebody did in vCenter.
func (n *narrator) interference(c simulate.Interference) {
	name := c.VM.Namespace + "/" + c.VM.Name
	n.hurt[name] = true
	n.line(n.now(), "VM %s: %s in vCenter by %s", name, c.Op, c.User)
}

// machine tells what becomes of a VM that somebody interfered with.
func (n *narrator) machine(now time.Time, vm *journal.VM) {
	name := vm.Namespace + "/" + vm.Name
	if !n.hurt[name] {
		return
	}
	switch vm.Op {
	case "CreateVM_Task":
		n.line(now, "VM %s is made again", name)
	case "PowerOnVM_Task":
		n.line(now, "VM %s is powered on again", name)
		delete(n.hurt, name)
	case "Destroy_Task":
		delete(n.hurt, name)
	}
}
