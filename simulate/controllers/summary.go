package controllers

import (
	"slices"
	"strconv"
	"strings"
)

// A summary is the message of a condition that sums up others, in the making. Most
// are put together to find that they are what the condition says already, so a
// summary is text of its own only once it is written, see draft.summarize.
type summary []byte

// newSummary has room for what is said of a few machines.
func newSummary() summary { return make(summary, 0, 1024) }

// add has another line say text of a name.
func (s summary) add(name, text string) summary { return s.line(text, "", name) }

// line says text of some names of a kind; lines of text are indented.
func (s summary) line(text, kind string, names ...string) summary {
	if len(s) > 0 {
		s = append(s, '\n')
	}
	s = append(s, "* "...)
	s = appendNames(s, kind, names)
	if !strings.Contains(text, "\n") && !strings.HasPrefix(text, "* ") {
		return append(append(s, ": "...), text...)
	}
	s = append(s, ':')
	for line := range strings.SplitSeq(text, "\n") {
		s = append(append(s, "\n  "...), line...)
	}
	return s
}

// appendNames names up to three of a kind.
func appendNames(text []byte, kind string, names []string) []byte {
	const most = 3
	text = append(text, kind...)
	if len(names) > 1 {
		text = append(text, 's')
	}
	for i, name := range names[:min(len(names), most)] {
		switch {
		case i > 0:
			text = append(text, ", "...)
		case kind != "":
			text = append(text, ' ')
		}
		text = append(text, name...)
	}
	if more := len(names) - most; more > 0 {
		text = append(text, ", ... ("...)
		text = append(strconv.AppendInt(text, int64(more), 10), " more)"...)
	}
	return text
}

// bullet is one line of a summary.
func bullet(name, text string) string { return string(newSummary().add(name, text)) }

// lines joins the messages of a summary condition as Cluster API does.
func lines(messages []string) string { return strings.Join(messages, "\n") }

// machineList names up to three Machines.
func machineList(names []string) string { return string(appendNames(nil, "Machine", names)) }

// An issueList collects what is said of objects of a kind for a summary, in which
// those that say the same are named together.
type issueList struct {
	texts []string
	named []naming
}

// A naming is a name and which of the texts it goes with.
type naming struct {
	name string
	text int
}

// newIssueList has room for what is said of a few machines.
func newIssueList() issueList { return issueList{make([]string, 0, 4), make([]naming, 0, 8)} }

// add has one more say a text. What one says twice counts once, if nobody else was
// added in between.
func (l issueList) add(name, text string) issueList {
	n := naming{name, slices.Index(l.texts, text)}
	if n.text < 0 {
		n.text = len(l.texts)
		l.texts = append(l.texts, text)
	}
	for i := len(l.named) - 1; i >= 0 && l.named[i].name == name; i-- {
		if l.named[i] == n {
			return l
		}
	}
	l.named = append(l.named, n)
	return l
}

// summarize has a line for each text, in the order in which they were added.
func (l issueList) summarize(s summary, kind string) summary {
	names := make([]string, 0, 8)
	for i, text := range l.texts {
		names = names[:0]
		for _, n := range l.named {
			if n.text == i {
				names = append(names, n.name)
			}
		}
		s = s.line(text, kind, names...)
	}
	return s
}

// summarize is condition with a message that is made only if it is another.
func (d *draft) summarize(kind, status, reason string, s summary) {
	message := d.conditionOf(kind).Message
	if message != string(s) {
		message = string(s)
	}
	d.condition(kind, status, reason, message)
}

// summarizeIssues is summarize with what objects of a kind say.
func (d *draft) summarizeIssues(kind, status, reason, of string, issues issueList) {
	d.summarize(kind, status, reason, issues.summarize(newSummary(), of))
}
