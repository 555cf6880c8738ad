package phase

import (
	"cmp"
	"slices"
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
)

// why walks from the Cluster down along what each object waits for (domain.md
// 8.1, failure surfacing). The first thing in the order of a cluster's way into
// being that is not as it should be is the one that holds up the rest; what
// later objects then say are echoes and are left out.
func (c *cluster) why(home *namespace) []Link {
	self := c.self
	switch {
	case c.goal.Verb == "delete":
		return c.whyRemoval()
	case c.goal.Verb == "none", c.end != NotYet:
		return nil
	case self == nil && !c.existed():
		return c.whyAbsent(home)
	}
	for _, condition := range []string{"Paused", "TopologyReconciled"} {
		if w, is := self.condition(condition); is && heldUpBy(w) {
			return []Link{linkTo(self, w)}
		}
	}
	for _, next := range []func() []Link{c.whyInfrastructure, c.whyMachines, c.whyPools, c.whyControlPlane} {
		if below := next(); len(below) > 0 {
			return quiet(append([]Link{c.top(below[0].Kind)}, below...))
		}
	}
	for _, condition := range []string{"RemoteConnectionProbe", "ControlPlaneInitialized", "WorkersAvailable", "Available", "TopologyReconciled", "ScalingUp", "RollingOut", "ScalingDown"} {
		if w, is := self.condition(condition); is {
			return []Link{linkTo(self, w)}
		}
	}
	return nil
}

// heldUpBy reports that a condition of the Cluster itself stops everything
// below it. A topology is also not reconciled for as long as machines roll.
func heldUpBy(c resource.Condition) bool {
	return c.Type == "Paused" || c.Reason == "ReconcileFailed" || c.Reason == "ClusterClassNotReconciled" || c.Reason == "LifecycleHookBlocking"
}

func (c *cluster) whyAbsent(home *namespace) []Link {
	link := Link{Kind: "Cluster", Namespace: c.goal.Addr.Namespace, Name: c.goal.Addr.Name, Reason: "NotCreated"}
	if home == nil {
		return []Link{link}
	}
	return append([]Link{link}, home.why()...)
}

// top is the condition of the Cluster under which an object of a kind shows.
func (c *cluster) top(below string) Link {
	var under []string
	switch below {
	case "VSphereCluster":
		under = []string{"InfrastructureReady"}
	case "KubeadmControlPlane":
		under = []string{"ControlPlaneMachinesReady", "ControlPlaneInitialized", "ControlPlaneAvailable"}
	case "MachineDeployment", "MachineSet":
		under = []string{"WorkerMachinesReady", "WorkersAvailable"}
	}
	self := c.self
	for _, condition := range append(under, "Available") {
		if w, is := self.condition(condition); is {
			return linkTo(self, w)
		}
	}
	return Link{Kind: "Cluster", Namespace: c.goal.Addr.Namespace, Name: c.goal.Addr.Name}
}

// whyInfrastructure follows the VSphereCluster in the order in which its
// controller works, and behind it the objects it waits for.
func (c *cluster) whyInfrastructure() []Link {
	for _, condition := range []string{"VCenterAvailable", "FailureDomainsReady", "ResourcePolicyReady", "NetworkReady", "LoadBalancerReady", "ClusterModulesReady"} {
		w, is := c.infra.condition(condition)
		if !is {
			continue
		}
		chain := []Link{linkTo(c.infra, w)}
		switch condition {
		case "ResourcePolicyReady":
			return c.behind(chain, "VirtualMachineSetResourcePolicy")
		case "NetworkReady":
			return c.behind(chain, "SubnetSet", "VirtualNetwork")
		case "LoadBalancerReady":
			return c.behind(chain, "VirtualMachineService", "Service")
		}
		return chain
	}
	if w, is := c.infra.condition("Ready"); is && c.self != nil && !c.self.holds(infrastructureReady) {
		return []Link{linkTo(c.infra, w)}
	}
	return nil
}

