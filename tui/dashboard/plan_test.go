package dashboard

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/tui/paint"
)

// planned gives a journal a plan for its goals: one that has everything which a plan
// can have, where it is told to.
func planned(t testing.TB, events []journal.Event, change func(*plan.Document, *journal.Begin)) []journal.Event {
	t.Helper()
	begin := *events[0].Begin
	doc := plan.Document{SchemaVersion: plan.SchemaVersion, Digest: "sha256:" + strings.Repeat("5ca1ab1e", 8), Revision: begin.Revision, Policy: plan.Policy{Source: "fleet"}}
	groups := map[phase.ID][]plan.Action{}
	for i, g := range begin.Goals {
		a := actionOf(g, i)
		groups[a.Phase] = append(groups[a.Phase], a)
		doc.Goals = append(doc.Goals, plan.Goal{Addr: g.Addr, Verb: plan.Verb(g.Verb)})
	}
	for _, id := range phase.All {
		if len(groups[id]) > 0 {
			doc.Phases = append(doc.Phases, plan.Group{ID: id, Title: id.Title(), Actions: groups[id]})
		}
	}
	for i := range 18 {
		doc.Findings = append(doc.Findings, plan.Finding{Severity: plan.OK, Code: fmt.Sprintf("check-%02d", i), Message: "every cluster is as it has to be (7 clusters)"})
	}
	if change != nil {
		change(&doc, &begin)
	}
	doc.Summary = summaryOf(&doc)
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	begin.Plan = text
	return slices.Concat([]journal.Event{{Begin: &begin}}, events[1:])
}

func actionOf(g journal.Goal, i int) plan.Action {
	a := plan.Action{Addr: g.Addr, Verb: plan.Verb(g.Verb), Phase: phase.Topology, Pos: resource.Position{File: "fleet/" + g.Addr.Name + ".yaml", Line: 3, Col: 1}}
	if g.Addr.Kind == resource.KindVSphereNamespace {
		a.Phase = phase.Prerequisites
	}
	switch a.Verb {
	case plan.Create:
		a.Changes = []plan.Change{
			{Path: "metadata.labels[vksync.dev/source]", New: "fleet"},
			{Path: "spec.topology.classRef.name", New: "builtin-generic-v3.4.0"},
			{Path: "spec.topology.controlPlane.replicas", New: g.ControlPlane},
			{Path: "spec.topology.version", New: "v1.34.1+vmware.1-vkr.4"},
			{Path: "spec.topology.workers.machineDeployments[np].replicas", New: g.Workers},
		}
	case plan.Update:
		a.Effect = plan.Scale
		a.Changes = []plan.Change{{Path: "spec.topology.workers.machineDeployments[np].replicas", Old: g.Workers - 1, New: g.Workers, Effect: plan.Scale, Affects: "workers np"}}
	case plan.Delete:
		a.Reason = "it is not in the repository any more"
	case plan.None:
		a.Reason = "Available"
	}
	return a
}

func summaryOf(d *plan.Document) plan.Summary {
	p := plan.Plan{}
	for _, g := range d.Phases {
		p.Actions = append(p.Actions, g.Actions...)
	}
	return p.Summary()
}

// varied makes of the plan of the fleet one that has everything.
func varied(d *plan.Document, b *journal.Begin) {
	b.World = "the Supervisor at https://supervisor.lab.example:6443 and the vCenter at vcenter.lab.example"
	prod := resource.Addr{Group: resource.GroupCluster, Kind: resource.KindCluster, Namespace: "payments", Name: "prod"}
	d.Findings = append(d.Findings,
		plan.Finding{Severity: plan.Skipped, Code: "zone", Message: "nothing to check: no zone is named"},
		plan.Finding{Severity: plan.Warn, Code: plan.CodePaused, Addr: prod, Message: "it is paused, so that nobody acts on the change", Hint: "take spec.paused away"},
		plan.Finding{Severity: plan.Unknown, Code: plan.CodeHosts, Message: "the memory of the hosts is not known: listing the hosts was denied"},
		plan.Finding{
			Severity: plan.Fail, Code: plan.CodeVMClass, Pos: resource.Position{File: "fleet/web/shop.yaml", Line: 21, Col: 16},
			Addr:    resource.Addr{Group: resource.GroupCluster, Kind: resource.KindCluster, Namespace: "web", Name: "shop-eu-west"},
			Message: "VM class guaranteed-xlarge is not assigned to vSphere Namespace web: it has best-effort-small and best-effort-medium",
			Hint:    "assign it, or choose one of those",
		})
	for i := range d.Phases {
		for k := range d.Phases[i].Actions {
			vary(&d.Phases[i].Actions[k])
		}
	}
	b.Forecast = &journal.Forecast{}
	for i, g := range b.Goals {
		f := journal.GoalForecast{Addr: g.Addr, State: phase.Done, End: int64(i) * 60_000}
		if g.Addr.Name == "spark-batch-workers" {
			f.State, f.End, f.Cause = phase.Blocked, -1, "VM spark-batch-workers-np-x2 finds no place: InsufficientMemory in zone-a"
			b.Forecast.Basis = "the Inventory lab, and what was observed"
		}
		b.Forecast.Goals = append(b.Forecast.Goals, f)
	}
}

