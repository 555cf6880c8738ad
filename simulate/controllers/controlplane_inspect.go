package controllers

// conditionEtcdMember and conditionKubeadmLabels are the gates that are not about
// a static pod.
const (
	conditionEtcdMember    = "EtcdMemberHealthy"
	conditionKubeadmLabels = "NodeKubeadmLabelsAndTaintsSet"
)

// podGates are the conditions about the static pods of a control-plane Machine.
var podGates = []string{"APIServerPodHealthy", "ControllerManagerPodHealthy", "SchedulerPodHealthy", "EtcdPodHealthy"}

// healthGates are those that must be true before the control plane is scaled.
var healthGates = append(podGates[:len(podGates):len(podGates)], conditionEtcdMember)

// machineGates are all conditions that the control plane writes on its Machines
// and that count for their being Ready (domain.md 1.5).
var machineGates = append(healthGates[:len(healthGates):len(healthGates)], conditionKubeadmLabels)

// inspectMachines looks into the workload cluster and writes on each Machine what
// it finds: are its components healthy, and is it what it should be? Until the
// control plane is initialized there is nothing to look into.
func (m *Manager) inspectMachines(p *controlPlane) error {
	p.inspected = p.initialized("controlPlaneInitialized")
	for _, machine := range p.machines {
		if !machine.compared {
			p.compare(machine, false)
		}
		d := m.edit(machine.machine)
		m.writeGates(p, d, machine)
		m.writeUpToDate(p, d, machine)
		if !d.changed() {
			continue
		}
		if err := m.commit(actorKCP, d); err != nil {
			return err
		}
		m.refresh(machine)
	}
	return nil
}

func (m *Manager) writeGates(p *controlPlane, d *draft, machine *replica) {
	const (
		waiting = "Waiting for Cluster control plane to be initialized"
		missing = "Waiting for VSphereMachine to report spec.providerID"
	)
	id := machine.providerID()
	switch {
	case !p.inspected:
		setGates(d, machineGates, "Unknown", "InspectionFailed", waiting)
	case machine.deleting:
		m.writeGatesOfDeleted(p, d, machine)
	case id == "":
		setGates(d, machineGates, "Unknown", "InspectionFailed", missing)
	case !m.hasNode(machine):
		setGates(d, machineGates, "Unknown", "InspectionFailed", "Waiting for a Node with spec.providerID "+id+" to exist")
	case !m.guest(machine).running:
		setGates(d, healthGates, "Unknown", "InspectionFailed", "Node "+machine.name+" is unreachable")
	case !m.componentsHealthy(machine):
		setGates(d, podGates, "False", "DoesNotExist", "Pod does not exist")
		d.condition(conditionEtcdMember, "False", "NotHealthy", noMember(machine))
		d.condition(conditionKubeadmLabels, "True", "Set", "")
	default:
		setGates(d, podGates, "True", "Running", "")
		d.condition(conditionEtcdMember, "True", "Healthy", "")
		d.condition(conditionKubeadmLabels, "True", "Set", "")
	}
}

// writeGatesOfDeleted says of a Machine that goes only that. Its etcd member can
// be seen to be gone as long as another member answers.
func (m *Manager) writeGatesOfDeleted(p *controlPlane, d *draft, machine *replica) {
	const going = "Machine is deleting"
	setGates(d, podGates, "False", "Deleting", going)
	if p.etcdAnswers() && !m.etcdMember(machine) {
		d.condition(conditionEtcdMember, "False", "NotHealthy", noMember(machine))
	} else {
		d.condition(conditionEtcdMember, "False", "Deleting", going)
	}
	if !m.hasNode(machine) {
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