// behind adds what is wrong with the objects of some kinds, in that order.
func (c *cluster) behind(chain []Link, kinds ...string) []Link {
	for _, kind := range kinds {
		for _, o := range c.sorted(kind) {
			if len(o.wrong) > 0 {
				chain = append(chain, linkTo(o, o.wrong[0]))
			}
		}
	}
	return chain
}

// whyMachines explains the unfinished machine that is worst off: while the
// control plane is not initialized one of its own, since all workers wait for it.
func (c *cluster) whyMachines() []Link {
	var worst []Link
	var worstMachine *machine
	rank := 0
	for _, m := range c.machines {
		if m.worker && !c.initialized() && c.controlPlane.live > 0 {
			continue
		}
		chain := m.why()
		if len(chain) == 0 {
			continue
		}
		r := gravity(chain[len(chain)-1])
		if worstMachine == nil || r > rank || r == rank && before(m, worstMachine) {
			worst, worstMachine, rank = chain, m, r
		}
	}
	if worstMachine == nil {
		return nil
	}
	return append(c.holder(worstMachine), worst...)
}

func before(a, b *machine) bool {
	if a.worker != b.worker {
		return b.worker
	}
	return a.name < b.name
}

// gravity ranks the ends of machines' chains: a refusal says more than a wait,
// and what is nearer to vCenter says more than what is farther from it.
func gravity(l Link) int {
	rank := map[string]int{"Machine": 1, "KubeadmConfig": 2, "VSphereMachine": 3, "VirtualMachine": 5, "vSphere VM": 7}[l.Kind]
	if isPort(l.Kind) || l.Kind == "SubnetSet" {
		rank = 6
	}
	if waiting(l) {
		return 0
	}
	return rank
}

// waiting reports that a link names a step that every machine goes through.
func waiting(l Link) bool {
	switch l.Reason {
	case "Provisioning", "PoweringOn", "WaitingForNetworkAddress", "WaitingForBootstrapData", "WaitingForBIOSUUID",
		"WaitingForControlPlaneInitialized", "WaitingForClusterInfrastructureReady", "NotSynced":
		return true
	}
	return strings.HasPrefix(l.Message, "Waiting for ")
}

// holder is the link of the object that holds a machine's pool.
func (c *cluster) holder(m *machine) []Link {
	o := c.kcp
	if m.worker {
		o = c.deploymentOf(m)
	}
	if o == nil {
		return nil
	}
	for _, condition := range []string{"MachinesReady", "Available"} {
		if w, is := o.condition(condition); is {
			return []Link{linkTo(o, w)}
		}
	}
	return []Link{{Kind: o.kind, Namespace: o.namespace, Name: o.name}}
}

// deploymentOf finds the MachineDeployment of a worker: by owner references,
// else by name, which its machines' names begin with.
func (c *cluster) deploymentOf(m *machine) *object {
	var owner string
	if own := m.parts[partMachine]; own != nil {
		if set := c.objects[key{"MachineSet", own.owner}]; set != nil {
			owner = set.owner
		}
	}
	if o := c.objects[key{"MachineDeployment", owner}]; o != nil {
		return o
	}
	for _, o := range c.sorted("MachineDeployment") {
		if strings.HasPrefix(m.name, o.name+"-") {
			return o
		}
	}
	return nil
}

// why explains what one machine waits for; empty when it is up.
func (m *machine) why() []Link {
	own, config, infra := m.parts[partMachine], m.parts[partConfig], m.parts[partInfra]
	if own == nil || own.deleting || m.isUp() && len(own.wrong) == 0 {
		return nil
	}
	if w, is := own.condition("BootstrapConfigReady"); is || config != nil && !config.holds(bootstrapped) {
		chain := []Link{linkTo(own, w)}
		if w, is := config.condition("DataSecretAvailable"); is {
			chain = append(chain, linkTo(config, w))
		}
		return chain
	}
	w, is := own.condition("InfrastructureReady")
	if is || infra != nil && !infra.holds(provisioned) {
		chain := []Link{linkTo(own, w)}
		if w, is := infra.condition("VirtualMachineProvisioned"); is {
			chain = append(chain, linkTo(infra, w))
		}
		return append(chain, m.whyVM()...)
	}
	for _, condition := range machineOrder {
		if w, is := own.condition(condition); is {
			return []Link{linkTo(own, w)}
		}
	}
	return nil
}

