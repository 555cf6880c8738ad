package controllers

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/simulate/kubeapi"
)

// A view is what controllers look at most in a stored object. It is read from the
// content once per version, however many passes look at it: a machine's conditions
// are asked for by the controllers of the machine, its set, its deployment and its
// cluster, several of them each time. Like the object it is shared and must not be
// written to.
type view struct {
	*header
	pauses                       bool // spec.paused, as a Cluster has it
	passed                       barriers
	spec, status, initialization map[string]any
	conditions                   *conditionList

	// taken is what the pass that left the object like this took in, if its
	// controller keeps that: what has not changed since needs no second look.
	taken any
}

// header is what the metadata say. Versions have it in common until somebody changes
// them, which few writes do.
type header struct {
	*identity
	metadata            map[string]any
	generation          int64
	deleting            bool
	paused, vmPaused    bool // by an annotation, that of Cluster API and that of VM Service
	labels, annotations map[string]any
	owners, finalizers  []any
}

// identity is what is the same in all versions of an object with the same labels.
type identity struct {
	kind, namespace, name, uid, created string

	cluster      string // it belongs to
	controlPlane bool   // it is of a Machine of the control plane

	relatives *relatives // among whom it is; nil where that is nowhere

	// nil until they are asked for
	shared *shared
	home   *subject // the Cluster
	kit    *kit     // that it is of
}

// noView is of an object that is not there.
var noView = &view{header: &header{identity: &identity{}}}

// view is what u, a stored object or nil, says.
func (m *Manager) view(u *unstructured.Unstructured) *view {
	if u == nil {
		return noView
	}
	v := m.known(u)
	if v == nil {
		v = viewOf(u.Object, nil)
		m.views[u] = v
	}
	return v
}

// A sight is an object and its view.
type sight struct {
	object *unstructured.Unstructured
	view   *view
}

// known is the view that u has already, or nil. Asked for again and again are those of the
// object that is reconciled, and of both versions of what changed last: there are too many
// views to search for these.
func (m *Manager) known(u *unstructured.Unstructured) *view {
	if s := m.running; s.is(u) && s.view != nil {
		return s.view
	}
	for i := range m.replaced {
		if s := &m.replaced[i]; s.object == u {
			return s.view
		}
	}
	return m.views[u]
}

// viewsOf is what several stored objects say.
func (m *Manager) viewsOf(objects []*unstructured.Unstructured) []*view {
	views := make([]*view, len(objects))
	for i, u := range objects {
		views[i] = m.view(u)
	}
	return views
}

// outdate has the view of what was replaced forgotten before the next pass: until
// then the pass that replaced it may look at it. Of what came in its place only what
// is not the same is read, and no condition that the draft has which it was. It returns
// the new view; nil where it will be read when it is asked for.
func (m *Manager) outdate(c kubeapi.Change) *view {
	if c.Before == nil {
		return nil
	}
	m.outdated = append(m.outdated, c.Before)
	was := m.known(c.Before)
	if was == nil || c.After == nil {
		return nil
	}
	known := *was
	if d := m.written; d != nil && d.conditions.own {
		known.conditions = d.conditions.conditionList
	}
	is := viewOf(c.After.Object, &known)
	m.views[c.After] = is
	m.replaced = [...]sight{{c.Before, was}, {c.After, is}}
	return is
}

// dropOutdated forgets the views of what was replaced since it was last called.
func (m *Manager) dropOutdated() {
	for _, u := range m.outdated {
		delete(m.views, u)
	}
	m.outdated = m.outdated[:0]
}

// viewOf reads a view, knowing that of the version before.
func viewOf(content map[string]any, before *view) *view {
	if before == nil {
		before = noView
	}
	v := &view{
		header: headerOf(content, before.header),
		spec:   resource.Fields(content, "spec"),
		status: resource.Fields(content, "status"),
	}
	v.initialization = resource.Fields(v.status, "initialization")
	if resource.SameMap(v.spec, before.spec) {
		v.pauses = before.pauses
	} else {
		v.pauses = resource.Flag(v.spec, "paused")
	}
	if resource.SameMap(v.initialization, before.initialization) {
		v.passed = before.passed
	} else {
		v.passed = readBarriers(v.initialization)
	}
	v.conditions = readConditions(resource.Items(v.status, "conditions"), before.conditions)
	return v
}

