package controllers

import (
	"strings"
	"testing"
)

// Those that say the same are named together, three of them at most, in lines that
// are in the order in which something new was said.
func TestASummaryNamesWhoSaysTheSameTogether(t *testing.T) {
	t.Parallel()
	issues := newIssueList()
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		issues = issues.add(name, "* waits")
		if name == "b" {
			issues = issues.add(name, "is old").add(name, "* waits")
		}
	}
	issues = issues.add("d", "is old").add("f", "fails:\nat once")
	want := strings.Join([]string{
		"* Machines a, b, c, ... (2 more):", "  * waits",
		"* Machines b, d: is old",
		"* Machine f:", "  fails:", "  at once",
	}, "\n")
	if got := string(issues.summarize(newSummary(), "Machine")); got != want {
		t.Errorf("it is\n%s\nwant\n%s", got, want)
	}
	if got := string(newSummary().add("Ready", "").add("Paused", "* why")); got != "* Ready: \n* Paused:\n  * why" {
		t.Errorf("without issues it is\n%s", got)
	}
}
