package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/vksync/vksync/gitsource/gittest"
	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/resource"
)

// What the processes may take: the daemon that has a fleet of one cluster, and a
// process that evaluates with the memory it is given.
const (
	daemonMemory   = 400 << 20
	evaluateMemory = 128 << 20
	processMemory  = 128 << 20 // that any process needs besides, with what is left of its first arena
)

// One hostile revision after the other is pushed: each costs its errors and
// nothing else.
func TestTheDaemonWithstandsAHostileRepository(t *testing.T) {
	t.Parallel()
	w, repo := newLiveWorld(t), rawRepo{gittest.New(t)}
	dir := t.TempDir()
	outside, temp, mirrors := filepath.Join(dir, "victim"), filepath.Join(dir, "tmp"), filepath.Join(dir, "mirrors")
	for _, d := range []string{outside, temp, mirrors} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(outside, "passwd"), []byte("OUTSIDE: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.env = append(w.env, "HOME="+outside, "TMPDIR="+temp)
	before := snapshotOf(t, outside)

	good := map[string]string{"team.yaml": namespaces(1, 1, 2)[0]}
	p := w.runDaemon(t, repo.Bare, "--prune", "--mirror="+mirrors, "--evaluate-timeout=5s", fmt.Sprintf("--evaluate-memory=%d", evaluateMemory))
	p.synced(t, repo.Push(t, good))
	watch := watchMemory(t, p)
	drifts := w.meddle(t)
	check := func(h hostile) {
		t.Helper()
		served, logged := p.status(t).Sources[0].Revision, p.complaints()
		var more []treeEntry
		if h.tree != nil {
			more = h.tree(t, repo)
		}
		files := map[string]string{}
		for _, of := range []map[string]string{good, h.files} {
			for name, text := range of {
				files[name] = text
			}
		}
		hash := repo.commitFiles(t, files, more...)
		var errs []string
		eventually(t, "refused: "+h.name, func() bool {
			errs = refusals(p.status(t), hash)
			return len(errs) > 0
		})
		one(t, "in the status of "+h.name, errs, h.wants)
		eventually(t, "logged: "+h.name, func() bool { return len(p.complaints()) >= len(logged)+len(h.wants) })
		one(t, "in the log of "+h.name, p.complaints()[len(logged):], h.wants)
		if s := p.status(t); s.Sources[0].Revision != served || s.Loops[0].State == reconcile.Failing {
			t.Errorf("%s: revision %s is served, want %s; %s", h.name, s.Sources[0].Revision, served, s.Loops[0].Error)
		}
	}
	for _, h := range refusedByGit(filepath.Join(outside, "passwd")) {
		check(h)
	}
	// What a commit says of itself may be shown, and acts on no terminal.
	rude := repo.commitRaw(t, repo.treeOf(t, treeEntry{name: "team.yaml", hash: repo.blob(t, good["team.yaml"])}),
		"\x1b]0;owned\a M\u202eallory\xff <m\x1b[2J@example.com>", "\x1b[2Jlevel=ERROR msg=\"faked\"\u2028\xff")
	p.serves(t, rude)
	for _, h := range refusedByEvaluation(filepath.Join(outside, "owned")) {
		check(h)
	}
	if n := drifts(); n < 2 {
		t.Errorf("only %d times was drift corrected in the meantime", n)
	}

	good["team.yaml"] = strings.Replace(good["team.yaml"], "replicas: 1\n", "replicas: 3\n", 1)
	last := repo.commitFiles(t, good)
	p.serves(t, last)
	p.synced(t, last)
	if s := p.status(t).Sources[0]; s.Error != "" || s.Invalid != nil {
		t.Errorf("errors are left behind: %q, %v", s.Error, s.Invalid)
	}
	daemon, evaluators := watch()
	t.Logf("the daemon took %d MiB at most, a process that evaluates %d MiB", daemon>>20, evaluators>>20)
	if daemon > daemonMemory || evaluators > evaluateMemory+processMemory {
		t.Errorf("the daemon took %d MiB, and a process that evaluates %d MiB", daemon>>20, evaluators>>20)
	}
	p.stop(t)
	// What was evaluated is known to the next process, which starts none for it.
	again := w.runDaemon(t, repo.Bare, "--mirror="+mirrors)
	again.synced(t, last)
	if pids := childrenOf(again.cmd.Process.Pid); len(pids) > 0 {
		t.Errorf("after a restart it evaluates again: %v", pids)
	}
	again.stop(t)
	if text := p.text(); strings.ContainsFunc(strings.ReplaceAll(text, "\n", ""), func(r rune) bool { return !unicode.IsPrint(r) }) || strings.Contains(text, "OUTSIDE") {
		t.Error("the log would act upon a terminal, or shows files of the host")
	}
	if diff := cmp.Diff(before, snapshotOf(t, outside)); diff != "" {
		t.Errorf("files outside (-before +after):\n%s", diff)
	}
	if left := snapshotOf(t, temp); len(left) != 1 {
		t.Errorf("temporary files are left: %d", len(left)-1)
	}
	for file := range snapshotOf(t, mirrors) {
		if file != mirrors && file != filepath.Join(mirrors, "default.evaluated") {
			t.Errorf("%s is left beside the mirror", file)
		}
	}
}

// serves waits until a revision is served.
func (p *process) serves(t *testing.T, revision string) {
	t.Helper()
	eventually(t, "serving "+revision, func() bool { return p.status(t).Sources[0].Revision == revision })
}

// refusals are the errors about a commit; none while it is not judged.
func refusals(s reconcile.Status, hash string) []string {
	if len(s.Sources) == 0 {
		return nil
	}
	source := s.Sources[0]
	if strings.Contains(source.Error, hash[:12]) {
		return []string{source.Error}
	}
	if source.Invalid != nil && source.Invalid.Revision == hash {
		return source.Invalid.Problems
	}
	return nil
}

// one fails unless there is one error of each thing.
func one(t *testing.T, where string, got, wants []string) {
	t.Helper()
	if len(got) != len(wants) {
		t.Errorf("%s are %d errors, want %d: %.2000q", where, len(got), len(wants), got)
	}
	for _, want := range wants {
		found := 0
		for _, text := range got {
			if strings.Contains(text, want) {
				found++
			}
		}
		if found != 1 {
			t.Errorf("%s are %d errors that say %q, want one: %.2000q", where, found, want, got)
		}
	}
}

// complaints are the lines of the log about revisions and repositories.
func (p *process) complaints() []string {
	var out []string
	for line := range strings.Lines(p.text()) {
		if (strings.Contains(line, "level=ERROR") || strings.Contains(line, "level=WARN")) && strings.Contains(line, " source=default ") && !strings.Contains(line, "supervisor=") {
			_, said, _ := strings.Cut(line, " source=default ")
			if _, quoted, is := strings.Cut(said, "=\""); is {
				if unquoted, err := strconv.Unquote("\"" + strings.TrimSpace(quoted)); err == nil {
					said = unquoted
				}
			}
			out = append(out, said)
		}
	}
	return out
}

// meddle scales a cluster behind vksync's back each time it was put right, until
// the function it returns is called, which says how often it was.
func (w *liveWorld) meddle(t *testing.T) (corrected func() int) {
	t.Helper()
	clusters := w.kube(t).Resource(clusterResource).Namespace("team-000")
	replicas := func() int64 {
		o, err := clusters.Get(t.Context(), "c00000", metav1.GetOptions{})
		if err != nil {
			t.Error(err)
			return 0
		}
		return resource.Int(resource.Items(o.Object, "spec", "topology", "workers", "machineDeployments")[0], "replicas")
	}
	patch := []byte(`[{"op": "replace", "path": "/spec/topology/workers/machineDeployments/0/replicas", "value": 2}]`)
	stop, n := make(chan struct{}), 0
	var running sync.WaitGroup
	running.Go(func() {
		for {
			if _, err := clusters.Patch(t.Context(), "c00000", types.JSONPatchType, patch, metav1.PatchOptions{FieldManager: "kubectl-edit"}); err != nil {
				t.Error(err)
				return
			}
			for began := time.Now(); replicas() != 1; {
				if time.Since(began) > patience {
					t.Error("drift is not corrected")
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
			n++
			select {
			case <-stop:
				return
			case <-time.After(time.Second):
			}
		}
	})
	return func() int { close(stop); running.Wait(); return n }
}

// watchMemory looks at a process and its children until the function it returns is
// called, which says how many bytes of memory each had at most.
func watchMemory(t *testing.T, p *process) (most func() (process, children int)) {
	t.Helper()
	stop, pid := make(chan struct{}), p.cmd.Process.Pid
	var own, others int
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			own = max(own, peakOf(pid))
			for _, child := range childrenOf(pid) {
				others = max(others, peakOf(child))
			}
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	})
	return func() (int, int) {
		close(stop)
		running.Wait()
		if own == 0 || others == 0 {
			t.Error("nothing is known of the memory")
		}
		return own, others
	}
}

// childrenOf are the processes that a process has started.
func childrenOf(pid int) (children []int) {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, thread := range threads {
		pids, _ := os.ReadFile(thread) // it may have ended
		for child := range strings.FieldsSeq(string(pids)) {
			if n, err := strconv.Atoi(child); err == nil {
				children = append(children, n)
			}
		}
	}
	return children
}

// peakOf is the most memory a process was resident with; 0 if it has ended.
func peakOf(pid int) int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if size, is := strings.CutPrefix(line, "VmHWM:"); is {
			kib, _ := strconv.Atoi(strings.Fields(size)[0])
			return kib << 10
		}
	}
	return 0
}
