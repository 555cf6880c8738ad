package main

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vksync/vksync/reconcile"
)

// Secrets are wherever secrets can be, and every server repeats what it is sent.
// None of them is in anything that the daemon says or writes.
func TestTheDaemonKeepsSecrets(t *testing.T) {
	t.Parallel()
	p := newPlantation(t)
	mirrors := filepath.Join(p.dir, "mirrors")
	p.repo.Push(t, secretive(2))
	daemon := p.startDaemon(t, "--config="+p.config, "--mirror="+mirrors, "--verbose", "--log-format=text")

	p.supervisor.when(func(r *http.Request) int { // what is applied is repeated
		if r.Method == http.MethodPatch && strings.Contains(r.URL.Path, "/clusters/") && !r.URL.Query().Has("dryRun") {
			return http.StatusUnprocessableEntity
		}
		return 0
	})
	p.approve(t, daemon)
	eventually(t, "an action that failed", func() bool { return strings.Contains(daemon.text(), "action failed") })
	daemon.told(t)
	p.supervisor.when(func(*http.Request) int { return 0 })
	p.repo.Push(t, secretive(4)) // which is tried at once
	p.approve(t, daemon)
	p.inSync(t, daemon)

	p.plant(t)
	eventually(t, "drift", func() bool { return len(daemon.loopOf(t, "fleet").Drift) > 0 })
	daemon.told(t)
	p.approve(t, daemon)
	p.inSync(t, daemon)
	for _, token := range []string{"", canary("wrong-token"), canary("server-token")} {
		_, text := daemon.ask(t, "/api/v1/events?source=fleet", token)
		silent(t, "the events", text)
	}

	failing := func(source string) func() bool {
		return func() bool { return daemon.loopOf(t, source).Error != "" }
	}
	for _, e := range []*echo{p.vcenter, p.supervisor} {
		n := e.echoed.Load()
		e.when(e.inTurn)
		eventually(t, "a loop that fails", func() bool { return e.echoed.Load() > n+3 && failing("fleet")() })
		daemon.told(t)
		e.when(func(*http.Request) int { return 0 })
		p.inSync(t, daemon)
	}
	n := p.git.echoed.Load()
	p.git.when(func(*http.Request) int { return http.StatusInternalServerError })
	eventually(t, "Git that is down", func() bool { return p.git.echoed.Load() > n && strings.Contains(daemon.text(), "source fleet: ") })
	daemon.told(t)
	p.hook(t, daemon)
	daemon.stop(t)
	silent(t, "the log", daemon.text())
	if !strings.Contains(daemon.text(), "https://(hidden)") {
		t.Error("nothing that was repeated is in the log, so nothing was put to the test")
	}

	// From the start, with logins that are repeated.
	p.vcenter.when(logins)
	daemon = p.startDaemon(t, "--config="+p.config, "--mirror="+mirrors, "-v", "--log-format=json")
	eventually(t, "a loop that fails", failing("fleet"))
	daemon.told(t)
	daemon.stop(t)
	silent(t, "the log as JSON", daemon.text())
	if !strings.Contains(daemon.text(), "https://(hidden)") {
		t.Error("no login was repeated")
	}

	for _, kind := range []schema.GroupVersionResource{coreMaps, coreEvents, {Group: "coordination.k8s.io", Version: "v1", Resource: "leases"}} {
		list, err := p.kube(t).Resource(kind).List(t.Context(), metav1.ListOptions{})
		if err != nil || len(list.Items) == 0 {
			t.Fatalf("%d %s, %v", len(list.Items), kind.Resource, err)
		}
		for _, o := range list.Items {
			if o.GetName() != planted {
				silent(t, "the "+kind.Resource+" "+o.GetName(), fmt.Sprint(o.Object))
			}
		}
	}
	p.keepsToItself(t, mirrors)
}

// inSync waits until the daemon has nothing to do for the fleet.
func (p *plantation) inSync(t *testing.T, daemon *process) {
	t.Helper()
	eventually(t, "in sync", func() bool {
		l := daemon.loopOf(t, "fleet")
		return l.State == reconcile.InSync && l.Error == ""
	})
}