func vary(a *plan.Action) {
	update := func(effect plan.Effect, changes ...plan.Change) {
		a.Verb, a.Effect, a.Changes = plan.Update, effect, changes
	}
	switch a.Addr.Name {
	case "prod":
		update(plan.Rolling,
			plan.Change{Path: "spec.topology.variables[node]", Old: map[string]any{"labels": map[string]any{"stage": "prod"}}, New: map[string]any{
				"labels": map[string]any{"stage": "prod", "team": "payments", "cost-center": "4711"}, "taints": []any{map[string]any{"key": "dedicated", "effect": "NoSchedule"}},
			}, Effect: plan.Rolling, Affects: "control plane and workers"},
			plan.Change{Path: "spec.topology.version", Old: "v1.33.3+vmware.1-vkr.1", New: "v1.34.1+vmware.1-vkr.4", Effect: plan.Rolling, Affects: "control plane and workers"},
			plan.Change{Path: "metadata.annotations[note]", Old: "a", Effect: plan.InPlace})
		a.Parts = []plan.PartChange{
			{
				Part: "control plane", Effect: plan.Rolling, Because: []string{"spec.topology.version", "spec.topology.variables[node]"}, From: 3, To: 3,
				Goes: []string{"prod-7k2xq-4wzzt", "prod-7k2xq-9bq6n", "prod-7k2xq-tgd5l"}, Going: 3, Comes: 3, Surge: 1, Peak: 4, Turn: 1,
			},
			{
				Part: "workers services", Effect: plan.Rolling, Because: []string{"spec.topology.version"}, From: 5, To: 5,
				Going: 5, Comes: 5, Surge: 1, Peak: 6, Turn: 2,
			},
		}
		a.Peak = &plan.Peak{Machines: 9, CPUs: 18, MemoryMiB: 36 << 10, Addresses: 9, More: 1}
	case "staging":
		update(plan.Scale, plan.Change{Path: "spec.topology.workers.machineDeployments[services].replicas", Old: 2, New: 3, Effect: plan.Scale, Affects: "workers services"})
	case "preview":
		update(plan.Forbidden, plan.Change{
			Path: "spec.clusterNetwork.pods.cidrBlocks", Old: []any{"192.168.0.0/16"}, New: []any{"172.20.0.0/16"},
			Effect: plan.Forbidden, Affects: "the network of a cluster cannot be changed",
		})
		a.Skip = "the API refuses it: the network of a cluster cannot be changed"
	case "kafka":
		a.Verb, a.Changes, a.Reason, a.Pos = plan.Delete, nil, "it is not in the repository any more", resource.Position{}
	case "data-platform":
		a.Verb, a.Changes, a.Reason = plan.None, nil, "RUNNING"
	}
}

// read has the pages do what takes long, also when Update has asked for it: tests do
// not run what it returns.
func read(m *Model) {
	for _, p := range m.pages {
		if p, ok := p.(*planPage); ok {
			clear(p.reading)
		}
		if w, ok := p.(worker); ok {
			deliver(m, w.work(&m.scene))
		}
	}
}

func planMoments() []moment {
	of := func(name, journalName string, upTo time.Duration, change func(*plan.Document, *journal.Begin)) moment {
		return moment{name, func(t testing.TB) []journal.Event { return planned(t, example(t, journalName, upTo), change) }}
	}
	proposed := func(d *plan.Document, b *journal.Begin) {
		varied(d, b)
		b.Proposed = true
	}
	first := func(events []journal.Event) []journal.Event { return events[:1] }
	return []moment{
		{"empty", func(testing.TB) []journal.Event { return nil }},
		{"planning", func(t testing.TB) []journal.Event {
			return planned(t, first(example(t, "fleet", time.Millisecond)), proposed)
		}},
		of("rollout", "fleet", 3*time.Minute, varied),
		of("waiting", "observed-create", 40*time.Second, nil),
		of("failed", "fleet", 0, varied),
		of("done", "reached", 0, nil),
		{"large", func(t testing.TB) []journal.Event { return planned(t, large(10_000), nil) }},
	}
}

