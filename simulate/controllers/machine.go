package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// reconcileMachine joins what bootstrap, infrastructure and the workload cluster
// say of one machine (domain.md E25, E36, E43, E49).
func (m *Manager) reconcileMachine(u *unstructured.Unstructured) (time.Duration, error) {
	v, cluster, now := m.view(u), m.clusterFor(u), m.now()
	if cluster == nil && !v.deleting {
		return 0, nil
	}
	last, _ := v.taken.(*machineTaken)
	p := m.machinePartsOf(u, cluster, last, now)
	if last.same(p, now) && !m.view(cluster).pauses {
		last.follow(p)
		return soonest(p.again, until(last.due, now)), nil
	}
	d := m.edit(u)
	if !v.deleting && !v.hasFinalizer(finalizerMachine) {
		d.addFinalizer(finalizerMachine)
		return 0, m.commit(actorCore, d)
	}
	if m.halts(d, v, cluster) {
		return 0, m.commit(actorCore, d)
	}
	if err := m.takeParts(d, v, &p, last); err != nil {
		return 0, err
	}
	taken := p.taken()
	if !last.sameTemplate(p) && !compareTemplate(d, p) {
		taken.set = nil
	}
	d.condition("Updating", "False", "NotUpdating", "")
	if v.deleting {
		return m.deleteMachine(d, u, cluster, p.again)
	}
	d.condition("Deleting", "False", "NotDeleting", "")
	again := summarizeMachine(d, v)
	taken.due, taken.joins = at(again, d.now), !sameNodeStatus(d, v)
	return soonest(p.again, again), m.settle(actorCore, d, taken)
}

// takeParts takes in what has changed of the parts of a Machine since the last pass.
// p has them then as taking them over left them.
func (m *Manager) takeParts(d *draft, v *view, p *machineParts, last *machineTaken) (err error) {
	if !last.sameConfig(*p) {
		if p.config, err = m.takeOver(d.base, v, p.config); err != nil {
			return err
		}
		takeBootstrapData(d, m.view(p.config))
	}
	if !last.sameInfrastructure(*p) {
		if p.infrastructure, err = m.takeOver(d.base, v, p.infrastructure); err != nil {
			return err
		}
		takeInfrastructure(d, m.view(p.infrastructure))
	}
	if !last.sameNode(*p) || !resource.SameMap(resource.Fields(d.root, "spec"), v.spec) {
		noteNode(d, v, *p)
	}
	return nil
}

// takeOver makes the Machine the controller of its KubeadmConfig and
// VSphereMachine, in place of who created them, even if it is to go itself. It
// returns the part as it is then.
func (m *Manager) takeOver(machine *unstructured.Unstructured, v *view, part *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if part == nil || m.view(part).ownedBy(v) {
		return part, nil
	}
	d := edit(part, m.now())
	d.setOwners(m.controllerRef(machine))
	return m.write(actorCore, d)
}

func takeBootstrapData(d *draft, config *view) {
	if config.absent() {
		served := d.deleting() && resource.Flag(d.root, "status", "initialization", "bootstrapDataSecretCreated")
		missingPart(d, "BootstrapConfigReady", "KubeadmConfig", served)
		return
	}
	switch c := config.condition("Ready"); c.Status {
	case "":
		d.condition("BootstrapConfigReady", "False", "NotReady", "KubeadmConfig status.initialization.dataSecretCreated is false")
	default:
		d.condition("BootstrapConfigReady", c.Status, c.Reason, c.Message)
	}
	if config.initialized("dataSecretCreated") {
		d.set(resource.Text(config.status, "dataSecretName"), "spec", "bootstrap", "dataSecretName")
		d.initialize("bootstrapDataSecretCreated")
	}
}

func takeInfrastructure(d *draft, infrastructure *view) {
	if infrastructure.absent() {
		missingPart(d, "InfrastructureReady", "VSphereMachine", resource.Flag(d.root, "status", "initialization", "infrastructureProvisioned"))
		return
	}
	c := infrastructure.condition("Ready")
	if c.Type == "" {
		d.condition("InfrastructureReady", "False", "NotReady", "VSphereMachine status.initialization.provisioned is false")
	} else {
		d.condition("InfrastructureReady", c.Status, c.Reason, c.Message)
	}
	if !infrastructure.initialized("provisioned") {
		return
	}
	d.set(resource.Text(infrastructure.spec, "providerID"), "spec", "providerID")
	if resource.Field(d.root, "status", "addresses") == nil {
		d.replace(resource.Items(infrastructure.status, "addresses"), "status", "addresses")
	}
	d.set(resource.Text(infrastructure.status, "failureDomain"), "status", "failureDomain")
	d.initialize("infrastructureProvisioned")
}

// missingPart is the condition of a part that is not there: gone if it had served
// its purpose, else it does not exist. A KubeadmConfig has served it only where its
// Machine goes too.
func missingPart(d *draft, condition, kind string, served bool) {
	switch {
	case !served:
		d.condition(condition, "False", "ObjectDoesNotExist", kind+" does not exist")
	case d.deleting():
		d.condition(condition, "False", "ObjectDeleted", kind+" has been deleted")
	default:
		d.condition(condition, "False", "ObjectDeleted", kind+" has been deleted while the Machine still exists")
	}
}

// compareTemplate writes whether a worker is what its deployment asks for. Whether
// a control-plane machine is, its control plane says. It reports whether that stays
// so as long as neither specification changes.
func compareTemplate(d *draft, p machineParts) (stays bool) {
	if p.set == nil {
		return true
	}
	differences := setDifferences(p.set, p.deployment.Object, d.now)
	stays = !rolloutAfter(p.deployment.Object).After(d.now)
	if len(differences) == 0 {
		d.condition("UpToDate", "True", "UpToDate", "")
		return stays
	}
	for i, difference := range differences {
		differences[i] = "* " + difference
	}
	d.condition("UpToDate", "False", "NotUpToDate", lines(differences))
	return stays
}

// halts reports whether a reconcile ends with the condition Paused: because of a
// pause, which stops a deletion too, or because nothing had said yet that there is
// none, which takes a new object a pass of its own (observed.md 6.2).
func (m *Manager) halts(d *draft, v *view, cluster *unstructured.Unstructured) bool {
	switch {
	case m.held(d, v, cluster):
		return true
	case v.condition("Paused").Type != "":
		return false
	}
	d.condition("Paused", "False", "NotPaused", "")
	return true
}
