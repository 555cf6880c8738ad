package main

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	sigsyaml "sigs.k8s.io/yaml"

	vkschema "github.com/vksync/vksync/schema"
)

// deployed are the manifests of a directory of deploy/, by their kind, as kubectl
// builds them.
func deployed(t *testing.T, dir string) map[string]*unstructured.Unstructured {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	kubectl := filepath.Join(root, "bin", "tools", "kubectl")
	if _, err := os.Stat(kubectl); err != nil {
		t.Fatal("kubectl was not built for the tests: run 'make tools' first")
	}
	c := exec.CommandContext(t.Context(), kubectl, "kustomize", filepath.Join(root, "deploy", filepath.FromSlash(dir)))
	var errs bytes.Buffer
	c.Stderr = &errs
	text, err := c.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &errs)
	}
	out := map[string]*unstructured.Unstructured{}
	for documents := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var document yaml.Node
		if err := documents.Decode(&document); errors.Is(err, io.EOF) {
			return out
		} else if err != nil {
			t.Fatal(err)
		}
		one, err := yaml.Marshal(&document)
		if err != nil {
			t.Fatal(err)
		}
		var u unstructured.Unstructured
		if err := sigsyaml.Unmarshal(one, &u.Object); err != nil {
			t.Fatal(err)
		}
		if _, twice := out[u.GetKind()]; twice {
			t.Errorf("%s has several of kind %s", dir, u.GetKind())
		}
		out[u.GetKind()] = &u
	}
}

// at is what is at a path of field names in an object; indices are not needed.
func at[T any](t *testing.T, o map[string]any, path ...string) T {
	t.Helper()
	found, ok, err := unstructured.NestedFieldNoCopy(o, path...)
	value, is := found.(T)
	if !ok || !is || err != nil {
		t.Fatalf("%s: got %#v, %v", strings.Join(path, "."), found, err)
	}
	return value
}

// items are the objects of a list in an object, by their name.
func items(t *testing.T, o map[string]any, path ...string) map[string]map[string]any {
	t.Helper()
	out := map[string]map[string]any{}
	for _, item := range at[[]any](t, o, path...) {
		out[at[string](t, item.(map[string]any), "name")] = item.(map[string]any)
	}
	return out
}

func TestDeploymentFitsTheProgram(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"base", "overlays/login/daemon"} {
		t.Run(dir, func(t *testing.T) {
			t.Parallel()
			all := deployed(t, dir)
			pod := at[map[string]any](t, all["Deployment"].Object, "spec", "template", "spec")
			container := items(t, pod, "containers")["vksync"]
			if got := at[string](t, container, "image"); got != "ko://"+module+"cmd/vksync" {
				t.Errorf("image %s", got)
			}
			flags := runFlags(t, container)
			for _, v := range items(t, pod, "volumes") {
				if c, ok := v["configMap"].(map[string]any); ok && c["name"] != all["ConfigMap"].GetName() {
					t.Errorf("the pod wants ConfigMap %s, and there is %s", c["name"], all["ConfigMap"].GetName())
				}
			}
			mounted := mountsOf(t, pod, container)
			config := configIn(t, flags["config"], all["ConfigMap"].Object, mounted)
			if writable := flags["mirror"]; mounted[writable] != "emptyDir" {
				t.Errorf("--mirror=%s is not where the pod may write", writable)
			}
			probes(t, container, all["Service"].Object, config)
			if at[float64](t, all["Deployment"].Object, "spec", "replicas") > 1 && config.LeaderElection.Disabled {
				t.Error("there are several replicas and no leader election")
			}
			if ns := all["Deployment"].GetNamespace(); config.LeaderElection.Namespace != ns {
				t.Errorf("the Lease is in namespace %s, and the daemon in %s", config.LeaderElection.Namespace, ns)
			}
			if role, ok := all["Role"]; ok {
				namesOfSources(t, role.Object, config)
			}
		})
	}
}

// runFlags are the flags that a container gives to vksync run, which are checked.
func runFlags(t *testing.T, container map[string]any) map[string]string {
	t.Helper()
	var args []string
	for _, a := range at[[]any](t, container, "args") {
		args = append(args, a.(string))
	}
	run := newRunCmd()
	if args[0] != run.Name() {
		t.Fatalf("runs vksync %s", args[0])
	}
	if err := run.ParseFlags(args[1:]); err != nil {
		t.Fatal(err)
	}
	if err := run.ValidateFlagGroups(); err != nil {
		t.Error(err)
	}
	out := map[string]string{}
	for _, a := range args[1:] {
		name, value, _ := strings.Cut(strings.TrimPrefix(a, "--"), "=")
		out[name] = value
	}
	return out
}