func TestPlanFrames(t *testing.T) {
	t.Parallel()
	framesOf(t, "plan", planMoments(), planNumber())
}

// planNumber is the key that leads to the page.
func planNumber() string {
	i := slices.IndexFunc(pages(Config{}), func(p page) bool { return p.title() == "Plan" })
	return fmt.Sprint(i + 1)
}

// planShown is the page that a dashboard shows.
func planShown(m *Model) *planPage { return m.pages[m.shown].(*planPage) }

// planOf is a dashboard that shows the plan of a moment.
func planOf(t testing.TB, name string, look paint.Options, width, height int) (*Model, *Stream, *planPage) {
	t.Helper()
	i := slices.IndexFunc(planMoments(), func(m moment) bool { return m.name == name })
	m, s := opened(t, look, width, height, planMoments()[i].events(t))
	m.visit("Plan")
	read(m)
	return m, s, planShown(m)
}

// Nothing that a plan says, with whatever in it, leaves its place on the screen.
func TestWhatAPlanSaysCannotControlTheTerminal(t *testing.T) {
	t.Parallel()
	evil := "\x1b[2J\x1b]0;owned\x07\r\n\u009b31m\u202egnp.exe"
	events := planned(t, example(t, "fleet", time.Second), func(d *plan.Document, b *journal.Begin) {
		d.Digest, b.World = "sha256:"+evil, evil
		at := resource.Position{File: evil, Line: 1, Col: 1}
		addr := resource.Addr{Kind: "Cluster" + evil, Namespace: evil, Name: evil}
		d.Findings = []plan.Finding{{Severity: plan.Fail, Code: evil, Addr: addr, Pos: at, Message: evil, Hint: evil}, {Severity: "odd" + plan.Severity(evil), Message: evil}}
		d.Phases = []plan.Group{{ID: "1", Title: evil, Actions: []plan.Action{{
			Addr: addr, Verb: plan.Update, Pos: at, Effect: plan.Effect(evil), Reason: evil, Skip: evil,
			Changes: []plan.Change{{Path: evil, Old: evil, New: strings.Repeat(evil, 100), Effect: plan.Effect(evil), Affects: evil}},
		}}}}
		b.Proposed = true
	})
	for _, width := range []int{40, 140} {
		m, _ := opened(t, paint.Options{}, width, 40, events)
		press(t, m, planNumber())
		planShown(m).approval.approve = func(string, string) error { return nil }
		for _, k := range []string{"G", "k", "k", "a"} {
			fits(t, m.Screen(), width, 40)
			if i := strings.IndexFunc(m.Screen(), func(r rune) bool { return r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r == '\u202e' }); i >= 0 {
				t.Errorf("control code in %q", m.Screen()[max(0, i-40):i+1])
			}
			press(t, m, k)
		}
	}
}

func TestAPlanIsReadOnceForEachBegin(t *testing.T) {
	t.Parallel()
	m, s, p := planOf(t, "rollout", paint.Options{}, 100, 30)
	sheet := p.sheet
	if sheet == nil || sheet.doc == nil {
		t.Fatal("the plan was not read")
	}
	s.Event(example(t, "fleet", 4*time.Minute)[200])
	if _, cmd := m.Update(look{}); p.work(&m.scene) != nil || cmd == nil {
		t.Error("it is read again after an event")
	}
	press(t, m, "n", "n", "n", "n", "enter")
	was := m.Screen()
	s.Events(planned(t, example(t, "fleet", 3*time.Minute), varied)) // the same plan begins anew
	m.Update(look{})
	if p.sheet == sheet && len(p.reading) == 0 {
		t.Error("another Begin is not read")
	}
	read(m)
	if p.sheet == sheet {
		t.Error("another Begin was not read")
	}
	if m.Screen() != was {
		t.Errorf("what was open in the same plan is not any more:\n%s\nwant\n%s", m.Screen(), was)
	}
}

