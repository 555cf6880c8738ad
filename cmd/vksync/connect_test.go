package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/vksync/vksync/reconcile"
)

const connectSecret = "canary-c0nnect"

// connecting is a connection with an environment of its own, and what it said.
func connecting(t *testing.T, env map[string]string, args ...string) (reconcile.Endpoints, string, error) {
	t.Helper()
	var said bytes.Buffer
	c := connection{getenv: func(name string) string { return env[name] }, stderr: &said}
	cmd := &cobra.Command{Use: "test", RunE: func(*cobra.Command, []string) error { return nil }, SilenceUsage: true, SilenceErrors: true}
	c.addFlags(cmd)
	cmd.SetArgs(args)
	if err := cmd.Execute(); err != nil {
		return reconcile.Endpoints{}, "", err
	}
	e, err := c.endpoints(t.Context())
	return e, said.String(), err
}

func withVCenter(more ...string) map[string]string {
	env := map[string]string{"GOVC_URL": "vc.example", "GOVC_USERNAME": "me", "GOVC_PASSWORD": connectSecret}
	for i := 0; i+1 < len(more); i += 2 {
		env[more[i]] = more[i+1]
	}
	return env
}

// kubeconfig writes one with two contexts, of which the first is current.
func kubeconfig(t *testing.T, user string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "config")
	text := fmt.Sprintf(`
apiVersion: v1
kind: Config
current-context: lab
clusters:
- {name: lab, cluster: {server: "https://lab.example:6443"}}
- {name: prod, cluster: {server: "https://prod.example:6443", insecure-skip-tls-verify: true}}
contexts:
- {name: lab, context: {cluster: lab, user: me}}
- {name: prod, context: {cluster: prod, user: me}}
users:
- name: me
  user: %s
`, user)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestConnectionIsWhatEnvironmentAndFlagsSay(t *testing.T) {
	t.Parallel()
	config := kubeconfig(t, "{token: "+connectSecret+"}")
	e, said, err := connecting(t, withVCenter(), "--kubeconfig", config)
	if err != nil {
		t.Fatal(err)
	}
	if e.Kube.Host != "https://lab.example:6443" || e.VSphere.URL.Host != "vc.example" || said != "" {
		t.Errorf("got %s and %s, and was told %q", e.Kube.Host, e.VSphere.URL.Host, said)
	}
	if k, v := e.KubeLink.Health().Name, e.VSphere.Link.Health().Name; k != "the Supervisor at https://lab.example:6443" || v != "the vCenter at vc.example" {
		t.Errorf("links %q and %q", k, v)
	}
	e, said, err = connecting(t, withVCenter("GOVC_INSECURE", "1"), "--kubeconfig", config, "--context", "prod")
	if err != nil || e.Kube.Host != "https://prod.example:6443" {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{
		"vksync: the certificate of the vCenter at vc.example is not verified (GOVC_INSECURE)\n",
		"vksync: the certificate of the Supervisor at https://prod.example:6443 is not verified (insecure-skip-tls-verify in the kubeconfig)\n",
	} {
		if strings.Count(said, want) != 1 {
			t.Errorf("said %q, want once %q", said, want)
		}
	}
}

// A daemon connects once for each source, and to the same endpoints.
func TestConnectionsToOneEndpointShareItsLink(t *testing.T) {
	t.Parallel()
	var said bytes.Buffer
	env := withVCenter("GOVC_INSECURE", "1")
	c := connection{getenv: func(name string) string { return env[name] }, stderr: &said, kubeconfig: kubeconfig(t, "{}"), context: "prod"}
	first, err := c.endpoints(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	second, err := c.endpoints(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if first.KubeLink != second.KubeLink || first.VSphere.Link != second.VSphere.Link || first.KubeLink == first.VSphere.Link {
		t.Error("the Links are not those of the endpoints")
	}
	if got := strings.Count(said.String(), "is not verified"); got != 2 {
		t.Errorf("said %d times that a certificate is not verified, want once for each endpoint: %s", got, said.String())
	}
}

func TestConnectionThatIsNotGivenSaysHowTo(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		env  map[string]string
		args []string
		want []string
	}{
		"nothing":             {nil, nil, []string{"no vCenter is given: set GOVC_URL", "vksync sandbox"}},
		"no password":         {map[string]string{"GOVC_URL": "vc.example", "GOVC_USERNAME": "me"}, nil, []string{"GOVC_PASSWORD is not set"}},
		"no Supervisor":       {withVCenter(), []string{"--kubeconfig", empty}, []string{"no Supervisor is given", "--kubeconfig", "--supervisor ADDRESS", "vksync sandbox"}},
		"no such kubeconfig":  {withVCenter(), []string{"--kubeconfig", empty + "x"}, []string{empty + "x"}},
		"no such context":     {withVCenter(), []string{"--kubeconfig", kubeconfig(t, "{}"), "--context", "nowhere"}, []string{"nowhere"}},
		"two ways at once":    {withVCenter(), []string{"--kubeconfig", empty, "--supervisor", "sv.example"}, []string{"kubeconfig", "supervisor"}},
		"known hosts, unread": {withVCenter("GOVC_TLS_KNOWN_HOSTS", t.TempDir()), []string{"--supervisor", "sv.example"}, []string{"GOVC_TLS_KNOWN_HOSTS"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := connecting(t, test.env, test.args...)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want it to say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), connectSecret) {
				t.Errorf("%v holds the password", err)
			}
			var o outcome
			if errors.As(err, &o); name != "two ways at once" && o.code != exitInvalid {
				t.Errorf("exit code %d, want %d", o.code, exitInvalid)
			}
		})
	}
}

func TestConnectionLogsInAtASupervisor(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); r.URL.Path != "/wcp/login" || user != "me" || password != connectSecret {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		claims := base64.RawURLEncoding.EncodeToString([]byte(`{"exp": 4102444800}`))
		if err := json.NewEncoder(w).Encode(map[string]string{"session_id": "e30." + claims + ".c2ln"}); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	address := strings.TrimPrefix(server.URL, "https://")
	e, said, err := connecting(t, withVCenter("GOVC_INSECURE", "true"), "--supervisor", address)
	if err != nil || e.Kube.Host != "https://127.0.0.1:6443" || e.KubeLink == nil {
		t.Fatalf("got %v", err)
	}
	if !strings.Contains(said, "the certificate of the Supervisor at "+address+" is not verified (GOVC_INSECURE)") {
		t.Errorf("said %q", said)
	}
	_, _, err = connecting(t, withVCenter("GOVC_PASSWORD", "wrong-"+connectSecret, "GOVC_INSECURE", "true"), "--supervisor", address)
	if err == nil || !strings.Contains(err.Error(), "does not accept the credentials of me") || strings.Contains(err.Error(), connectSecret) {
		t.Errorf("got %v, want to be told that the credentials are wrong", err)
	}
}

// kubectl's exec plugins are how most people log in; the operator's own kubeconfig
// may name one.
func TestExecPluginsOfTheOwnKubeconfigWork(t *testing.T) {
	t.Parallel()
	config := kubeconfig(t, `{exec: {apiVersion: client.authentication.k8s.io/v1, command: some-plugin, interactiveMode: Never}}`)
	e, _, err := connecting(t, withVCenter(), "--kubeconfig", config)
	if err != nil || e.Kube.ExecProvider == nil || e.Kube.ExecProvider.Command != "some-plugin" {
		t.Errorf("got %+v, %v", e.Kube, err)
	}
}
