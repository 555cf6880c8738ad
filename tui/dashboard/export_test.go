package dashboard

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/vksync/vksync/tui/paint"
)

// exported presses e and returns what the user is told.
func exported(t *testing.T, m *Model) notice {
	t.Helper()
	_, cmd := m.Update(keyOf("e"))
	if cmd == nil {
		t.Fatal("e does nothing")
	}
	told, ok := cmd().(notice)
	if !ok {
		t.Fatal("e tells nothing")
	}
	m.Update(told)
	return told
}

func TestExport(t *testing.T) {
	t.Parallel()
	for _, light := range []bool{false, true} {
		dir := t.TempDir()
		m, _ := opened(t, paint.Options{Color: true, Light: light}, 100, 24, example(t, "fleet", 6*time.Minute))
		m.Exports = dir
		press(t, m, "down")
		screen := m.Screen()
		told := exported(t, m)
		name := "vksync-fleet-20260101-010000"
		if want := "wrote " + filepath.Join(dir, name) + ".txt and .svg"; told.text != want || told.bad {
			t.Errorf("it tells %q, want %q", told.text, want)
		}
		text, svg := file(t, dir, name+".txt"), file(t, dir, name+".svg")
		if want := ansi.Strip(screen) + "\n"; text != want {
			t.Errorf("the text is not the screen:\n%s\nwant\n%s", text, want)
		}
		if !strings.Contains(svg, "<title>vksync Fleet</title>") || !strings.Contains(svg, "shop-us-east") {
			t.Errorf("the picture is not of the screen:\n%.500s", svg)
		}
		if dark := strings.Contains(svg, `fill="#12161c"`); dark == light {
			t.Errorf("light %t: the picture is dark: %t", light, dark)
		}
	}
}

func TestExportNeverOverwrites(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	m, _ := opened(t, paint.Options{}, 80, 24, example(t, "fleet", 6*time.Minute))
	m.Exports = dir
	kept := filepath.Join(dir, "vksync-fleet-20260101-010000.svg")
	if err := os.WriteFile(kept, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range exportTries - 1 { // the name without a number is taken
		if told := exported(t, m); told.bad {
			t.Fatal(told.text)
		}
	}
	if told := exported(t, m); !told.bad || !strings.Contains(told.text, "exists") {
		t.Errorf("after %d exports in one second it tells %q", exportTries-1, told.text)
	}
	if got := file(t, dir, filepath.Base(kept)); got != "mine" {
		t.Errorf("what was there is %q now", got)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2*exportTries-1 {
		t.Errorf("%d files, %v; want the one of before and two for each export", len(entries), err)
	}
}

func TestExportSaysWhyNot(t *testing.T) {
	t.Parallel()
	m, _ := opened(t, paint.Options{}, 200, 24, example(t, "fleet", 6*time.Minute))
	m.Exports = filepath.Join(t.TempDir(), "none")
	told := exported(t, m)
	if !told.bad || !strings.HasPrefix(told.text, "not exported: ") || !strings.Contains(told.text, "no such file or directory") {
		t.Errorf("it tells %q", told.text)
	}
	if !strings.Contains(m.Screen(), "not exported: ") {
		t.Errorf("the screen does not say it:\n%s", m.Screen())
	}
}

func file(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
