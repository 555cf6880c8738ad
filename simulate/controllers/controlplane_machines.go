package controllers

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// createControlPlaneMachine makes VSphereMachine, KubeadmConfig and Machine, in
// this order and with one name (domain.md E22), in the emptiest failure domain.
func (m *Manager) createControlPlaneMachine(p *controlPlane) error {
	base := nameOf(p.u) + "-"
	annotations := p.machineAnnotations()
	annotations[annotationPreTerminate] = ""
	p.finishRemediation(annotations)
	set := machineSet{
		owner: p.u, cluster: p.cluster, actor: actorKCP,
		name:           generatedName(base, m.suffix(kindMachine, p.u, base)),
		version:        p.version(),
		labels:         p.machineLabels(),
		failureDomain:  p.emptiestDomain(),
		annotations:    annotations,
		infrastructure: m.originalOf(kindVSphereTemplate, namespaceOf(p.u), resource.Text(p.template("spec"), "infrastructureRef", "name")),
		config:         original{spec: p.bootstrap()},
		more:           p.machineFields(),
	}
	for _, make := range []func(machineSet) error{m.createVSphereMachine, m.createKubeadmConfig, m.createMachine} {
		if err := make(set); err != nil {
			return err
		}
	}
	return nil
}

// machineLabels are those of a machine's three objects.
func (p *controlPlane) machineLabels() map[string]any {
	labels := copyMap(resource.Fields(p.template("metadata"), "labels"))
	if hasLabel(p.u, labelTopologyOwned) {
		labels[labelTopologyOwned] = ""
	}
	labels[labelCluster] = p.home.name
	labels[labelControlPlane] = ""
	labels[labelControlPlaneName] = labelValue(nameOf(p.u))
	return labels
}

func (p *controlPlane) machineAnnotations() map[string]any {
	return copyMap(resource.Fields(p.template("metadata"), "annotations"))
}

// bootstrap is the configuration of the next machine: the first one's has no
// joinConfiguration, that of the others no initConfiguration.
func (p *controlPlane) bootstrap() map[string]any {
	spec := copyMap(resource.Fields(p.u.Object, "spec", "kubeadmConfigSpec"))
	keep, drop := "initConfiguration", "joinConfiguration"
	if p.initialized("controlPlaneInitialized") {
		keep, drop = drop, keep
	}
	delete(spec, drop)
	spec[keep] = copyMap(resource.Fields(spec, keep))
	return spec
}

// gatesOfAll are the readiness gates of every control-plane Machine. It is shared
// by all, and full, so that appending to it copies.
var gatesOfAll = func() []any {
	gates := make([]any, len(machineGates))
	for i, kind := range machineGates {
		gates[i] = map[string]any{"conditionType": kind}
	}
	return gates
}()

// machineFields are the fields of a Machine's spec that are changed in place
// (domain.md 3.2).
func (p *controlPlane) machineFields() map[string]any {
	fields := map[string]any{"readinessGates": append(gatesOfAll, resource.Items(p.template("spec"), "readinessGates")...)}
	for _, name := range []string{"deletion", "taints"} {
		switch value := resource.Field(p.template("spec"), name).(type) {
		case nil:
		case map[string]any:
			if len(value) > 0 {
				fields[name] = value
			}
		default:
			fields[name] = value
		}
	}
	return fields
}

// syncControlPlaneMachines carries what is changed in place over to the machines that
// stay, and compares them with what is asked for. One that goes gets only what it goes
// by.
func (m *Manager) syncControlPlaneMachines(p *controlPlane) error {
	var wanted *carriedOver
	for _, machine := range p.machines {
		if machine.compared {
			continue
		}
		if machine.deleting {
			if err := m.syncDeleted(p, machine); err != nil {
				return err
			}
			continue
		}
		if wanted == nil {
			wanted = &carriedOver{p.machineLabels(), p.machineAnnotations(), p.machineFields()}
		}
		inSync, err := m.syncMachine(machine, wanted)
		if err != nil {
			return err
		}
		p.busy = p.busy || !inSync
		m.compare(p, machine, inSync)
	}
	return nil
}

func (m *Manager) syncDeleted(p *controlPlane, machine *replica) error {
	d := m.edit(machine.machine)
	syncFields(d, p.machineFields(), "deletion", "taints")
	if err := m.commit(actorKCP, d); err != nil {
		return err
	}
	m.refresh(machine)
	return nil
}

// carriedOver is what is changed in place: labels and annotations of all three objects
// of a machine, fields of the Machine.
type carriedOver struct{ labels, annotations, fields map[string]any }

// syncMachine reports whether the three objects were all there and as wanted.
func (m *Manager) syncMachine(machine *replica, wanted *carriedOver) (inSync bool, err error) {
	inSync = true
	parts := machine.carriers()
	for n, part := range parts {
		if part == nil || deleting(part) {
			inSync = false
			continue
		}
		d := edit(part, m.now())
		syncMetadata(d, "labels", wanted.labels, parts)
		syncMetadata(d, "annotations", wanted.annotations, parts)
		if n == 0 {
			syncFields(d, wanted.fields, "readinessGates", "deletion", "taints")
			d.set("", "metadata", "annotations", annotationPreTerminate) // also where somebody took it off
		}
		if !d.changed() {
			continue
		}
		inSync = false
		if err := m.commit(actorKCP, d); err != nil {
			return false, err
		}
	}
	if !inSync {
		m.refresh(machine)
	}
	return inSync, nil
}

// syncMetadata sets wanted keys, and removes those that were carried over before
// and are wanted no more: they are on all three objects of the machine with one
// value, which nothing else brings about.
func syncMetadata(d *draft, section string, wanted map[string]any, parts [3]*unstructured.Unstructured) {
	for key, value := range resource.Fields(d.root, "metadata", section) {
		if wanted[key] == nil && onAll(parts, section, key, value) {
			d.unset("metadata", section, key)
		}
	}
	for key, value := range wanted {
		d.set(value, "metadata", section, key)
	}
}

func onAll(parts [3]*unstructured.Unstructured, section, key string, value any) bool {
	for _, part := range parts {
		if part == nil || resource.Field(part.Object, "metadata", section, key) != value {
			return false
		}
	}
	return true
}

func syncFields(d *draft, wanted map[string]any, names ...string) {
	for _, name := range names {
		switch value := wanted[name]; {
		case value == nil:
			d.unset("spec", name)
		case !resource.Equal(value, resource.Field(d.root, "spec", name)):
			d.replace(value, "spec", name)
		}
	}
}
