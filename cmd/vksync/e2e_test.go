package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/gitsource/gittest"
	"github.com/vksync/vksync/reconcile"
)

// oneCluster are the files of a vSphere Namespace with a cluster in it.
func oneCluster(workers int) map[string]string {
	return map[string]string{"team.yaml": namespaces(1, 1, workers)[0]}
}

// loop is the one loop of a process.
func (p *process) loop(t testing.TB) (l reconcile.LoopStatus) {
	t.Helper()
	eventually(t, "a status", func() bool {
		s := p.status(t)
		if len(s.Loops) == 1 {
			l = s.Loops[0]
		}
		return len(s.Loops) == 1
	})
	return l
}

// A push to a bare repository is planned within a second, whatever is under way.
// The best of some counts: the machine may have other things to do.
func TestAPushIsPlannedWithinASecond(t *testing.T) {
	t.Parallel()
	w, repo := newLiveWorld(t), gittest.New(t)
	repo.Push(t, map[string]string{"README.md": "nothing yet"})
	p := w.runDaemon(t, repo.Bare)
	eventually(t, "a first revision", func() bool { return p.loop(t).Revision != "" })
	var took []time.Duration
	for len(took) < 3 || len(took) < 12 && slices.Min(took) > time.Second {
		revision := repo.Push(t, oneCluster(2+len(took)))
		pushed := time.Now()
		eventually(t, "a plan of the push", func() bool { return p.loop(t).Revision == revision })
		if took = append(took, time.Since(pushed)); len(took) == 3 {
			p.synced(t, revision)
		}
	}
	t.Logf("pushes were planned after %s", took)
	if best := slices.Min(took); best > time.Second {
		t.Errorf("the first of %d pushes to be planned took %s, want less than a second", len(took), best)
	}
	p.stop(t)
}

// config writes a configuration of the world with one source, whose fields but
// its name are given, and returns the file.
func (w *liveWorld) config(t testing.TB, source string) string {
	t.Helper()
	dir := t.TempDir()
	kubeconfig, err := w.Kubeconfig()
	if err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf(`apiVersion: vksync.dev/v1alpha1
kind: Config
supervisors:
- name: lab
  vcenter: {url: %q, username: %q, password: {file: password}, caFile: ca.pem}
  kubernetes: {kubeconfig: kubeconfig}
server: {address: "127.0.0.1:0"}
leaderElection: {namespace: default, disabled: true}
sources:
- name: fleet
  %s
`, w.VCenterURL(), w.User, strings.ReplaceAll(strings.TrimSpace(source), "\n", "\n  "))
	for name, text := range map[string]string{"config.yaml": config, "password": w.Password, "ca.pem": string(w.CA), "kubeconfig": string(kubeconfig)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "config.yaml")
}

// approveCommand is what the log offers to approve a plan with.
var approveCommand = regexp.MustCompile(`msg="a plan is held" .*approve="([^"]+)"`)

// kubectl runs a command line that begins with kubectl.
func (w *liveWorld) kubectl(t testing.TB, line string) string {
	t.Helper()
	tools, err := filepath.Abs(filepath.Join("..", "..", "bin", "tools"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(tools, "kubectl")); err != nil {
		t.Fatal("kubectl was not built for the tests: run 'make tools' first")
	}
	c := exec.CommandContext(t.Context(), "sh", "-c", line)
	c.Env = append(slices.Clone(w.env), "PATH="+tools+string(os.PathListSeparator)+os.Getenv("PATH"))
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
	return string(out)
}

// Who has to approve finds the plan and the command in the log, and what was
// approved is done, and nothing that was not.
func TestWhatAnOperatorApprovesIsDone(t *testing.T) {
	t.Parallel()
	w, repo := newLiveWorld(t), gittest.New(t)
	first := repo.Push(t, oneCluster(2))
	p := w.startDaemon(t, "--config="+w.config(t, fmt.Sprintf("url: %q\npolicy: {mode: approval}", repo.Bare)))
	waits := func(revision string) {
		t.Helper()
		eventually(t, "a plan that waits for approval", func() bool {
			l := p.loop(t)
			return l.State == reconcile.Held && l.Revision == revision
		})
	}
	approve := func() {
		t.Helper()
		digest, command := p.loop(t).Digest, ""
		eventually(t, "the command that approves", func() bool {
			for _, found := range approveCommand.FindAllStringSubmatch(p.text(), -1) {
				command = found[1]
			}
			return strings.HasSuffix(command, "="+digest)
		})
		if shown := w.kubectl(t, "kubectl get configmap -n default vksync-fleet -o jsonpath='{.data.plan}'"); !strings.Contains(shown, "team-000") {
			t.Errorf("the ConfigMap does not show the plan:\n%s", shown)
		}
		w.kubectl(t, command)
	}
	waits(first)
	if got := w.clusters(t); len(got) > 0 {
		t.Errorf("there are clusters that nobody approved: %v", got)
	}
	approve()
	p.synced(t, first)
	before := w.outcomeOf(t)
	second := repo.Push(t, oneCluster(4)) // the old approval is not for this
	waits(second)
	if diff := cmp.Diff(before, w.outcomeOf(t)); diff != "" {
		t.Errorf("what nobody approved was done:\n%s", diff)
	}
	approve()
	p.synced(t, second)
	if after := w.outcomeOf(t); cmp.Equal(before, after) {
		t.Error("what was approved was not done")
	}
	p.stop(t)
}

// Nothing is done in a freeze window, and everything after it.
func TestNothingIsDoneInAFreezeWindow(t *testing.T) {
	t.Parallel()
	w, repo := newLiveWorld(t), gittest.New(t)
	revision := repo.Push(t, oneCluster(2))
	clock := func(d time.Duration) string { return time.Now().UTC().Add(d).Format("15:04") }
	window := func(from, to time.Duration) string {
		return "--config=" + w.config(t, fmt.Sprintf("url: %q\npolicy: {freeze: [{from: %q, to: %q, timeZone: UTC}]}", repo.Bare, clock(from), clock(to)))
	}
	p := w.startDaemon(t, window(-time.Hour, 2*time.Hour))
	eventually(t, "a plan that is held", func() bool { return p.loop(t).State == reconcile.Held })
	if l := p.loop(t); !strings.HasPrefix(l.Hold, "frozen until 2") || l.Summary.Create != 2 {
		t.Errorf("the loop is %q with %+v, want it frozen with 2 to create", l.Hold, l.Summary)
	}
	if strings.Contains(p.text(), "approve=") {
		t.Error("the log offers an approval, which does not help")
	}
	p.stop(t)
	if got := w.clusters(t); len(got) > 0 {
		t.Errorf("there are clusters in spite of the window: %v", got)
	}
	p = w.startDaemon(t, window(2*time.Hour, 4*time.Hour))
	p.synced(t, revision)
	p.stop(t)
}
