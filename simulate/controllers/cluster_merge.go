package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// upToDateGrace is how long a new Machine may go without the condition UpToDate.
const upToDateGrace = 10 * time.Second

func hasCondition(u *unstructured.Unstructured, kind string) bool {
	return conditionIn(u.Object, kind) != nil
}

// mirror copies a condition of another object under a new type. One that is not
// there yet is False, for the reason that absent gives, or Unknown without one.
func mirror(d *draft, as, kind string, from *view, absent string) {
	c := from.condition(kind)
	switch {
	case c.Type == "" && absent != "":
		d.condition(as, "False", "Not"+kind, absent)
	case c.Type == "":
		d.condition(as, "Unknown", kind+"Unknown", "Condition "+kind+" not yet reported")
	default:
		d.condition(as, c.Status, c.Reason, c.Message)
	}
}

// merge sums a condition up over several objects: False beats Unknown beats True,
// and one that is not there yet is Unknown. Over no objects it is True, with the
// reason none. Objects that say the same are named together.
func merge(d *draft, as, kind string, from []*view, none string) {
	if len(from) == 0 {
		d.condition(as, "True", none, "")
		return
	}
	status, reason := "True", kind
	issues := newIssueList()
	for _, v := range from {
		c := v.condition(kind)
		if c.Type == "" {
			c = resource.Condition{Status: "Unknown", Message: "Condition " + kind + " not yet reported"}
		}
		switch {
		case c.Status == "True":
			continue
		case c.Status == "False":
			status, reason = "False", "Not"+kind
		case status == "True":
			status, reason = c.Status, kind+"Unknown"
		}
		issues = issues.add(v.name, c.Message)
	}
	d.summarizeIssues(as, status, reason, from[0].kind, issues)
}

// mergeActivity sums up conditions whose True means that something is going on.
// A control plane that has not said anything yet is left out.
func mergeActivity(d *draft, kind string, from []*view) {
	says := newSummary()
	status, reason := "False", "Not"+kind
	for _, v := range from {
		c := v.condition(kind)
		switch {
		case c.Status == "True":
			status, reason = "True", kind
			says = says.line(c.Message, v.kind, v.name)
		case c.Status == "False" || v.kind == kindControlPlane.Kind && c.Type == "":
		case status == "False":
			status, reason = "Unknown", kind+"Unknown"
		}
	}
	d.summarize(kind, status, reason, says)
}