// hook tells of a push with signatures that are wrong.
func (p *plantation) hook(t *testing.T, daemon *process) {
	t.Helper()
	for _, signature := range []string{"", "sha256=" + canary("signature")} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, daemon.url+"/webhook/fleet", strings.NewReader(canary("body")))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Hub-Signature-256", signature)
		r.Header.Set("X-GitHub-Event", "push")
		answer, err := http.DefaultClient.Do(r)
		if err != nil || answer.StatusCode < http.StatusBadRequest {
			t.Fatalf("the webhook answered %v, %v", answer, err)
		}
		if err := answer.Body.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// keepsToItself looks at what the daemon keeps of repositories: that holds what
// manifests hold, by design, which nobody else may read, and no credentials.
func (p *plantation) keepsToItself(t *testing.T, mirrors string) {
	t.Helper()
	ours := []string{"team.yaml's", canary("runbook"), canary("annotation"), canary("hash"), canary("ssh"), canary("proxy")}
	files := snapshotOf(t, mirrors)
	if _, is := files[filepath.Join(mirrors, "fleet.evaluated")]; !is {
		t.Errorf("no cache of evaluations among %v", slices.Sorted(maps.Keys(files)))
	}
	for file, text := range files {
		for _, secret := range ours {
			text = strings.ReplaceAll(text, secret, "")
		}
		silent(t, file, text)
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Dir(file) == mirrors && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s may be read by others: %s", file, info.Mode())
		}
	}
}

// The commands for people keep secrets as well, also in the files they write.
func TestTheCommandsKeepSecrets(t *testing.T) {
	t.Parallel()
	p := newPlantation(t)
	fleet, out := t.TempDir(), t.TempDir()
	for name, text := range secretive(2) {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(fleet, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(fleet, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(wants string, args ...string) {
		t.Helper()
		text := p.command(t, args...)
		silent(t, strings.Join(args, " "), text)
		if !strings.Contains(text, wants) {
			t.Errorf("%s does not say %q:\n%s", strings.Join(args, " "), wants, text)
		}
	}
	saved := filepath.Join(out, "plan")
	run("(hidden)", "plan", fleet, "--live", "--out", saved)
	refuse := func(echoes *echo, code int) {
		echoes.when(func(r *http.Request) int {
			if echoes == p.supervisor && (r.Method != http.MethodPatch || r.URL.Query().Has("dryRun")) {
				return 0
			}
			return code
		})
	}
	refuse(p.supervisor, http.StatusUnprocessableEntity)
	run("(hidden)", "apply", fleet, "--yes", "--journal", filepath.Join(out, "refused"), "--timeout", "5s")
	refuse(p.supervisor, 0)
	run("", "plan", fleet, "--live", "--out", saved+"2")
	run("reached", "apply", saved+"2", "-o", "json", "--journal", filepath.Join(out, "applied"))
	p.plant(t)
	run("(hidden)", "plan", fleet, "--live", "-o", "json")
	run("(hidden)", "plan", fleet, "--live")
	for _, code := range []int{http.StatusUnauthorized, http.StatusBadRequest} {
		refuse(p.vcenter, code)
		run("vksync: ", "plan", fleet, "--live")
	}
	p.vcenter.when(logins)
	run("https://(hidden)", "plan", fleet, "--live")
	refuse(p.vcenter, 0)
	p.supervisor.when(func(*http.Request) int { return http.StatusForbidden })
	run("vksync: ", "apply", fleet, "--yes")
	for _, form := range []string{"html", "svg", "text"} {
		run("", "report", filepath.Join(out, "refused"), "--format", form, "--out", filepath.Join(out, "refused."+form))
	}
	run("(hidden)", "report", filepath.Join(out, "refused"))
	files := snapshotOf(t, out)
	if len(files) < 7 {
		t.Errorf("only %v is written", slices.Sorted(maps.Keys(files)))
	}
	for file, text := range files {
		silent(t, file, text)
	}
}

// command runs vksync and returns all that it prints.
func (w *liveWorld) command(t *testing.T, args ...string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), self)
	c.Args, c.Env = append([]string{"vksync"}, args...), w.env
	text, _ := c.CombinedOutput() // what it says counts, not whether it is well
	return string(text)
}
