package vsphere

import (
	"strings"
	"testing"
)

func TestADescriptionCarriesTheSource(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ plain, source, stored string }{
		{"", "", ""},
		{"", "fleet", "[vksync.dev/source=fleet]"},
		{"Team A", "fleet", "Team A [vksync.dev/source=fleet]"},
		{"Team A", "", "Team A"},
		{"[prod] a=b", "a.b_c-1", "[prod] a=b [vksync.dev/source=a.b_c-1]"},
		{"two\nlines", strings.Repeat("x", 63), "two\nlines [vksync.dev/source=" + strings.Repeat("x", 63) + "]"},
	} {
		if got := marked(test.plain, test.source); got != test.stored {
			t.Errorf("marked(%q, %q) is %q, want %q", test.plain, test.source, got, test.stored)
		}
		if plain, source := unmarked(test.stored); plain != test.plain || source != test.source {
			t.Errorf("unmarked(%q) is %q, %q", test.stored, plain, source)
		}
		if again := marked(test.stored, test.source); again != test.stored {
			t.Errorf("marking %q again gives %q", test.stored, again)
		}
	}
}

// What only looks like the mark is part of what a person wrote.
func TestWhatIsNoMarkStaysInTheDescription(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"[vksync.dev/source=]", "[vksync.dev/source=a b]", "[vksync.dev/source=a] and more", "vksync.dev/source=a", "[vksync.dev/source=-]"} {
		if plain, source := unmarked(text); plain != text || source != "" {
			t.Errorf("unmarked(%q) is %q, %q", text, plain, source)
		}
	}
}
