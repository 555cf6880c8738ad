package report

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/vksync/vksync/reconcile/phase"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/tui/paint"
)

// sayCap is how many bytes of one text are shown.
const sayCap = 4000

// say is foreign text fit for a page: one line without control codes, without
// marks that change the direction of what follows, without credentials in URLs,
// and no longer than a person reads. Markup is escaped by the templates.
func say(s string) string {
	s = strings.ToValidUTF8(s, string(unicode.ReplacementChar))
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Bidi_Control, r) || noncharacter(r) {
			return -1
		}
		return r
	}, s)
	s = resource.Redact(paint.Clean(s))
	if len(s) <= sayCap {
		return s
	}
	end := sayCap
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "… (" + paint.Count(len(s)-end) + " bytes more)"
}

// noncharacter reports code points that no text has (Unicode 23.7).
func noncharacter(r rune) bool { return r&0xfffe == 0xfffe || r >= 0xfdd0 && r <= 0xfdef }

// clock is a time as people read it, a dash for what has not come.
func clock(d time.Duration) string {
	if d == phase.NotYet {
		return "–"
	}
	return paint.Clock(d)
}

// later is how much later than expected something was: "+0:12", "−0:05", "±0:00".
func later(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d > 0:
		return "+" + paint.Clock(d)
	case d < 0:
		return "−" + paint.Clock(-d)
	}
	return "±0:00"
}
