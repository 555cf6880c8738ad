package controllers

import "slices"

// An issueList collects what is said of Machines for the message of a summary
// condition, in which those that say the same are named together.
type issueList struct {
	texts []string
	named map[string][]string
}

func (l *issueList) add(name, text string) {
	if l.named == nil {
		l.named = map[string][]string{}
	}
	switch {
	case l.named[text] == nil:
		l.texts = append(l.texts, text)
	case slices.Contains(l.named[text], name):
		return
	}
	l.named[text] = append(l.named[text], name)
}

func (l *issueList) empty() bool { return len(l.texts) == 0 }

func (l *issueList) text() string {
	out := make([]string, len(l.texts))
	for i, text := range l.texts {
		out[i] = bullet(machineList(l.named[text]), text)
	}
	return lines(out)
}
