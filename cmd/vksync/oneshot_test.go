package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// oneShot runs a command that ends by itself, and returns what it printed.
func (w *liveWorld) oneShot(t *testing.T, args ...string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), self)
	c.Args, c.Env = append([]string{"vksync"}, args...), w.env
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("vksync %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// A configuration for the daemon serves for one-shot commands too: the chosen
// Supervisor gets what the repository has for it, and nothing of the others'.
func TestOneShotCommandsTakeTheConfiguration(t *testing.T) {
	t.Parallel()
	w := newLiveWorld(t)
	dir := t.TempDir()
	variable := func(name string) string {
		for _, v := range w.env {
			if value, ok := strings.CutPrefix(v, name+"="); ok {
				return value
			}
		}
		return ""
	}
	lab := fmt.Sprintf("vcenter: {url: %q, username: {env: GOVC_USERNAME}, password: {env: GOVC_PASSWORD}, caFile: %q}\n  kubernetes: {kubeconfig: %q}",
		variable("GOVC_URL"), variable("GOVC_TLS_CA_CERTS"), variable("KUBECONFIG"))
	for name, text := range map[string]string{
		"vksync.yaml": "apiVersion: vksync.dev/v1alpha1\nkind: Config\nsupervisors:\n- name: lab\n  " + lab + `
- name: edge
  vcenter: {url: "https://127.0.0.1:1", username: ada, password: {env: NOT_SET}}
  kubernetes: {kubeconfig: none}
`,
		"fleet/a.yaml": "apiVersion: vksync.dev/v1alpha1\nkind: VSphereNamespace\nmetadata: {name: team-a}\nspec: {supervisor: lab}\n",
		"fleet/b.yaml": "apiVersion: vksync.dev/v1alpha1\nkind: VSphereNamespace\nmetadata: {name: team-b}\nspec: {supervisor: edge}\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	fleet, config, saved := filepath.Join(dir, "fleet"), filepath.Join(dir, "vksync.yaml"), filepath.Join(dir, "friday.plan")
	planned := w.oneShot(t, "plan", fleet, "--config", config, "--supervisor", "lab", "--out", saved)
	if !strings.Contains(planned, "team-a") || strings.Contains(planned, "team-b") || !strings.Contains(planned, "LIVE: ") {
		t.Errorf("planned:\n%s", planned)
	}
	w.oneShot(t, "apply", saved, "--config", config, "--supervisor", "lab")
	if again := w.oneShot(t, "apply", fleet, "--config", config, "--supervisor", "lab", "--yes"); !strings.Contains(again, "team-a") || strings.Contains(again, "create") {
		t.Errorf("applied again:\n%s", again)
	}
}
