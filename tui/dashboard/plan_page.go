package dashboard

import (
	"slices"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/tui/paint"
)

// planPage has what the checks found, and what is changed: before anything is done,
// while it is, and afterwards.
type planPage struct {
	list
	filter   filter
	problems bool // only those
	folds    planFolds
	approval approval

	stream  string
	several bool                      // streams, of which this is one
	sheets  map[string]*planSheet     // by stream, as far as they are read
	reading map[string]*journal.Begin // what commands are reading
	sheet   *planSheet                // of stream; nil while it is not read
	wanted  *journal.Begin            // what it is of when it is read
	layout  planView
	folded  int // counts what was opened and closed
	lines   []planLine
	shown   int // findings and actions in lines
	subject subject

	rows   map[int]planRow // how the actions in the window stand
	facts  planFacts
	detail []string // what does not fit the selected line
	empty  []string
}

// A planView is what lines were made for.
type planView struct {
	sheet    *planSheet
	width    int
	ascii    bool
	words    string
	problems bool
	folded   int
	wrong    uint64
}

// A planRow is how an action stands.
type planRow struct {
	known bool
	row   journal.Row
	text  string // what it waits for, or was refused for
}

// planFacts are how the run stands.
type planFacts struct {
	proposed, watched, ended bool
	following                bool
	outcome                  journal.Outcome
	totals                   journal.Totals
}

var planKeys = struct{ open, fold, next, previous, problems, cluster, approve key.Binding }{
	open:     key.NewBinding(key.WithKeys("enter", "right", "l"), key.WithHelp("⏎/→", "open")),
	fold:     key.NewBinding(key.WithKeys("left", "h"), key.WithHelp("←", "close")),
	next:     key.NewBinding(key.WithKeys("n"), key.WithHelp("n", "next")),
	previous: key.NewBinding(key.WithKeys("N"), key.WithHelp("N", "previous")),
	problems: key.NewBinding(key.WithKeys("!"), key.WithHelp("!", "problems")),
	cluster:  key.NewBinding(key.WithKeys("c"), key.WithHelp("c", "its phases")),
	approve:  key.NewBinding(key.WithKeys("a"), key.WithHelp("a", "approve")),
}

func newPlanPage(c Config) *planPage {
	return &planPage{
		sheets: map[string]*planSheet{}, reading: map[string]*journal.Begin{},
		approval: approval{approve: c.Approve, command: c.ApproveCommand, waits: c.Asks},
	}
}

func (p *planPage) title() string { return "Plan" }

func (p *planPage) keys() []key.Binding {
	k := planKeys
	k.approve.SetEnabled(p.facts.proposed)
	return []key.Binding{k.approve, k.open, k.fold, k.next, filterKey, k.problems, k.previous, k.cluster}
}

func (p *planPage) take(s *scene) {
	stream := p.follow(s)
	p.facts = planFacts{}
	if stream == nil {
		p.sheet, p.wanted, p.lines = nil, nil, nil
		p.empty = s.absence()
		return
	}
	p.look(stream)
	p.use(p.sheets[stream.name])
	p.empty = p.nothing(s, stream)
	if p.sheet == nil || p.sheet.doc == nil {
		p.lines = nil
		return
	}
	p.arrange(s, stream)
	p.reconcileSubject(s)
	p.detail = p.details(s, stream)
	p.fit(len(p.lines), s.height-p.headLines(s)-len(p.detail))
	p.rows = map[int]planRow{}
	from, to := p.window()
	for _, line := range p.lines[from:to] {
		if line.kind == planDoing {
			p.rows[line.i] = rowOf(stream.timeline, &p.sheet.actions[line.i])
		}
	}
}

// follow chooses the stream: the one that everything else is about, or else the first
// that has a plan.
func (p *planPage) follow(s *scene) *Stream {
	stream := s.stream()
	if stream == nil {
		i := slices.IndexFunc(s.board.streams, func(one *Stream) bool { return one.timeline.Begin() != nil })
		if i < 0 {
			return nil
		}
		stream = s.board.streams[i]
	}
	if stream.timeline.Begin() == nil {
		return nil
	}
	p.stream, p.several = stream.name, len(s.board.streams) > 1
	return stream
}

