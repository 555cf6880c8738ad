package controllers

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

// membersPatience is for how long after kubeadm init it is normal that etcd does
// not say who its members are.
const membersPatience = 2 * time.Minute

// summarizeControlPlane counts the machines there were when the reconcile began,
// and computes the conditions (domain.md 1.3, observed.md 6.4).
func summarizeControlPlane(p *controlPlane) {
	p.count()
	if !p.d.isTrue("Initialized") {
		p.d.condition("Initialized", "False", "NotInitialized", "")
	}
	p.summarizeHealth("EtcdClusterHealthy", []string{conditionEtcdMember})
	p.summarizeHealth("ControlPlaneComponentsHealthy", podGates)
	p.summarizeReady()
	p.summarizeUpToDate()
	p.summarizeScaling()
	p.summarizeRemediation()
	if !p.deleting {
		p.d.condition("Deleting", "False", "NotDeleting", "")
	}
	p.summarizeAvailable()
}

// A headcount is all that is counted of the machines. A pass leaves it with the control
// plane, whose status says it from then on.
type headcount struct {
	tally
	versions []runningVersion
}

func (c headcount) same(other headcount) bool {
	return c.tally == other.tally && slices.Equal(c.versions, other.versions)
}

// count writes the replica counts and the versions.
func (p *controlPlane) count() {
	d, versions := p.d, p.versions()
	p.headcount = headcount{tallyOf(p.machines), versions}
	if last, known := p.taken.(headcount); known && last.same(p.headcount) {
		return
	}
	p.headcount.write(d)
	d.set(labelCluster+"="+p.home.name+","+labelControlPlane, "status", "selector")
	if len(versions) == 0 {
		return
	}
	d.set(versions[0].name, "status", "version")
	if slices.EqualFunc(versions, resource.Items(d.root, "status", "versions"), runningVersion.is) {
		return
	}
	list := make([]any, len(versions))
	for i, v := range versions {
		list[i] = map[string]any{"version": v.name, "replicas": v.replicas}
	}
	d.replace(list, "status", "versions")
}

// A runningVersion is how many machines have a Kubernetes version.
type runningVersion struct {
	name     string
	replicas int64
}

// is says whether item, of status.versions, is v.
func (v runningVersion) is(item any) bool {
	return resource.Text(item, "version") == v.name && resource.Int(item, "replicas") == v.replicas
}

// versions are those of the machines, the lowest first: what the kubelet says,
// else what was asked for.
func (p *controlPlane) versions() []runningVersion {
	var versions []runningVersion
	for _, machine := range p.machines {
		name := resource.Text(machine.status, "nodeInfo", "kubeletVersion")
		if name == "" {
			name = resource.Text(machine.spec, "version")
		}
		i := slices.IndexFunc(versions, func(v runningVersion) bool { return v.name == name })
		if i < 0 {
			i, versions = len(versions), append(versions, runningVersion{name: name})
		}
		versions[i].replicas++
	}
	slices.SortFunc(versions, func(a, b runningVersion) int { return compareVersions(a.name, b.name) })
	return versions
}

// compareVersions orders Kubernetes versions; runs of digits count as numbers.
func compareVersions(a, b string) int {
	for a != "" && b != "" {
		x, restA := leadingNumber(a)
		y, restB := leadingNumber(b)
		switch {
		case x != "" && y != "":
			if len(x) != len(y) {
				return len(x) - len(y)
			}
			if c := strings.Compare(x, y); c != 0 {
				return c
			}
			a, b = restA, restB
		case a[0] != b[0]:
			return int(a[0]) - int(b[0])
		default:
			a, b = a[1:], b[1:]
		}
	}
	return len(a) - len(b)
}

// leadingNumber cuts the digits that text begins with, without leading zeros.
func leadingNumber(text string) (number, rest string) {
	rest = strings.TrimLeft(text, "0123456789")
	number = text[:len(text)-len(rest)]
	if trimmed := strings.TrimLeft(number, "0"); trimmed != "" {
		number = trimmed
	}
	return number, rest
}

// summarizeHealth sums gates up over the machines: what is False weighs more than what
// is unknown, which it may be of machines that have no VM yet. A control plane that has
// just been initialized was not looked into yet.
func (p *controlPlane) summarizeHealth(kind string, gates []string) {
	if !p.inspected {
		if why := p.notInspected(); why != "" {
			p.d.condition(kind, "Unknown", "InspectionFailed", why)
		}
		return
	}
	status, reason := "True", "Healthy"
	issues := newIssueList()
	if len(p.machines) == 0 {
		p.d.condition(kind, "Unknown", "HealthUnknown", "No Machines reporting status")
		return
	}
	for _, machine := range p.machines {
		for _, gate := range gates {
			c := machine.condition(gate)
			switch {
			case c.Status == "True" || c.Type == "" || c.Status == "Unknown" && machine.providerID() == "":
				continue
			case c.Status == "False":
				status, reason = "False", "NotHealthy"
			case status == "True":
				status, reason = "Unknown", "HealthUnknown"
			}
			issues = issues.add(machine.name, bullet(gate, c.Message))
		}
	}
	p.d.summarizeIssues(kind, status, reason, kindMachine.Kind, issues)
}

// notInspected is why the workload cluster was not looked into; "" where what was said
// of it last still stands.
func (p *controlPlane) notInspected() string {
	switch {
	case p.obstacle == notConnected:
		return p.obstacle
	case p.deleting || p.initialized("controlPlaneInitialized"):
		return ""
	case !p.home.initialized("infrastructureProvisioned"):
		return "Waiting for Cluster status.initialization.infrastructureProvisioned to be true"
	case !p.endpointKnown():
		return "Waiting for Cluster spec.controlPlaneEndpoint to be set"
	}
	return notInitialized
}

