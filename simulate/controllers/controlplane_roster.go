package controllers

import (
	"cmp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/simulate/kubeapi"
)

// A roster has the control-plane Machines of all clusters, with the objects of
// their names. Most passes of a control plane come to look at machines of which
// nothing has changed: they need not search the store for that.
type roster struct {
	machines map[objectName]*enrolled
	clusters map[clusterName]*census
}

// A census has the machines of one cluster.
type census struct {
	machines []*enrolled // by name
	lull     *lull       // nil when there may be something to do
	secrets  bool        // whether all Secrets of the control plane are known to be there
}

// An enrolled machine is on the roster until its Machine is gone.
type enrolled struct {
	name    objectName
	cluster clusterName
	parts
	found bool // whether the parts but the Machine were looked for

	comparison comparison
	inspection inspection
	certified  *unstructured.Unstructured // the KubeadmConfig that says when the certificates expire
	guest      guest
}

// parts are the objects of a machine as they are stored; nil is not there.
type parts struct {
	machine, config, infrastructure, vm *unstructured.Unstructured
}

// carriers are those that carry the labels and annotations of the machine.
func (p parts) carriers() [3]*unstructured.Unstructured {
	return [...]*unstructured.Unstructured{p.machine, p.config, p.infrastructure}
}

func newRoster() roster {
	return roster{machines: map[objectName]*enrolled{}, clusters: map[clusterName]*census{}}
}

// note takes in a change of any object.
func (r *roster) note(c kubeapi.Change) {
	name := objectName{c.Key.Namespace, c.Key.Name}
	switch c.Key.Kind {
	case kindMachine.Kind:
		r.noteMachine(name, c.After)
	case kindKubeadmConfig.Kind:
		r.notePart(name, func(p *parts) { p.config = c.After })
	case kindVSphereMachine.Kind:
		r.notePart(name, func(p *parts) { p.infrastructure = c.After })
	case kindVM.Kind:
		r.notePart(name, func(p *parts) { p.vm = c.After })
	case kindSecret.Kind:
		if c.After == nil {
			r.noteLostSecret(name)
		}
	}
}

func (r *roster) notePart(name objectName, take func(*parts)) {
	if e := r.machines[name]; e != nil {
		take(&e.parts)
		r.disturb(e.cluster)
	}
}

// noteLostSecret takes in that a Secret is gone. One of a control plane is called
// after the cluster and what it is for.
func (r *roster) noteLostSecret(name objectName) {
	end := max(strings.LastIndexByte(name.name, '-'), 0)
	cluster := clusterName{name.namespace, name.name[:end]}
	if c := r.clusters[cluster]; c != nil {
		c.secrets = false
		r.disturb(cluster)
	}
}

// disturb ends the lull of a control plane, if there is one.
func (r *roster) disturb(cluster clusterName) {
	if c := r.clusters[cluster]; c != nil {
		c.lull = nil
	}
}

func (r *roster) noteMachine(name objectName, u *unstructured.Unstructured) {
	e := r.machines[name]
	if u == nil || !hasLabel(u, labelControlPlane) {
		r.strike(e)
		return
	}
	cluster := clusterName{name.namespace, labelOf(u, labelCluster)}
	if e != nil && e.cluster != cluster {
		r.strike(e)
		e = nil
	}
	if e == nil {
		e = &enrolled{name: name, cluster: cluster}
		r.enrol(e)
	}
	e.machine = u
	r.disturb(cluster)
}

func (r *roster) enrol(e *enrolled) {
	r.machines[e.name] = e
	c := r.clusters[e.cluster]
	if c == nil {
		c = &census{}
		r.clusters[e.cluster] = c
	}
	at, _ := slices.BinarySearchFunc(c.machines, e, compareEnrolled)
	c.machines = slices.Insert(c.machines, at, e)
}

// strike takes a machine off the roster; nil is on none.
func (r *roster) strike(e *enrolled) {
	if e == nil {
		return
	}
	delete(r.machines, e.name)
	c := r.clusters[e.cluster]
	c.machines = slices.DeleteFunc(c.machines, func(other *enrolled) bool { return other == e })
	c.lull = nil
	if len(c.machines) == 0 {
		delete(r.clusters, e.cluster)
	}
}

// census is that of a cluster; an empty one where it has no machines.
func (r *roster) census(cluster clusterName) *census {
	if c := r.clusters[cluster]; c != nil {
		return c
	}
	return &census{}
}

func compareEnrolled(a, b *enrolled) int { return cmp.Compare(a.name.name, b.name.name) }

// controlPlaneMachines are those of a cluster, by name.
func (m *Manager) controlPlaneMachines(namespace, cluster string) []*unstructured.Unstructured {
	list := m.roster.census(clusterName{namespace, cluster}).machines
	machines := make([]*unstructured.Unstructured, len(list))
	for i, e := range list {
		machines[i] = e.machine
	}
	return machines
}

// find looks for the parts of a machine when they are first asked for; from then
// on the roster is told of them.
func (m *Manager) find(e *enrolled) {
	if e.found {
		return
	}
	namespace, name := e.name.namespace, e.name.name
	e.config = m.get(kindKubeadmConfig, namespace, name)
	e.infrastructure = m.get(kindVSphereMachine, namespace, name)
	e.vm = m.get(kindVM, namespace, name)
	e.found = true
}