// headerOf reads a header, knowing that of the version before.
func headerOf(content map[string]any, before *header) *header {
	metadata := resource.Fields(content, "metadata")
	if resource.SameMap(metadata, before.metadata) {
		return before
	}
	h := &header{
		metadata:    metadata,
		generation:  resource.Int(metadata, "generation"),
		deleting:    resource.Text(metadata, "deletionTimestamp") != "",
		labels:      resource.Fields(metadata, "labels"),
		annotations: resource.Fields(metadata, "annotations"),
		owners:      resource.Items(metadata, "ownerReferences"),
		finalizers:  resource.Items(metadata, "finalizers"),
	}
	h.paused, h.vmPaused = h.annotations[annotationPaused] != nil, h.annotations[annotationVMPaused] != nil
	if before.name != "" && resource.SameMap(h.labels, before.labels) {
		h.identity = before.identity
		return h
	}
	h.identity = &identity{
		kind:      resource.Text(content, "kind"),
		namespace: resource.Text(metadata, "namespace"),
		name:      resource.Text(metadata, "name"),
		uid:       resource.Text(metadata, "uid"),
		created:   resource.Text(metadata, "creationTimestamp"),

		cluster:      resource.Text(h.labels, labelCluster),
		controlPlane: h.labels[labelControlPlane] != nil,
	}
	return h
}

// condition is the condition of a kind; its Type is "" where there is none.
func (v *view) condition(kind string) resource.Condition { return v.conditionOf(kind).Condition }

func (v *view) conditionOf(kind string) *conditionEntry {
	c, _ := v.conditions.find(kind)
	return c
}

func (v *view) isTrue(kind string) bool { return v.condition(kind).Status == "True" }

// since is when a condition took its present status; zero when it is absent.
func (v *view) since(kind string) time.Time { return parseStamp(v.conditionOf(kind).since) }

// settle commits a draft and notes what its pass took in. A pass that changed the
// specification itself comes again, to say that it has seen that.
func (m *Manager) settle(actor string, d *draft, taken any) error {
	u := d.base
	if d.changed() {
		var err error
		if u, err = m.write(actor, d); err != nil {
			return err
		}
	}
	if v := m.view(u); v.generation == d.generation() {
		v.taken = taken
	}
	return nil
}

// initialized says whether one of status.initialization's barriers was passed; v may be nil.
func (v *view) initialized(barrier string) bool {
	return v != nil && v.passed&barrierOf(barrier) != 0
}

// barriers are those of status.initialization that were passed, a bit each.
type barriers uint8

// barrierNames are the barriers that controllers wait for, in the order of their bits.
var barrierNames = [...]string{"infrastructureProvisioned", "controlPlaneInitialized", "dataSecretCreated", "bootstrapDataSecretCreated", "provisioned"}

func barrierOf(name string) barriers {
	for at, known := range barrierNames {
		if known == name {
			return 1 << at
		}
	}
	return 0
}

func readBarriers(initialization map[string]any) barriers {
	var passed barriers
	for name, value := range initialization {
		if value == true {
			passed |= barrierOf(name)
		}
	}
	return passed
}

func (v *view) hasFinalizer(name string) bool { return slices.Contains(v.finalizers, any(name)) }

func (v *view) createdAt() time.Time { return parseStamp(v.created) }

func (v *view) label(key string) string { return resource.Text(v.labels, key) }

// absent says that there is no object.
func (v *view) absent() bool { return v.name == "" }

// primaryIP is the address of a VirtualMachine.
func (v *view) primaryIP() string { return resource.Text(v.status, "network", "primaryIP4") }

// controller is the controlling owner reference, or nil.
func (v *view) controller() map[string]any {
	for _, owner := range v.owners {
		if resource.Flag(owner, "controller") {
			return resource.Fields(owner)
		}
	}
	return nil
}

// ownedBy says whether the object has an owner reference to another: mostly that which
// all have whom it controls.
func (v *view) ownedBy(owner *view) bool {
	for _, ref := range v.owners {
		if owner.shared != nil && resource.SameItem(ref, owner.shared.controller) || resource.Text(ref, "uid") == owner.uid {
			return true
		}
	}
	return false
}