func TestAPlanThatCannotBeReadIsSaidSo(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"schemaVersion":"vksync.dev/plan/v9"}`: `the plan cannot be shown: reading a plan: it is of version "vksync.dev/plan/v9"`,
		`null`:                                   "there is no plan in this journal",
	} {
		events := example(t, "fleet", time.Second)
		begin := *events[0].Begin
		begin.Plan = json.RawMessage(text)
		m, _ := opened(t, paint.Options{}, 140, 24, []journal.Event{{Begin: &begin}})
		press(t, m, planNumber(), "enter", "n", "a", "!", "left")
		if !strings.Contains(m.Screen(), want) {
			t.Errorf("%s: it does not say %q:\n%s", text, want, m.Screen())
		}
	}
	begin := &journal.Begin{Version: journal.Version, Watched: true}
	m, _ := opened(t, paint.Options{}, 140, 24, []journal.Event{{Begin: begin}})
	if press(t, m, planNumber()); !strings.Contains(m.Screen(), "this world is only watched") {
		t.Errorf("it does not say that nobody plans:\n%s", m.Screen())
	}
}

func TestOpeningAndClosing(t *testing.T) {
	t.Parallel()
	m, _, p := planOf(t, "planning", paint.Options{}, 100, 60)
	steps := []struct {
		keys        []string
		has, hasNot string
	}{
		{nil, "hint: assign it", ""},
		{[]string{"left"}, "shop-eu-west: VM class guaranteed-xlarge", "hint: assign it"},
		{[]string{"right"}, "hint: assign it", ""},
		{[]string{"down", "down", "left"}, "", "hint: assign it"}, // from within it
		{[]string{"n", "n", "n", "enter"}, "every cluster is as it has to be", ""},
		{[]string{"enter"}, "✓ 18 checks ok, 1 skipped", "every cluster is as it has to be"},
		{[]string{"n"}, ">+ VSphereNamespace payments  create  5 fields", ""},
		{[]string{"enter"}, `+ controlPlane.replicas  0`, "payments  create  5 fields"},
	}
	for _, step := range steps {
		press(t, m, step.keys...)
		if !strings.Contains(m.Screen(), step.has) || step.hasNot != "" && strings.Contains(m.Screen(), step.hasNot) {
			t.Fatalf("after %q want %q and not %q:\n%s", step.keys, step.has, step.hasNot, m.Screen())
		}
	}
	if want := (subject{"run", p.sheet.actions[0].Addr}); m.subject != want {
		t.Errorf("%v is selected, want %v", m.subject, want)
	}
	press(t, m, "N", "N", "N", "N", "N", "N")
	if p.cursor != 0 {
		t.Errorf("the cursor is on line %d, want the first finding", p.cursor)
	}
}

func TestManyChangesAreFolded(t *testing.T) {
	t.Parallel()
	many := func(d *plan.Document, _ *journal.Begin) {
		a := &d.Phases[len(d.Phases)-1].Actions[0]
		a.Verb, a.Changes = plan.Update, nil
		for i := range 40 {
			a.Changes = append(a.Changes, plan.Change{Path: fmt.Sprintf("spec.field%02d", i), Old: i, New: strings.Repeat("long ", 200)})
		}
	}
	m, _ := opened(t, paint.Options{}, 80, 200, planned(t, example(t, "observed-create", time.Second), many))
	press(t, m, planNumber())
	if !strings.Contains(m.Screen(), "… 28 more fields") || strings.Contains(m.Screen(), "field12") {
		t.Fatalf("the changes are not folded:\n%s", m.Screen())
	}
	p := planShown(m)
	p.to(slices.IndexFunc(p.lines, func(l planLine) bool { return l.kind == planFolded }))
	press(t, m, "enter")
	if !strings.Contains(m.Screen(), "field39") && len(p.lines) < 40*5 {
		t.Errorf("the rest is not shown:\n%s", m.Screen())
	}
	for _, line := range p.lines {
		if n := strings.Count(fmt.Sprint(line.spans), "long"); n > 80/5 {
			t.Errorf("a line has %d words", n)
		}
	}
}

func TestFilteringAPlan(t *testing.T) {
	t.Parallel()
	hits := func(m *Model) int { return planShown(m).shown }
	m, _, _ := planOf(t, "failed", paint.Options{}, 100, 60)
	if got := hits(m); got != 13 {
		t.Errorf("%d findings and actions, want 3 and 10", got)
	}
	press(t, m, "!")
	// Three findings; what was skipped, what the forecast did not reach, and two that are stuck.
	if got := hits(m); got != 6 || strings.Contains(m.Screen(), "18 checks ok") {
		t.Errorf("%d problems:\n%s", got, m.Screen())
	}
	press(t, m, "!")
	for text, want := range map[string]int{"web/": 4, "rolling": 1, "cidrblocks": 1, "delete": 1, "fail vm-class": 1, "nothing at all": 0} {
		press(t, m, "/")
		for _, r := range text {
			press(t, m, string(r))
		}
		press(t, m, "enter")
		if got := hits(m); got != want {
			t.Errorf("%q finds %d, want %d:\n%s", text, got, want, m.Screen())
		}
		press(t, m, "esc")
	}
}

// Both ways: who looks for a cluster elsewhere finds its action here, and the other pages
// are about the action that was chosen here.
func TestTheSelectionIsSharedWithThePlan(t *testing.T) {
	t.Parallel()
	m, _, p := planOf(t, "rollout", paint.Options{}, 100, 30)
	m.visit("Fleet")
	press(t, m, "G", planNumber())
	if a := p.selected(); a == nil || a.Addr != m.subject.addr {
		t.Errorf("the cursor is on %+v, want %v", a, m.subject)
	}
}

func BenchmarkPlanKeyToFrame(b *testing.B) {
	m, s, p := planOf(b, "large", paint.Options{Color: true}, 140, 40)
	event := example(b, "observed-create", 0)[20]
	for _, problems := range []bool{false, true} {
		b.Run(fmt.Sprintf("problems=%t", problems), func(b *testing.B) {
			p.problems = problems
			for b.Loop() {
				s.Event(event)
				m.Update(keyOf("down"))
				m.Screen()
			}
		})
	}
}

// BenchmarkPlanPage is the page's own share: take and draw.
func BenchmarkPlanPage(b *testing.B) {
	m, _, p := planOf(b, "large", paint.Options{Color: true}, 140, 40)
	for b.Loop() {
		p.list.press(keyOf("down"))
		m.board.read(func() { p.take(&m.scene) })
		p.draw(&m.scene)
	}
}

// BenchmarkPlanFilter makes all lines anew.
func BenchmarkPlanFilter(b *testing.B) {
	m, _, p := planOf(b, "large", paint.Options{Color: true}, 140, 40)
	for b.Loop() {
		p.folded++
		m.board.read(func() { p.take(&m.scene) })
	}
}

func TestFindingsOfOneCheckShareALine(t *testing.T) {
	t.Parallel()
	of := func(severity plan.Severity, code string, n int) (all []plan.Finding) {
		for i := range n {
			addr := resource.Addr{Kind: resource.KindCluster, Namespace: "team", Name: fmt.Sprintf("%s-%02d", code, i)}
			all = append(all, plan.Finding{Severity: severity, Code: code, Addr: addr, Message: "it is so", Hint: "do something"})
		}
		return all
	}
	m, _ := opened(t, paint.Options{}, 100, 80, planned(t, example(t, "observed-create", time.Second), func(d *plan.Document, _ *journal.Begin) {
		d.Findings = slices.Concat(of(plan.Unknown, "size", 4), of(plan.Fail, "few", 9), of(plan.Unknown, "other", 2), of(plan.Fail, "many", 10), of(plan.Unknown, "size", 3))
	}))
	press(t, m, planNumber())
	for text, want := range map[string]int{"fail     Cluster team/few-": 9, "10 of check many: it is so": 1, "7 of check size: it is so": 1, "unknown  Cluster team/other-": 2, "team/size-": 0} {
		if got := strings.Count(m.Screen(), text); got != want {
			t.Errorf("%q is there %d times, want %d:\n%s", text, got, want, m.Screen())
		}
	}
	p := planShown(m)
	if p.shown != 9+10+7+2+1 {
		t.Errorf("%d findings and actions are counted", p.shown)
	}
	p.to(slices.IndexFunc(p.lines, func(l planLine) bool { return l.n == 7 }))
	press(t, m, "enter")
	if got := strings.Count(m.Screen(), "    Cluster team/size-"); got != 7 || strings.Contains(m.Screen(), "of check size: it") {
		t.Errorf("%d are shown, want all 7:\n%s", got, m.Screen())
	}
	press(t, m, "down", "down", "left")
	if strings.Contains(m.Screen(), "team/size-") || p.lines[p.cursor].n != 7 {
		t.Errorf("they are not closed again:\n%s", m.Screen())
	}
}

func TestThePlanFitsEveryTerminal(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"planning", "failed"} {
		for _, size := range [][2]int{{1, 1}, {3, 2}, {10, 4}, {20, 5}, {39, 8}, {60, 15}, {200, 60}} {
			m, _, _ := planOf(t, name, paint.Options{}, size[0], size[1])
			planShown(m).approval.approve = func(string, string) error { return nil }
			for _, k := range []string{"n", "enter", "pgdown", "right", "G", "left", "/", "s", "enter", "esc", "!", "g", "a", "n", "esc"} {
				fits(t, m.Screen(), size[0], size[1])
				press(t, m, k)
			}
		}
	}
}

func TestAClickSelectsAndCopyingNamesWhatIsSelected(t *testing.T) {
	t.Parallel()
	m, _, p := planOf(t, "planning", paint.Options{}, 100, 60)
	if name, command := p.copies(&m.scene); name != "" || command != "" {
		t.Errorf("a finding is copied as %q, %q", name, command)
	}
	lines := strings.Split(m.Screen(), "\n")
	for text, want := range map[string]string{
		"~ Cluster payments/prod ":          "kubectl get cluster.cluster.x-k8s.io prod -o yaml -n payments",
		"~ version ":                        "kubectl get cluster.cluster.x-k8s.io prod -o yaml -n payments", // what is in it belongs to it
		"+ VSphereNamespace payments ":      "kubectl get namespace payments -o yaml",
		"- Cluster data-platform/kafka ":    "kubectl get cluster.cluster.x-k8s.io kafka -o yaml -n data-platform",
		"= VSphereNamespace data-platform ": "kubectl get namespace data-platform -o yaml",
	} {
		y := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, text) })
		m.Update(tea.MouseClickMsg{X: 5, Y: y})
		if _, command := p.copies(&m.scene); command != want {
			t.Errorf("after a click on %q, line %d, the command is %q, want %q", text, y, command, want)
		}
		if !strings.HasPrefix(strings.Split(m.Screen(), "\n")[y], ">") {
			t.Errorf("line %d is not marked:\n%s", y, m.Screen())
		}
	}
	m.Update(tea.MouseClickMsg{X: 5, Y: 2}) // above the lines
	m.Update(tea.MouseClickMsg{X: 5, Y: 58})
}

// BenchmarkPlanSheet makes the plan of a large fleet ready, which a command does.
func BenchmarkPlanSheet(b *testing.B) {
	begin := planned(b, large(10_000), nil)[0].Begin
	b.SetBytes(int64(len(begin.Plan)))
	b.ReportAllocs()
	for b.Loop() {
		if newPlanSheet(begin).doc == nil {
			b.Fatal("it was not read")
		}
	}
}

// FuzzPlanPage shows whatever calls itself a plan.
func FuzzPlanPage(f *testing.F) {
	const head = `{"schemaVersion":"vksync.dev/plan/v1","digest":"d",`
	f.Add([]byte(head+`"findings":[{"severity":"fail","code":"c","message":"a b","hint":"h"},{"severity":"ok"}],"phases":[{"id":"1","actions":[`+
		`{"addr":{"kind":"K","name":"n"},"verb":"update","effect":"scale","changes":[{"path":"a.b[c].d","old":"x","new":[1,"y"],"effect":"scale"}]}]}]}`), uint8(60), uint8(20))
	f.Add([]byte(head+`"phases":[{"actions":[{"changes":[{"path":"]","old":[[]]}]}]}],"findings":[{}]}`), uint8(1), uint8(1))
	first := *example(f, "fleet", time.Second)[0].Begin
	f.Fuzz(func(t *testing.T, text []byte, width, height uint8) {
		begin := first
		begin.Plan, begin.Proposed = text, true
		size := [2]int{int(width) + 1, int(height) + 1}
		m, _ := opened(t, paint.Options{}, size[0], size[1], []journal.Event{{Begin: &begin}})
		press(t, m, planNumber())
		planShown(m).approval.approve = func(string, string) error { return nil }
		for _, k := range []string{"enter", "n", "enter", "down", "enter", "G", "enter", "N", "left", "!", "a", "y"} {
			press(t, m, k)
			fits(t, m.Screen(), size[0], size[1])
			if i := strings.IndexFunc(m.Screen(), func(r rune) bool { return r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 }); i >= 0 {
				t.Fatalf("control code in %q", m.Screen()[max(0, i-40):i+1])
			}
		}
	})
}