// machineOrder is the order in which the conditions of a Machine with a VM
// come about; each holds up those behind it.
var machineOrder = [...]string{
	"NodeHealthy", "NodeReady", "APIServerPodHealthy", "ControllerManagerPodHealthy", "SchedulerPodHealthy",
	"EtcdPodHealthy", "EtcdMemberHealthy", "NodeKubeadmLabelsAndTaintsSet", "HealthCheckSucceeded", "Ready", "Available",
}

// prerequisites are the conditions that CAPV looks at while a VM is not
// created, in its order, and then the steps of a VM that is (domain.md 1.10, 1.12).
var prerequisites = [...]string{
	"VirtualMachineClassReady", "VirtualMachineImageReady", "VirtualMachineConditionVMSetResourcePolicyReady",
	"VirtualMachineBootstrapReady", "VirtualMachineStorageReady", "VirtualMachineNetworkReady",
	"VirtualMachineConditionPlacementReady", "VirtualMachineConditionImageCacheReady", "VirtualMachineCreated",
	"VirtualMachinePowerStateSynced", "VirtualMachineGuestNetworkConfigSynced",
}

// whyVM explains the VirtualMachine, and what is behind it: the port of its
// network, or what vCenter answered.
func (m *machine) whyVM() []Link {
	vm := m.parts[partVM]
	if vm == nil {
		return nil
	}
	var chain []Link
	for _, condition := range append(prerequisites[:], "VirtualMachineProvisioned", "VCenterAvailable") {
		w, is := vm.condition(condition)
		if !is {
			continue
		}
		chain = append(chain, linkTo(vm, w))
		if condition == "VirtualMachineNetworkReady" {
			chain = append(chain, m.whyPorts()...)
		}
		break
	}
	if vm.fault != nil {
		chain = append(chain, Link{
			Kind: "vSphere VM", Namespace: vm.namespace, Name: vm.name,
			Condition: vm.fault.Type, Reason: vm.fault.Reason, Message: vm.fault.Message,
		})
	}
	return chain
}

func (m *machine) whyPorts() []Link {
	for _, port := range m.ports {
		if len(port.wrong) > 0 {
			return []Link{linkTo(port, port.wrong[0])}
		}
	}
	return nil
}

// whyPools explains machines that are not there yet: a set that holds back.
func (c *cluster) whyPools() []Link {
	holders := append([]*object{}, c.sorted("MachineDeployment")...)
	if c.kcp != nil {
		holders = append([]*object{c.kcp}, holders...)
	}
	for _, o := range holders {
		w, is := o.condition("ScalingUp")
		if !is {
			continue
		}
		chain := []Link{linkTo(o, w)}
		for _, set := range c.sorted("MachineSet") {
			if w, is := set.condition("ScalingUp"); is && set.owner == o.name {
				chain = append(chain, linkTo(set, w))
			}
		}
		return chain
	}
	return nil
}

func (c *cluster) whyControlPlane() []Link {
	for _, condition := range []string{"CertificatesAvailable", "Initialized", "EtcdClusterHealthy", "ControlPlaneComponentsHealthy", "Available"} {
		if w, is := c.kcp.condition(condition); is {
			return []Link{linkTo(c.kcp, w)}
		}
	}
	return nil
}

// sorted lists the objects of a kind by name.
func (c *cluster) sorted(kind string) []*object {
	var out []*object
	for k, o := range c.objects {
		if k.kind == kind {
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b *object) int { return cmp.Compare(a.name, b.name) })
	return out
}

func linkTo(o *object, c resource.Condition) Link {
	return Link{Kind: o.kind, Namespace: o.namespace, Name: o.name, Condition: c.Type, Reason: c.Reason, Message: c.Message}
}

// quiet drops the messages of links that only sum up what is below them:
// controllers copy their children's messages, indented, into their own. Only
// the last link speaks.
func quiet(chain []Link) []Link {
	for i := range chain[:len(chain)-1] {
		chain[i].Message = ""
	}
	return chain
}
