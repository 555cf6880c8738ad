package drift

import (
	"fmt"
	"strings"
	"time"

	"github.com/vksync/vksync/reconcile/resource"
)

// Text is the report for people, a line for each drift:
//
//	VirtualMachine team-a/prod-x7k2p  powered off  by LAB\alice at 2026-01-01T10:00:00Z: it is off, and is to be on (VM Service corrects it)
func (r Report) Text() string {
	var b strings.Builder
	for _, i := range r.Items {
		b.WriteString(i.String() + "\n")
	}
	for _, u := range r.Unknown {
		fmt.Fprintf(&b, "unknown: %s\n", resource.Redact(u))
	}
	if len(r.Items) == 0 {
		b.WriteString("No drift.\n")
	}
	return b.String()
}

// String is the drift on one line.
func (i Item) String() string {
	text := i.Addr.String() + "  " + string(i.Kind)
	by := ""
	if i.Who != "" {
		by = "by " + i.Who
	}
	if !i.When.IsZero() {
		by = strings.TrimSpace(by + " at " + i.When.UTC().Format(time.RFC3339))
	}
	if by != "" {
		text += "  " + by
	}
	text += ": " + i.Message
	switch i.Corrects {
	case "":
	case ByNobody:
		text += " (nobody corrects it)"
	default:
		text += " (" + i.Corrects + " corrects it)"
	}
	return resource.Redact(text)
}