// mountsOf are the kinds of volume by where a container finds them.
func mountsOf(t *testing.T, pod, container map[string]any) map[string]string {
	t.Helper()
	volumes, out := items(t, pod, "volumes"), map[string]string{}
	for name, m := range items(t, container, "volumeMounts") {
		for _, kind := range []string{"configMap", "secret", "emptyDir"} {
			if _, is := volumes[name][kind]; is {
				out[at[string](t, m, "mountPath")] = kind
			}
		}
	}
	if len(out) != len(volumes) {
		t.Errorf("the volumes are mounted as %v", out)
	}
	return out
}

// configIn is the configuration that the pod reads, with all files that it names
// where the pod has them.
func configIn(t *testing.T, file string, configMap map[string]any, mounted map[string]string) *vkschema.Config {
	t.Helper()
	data := at[map[string]any](t, configMap, "data")
	text, _ := data[path.Base(file)].(string)
	config, problems := vkschema.LoadConfig(file, []byte(text))
	if err := problems.Err(); err != nil || mounted[path.Dir(file)] != "configMap" {
		t.Fatalf("--config=%s is of volume %q: %v", file, mounted[path.Dir(file)], err)
	}
	for _, s := range config.Supervisors {
		files := map[string]string{s.VCenter.TLS.CAFile: "secret", s.VCenter.Credentials.Username.From.File: "secret", s.VCenter.Credentials.Password.File: "secret"}
		if s.Kubernetes.Login == nil {
			files[s.Kubernetes.Kubeconfig] = "configMap"
			if _, ok := data[path.Base(s.Kubernetes.Kubeconfig)]; !ok {
				t.Errorf("there is no %s", s.Kubernetes.Kubeconfig)
			}
		}
		files[config.Sources[0].Auth.Token.File], files[config.Server.Token.File] = "secret", "secret"
		for name, kind := range files {
			if mounted[path.Dir(name)] != kind {
				t.Errorf("the configuration names %q, and what is mounted is %v", name, mounted)
			}
		}
	}
	return config
}

// probes asks for the paths that the daemon serves, on the port it listens on.
func probes(t *testing.T, container, service map[string]any, config *vkschema.Config) {
	t.Helper()
	listen, err := url.Parse("http://" + defaultListen)
	if err != nil {
		t.Fatal(err)
	}
	port := items(t, container, "ports")["http"]
	if _, own, _ := strings.Cut(config.Server.Address, ":"); own != listen.Port() || own != "8090" || at[float64](t, port, "containerPort") != 8090 {
		t.Errorf("the daemon listens at %s, by default at %s, and the port is %v", config.Server.Address, defaultListen, port["containerPort"])
	}
	for probe, want := range map[string]string{"livenessProbe": "/healthz", "readinessProbe": "/readyz"} {
		if got := at[string](t, container, probe, "httpGet", "path"); got != want || at[string](t, container, probe, "httpGet", "port") != "http" {
			t.Errorf("the %s asks for %s", probe, got)
		}
	}
	if at[string](t, items(t, service, "spec", "ports")["http"], "targetPort") != "http" {
		t.Error("the Service leads elsewhere")
	}
}

// namesOfSources sees to it that the Role names the objects of each source. The
// daemon of TestRightsAreThoseThatAreNeeded would be refused others.
func namesOfSources(t *testing.T, role map[string]any, config *vkschema.Config) {
	t.Helper()
	want := map[string][]string{}
	for _, s := range config.Sources {
		want["configmaps"] = append(want["configmaps"], "vksync-"+s.Name)
		want["leases"] = append(want["leases"], leaseOf(config.LeaderElection, s.Name).Name)
	}
	got := map[string][]string{}
	for _, r := range at[[]any](t, role, "rules") {
		rule := r.(map[string]any)
		for _, name := range texts(rule["resourceNames"]) {
			for _, resource := range texts(rule["resources"]) {
				got[resource] = append(got[resource], name)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

// texts are the strings of a list; none of nil.
func texts(list any) []string {
	var out []string
	items, _ := list.([]any)
	for _, item := range items {
		out = append(out, item.(string))
	}
	return out
}

// Whoever may log in as a user of vCenter has the same rights on a Supervisor.
func TestUserOfVCenterHasTheRightsOfTheServiceAccount(t *testing.T) {
	t.Parallel()
	base, user := deployed(t, "rbac"), deployed(t, "overlays/login/supervisor")
	for _, kind := range []string{"ClusterRole", "Role"} {
		if diff := cmp.Diff(base[kind].Object, user[kind].Object); diff != "" {
			t.Error(diff)
		}
	}
	if got := slices.Sorted(maps.Keys(user)); !slices.Equal(got, []string{"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}) {
		t.Errorf("there are %v", got)
	}
	for _, kind := range []string{"ClusterRoleBinding", "RoleBinding"} {
		subject := at[[]any](t, user[kind].Object, "subjects")[0].(map[string]any)
		if subject["kind"] != "User" || subject["name"] != "sso:vksync@vsphere.local" {
			t.Errorf("%s is for %v", kind, subject)
		}
	}
}