// look notes how the run stands, and that there is another plan to read. Until that
// is read the last one stays: mostly it is the same, begun.
func (p *planPage) look(stream *Stream) {
	t := stream.timeline
	b := t.Begin()
	p.wanted = b
	p.facts = planFacts{
		proposed: b.Proposed, watched: b.Watched, totals: t.Totals(),
		following: stream.connection.State == Following,
	}
	if e := t.End(); e != nil {
		p.facts.ended, p.facts.outcome = true, e.Outcome
	}
}

// A planRead is a message: the plan of a stream was read.
type planRead struct {
	stream string
	sheet  *planSheet
}

// work reads the plans that there are, unless they were read.
func (p *planPage) work(s *scene) tea.Cmd {
	var all []tea.Cmd
	s.board.read(func() {
		for _, stream := range s.board.streams {
			b, name := stream.timeline.Begin(), stream.name
			if b == nil || p.reading[name] == b || p.sheets[name] != nil && p.sheets[name].begin == b {
				continue
			}
			p.reading[name] = b
			all = append(all, func() tea.Msg { return planRead{name, newPlanSheet(b)} })
		}
	})
	return tea.Batch(all...)
}

func (p *planPage) receive(s *scene, msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case planRead:
		if msg.sheet.begin != p.reading[msg.stream] {
			return nil // there is a newer one
		}
		delete(p.reading, msg.stream)
		p.sheets[msg.stream] = msg.sheet
		if s.findings == nil {
			s.findings = map[string]int{}
		}
		s.findings[msg.stream] = len(msg.sheet.worries)
	case planApproved:
		return p.approval.receive(msg)
	}
	return nil
}

// use has the page show a plan. What was opened stays open in the same one.
func (p *planPage) use(sheet *planSheet) {
	if sheet == p.sheet {
		return
	}
	if d := sheet.digest(); d == "" || d != p.sheet.digest() {
		p.folds, p.list, p.subject = planFolds{}, list{}, subject{}
		p.approval.close()
	}
	p.sheet = sheet
}

// arrange makes the lines anew where anything that they depend on is another.
func (p *planPage) arrange(s *scene, stream *Stream) {
	view := p.layout
	view.sheet, view.width, view.ascii, view.problems, view.folded = p.sheet, s.width, s.ASCII, p.problems, p.folded
	view.words = string(p.filter.text)
	var wrong []bool
	if view.wrong = 0; p.problems {
		wrong, view.wrong = p.troubled(stream.timeline)
	}
	if view == p.layout {
		return
	}
	p.layout = view
	p.lines, p.shown = planLayout{
		sheet: p.sheet, folds: &p.folds, width: s.width - markWidth, more: s.More, words: p.filter.words(), problems: p.problems,
		wrong: func(i int) bool { return wrong[i] },
	}.planLines()
}

// troubled finds the actions that are problems now, and a number that is another one
// when they are others.
func (p *planPage) troubled(t *journal.Timeline) (wrong []bool, sum uint64) {
	wrong = make([]bool, len(p.sheet.actions))
	for i := range p.sheet.actions {
		a := &p.sheet.actions[i]
		state, _ := t.Standing(a.Addr)
		wrong[i] = a.wrong(state)
		if wrong[i] {
			sum = sum*1099511628211 + uint64(i) + 1
		}
	}
	return wrong, sum
}

// reconcileSubject has the cursor on what the other pages are about, and the other way round.
func (p *planPage) reconcileSubject(s *scene) {
	p.n = len(p.lines)
	if s.subject != p.subject {
		i := slices.IndexFunc(p.lines, func(l planLine) bool {
			return l.kind == planDoing && p.sheet.actions[l.i].Addr == s.subject.addr
		})
		if i >= 0 && p.subject != (subject{}) {
			p.to(i)
		}
		p.subject = s.subject
	}
}

func rowOf(t *journal.Timeline, a *planAction) (r planRow) {
	if t.Begin().Proposed || a.Skip != "" {
		return r
	}
	if r.row, r.known = t.Row(a.Addr); r.known && r.row.State != phase.Pending && r.row.State != phase.Done {
		r.text = paint.Clean(waitsFor(t, r.row))
	}
	if r.text != "" && r.row.State == phase.Running && r.row.Delayed == nil {
		r.text = "waits for " + r.text
	}
	return r
}

