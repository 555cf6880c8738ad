package controllers

import (
	"slices"
	"time"
)

// conditionEtcdMember and conditionKubeadmLabels are the gates that are not about
// a static pod.
const (
	conditionEtcdMember    = "EtcdMemberHealthy"
	conditionKubeadmLabels = "NodeKubeadmLabelsAndTaintsSet"
)

// podGates are the conditions about the static pods of a control-plane Machine.
var podGates = []string{"APIServerPodHealthy", "ControllerManagerPodHealthy", "SchedulerPodHealthy", "EtcdPodHealthy"}

// nodeGates are those, and what is seen of the Node itself.
var nodeGates = append(podGates[:len(podGates):len(podGates)], conditionKubeadmLabels)

// healthGates are those that must be true before the control plane is scaled.
var healthGates = append(podGates[:len(podGates):len(podGates)], conditionEtcdMember)

// machineGates are all conditions that the control plane writes on its Machines
// and that count for their being Ready (domain.md 1.5).
var machineGates = append(healthGates[:len(healthGates):len(healthGates)], conditionKubeadmLabels)

// inspectMachines looks into the workload cluster and writes on each Machine what
// it finds: are its components healthy, and is it what it should be?
func (m *Manager) inspectMachines(p *controlPlane) error {
	p.obstacle = m.obstacleTo(p)
	p.inspected = p.obstacle == ""
	p.etcd = m.askEtcd(p)
	for _, machine := range p.machines {
		if !machine.compared {
			m.compare(p, machine, false)
		}
		if m.inspectedBefore(p, machine) {
			continue
		}
		d := m.edit(machine.machine)
		m.writeGates(p, d, machine)
		writeUpToDate(d, machine)
		if d.changed() {
			if err := m.commit(actorKCP, d); err != nil {
				return err
			}
			m.refresh(machine)
		}
		m.noteInspection(p, machine)
	}
	return nil
}

// What keeps a control plane from looking into its workload cluster.
const (
	notInitialized = "Waiting for Cluster control plane to be initialized"
	notConnected   = seeLogs
)

// obstacleTo is why the workload cluster cannot be looked into, or "". Before it is
// initialized there is nothing to look into; and the client for it is made with the CA
// of etcd (GetWorkloadCluster).
func (m *Manager) obstacleTo(p *controlPlane) string {
	switch {
	case !p.initialized("controlPlaneInitialized"):
		return notInitialized
	case !p.census.secrets && m.get(kindSecret, p.namespace, p.home.name+"-etcd") == nil:
		return notConnected
	}
	return ""
}

// An inspection is what a machine was like when all was written that is to be found in
// it. It is good until the machine changes, or a time comes that was waited for, or it
// is compared anew; most passes come because of another machine.
type inspection struct {
	of       parts
	obstacle string
	answers  bool
	until    time.Time // zero is for ever
}

// inspectedBefore says whether a machine says already all that an inspection would find.
// It finds out why the machine is to be replaced, if it is.
func (m *Manager) inspectedBefore(p *controlPlane, machine *replica) bool {
	expired := m.expired(p, machine)
	machine.outdated = slices.Concat(machine.differences, expired)
	last := &machine.kept.inspection
	return last.of == machine.parts && last.obstacle == p.obstacle && last.answers == p.etcd.answers && len(expired) == 0 && !over(last.until, m.now())
}

// noteInspection keeps that a machine was inspected. One that goes is looked at each
// time, as it depends on the others what is found.
func (m *Manager) noteInspection(p *controlPlane, machine *replica) {
	if machine.deleting || len(machine.outdated) > len(machine.differences) {
		return
	}
	g := m.guest(machine)
	machine.kept.inspection = inspection{machine.parts, p.obstacle, p.etcd.answers, sooner(sooner(time.Time{}, g.joined, m.now()), g.votes, m.now())}
}

func (m *Manager) writeGates(p *controlPlane, d *draft, machine *replica) {
	switch id := machine.providerID(); {
	case !p.inspected:
		setGates(d, machineGates, "Unknown", "InspectionFailed", p.obstacle)
	case machine.deleting:
		m.writeGatesOfDeleted(p, d, machine)
	case machine.node() == "" && id == "":
		setGates(d, machineGates, "Unknown", "InspectionFailed", "Waiting for VSphereMachine to report spec.providerID")
	case machine.node() == "":
		setGates(d, machineGates, "Unknown", "InspectionFailed", "Waiting for a Node with spec.providerID "+id+" to exist")
	default:
		m.writeNodeGates(d, machine)
		m.writeMemberGate(p, d, machine)
	}
}

// writeNodeGates writes what is seen of the pods on a Node, and of the Node.
func (m *Manager) writeNodeGates(d *draft, machine *replica) {
	switch {
	case !m.hasNode(machine):
		setGates(d, nodeGates, "Unknown", "InspectionFailed", "Node "+machine.node()+" does not exist")
	case !m.guest(machine).running:
		setGates(d, nodeGates, "Unknown", "InspectionFailed", "Node "+machine.node()+" is unreachable")
	case !m.componentsHealthy(machine):
		setGates(d, podGates, "False", "DoesNotExist", "Pod does not exist")
		d.condition(conditionKubeadmLabels, "True", "Set", "")
	default:
		setGates(d, podGates, "True", "Running", "")
		d.condition(conditionKubeadmLabels, "True", "Set", "")
	}
}

// writeMemberGate writes what the other members say of one: that it is among them, as
// one that is down is too.
func (m *Manager) writeMemberGate(p *controlPlane, d *draft, machine *replica) {
	switch {
	case !p.etcd.answers:
		d.condition(conditionEtcdMember, "Unknown", "InspectionFailed", "Failed to connect to etcd")
	case !m.etcdMember(machine) || m.catchingUp(machine):
		d.condition(conditionEtcdMember, "False", "NotHealthy", noMember(machine))
	default:
		d.condition(conditionEtcdMember, "True", "Healthy", "")
	}
}

// writeGatesOfDeleted says of a Machine that goes only that. Its etcd member can
// be seen to be gone as long as another member answers.
func (m *Manager) writeGatesOfDeleted(p *controlPlane, d *draft, machine *replica) {
	const going = "Machine is deleting"
	setGates(d, podGates, "False", "Deleting", going)
	if p.etcd.answers && machine.node() != "" && !m.etcdMember(machine) {
		d.condition(conditionEtcdMember, "False", "NotHealthy", noMember(machine))
	} else {
		d.condition(conditionEtcdMember, "False", "Deleting", going)
	}
	if machine.node() != "" && m.hasNode(machine) {
		d.condition(conditionKubeadmLabels, "True", "Set", "")
	} else {
		d.condition(conditionKubeadmLabels, "False", "Deleting", going)
	}
}

func noMember(machine *replica) string {
	return "Etcd doesn't have an etcd member for Node " + machine.name
}

func setGates(d *draft, gates []string, status, reason, message string) {
	for _, gate := range gates {
		d.condition(gate, status, reason, message)
	}
}

func (p *controlPlane) nodesReady() bool {
	for _, machine := range p.machines {
		if !machine.isTrue("NodeReady") {
			return false
		}
	}
	return true
}
