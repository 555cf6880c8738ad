package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
	rules "github.com/vksync/vksync/reconcile/topology"
)

// Make compares desired with observed. The result depends on the contents
// alone, never on the order in which they came.
func Make(desired *resource.Set, observed *Observed, policy Policy) *Plan {
	m := maker{
		desired: desired, observed: observed, policy: policy,
		plan:    &Plan{Policy: policy, Desired: desired, observed: observed.lasting()},
		catalog: newCatalog(desired, observed), said: map[resource.Addr][]rules.Refusal{},
	}
	for _, want := range desired.All() {
		m.bring(want)
	}
	m.prune()
	m.preflight()
	m.skipHopeless()
	m.setGoals()
	m.sort()
	return m.plan
}

// Prepared is a desired object as it is applied: it carries the label of its
// source.
func Prepared(want resource.Object, policy Policy) resource.Object { return owned(want, policy) }

// maker collects the parts of one plan.
type maker struct {
	desired  *resource.Set
	observed *Observed
	policy   Policy
	plan     *Plan
	catalog  *catalog
	// parts are those of every Cluster, once somebody asks for one's.
	parts map[[2]string]clusterParts
	// said are the refusals that findings tell of.
	said map[resource.Addr][]rules.Refusal
}

// bring adds the action, if any, that makes what exists equal to want.
func (m *maker) bring(want resource.Object) {
	switch want.GetKind() {
	case resource.KindVSphereNamespace:
		m.bringNamespace(want)
	case resource.KindCluster:
		m.bringCluster(want)
	}
}

func (m *maker) act(a Action) { m.plan.Actions = append(m.plan.Actions, a) }

func (m *maker) find(severity Severity, code string, o resource.Object, hint, format string, args ...any) {
	m.plan.Findings = append(m.plan.Findings, Finding{
		Severity: severity, Code: code, Addr: o.Addr(), Pos: o.Source, Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

// creation lists what an object will hold.
func creation(want resource.Object) []Change {
	c := comparison{}
	c.walk(path{}, nil, canonical(want))
	return c.changes
}

func uidOf(o resource.Object) string { return string(o.GetUID()) }

// wait is the action for a resource that is as desired but not ready.
func (m *maker) wait(want, live resource.Object, id phase.ID, link phase.Link) {
	m.act(Action{Addr: want.Addr(), Verb: None, Phase: id, Pos: want.Source, UID: uidOf(live), Reason: waitingFor(link)})
}

// waitingFor puts a link into words.
func waitingFor(l phase.Link) string {
	text := cmp.Or(l.Condition, "ready")
	if l.Reason != "" {
		text += " " + l.Reason
	}
	if l.Message != "" {
		text += ": " + l.Message
	}
	return resource.Redact(text)
}

// foreign notes that a resource exists which is not this source's.
func (m *maker) foreign(want resource.Object, other string, severity Severity) string {
	owner := "it carries no label " + resource.LabelSource
	if other != "" {
		owner = fmt.Sprintf("it belongs to source %q", other)
	}
	m.find(severity, CodeOwnership, want, "run with --adopt to take it over", "it exists already and is not owned: %s", owner)
	return "exists and is not owned"
}

// preflight runs the checks with what the actions touch.
func (m *maker) preflight() {
	f := preflight{
		catalog: m.catalog, failed: map[string]bool{},
		touched: map[resource.Addr]Verb{},
	}
	for _, a := range m.plan.Actions {
		if a.Verb != None {
			f.touched[a.Addr] = a.Verb
		}
	}
	for _, finding := range m.plan.Findings {
		f.failed[finding.Code] = true
	}
	existing := 0
	for addr := range m.desired.All() {
		if _, exists := m.observed.Live.Get(addr); exists {
			existing++
		}
	}
	f.run()
	f.conclude(CodeOwnership, "every existing resource is owned", existing, "resource")
	f.conclude(CodeDryRun, "the API server accepts every change", len(m.observed.Predicted), "dry run")
	m.plan.Findings = append(m.plan.Findings, f.findings...)
}

// hopeless are the checks without which an action would only be refused, or
// wait for ever.
var hopeless = []string{CodeNamespace, CodeVersion, CodeImmutable, CodeDryRun}

// skipHopeless takes the actions out that cannot succeed.
func (m *maker) skipHopeless() {
	why := map[resource.Addr]string{}
	for _, f := range m.plan.Findings {
		if f.Severity == Fail && slices.Contains(hopeless, f.Code) && why[f.Addr] == "" {
			why[f.Addr] = f.Message
		}
	}
	for i, a := range m.plan.Actions {
		if a.Skip == "" && a.Verb != Delete {
			m.plan.Actions[i].Skip = why[a.Addr]
		}
	}
}

func (m *maker) setGoals() {
	acted := map[resource.Addr]Action{}
	for _, a := range m.plan.Actions {
		acted[a.Addr] = a
	}
	goal := func(addr resource.Addr) Goal {
		g := Goal{Addr: addr, Verb: None}
		if a, ok := acted[addr]; ok && a.Skip == "" {
			g.Verb = a.Verb
		}
		return g
	}
	for addr, want := range m.desired.All() {
		if addr.Kind != resource.KindCluster && addr.Kind != resource.KindVSphereNamespace {
			continue
		}
		g := goal(addr)
		if addr.Kind == resource.KindCluster {
			g.ControlPlane, g.Workers = topologyOf(want).machines()
		}
		m.plan.Goals = append(m.plan.Goals, g)
	}
	for _, a := range m.plan.Actions {
		if a.Verb == Delete && a.Skip == "" {
			m.plan.Goals = append(m.plan.Goals, goal(a.Addr))
		}
	}
	slices.SortFunc(m.plan.Goals, func(a, b Goal) int { return a.Addr.Compare(b.Addr) })
}

// sort puts the actions into the order of the run: what is made by phase, then
// what is removed the other way round, clusters before their namespaces.
func (m *maker) sort() {
	rank := func(a Action) int {
		i := slices.Index(phase.All, a.Phase)
		if a.Verb == Delete {
			return 2*len(phase.All) - i
		}
		return i
	}
	slices.SortStableFunc(m.plan.Actions, func(a, b Action) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), a.Addr.Compare(b.Addr))
	})
	sortFindings(m.plan.Findings)
}