// summarizeReady writes MachinesReady.
func (p *controlPlane) summarizeReady() {
	if len(p.machines) == 0 {
		p.d.condition("MachinesReady", "True", "NoReplicas", "")
		return
	}
	status, reason := "True", "Ready"
	issues := newIssueList()
	for _, machine := range p.machines {
		c := machine.condition("Ready")
		switch {
		case c.Type == "":
			c.Status, c.Message = "Unknown", "Condition Ready not yet reported"
		case c.Status == "True":
			continue
		}
		switch {
		case c.Status == "False":
			status, reason = "False", "NotReady"
		case status == "True":
			status, reason = "Unknown", "ReadyUnknown"
		}
		issues = issues.add(machine.name, c.Message)
	}
	p.d.summarizeIssues("MachinesReady", status, reason, kindMachine.Kind, issues)
}

// summarizeUpToDate writes MachinesUpToDate and RollingOut, which is true for as
// long as there is a machine to be replaced.
func (p *controlPlane) summarizeUpToDate() {
	issues := newIssueList()
	var why []string
	known, old := 0, 0
	for _, machine := range p.machines {
		c := machine.condition("UpToDate")
		if c.Type != "" {
			known++
		}
		if c.Status != "False" {
			continue
		}
		old++
		issues = issues.add(machine.name, c.Message)
		for line := range strings.SplitSeq(c.Message, "\n") {
			if !slices.Contains(why, line) {
				why = append(why, line)
			}
		}
	}
	switch {
	case old > 0:
		p.d.summarizeIssues("MachinesUpToDate", "False", "NotUpToDate", kindMachine.Kind, issues)
		p.d.condition("RollingOut", "True", "RollingOut", fmt.Sprintf("Rolling out %d not up-to-date replicas\n%s", old, lines(why)))
		return
	case known == 0:
		p.d.condition("MachinesUpToDate", "True", "NoReplicas", "")
	default:
		p.d.condition("MachinesUpToDate", "True", "UpToDate", "")
	}
	p.d.condition("RollingOut", "False", "NotRollingOut", "")
}

func (p *controlPlane) summarizeScaling() {
	blocked := ""
	if len(p.blocked) > 0 {
		blocked = " is blocked because:\n" + bullets(p.blocked)
	}
	have, want := len(p.machines), p.desired()
	direction := func(kind, verb string, active bool) {
		if !active {
			p.d.condition(kind, "False", "Not"+kind, "")
			return
		}
		p.d.condition(kind, "True", kind, fmt.Sprintf("%s from %d to %d replicas%s", verb, have, want, blocked))
	}
	direction("ScalingUp", "Scaling up", have < want)
	direction("ScalingDown", "Scaling down", have > want)
}

// summarizeRemediation writes Remediating and status.lastRemediation.
func (p *controlPlane) summarizeRemediation() {
	issues := newIssueList()
	for _, machine := range which(p.machines, toRemediate) {
		issues = issues.add(machine.name, bullet(conditionOwnerRemediated, machine.condition(conditionOwnerRemediated).Message))
	}
	if len(issues.texts) == 0 {
		p.d.condition("Remediating", "False", "NotRemediating", "")
	} else {
		p.d.summarizeIssues("Remediating", "True", "Remediating", kindMachine.Kind, issues)
	}
	p.noteLastRemediation()
}

// summarizeAvailable says whether the API can be used: etcd has quorum and one
// machine at least runs all components. That machines are missing or going does
// not count.
func (p *controlPlane) summarizeAvailable() {
	d := p.d
	available := func(status, reason string, messages ...string) {
		p.d.condition("Available", status, reason, lines(messages))
	}
	switch {
	case !resource.Flag(d.root, "status", "initialization", "controlPlaneInitialized"):
		available("False", "NotAvailable", "Control plane not yet initialized")
		return
	case !p.etcd.answers:
		patient := d.since("Initialized").Add(membersPatience)
		p.await(patient)
		if patient.After(d.now) {
			available("False", "NotAvailable", "Waiting for etcd to report the list of members")
		} else {
			available("Unknown", "InspectionFailed", "Failed to get etcd members")
		}
		return
	}
	var messages []string
	ok := true
	if !p.d.isTrue("CertificatesAvailable") {
		ok = false
		messages = append(messages, "* Control plane certificates are not available")
	}
	if members, fit := p.etcd.voters, p.healthyMembers(); fit < quorumOf(members) {
		ok = false
		messages = append(messages, fmt.Sprintf("* %d of %d etcd members is healthy, at least %d healthy member required for etcd quorum", fit, members, quorumOf(members)))
	}
	run := len(which(p.machines, (*replica).serves))
	if run == 0 {
		ok = false
		messages = append(messages, fmt.Sprintf("* %d of %d Machines have healthy control plane components, at least 1 required", run, len(p.machines)))
	}
	if p.deleting {
		ok = false
		messages = append(messages, "* Control plane metadata.deletionTimestamp is set")
	}
	if ok {
		available("True", "Available")
	} else {
		available("False", "NotAvailable", messages...)
	}
}

// healthyMembers counts the members of etcd that the conditions of the machines say
// are healthy.
func (p *controlPlane) healthyMembers() int {
	return len(which(p.machines, func(r *replica) bool { return r.isTrue(conditionEtcdMember) }))
}
