package paint

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/charmbracelet/x/ansi"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
)

// Cut shortens s to width cells; what is cut off shows as the sign of a cut.
func (t Theme) Cut(s string, width int) string { return ansi.Truncate(s, max(width, 0), t.More) }

// CutLeft shortens s at its beginning: the end of a name is what tells it apart.
func (t Theme) CutLeft(s string, width int) string {
	if over := ansi.StringWidth(s) - width; over > 0 {
		return ansi.TruncateLeft(s, over+1, t.More)
	}
	return s
}

// Pad fills s with spaces up to width cells.
func Pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-ansi.StringWidth(s)))
}

// PadLeft puts s at the right end of width cells.
func PadLeft(s string, width int) string {
	return strings.Repeat(" ", max(0, width-ansi.StringWidth(s))) + s
}

// Clean makes one line without control codes of what a controller or a cluster's
// manifest said, and without the signs that turn the direction of what follows:
// with them a text shows as another one.
func Clean(s string) string {
	s = ansi.Strip(s)
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return r <= ' ' || r == 0x7f || r >= 0x80 && (r < 0xa0 || unicode.Is(unicode.Bidi_Control, r))
	}), " ")
}

// Wrap breaks s between words into lines of width cells at most. A name with
// hyphens is a word: it is there to be copied. Longer words are broken.
func Wrap(s string, width int) []string {
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

// Clock is a time as people read it: 6:12, 1:02:03.
func Clock(d time.Duration) string {
	s := int64(d.Round(time.Second) / time.Second)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// Stamp is a time in columns that sort: +02:14.500, +1:02:14.500.
func Stamp(d time.Duration) string {
	ms := d.Milliseconds()
	s := ms / 1000
	if s >= 3600 {
		return fmt.Sprintf("+%d:%02d:%02d.%03d", s/3600, s/60%60, s%60, ms%1000)
	}
	return fmt.Sprintf("+%02d:%02d.%03d", s/60, s%60, ms%1000)
}

// NameOf is how a goal is called in a column of goals.
func NameOf(a resource.Addr) string {
	name := a.Name
	if a.Namespace != "" {
		name = a.Namespace + "/" + a.Name
	}
	if a.Supervisor != "" {
		name += "@" + a.Supervisor
	}
	return Clean(name)
}

// IsNamespace says whether a goal is a vSphere Namespace.
func IsNamespace(a resource.Addr) bool { return a.Kind == resource.KindVSphereNamespace }

// GoalWord is what a goal is called once it is reached.
func GoalWord(g phase.Goal) string {
	switch {
	case g.Verb == "delete":
		return "gone"
	case g.Verb == "none":
		return "no change"
	case IsNamespace(g.Addr):
		return "RUNNING"
	}
	return "Available"
}

// StateWord is a row's state in a word, and where it is not going on, its phase.
func StateWord(r journal.Row) string {
	switch r.State {
	case phase.Done:
		return GoalWord(r.Goal)
	case phase.Blocked, phase.Failed:
		return string(r.State) + " " + string(r.Current)
	case phase.Running:
		if r.Removing() {
			return "removing"
		}
	}
	return string(r.State)
}

// Count is a number with separators: 12,345.
func Count(n int) string {
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

// Plural is "1 cluster", "2 clusters".
func Plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return Count(n) + " " + what + "s"
}

// Short abbreviates a full hash.
func Short(revision string) string {
	if len(revision) == 40 && !strings.Contains(revision, " ") {
		return revision[:10]
	}
	return revision
}
