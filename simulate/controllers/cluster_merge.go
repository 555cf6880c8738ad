package controllers

import (
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vksync/vksync/reconcile/resource"
)

// upToDateGrace is how long a new Machine may go without the condition UpToDate.
const upToDateGrace = 10 * time.Second

// bullet is one line of a summary message, with nested lines indented.
func bullet(name, message string) string {
	if strings.Contains(message, "\n") || strings.HasPrefix(message, "* ") {
		return "* " + name + ":\n  " + strings.ReplaceAll(message, "\n", "\n  ")
	}
	return "* " + name + ": " + message
}

func hasCondition(u *unstructured.Unstructured, kind string) bool {
	return conditionIn(u.Object, kind) != nil
}

// mirror copies a condition of another object under a new type. One that is not
// there yet is False, for the reason that absent gives, or Unknown without one.
func mirror(d *draft, as, kind string, from *unstructured.Unstructured, absent string) {
	c := resource.ConditionOf(from.Object, kind)
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
func merge(d *draft, as, kind string, from []*unstructured.Unstructured, none string) {
	if len(from) == 0 {
		d.condition(as, "True", none, "")
		return
	}
	status := "True"
	var messages []string
	named := map[string][]string{}
	for _, u := range from {
		c := resource.ConditionOf(u.Object, kind)
		if c.Type == "" {
			c = resource.Condition{Status: "Unknown", Message: "Condition " + kind + " not yet reported"}
		}
		if c.Status == "True" {
			continue
		}
		if status == "True" || c.Status == "False" {
			status = c.Status
		}
		if named[c.Message] == nil {
			messages = append(messages, c.Message)
		}
		named[c.Message] = append(named[c.Message], nameOf(u))
	}
	for i, message := range messages {
		messages[i] = bullet(nameList(from[0].GetKind(), named[message]), message)
	}
	reason := map[string]string{"True": kind, "False": "Not" + kind, "Unknown": kind + "Unknown"}[status]
	d.condition(as, status, reason, lines(messages))
}

// mergeActivity sums up conditions whose True means that something is going on.
// A control plane that has not said anything yet is left out.
func mergeActivity(d *draft, kind string, from []*unstructured.Unstructured) {
	var messages []string
	status, reason := "False", "Not"+kind
	for _, u := range from {
		c := resource.ConditionOf(u.Object, kind)
		switch {
		case c.Status == "True":
			status, reason = "True", kind
			messages = append(messages, bullet(u.GetKind()+" "+nameOf(u), c.Message))
		case c.Status == "False" || u.GetKind() == kindControlPlane.Kind && c.Type == "":
		case status == "False":
			status, reason = "Unknown", kind+"Unknown"
		}
	}
	d.condition(kind, status, reason, lines(messages))
}

// countReplicas writes status.controlPlane and status.workers. A count is there
// once somebody has reported it, and goes with the last who could.
func countReplicas(d *draft, f family) {
	var controlPlane []*unstructured.Unstructured
	if f.controlPlane != nil {
		controlPlane = append(controlPlane, f.controlPlane)
	}
	for section, from := range map[string][]*unstructured.Unstructured{"controlPlane": controlPlane, "workers": f.deployments} {
		addUp(d, from, []string{"spec", "replicas"}, "status", section, "desiredReplicas")
		for _, count := range []string{"replicas", "readyReplicas", "availableReplicas", "upToDateReplicas"} {
			addUp(d, from, []string{"status", count}, "status", section, count)
		}
		versions(d, from, "status", section, "versions")
	}
}

func addUp(d *draft, from []*unstructured.Unstructured, path []string, as ...string) {
	var total int64
	known := false
	for _, u := range from {
		if resource.Field(u.Object, path...) != nil {
			total, known = total+resource.Int(u.Object, path...), true
		}
	}
	if known {
		d.set(total, as...)
	} else {
		d.unset(as...)
	}
}

// versions adds up how many machines run which Kubernetes version.
func versions(d *draft, from []*unstructured.Unstructured, as ...string) {
	machines := map[string]int64{}
	var names []string
	for _, u := range from {
		for _, v := range resource.Items(u.Object, "status", "versions") {
			name := resource.Text(v, "version")
			if machines[name] == 0 {
				names = append(names, name)
			}
			machines[name] += resource.Int(v, "replicas")
		}
	}
	slices.Sort(names)
	var list []any
	for _, name := range names {
		list = append(list, map[string]any{"version": name, "replicas": machines[name]})
	}
	if list == nil {
		d.unset(as...)
		return
	}
	application{d, true}.say(list, as...)
}
