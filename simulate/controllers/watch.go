package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/simulate/kubeapi"
)

// A controller reconciles objects of one kind. It returns when it wants to look
// again although nothing changed; zero is never.
type controller struct {
	name      string
	reconcile func(*Manager, *unstructured.Unstructured) (time.Duration, error)
}

// A watch is a kind of object that controllers look after.
type watch struct {
	kind        kind
	controllers []*controller
	// notify wakes who depends on an object that changed beside its own controllers
	// and its owners'. It may be nil.
	notify   func(*Manager, kubeapi.Change)
	subjects map[objectName]*subject
}

// A subject is an object that the controllers of its kind look after. It may be
// gone, or not be there yet.
type subject struct {
	of     *watch
	name   objectName
	object *unstructured.Unstructured // as it is, if it has changed since the controllers began
	place  kubeapi.Place              // of the object
	view   *view                      // of the object, where that is known
	turns  []turn                     // one for each controller

	owners []*subject
	owned  bool // whether the owners were looked for
	ended  bool // whoever knows it has to look for it again
}

// An objectName is the name of an object among those of its kind.
type objectName struct{ namespace, name string }

// watches are all kinds that controllers look after, by name.
func watches() map[string]*watch {
	all := map[string]*watch{}
	for _, w := range []watch{
		{kind: kindCluster, notify: (*Manager).notifyCluster, controllers: []*controller{
			{actorTopology, (*Manager).reconcileTopology}, {actorCore, (*Manager).reconcileCluster},
		}},
		{kind: kindClusterClass, notify: (*Manager).notifyUsers, controllers: only(actorCore, (*Manager).reconcileClass)},
		{kind: kindVSphereCluster, controllers: only(actorProvider, (*Manager).reconcileVSphereCluster)},
		{kind: kindControlPlane, controllers: only(actorKCP, (*Manager).reconcileControlPlane)},
		{kind: kindMachineDeployment, notify: (*Manager).notifyDeployment, controllers: []*controller{
			{actorCore, (*Manager).reconcileDeployment}, {actorCore, (*Manager).guardTemplates},
		}},
		{kind: kindMachineSet, controllers: []*controller{
			{actorCore, (*Manager).guardTemplates}, {actorCore, (*Manager).reconcileSet},
		}},
		{kind: kindMachine, notify: (*Manager).notifyMachine, controllers: only(actorCore, (*Manager).reconcileMachine)},
		{kind: kindMachineHealthCheck, notify: (*Manager).noteHealthCheck, controllers: only(actorCore, (*Manager).reconcileHealthCheck)},
		{kind: kindKubeadmConfig, controllers: only(actorBootstrap, (*Manager).reconcileBootstrap)},
		{kind: kindVSphereMachine, controllers: only(actorProvider, (*Manager).reconcileVSphereMachine)},
		{kind: kindVM, notify: (*Manager).notifyEndpoint, controllers: only(actorVMService, (*Manager).reconcileVM)},
		{kind: kindVMService, controllers: only(actorVMService, (*Manager).reconcileVMService)},
		{kind: kindResourcePolicy, controllers: only(actorVMService, (*Manager).reconcileResourcePolicy)},
		{kind: kindSubnetSet, controllers: only(actorNetwork, (*Manager).reconcileSubnetSet)},
		{kind: kindSubnetPort, controllers: only(actorNetwork, (*Manager).reconcileSubnetPort)},
		{kind: kindNetworkInterface, notify: (*Manager).notifyPools, controllers: only(actorNetOperator, (*Manager).reconcileNetworkInterface)},
		{kind: kindIPPool, controllers: only(actorNetOperator, (*Manager).reconcileIPPool)},
		{kind: kindVirtualNetwork, controllers: only(actorNCP, (*Manager).reconcileVirtualNetwork)},
		{kind: kindVirtualNetworkInterface, controllers: only(actorNCP, (*Manager).reconcileVirtualNetworkInterface)},
		{kind: kindService, controllers: only(actorNetwork, (*Manager).reconcileLoadBalancer)},
	} {
		w.subjects = map[objectName]*subject{}
		all[w.kind.Kind] = &w
	}
	return all
}

func only(name string, reconcile func(*Manager, *unstructured.Unstructured) (time.Duration, error)) []*controller {
	return []*controller{{name, reconcile}}
}

// newSubject is a subject with its turns, next to it where it has one as nearly all have:
// a run begins with both, which it finds cold in a fleet.
func newSubject(w *watch, name objectName) *subject {
	if len(w.controllers) != 1 {
		return &subject{of: w, name: name, turns: make([]turn, len(w.controllers))}
	}
	s := &struct {
		subject
		turn [1]turn
	}{subject: subject{of: w, name: name}}
	s.turns = s.turn[:]
	return &s.subject
}

// subjectOf is the object called key; nil when no controller looks after its kind.
func (m *Manager) subjectOf(key kubeapi.Key) *subject {
	w := m.watches[key.Kind]
	if w == nil || w.kind.Group != key.Group {
		return nil
	}
	name := objectName{key.Namespace, key.Name}
	s := w.subjects[name]
	if s == nil {
		s = newSubject(w, name)
		for i, c := range w.controllers {
			s.turns[i] = turn{subject: s, controller: c}
		}
		w.subjects[name] = s
	}
	return s
}

// is says whether an object is what s, which may be nil, is now.
func (s *subject) is(u *unstructured.Unstructured) bool { return s != nil && u != nil && s.object == u }

// objectOf is the object that a subject is; nil when there is none.
func (m *Manager) objectOf(s *subject) *unstructured.Unstructured {
	if s.object != nil {
		return s.object
	}
	return m.get(s.of.kind, s.name.namespace, s.name.name)
}
