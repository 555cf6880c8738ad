package schema

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
)

// The kernel holds the child to its limits, and it knows nothing of this process.
func TestChildIsRestricted(t *testing.T) {
	t.Setenv("VKSYNC_CANARY", "hunter2")
	c := startedChild(t, limits{memoryBytes: MinMemory})
	if _, died := c.evaluate(t.Context(), unit{file: "a.yaml"}, []byte(goodNamespace), true, nil, maxStart); died != nil {
		t.Fatalf("%+v", died)
	}
	proc := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", c.pid, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if got := proc("environ"); got != fmt.Sprintf("GOTRACEBACK=none\x00GOMAXPROCS=%d\x00MALLOC_ARENA_MAX=1\x00", runtime.GOMAXPROCS(0)) {
		t.Errorf("the environment is %q", got)
	}
	if got := strings.Split(strings.TrimSuffix(proc("cmdline"), "\x00"), "\x00"); len(got) != 2 || got[0] != "vksync" || got[1] != "evaluate" {
		t.Errorf("it is called %q", got)
	}
	held := proc("limits")
	for _, want := range []string{`Max open files +3 +3 `, `Max file size +0 +0 `, `Max core file size +0 +0 `} {
		if !regexp.MustCompile(want).MatchString(held) {
			t.Errorf("the limits have no %q:\n%s", want, held)
		}
	}
	if regexp.MustCompile(`Max address space +unlimited`).MatchString(held) {
		t.Errorf("the address space has no limit:\n%s", held)
	}
	group := strings.Fields(proc("stat"))
	if group[4] != fmt.Sprint(c.pid) {
		t.Errorf("its process group is %s, want its own", group[4])
	}
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", c.pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range open {
		if to, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", c.pid, fd.Name())); err != nil || !strings.HasPrefix(to, "pipe:") && !strings.HasPrefix(to, "anon_inode:") {
			t.Errorf("it has %s open as %s (%v)", to, fd.Name(), err)
		}
	}
}

// What a process is promised does not depend on where its heap happens to begin, nor
// on how many threads it has.
func TestASmallFileIsEvaluatedInTheLeastMemory(t *testing.T) {
	t.Parallel()
	files := &recording{view: newView(fstest.MapFS{}, nil)}
	for range 60 {
		c := startedChild(t, limits{memoryBytes: MinMemory})
		if _, died := c.evaluate(t.Context(), unit{file: "a.cue"}, []byte("import \"list\"\nx: list.Range(0, 100, 1)\n"), true, files, maxStart); died != nil {
			t.Errorf("%.500s", died.said)
		}
		c.close()
	}
}
