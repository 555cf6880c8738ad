package phase

import (
	"slices"
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
)

// An object is what is remembered of one object: what is wrong with it, and a
// few bits of what is right. A healthy object costs about 150 bytes.
type object struct {
	kind, namespace, name string
	// owner is the name of the object's controller, or of its only owner.
	owner string
	// inherited objects existed before the run. What they never spoke of is
	// taken to be as it should be.
	inherited bool
	deleting  bool
	facts     fact
	status    string // status.phase
	// wrong are the present conditions that are not as they should be, by type.
	wrong      []resource.Condition
	finalizers string // as people read them
	// fault is what vCenter last answered to an operation on the VM; nil when it did
	// as it was asked.
	fault *resource.Condition
}

// A fact is a condition that decides progress.
type fact uint16

const (
	available fact = 1 << iota
	ready
	infrastructureReady
	initialized
	bootstrapped
	provisioned
	certificates
)

func factOf(condition string) fact {
	switch condition {
	case "Available":
		return available
	case "Ready":
		return ready
	case "InfrastructureReady":
		return infrastructureReady
	case "ControlPlaneInitialized", "Initialized":
		return initialized
	case "BootstrapConfigReady", "DataSecretAvailable":
		return bootstrapped
	case "VirtualMachineProvisioned":
		return provisioned
	case "CertificatesAvailable":
		return certificates
	}
	return 0
}

// messageCap bounds what is remembered of one message, in bytes.
const messageCap = 1024

// take applies a change.
func (o *object) take(c resource.Change, names *interner) {
	if c.Owners != nil {
		o.owner = chiefOwner(c.Owners)
	}
	if c.Finalizers != nil || c.Verb == resource.Created {
		o.finalizers = names.one(strings.Join(c.Finalizers, ", "))
	}
	if c.Phase != "" {
		o.status = names.one(c.Phase)
	}
	if c.Deleting {
		o.deleting = true
	}
	for _, condition := range c.Conditions {
		o.takeCondition(condition, names)
	}
}

func (o *object) takeCondition(c resource.Condition, names *interner) {
	bit := factOf(c.Type)
	o.facts &^= bit
	if c.Status == "True" {
		o.facts |= bit
	}
	at := slices.IndexFunc(o.wrong, func(w resource.Condition) bool { return w.Type == c.Type })
	if asItShouldBe(o.kind, c) {
		if at >= 0 {
			o.wrong = slices.Delete(o.wrong, at, at+1)
		}
		if len(o.wrong) == 0 {
			o.wrong = nil
		}
		return
	}
	if len(c.Message) > messageCap {
		c.Message = strings.ToValidUTF8(c.Message[:messageCap], "")
	}
	c.Type, c.Status, c.Reason = names.one(c.Type), names.one(c.Status), names.one(c.Reason)
	if at >= 0 {
		o.wrong[at] = c
		return
	}
	o.wrong = append(o.wrong, c)
}

// holds reports that a fact is so, as far as is known.
func (o *object) holds(f fact) bool {
	if o == nil {
		return false
	}
	if o.facts&f != 0 {
		return true
	}
	return o.inherited && !slices.ContainsFunc(o.wrong, func(c resource.Condition) bool { return factOf(c.Type) == f })
}

// condition is the present condition of a type when it is not as it should be.
func (o *object) condition(kind string) (resource.Condition, bool) {
	if o == nil {
		return resource.Condition{}, false
	}
	for _, c := range o.wrong {
		if c.Type == kind {
			return c, true
		}
	}
	return resource.Condition{}, false
}

// asItShouldBe judges a condition. Most are good when True; those that name an
// activity are good when it is over (domain.md 1.0, condition shape).
func asItShouldBe(kind string, c resource.Condition) bool {
	switch c.Type {
	case "Deleting", "RollingOut", "ScalingUp", "ScalingDown", "Remediating", "Paused", "Updating", "DeletionBlocked", "Failure":
		return c.Status != "True"
	case "NodeKubeadmLabelsAndTaintsSet", "HealthCheckSucceeded", "OwnerRemediated":
		return c.Status != "False"
	}
	if kind == "VirtualMachine" && unheeded(c.Type) || kind == "VirtualMachineService" && c.Status == "Unknown" {
		return true // many a load balancer says nothing of its Services but the address
	}
	return c.Status == "True" || c.Status == ""
}

// unheeded names the conditions of a VirtualMachine that say nothing of whether
// a node will join: no controller looks at them (observed.md 6.4).
func unheeded(condition string) bool {
	switch condition {
	case "Ready", "VirtualMachineTools", "GuestBootstrap", "GuestCustomization", "VirtualMachineInValidLocation",
		"VirtualMachineClassConfigurationSynced", "VirtualMachineReconcileReady":
		return true
	}
	return false
}

func chiefOwner(owners []resource.Owner) string {
	if len(owners) == 0 {
		return ""
	}
	chief := owners[0]
	for _, o := range owners {
		if o.Controller {
			chief = o
		}
	}
	return chief.Name
}

// An interner keeps one copy of the words that recur in every object. The words
// come from controllers' fixed vocabularies; it stops growing at a bound.
type interner map[string]string

const internerCap = 4096

func (in *interner) one(s string) string {
	if s == "" {
		return ""
	}
	if kept, known := (*in)[s]; known {
		return kept
	}
	if *in == nil {
		*in = interner{}
	}
	if len(*in) >= internerCap {
		return s
	}
	s = strings.Clone(s)
	(*in)[s] = s
	return s
}