func (p *planPage) press(s *scene, k tea.KeyPressMsg) (tea.Cmd, bool) {
	if p.approval.open() && p.wanted != p.sheet.begin {
		p.approval.close()
		return tell("the plan has begun anew: look at it again", true), true
	}
	if cmd, mine := p.approval.press(k); mine {
		return cmd, true
	}
	if p.filter.press(k) {
		return nil, true
	}
	switch {
	case key.Matches(k, planKeys.approve) && p.facts.proposed:
		return p.ask(), true
	case key.Matches(k, planKeys.cluster) && p.selected() != nil:
		p.choose(s)
		return showPage("Cluster"), true
	case key.Matches(k, planKeys.problems):
		p.problems = !p.problems
	case key.Matches(k, planKeys.open):
		p.unfold(true)
	case key.Matches(k, planKeys.fold):
		p.unfold(false)
	case key.Matches(k, planKeys.next):
		p.jump(1)
	case key.Matches(k, planKeys.previous):
		p.jump(-1)
	default:
		if !p.list.press(k) {
			return nil, false
		}
	}
	p.choose(s)
	return nil, true
}

// unfold opens or closes what the cursor is on. Enter on what is open closes it.
func (p *planPage) unfold(open bool) {
	if p.cursor >= len(p.lines) {
		return
	}
	line := p.lines[p.cursor]
	if line.kind == planFolded {
		p.folds.toggle(line, p.sheet, open)
		p.folded++
		return
	}
	if open && line.kind != planText && p.folds.open(line, p.sheet) {
		open = false
	}
	if p.folds.toggle(line, p.sheet, open) {
		p.folded++
	}
	for !open && p.cursor > 0 && !p.lines[p.cursor].item() {
		p.to(p.cursor - 1)
	}
}

// item says whether a line is a finding or an action, and not what belongs to one.
func (l planLine) item() bool {
	return l.kind == planWorry || l.kind == planPassed || l.kind == planDoing
}

// jump goes to the next finding or action.
func (p *planPage) jump(step int) {
	for i := p.cursor + step; i >= 0 && i < len(p.lines); i += step {
		if p.lines[i].item() {
			p.to(i)
			return
		}
	}
}

// choose makes what the cursor is on what all pages are about.
func (p *planPage) choose(s *scene) {
	if a := p.selected(); a != nil {
		s.subject = subject{p.stream, a.Addr}
		p.subject = s.subject
	}
}

// selected is the action that the cursor is on; nil is none.
func (p *planPage) selected() *planAction {
	if p.cursor < len(p.lines) && p.lines[p.cursor].of == planDoing {
		return &p.sheet.actions[p.lines[p.cursor].i]
	}
	return nil
}

func (p *planPage) click(s *scene, _, y int) {
	if i := p.top + y - p.headLines(s); y >= p.headLines(s) && i < len(p.lines) {
		p.to(i)
		p.choose(s)
	}
}

func (p *planPage) copies(*scene) (name, command string) {
	a := p.selected()
	if a == nil {
		return "", ""
	}
	return paint.NameOf(a.Addr), objectCommand(a.Addr)
}

// objectCommand shows an object with kubectl; a vSphere Namespace is there as a
// Kubernetes Namespace.
func objectCommand(a resource.Addr) string {
	switch {
	case paint.IsNamespace(a):
		return "kubectl get namespace " + shellWord(a.Name) + " -o yaml"
	case a.Group != "":
		a.Kind += "." + a.Group
	}
	command := "kubectl get " + shellWord(strings.ToLower(a.Kind)) + " " + shellWord(a.Name) + " -o yaml"
	if a.Namespace != "" {
		command += " -n " + shellWord(a.Namespace)
	}
	return command
}

// shellWord is a word of a command that is there to be pasted into a shell: what a
// shell would make something of is quoted.
func shellWord(word string) string {
	safe := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=@", r)
	}
	word = paint.Clean(word)
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !safe(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// counts are what the plan does, in words.
func counts(n plan.Summary) []string {
	out := []string{paint.Count(n.Create) + " to create", paint.Count(n.Update) + " to update", paint.Count(n.Delete) + " to delete"}
	if n.Wait > 0 {
		out = append(out, paint.Count(n.Wait)+" to wait for")
	}
	if n.Skipped > 0 {
		out = append(out, paint.Count(n.Skipped)+" skipped")
	}
	return out
}
