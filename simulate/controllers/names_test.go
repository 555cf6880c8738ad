package controllers

import (
	"regexp"
	"strings"
	"testing"
)

func TestSuffixesAreOfTheVowelFreeAlphabetAndFiveLong(t *testing.T) {
	t.Parallel()
	want := regexp.MustCompile(`^[bcdfghjklmnpqrstvwxz2456789]{5}$`)
	seen := map[string]bool{}
	for i := range 2000 {
		s := Chance(7).Suffix("Machine", "ns", strings.Repeat("x", i%50), string(rune('a'+i%26)))
		if !want.MatchString(s) {
			t.Fatalf("suffix %q does not match %s", s, want)
		}
		seen[s] = true
	}
	if len(seen) < 600 {
		t.Errorf("2000 draws over 650 questions gave only %d suffixes", len(seen))
	}
}

func TestADrawDependsOnSeedAndQuestionOnly(t *testing.T) {
	t.Parallel()
	c := Chance(1)
	first := c.UUID("vm", "a")
	c.UUID("vm", "b")
	if again := c.UUID("vm", "a"); again != first {
		t.Errorf("the same question gave %s and then %s", first, again)
	}
	if other := Chance(2).UUID("vm", "a"); other == first {
		t.Errorf("seeds 1 and 2 both gave %s", first)
	}
	if c.UUID("ab", "c") == c.UUID("a", "bc") {
		t.Error("parts of a question run into each other")
	}
	if want := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`); !want.MatchString(first) {
		t.Errorf("%s is not a version 4 UUID", first)
	}
}

func TestGeneratedNamesAreCutToSixtyThree(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ base, want string }{
		{"prod-", "prod-abcde"},
		{strings.Repeat("x", 58), strings.Repeat("x", 58) + "abcde"},
		{strings.Repeat("x", 70) + "-", strings.Repeat("x", 58) + "abcde"},
	} {
		if got := generatedName(c.base, "abcde"); got != c.want {
			t.Errorf("generatedName(%q) = %q, want %q", c.base, got, c.want)
		}
	}
}

func TestLongLabelValuesAreHashed(t *testing.T) {
	t.Parallel()
	if got := labelValue("short"); got != "short" {
		t.Errorf("labelValue(short) = %q", got)
	}
	got := labelValue(strings.Repeat("x", 64))
	if !strings.HasPrefix(got, "hash_") || !strings.HasSuffix(got, "_z") || len(got) > maxNameLength {
		t.Errorf("labelValue of 64 characters = %q, want hash_..._z", got)
	}
}

func TestTriangleStaysWithinItsEndsAndAroundItsMode(t *testing.T) {
	t.Parallel()
	for step, tri := range DefaultLatencies {
		if low, high := tri.at(0), tri.at(0.999999); low < tri.Min || high > tri.Max {
			t.Errorf("%s: draws go from %s to %s, outside %s to %s", step, low, high, tri.Min, tri.Max)
		}
		share := float64(tri.Mode-tri.Min) / float64(tri.Max-tri.Min)
		if got := tri.at(share); got < tri.Mode-tri.Mode/1000 || got > tri.Mode+tri.Mode/1000 {
			t.Errorf("%s: the share below the mode gives %s, want the mode %s", step, got, tri.Mode)
		}
	}
}
