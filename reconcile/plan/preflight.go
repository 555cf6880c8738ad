package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/vksync/vksync/reconcile/resource"
)

// The codes of the findings. The rules are those of domain.md part 4.
const (
	CodeOwnership = "ownership"       // what exists belongs to this source
	CodePrune     = "prune"           // what is owned and no longer desired
	CodeImmutable = "immutable"       // changes that the API refuses (3.8)
	CodeDryRun    = "dry-run"         // the API server's own answer
	CodePaused    = "paused"          // changes that nobody acts on for now
	CodeNamespace = "namespace"       // V21
	CodeVersion   = "version-step"    // V1
	CodeRelease   = "release"         // V7
	CodeClass     = "cluster-class"   // V8
	CodeVMClass   = "vm-class"        // V5
	CodeStorage   = "storage-class"   // V6
	CodeCPU       = "cpu-quota"       // V9
	CodeMemory    = "memory-quota"    // V9
	CodeCapacity  = "storage-quota"   // V10
	CodeNetwork   = "cluster-network" // V3
	CodeZone      = "zone"            // V16
	CodeLeftover  = "leftover"        // V17
	CodeHosts     = "hosts"           // V9
	CodeAddresses = "addresses"       // V12, V13
)

// preflight runs the checks over the desired clusters and keeps the findings.
type preflight struct {
	*catalog
	findings []Finding
	// touched are the resources that the plan changes. What is wrong with one it
	// does not change is a warning: it got there, and it stays as it is.
	touched map[resource.Addr]Verb
	failed  map[string]bool
}

// clusterCheck looks at one desired cluster.
type clusterCheck struct {
	code string
	// passed says what is so when nothing was found.
	passed string
	run    func(f *preflight, o resource.Object, t topology)
}

var clusterChecks = []clusterCheck{
	{CodeNamespace, "every cluster has a vSphere Namespace", (*preflight).checkNamespace},
	{CodeRelease, "every version is a compatible Kubernetes release", (*preflight).checkRelease},
	{CodeClass, "every ClusterClass exists", (*preflight).checkClass},
	{CodeVMClass, "every VM class is assigned to its vSphere Namespace", (*preflight).checkVMClass},
	{CodeStorage, "every storage class is assigned to its vSphere Namespace", (*preflight).checkStorageClass},
	{CodeNetwork, "every pod network holds its nodes and overlaps nothing", (*preflight).checkNetwork},
	{CodeZone, "every failure domain is a zone", (*preflight).checkZone},
	{CodeLeftover, "no new cluster meets what is left of an old one", (*preflight).checkLeftover},
}

// namespaceCheck looks at all desired clusters of one vSphere Namespace.
var namespaceChecks = []struct {
	code, passed string
	run          func(f *preflight, namespace string, clusters []resource.Object)
}{
	{CodeCPU, "the clusters of every vSphere Namespace fit its CPU limit", (*preflight).checkCPU},
	{CodeMemory, "the clusters of every vSphere Namespace fit its memory limit", (*preflight).checkMemory},
	{CodeCapacity, "the clusters of every vSphere Namespace fit its storage limits", (*preflight).checkStorage},
}

func (f *preflight) run() {
	var clusters []resource.Object
	byNamespace := map[string][]resource.Object{}
	for addr, o := range f.desired.All() {
		if addr.Kind == resource.KindCluster {
			clusters = append(clusters, o)
			byNamespace[addr.Namespace] = append(byNamespace[addr.Namespace], o)
		}
	}
	topologies := make([]topology, len(clusters))
	for i, o := range clusters {
		topologies[i] = topologyOf(o)
	}
	for _, check := range clusterChecks {
		for i, o := range clusters {
			check.run(f, o, topologies[i])
		}
		f.conclude(check.code, check.passed, len(clusters), "cluster")
	}
	f.conclude(CodeVersion, "every version is reached in one step", len(clusters), "cluster")
	for _, check := range namespaceChecks {
		for _, namespace := range sortedKeys(byNamespace) {
			check.run(f, namespace, byNamespace[namespace])
		}
		f.conclude(check.code, check.passed, len(byNamespace), "vSphere Namespace")
	}
	f.checkHosts(clusters)
	f.conclude(CodeHosts, "the hosts have the memory for every machine", len(clusters), "cluster")
	f.checkAddresses(clusters)
	for _, namespace := range sortedKeys(byNamespace) {
		f.checkNodeAddresses(namespace, byNamespace[namespace])
	}
	f.conclude(CodeAddresses, "there are load-balancer and node addresses for every cluster", len(clusters), "cluster")
}

// conclude adds the one finding of a check that found nothing.
func (f *preflight) conclude(code, passed string, count int, what string) {
	switch {
	case f.failed[code]:
	case count == 0:
		f.findings = append(f.findings, Finding{Severity: Skipped, Code: code, Message: "nothing to check: no " + what + " is desired"})
	default:
		f.findings = append(f.findings, Finding{Severity: OK, Code: code, Message: fmt.Sprintf("%s (%s)", passed, plural(count, what))})
	}
}

// fail notes that a check failed for o.
func (f *preflight) fail(code string, o resource.Object, hint, format string, args ...any) {
	severity := Fail
	if f.touched[o.Addr()] == "" {
		severity = Warn
	}
	f.note(Finding{Severity: severity, Code: code, Addr: o.Addr(), Pos: o.Source, Message: fmt.Sprintf(format, args...), Hint: hint})
}

func (f *preflight) warn(code string, o resource.Object, hint, format string, args ...any) {
	f.note(Finding{Severity: Warn, Code: code, Addr: o.Addr(), Pos: o.Source, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// unknown notes once that a check cannot be made.
func (f *preflight) unknown(code, format string, args ...any) {
	finding := Finding{Severity: Unknown, Code: code, Message: fmt.Sprintf(format, args...)}
	if !slices.Contains(f.findings, finding) {
		f.note(finding)
	}
}

// unreadable notes once that a check cannot be made for want of a kind.
func (f *preflight) unreadable(code, kind string) {
	reason := f.unread[kind]
	if reason == "" {
		reason = "there is no " + kind + " to be seen"
	}
	f.unknown(code, "%s", reason)
}

func (f *preflight) note(finding Finding) {
	f.failed[finding.Code] = true
	f.findings = append(f.findings, finding)
}

// severities in the order of the text form.
var severities = []Severity{Fail, Warn, Unknown, Skipped, OK}

func sortFindings(findings []Finding) {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(slices.Index(severities, a.Severity), slices.Index(severities, b.Severity)),
			cmp.Compare(a.Pos.File, b.Pos.File), cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Col, b.Pos.Col),
			a.Addr.Compare(b.Addr), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Message, b.Message),
		)
	})
}

func plural(count int, what string) string {
	if count == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", count, what)
}

// list is a set of names as a user reads it.
func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	names = slices.Clone(names)
	slices.Sort(names)
	names = slices.Compact(names)
	const most = 8
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}
