package tui

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
)

// cut shortens s to width cells; what is cut off shows as the sign of a cut.
func (t theme) cut(s string, width int) string { return ansi.Truncate(s, max(width, 0), t.more) }

// cutLeft shortens s at its beginning: the end of a name is what tells it apart.
func (t theme) cutLeft(s string, width int) string {
	if over := ansi.StringWidth(s) - width; over > 0 {
		return ansi.TruncateLeft(s, over+1, t.more)
	}
	return s
}

// pad fills s with spaces up to width cells.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-ansi.StringWidth(s)))
}

// padLeft puts s at the right end of width cells.
func padLeft(s string, width int) string {
	return strings.Repeat(" ", max(0, width-ansi.StringWidth(s))) + s
}

// clean makes one line without control codes of what a controller or a cluster's
// manifest said.
func clean(s string) string {
	s = ansi.Strip(s)
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == ' ' || r >= 0x80 && r < 0xa0 }), " ")
}

// wrap breaks s between words into lines of width cells at most. A name with
// hyphens is a word: it is there to be copied. Longer words are broken.
func wrap(s string, width int) []string {
	width = max(width, 8)
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		if line != "" && ansi.StringWidth(line)+1+ansi.StringWidth(word) <= width {
			line += " " + word
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		parts := strings.Split(ansi.Hardwrap(word, width, false), "\n")
		lines = append(lines, parts[:len(parts)-1]...)
		line = parts[len(parts)-1]
	}
	return append(lines, line)
}

// clock is a time as people read it: 6:12, 1:02:03.
func clock(d time.Duration) string {
	s := int64(d.Round(time.Second) / time.Second)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// stamp is a time in columns that sort: +02:14.500, +1:02:14.500.
func stamp(d time.Duration) string {
	ms := d.Milliseconds()
	s := ms / 1000
	if s >= 3600 {
		return fmt.Sprintf("+%d:%02d:%02d.%03d", s/3600, s/60%60, s%60, ms%1000)
	}
	return fmt.Sprintf("+%02d:%02d.%03d", s/60, s%60, ms%1000)
}

// nameOf is how a goal is called in a column of goals.
func nameOf(a resource.Addr) string {
	name := a.Name
	if a.Namespace != "" {
		name = a.Namespace + "/" + a.Name
	}
	if a.Supervisor != "" {
		name += "@" + a.Supervisor
	}
	return clean(name)
}

func isNamespace(a resource.Addr) bool { return a.Kind == resource.KindVSphereNamespace }

// goalWord is what a goal is called once it is reached.
func goalWord(g phase.Goal) string {
	switch {
	case g.Verb == "delete":
		return "gone"
	case g.Verb == "none":
		return "no change"
	case isNamespace(g.Addr):
		return "RUNNING"
	}
	return "Available"
}

// stateWord is a row's state in a word, and where it is not going on, its phase.
func stateWord(r journal.Row) string {
	switch r.State {
	case phase.Done:
		return goalWord(r.Goal)
	case phase.Blocked, phase.Failed:
		return string(r.State) + " " + string(r.Current)
	case phase.Running:
		if r.Removing() {
			return "removing"
		}
	}
	return string(r.State)
}

// count is a number with separators: 12,345.
func count(n int) string {
	s := fmt.Sprint(n)
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	if neg {
		return "-" + s
	}
	return s
}

// plural is "1 cluster", "2 clusters".
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return count(n) + " " + what + "s"
}
