package dashboard

import (
	"strings"
	"unicode"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vksync/vksync/tui/paint"
)

// A filter is what is typed after "/": words that all have to be found.
type filter struct {
	text   []rune
	typing bool
}

// filterCap bounds what can be typed, in characters.
const filterCap = 200

var filterKey = key.NewBinding(key.WithKeys("/"), key.WithHelp("/", "filter"))

// press takes keys while something is typed, and begins with "/". Esc takes the
// filter away, enter keeps it.
func (f *filter) press(k tea.KeyPressMsg) bool {
	name := k.String()
	switch {
	case !f.typing && key.Matches(k, filterKey):
		f.typing = true
	case !f.typing && name == "esc" && len(f.text) > 0:
		f.text = nil
	case !f.typing || name == "ctrl+c":
		return false
	case name == "esc":
		f.text, f.typing = nil, false
	case name == "enter":
		f.typing = false
	case name == "backspace":
		f.text = f.text[:max(0, len(f.text)-1)]
	case name == "ctrl+u":
		f.text = nil
	case name == "ctrl+w":
		f.text = f.text[:wordStart(f.text)]
	case k.Text != "":
		printable := strings.Map(func(r rune) rune {
			if unicode.IsPrint(r) {
				return r
			}
			return -1
		}, k.Text)
		f.text = append(f.text, []rune(printable)...)
		f.text = f.text[:min(len(f.text), filterCap)]
	}
	return true
}

// wordStart is where the last word begins.
func wordStart(text []rune) int {
	at := len(text)
	for at > 0 && text[at-1] == ' ' {
		at--
	}
	for at > 0 && text[at-1] != ' ' {
		at--
	}
	return at
}

// words are what has to be found, in lower case; none is everything.
func (f *filter) words() []string { return strings.Fields(strings.ToLower(string(f.text))) }

// line is what is typed, for the bottom of the screen.
func (f *filter) line(t paint.Theme) (string, bool) {
	if !f.typing {
		return "", false
	}
	return t.Bold("", "/") + string(f.text) + t.Reverse(" "), true
}

// matches says whether every word is in one of the texts, which are in lower case.
func matches(words []string, texts ...string) bool {
	for _, w := range words {
		found := false
		for _, t := range texts {
			found = found || strings.Contains(t, w)
		}
		if !found {
			return false
		}
	}
	return true
}
