package schema

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/reconcile/resource"
)

const goodConfig = `apiVersion: vksync.dev/v1alpha1
kind: Config
supervisors:
- name: lab
  vcenter:
    url: https://vcenter.lab.example
    username: {env: GOVC_USERNAME}
    password: {file: secrets/vcenter}
    thumbprint: "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33"
  kubernetes:
    login: {address: 10.0.0.2, api: "10.0.0.2:443", caFile: /etc/ca.pem}
- name: edge
  vcenter: {url: "https://edge.example:8443/sdk", username: vksync@vsphere.local, password: {env: EDGE}, insecure: true}
  kubernetes: {kubeconfig: edge.kubeconfig, context: edge}
sources:
- name: fleet
  url: https://git.example/fleet.git
  branch: main
  path: clusters/eu/
  supervisor: lab
  poll: 1m30s
  auth: {username: oauth2, token: {env: GIT_TOKEN}}
  verify: {sshAllowedSignersFile: signers}
  webhook: {provider: gitlab, secret: {file: hook}}
  policy:
    mode: approval
    prune: true
    pruneLimit: 0
    drift: observe
    freeze:
    - {days: [Fri, Sat], from: "18:00", to: "06:00", timeZone: Europe/Berlin}
- {name: local, url: ../repos/fleet.git, supervisor: edge}
server: {address: ":8090", token: {file: api-token}}
leaderElection: {disabled: true}
shard: tier=prod,region in (eu,us)
`

func TestLoadConfig(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	vcenter := Credentials{Username: UserRef{From: SecretRef{Env: "GOVC_USERNAME"}}, Password: SecretRef{File: "etc/secrets/vcenter"}}
	want := &Config{
		Supervisors: []SupervisorConfig{{
			Name: "lab",
			VCenter: VCenterConfig{
				URL: "https://vcenter.lab.example", Credentials: vcenter,
				TLS: TLSConfig{Thumbprint: "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33"},
			},
			Kubernetes: KubernetesConfig{Login: &LoginConfig{Address: "10.0.0.2", API: "10.0.0.2:443", Credentials: vcenter, TLS: TLSConfig{CAFile: "/etc/ca.pem"}}},
		}, {
			Name: "edge",
			VCenter: VCenterConfig{
				URL:         "https://edge.example:8443/sdk",
				Credentials: Credentials{Username: UserRef{Name: "vksync@vsphere.local"}, Password: SecretRef{Env: "EDGE"}},
				TLS:         TLSConfig{Insecure: true},
			},
			Kubernetes: KubernetesConfig{Kubeconfig: "etc/edge.kubeconfig", Context: "edge"},
		}},
		Sources: []SourceConfig{{
			Name: "fleet", URL: "https://git.example/fleet.git", Branch: "main", Path: "clusters/eu", Supervisor: "lab",
			Poll:    90 * time.Second,
			Auth:    AuthConfig{Username: UserRef{Name: "oauth2"}, Token: SecretRef{Env: "GIT_TOKEN"}},
			Verify:  VerifyConfig{SSHAllowedSignersFile: "etc/signers"},
			Webhook: &WebhookConfig{Provider: "gitlab", Secret: SecretRef{File: "etc/hook"}},
			Policy: Policy{
				Mode: ModeApproval, Prune: true, Drift: DriftObserve,
				Freeze: []Window{{Days: []time.Weekday{time.Friday, time.Saturday}, From: 18 * time.Hour, To: 6 * time.Hour, Location: berlin}},
			},
		}, {
			Name: "local", URL: "repos/fleet.git", Supervisor: "edge", Poll: 30 * time.Second,
			Policy: Policy{Mode: ModeAutomatic, PruneLimit: 5, Drift: DriftCorrect},
		}},
		Server:         ServerConfig{Address: ":8090", Token: SecretRef{File: "etc/api-token"}},
		LeaderElection: LeaderElectionConfig{Namespace: "vksync", Name: "vksync", Disabled: true},
		Shard:          "tier=prod,region in (eu,us)",
	}
	got, problems := LoadConfig("etc/vksync.yaml", []byte(goodConfig))
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() })); diff != "" {
		t.Errorf("LoadConfig (-want +got):\n%s", diff)
	}
}

// The same in the three languages is the same.
func TestConfigLanguages(t *testing.T) {
	t.Parallel()
	texts := map[string]string{
		"vksync.json": `{"apiVersion": "vksync.dev/v1alpha1", "kind": "Config", "supervisors": [{"name": "lab",
			"vcenter": {"url": "https://vc.example", "username": "ada", "password": {"env": "P"}}, "kubernetes": {"context": "lab"}}]}`,
		"vksync.cue": "package config\n\nimport \"vksync.dev/schema\"\n\nschema.#Config & {apiVersion: \"vksync.dev/v1alpha1\", kind: \"Config\"}\n" +
			"supervisors: [for s in [\"lab\"] {name: s, vcenter: {url: \"https://vc.example\", username: \"ada\", password: env: \"P\"}, kubernetes: context: s}]\n",
		"vksync.yaml": "apiVersion: vksync.dev/v1alpha1\nkind: Config\nsupervisors:\n- {name: lab, vcenter: {url: https://vc.example, username: ada, password: {env: P}}, kubernetes: {context: lab}}\n",
	}
	want := &Config{
		Supervisors: []SupervisorConfig{{
			Name:       "lab",
			VCenter:    VCenterConfig{URL: "https://vc.example", Credentials: Credentials{UserRef{Name: "ada"}, SecretRef{Env: "P"}}},
			Kubernetes: KubernetesConfig{Context: "lab"},
		}},
		Server:         ServerConfig{Address: "127.0.0.1:8090"},
		LeaderElection: LeaderElectionConfig{Namespace: "vksync", Name: "vksync"},
	}
	for name, text := range texts {
		got, problems := LoadConfig(name, []byte(text))
		if diff := cmp.Diff(want, got); diff != "" || len(problems) > 0 {
			t.Errorf("%s: %v\n(-want +got):\n%s", name, problems, diff)
		}
	}
}

func TestConfigProblems(t *testing.T) {
	t.Parallel()
	const address = "https://git.example/fleet.git"
	tests := []struct {
		name string
		edit []string // pairs of old and new text in goodConfig
		want string   // all problems, without the file
	}{{
		"a literal password", []string{"{file: secrets/vcenter}", "hunter2"},
		"8:15: supervisors[0].vcenter.password: a secret is not written into this file (found (hidden), allowed: {env: NAME} or {file: PATH})\n" +
			"    put it into the environment of vksync or into a file that only vksync can read, and refer to it",
	}, {
		"a literal token", []string{"{env: GIT_TOKEN}", "[hunter2]"},
		"22:35: sources[0].auth.token: a secret is not written into this file (found (hidden), allowed: {env: NAME} or {file: PATH})\n" +
			"    put it into the environment of vksync or into a file that only vksync can read, and refer to it",
	}, {
		"a reference to two places", []string{"{env: EDGE}", "{env: EDGE, file: x}"},
		"13:93: supervisors[1].vcenter.password: needs one of env and file (allowed: {env: NAME} or {file: PATH})",
	}, {
		"a user name that is none", []string{"{env: GOVC_USERNAME}", "{evn: GOVC_USERNAME}"},
		"7:15: supervisors[0].vcenter.username: is not a user name (allowed: a name, {env: NAME} or {file: PATH})",
	}, {
		"a password in a URL", []string{address, "https://ada:hun%ter2@git.example/fleet.git"},
		"17:8: sources[0].url: holds a user or a password (found \"https://(hidden)@git.example/fleet.git\", allowed: https://HOST/PATH, ssh://HOST/PATH, user@HOST:PATH, or the path of a local repository)\n" +
			"    remove what is before the @, and give auth: {username, password: {env: NAME}} or {token: {file: PATH}}",
	}, {
		"a password in the URL of a vCenter", []string{"https://vcenter", "https://ada:hunter2@vcenter"},
		"6:10: supervisors[0].vcenter.url: must be the address of a vCenter (found \"https://(hidden)@vcenter.lab.example\", allowed: https://HOST or https://HOST:PORT, without user and password)",
	}, {
		"plain http", []string{address, "http://git.example/fleet.git"},
		"17:8: sources[0].url: what comes over http can be read and changed on the way (found \"http://git.example/fleet.git\", allowed: https://HOST/PATH, ssh://HOST/PATH, user@HOST:PATH, or the path of a local repository)\n" +
			"    use https; http is for this machine only",
	}, {
		"another scheme", []string{address, "git://git.example/fleet.git"},
		"17:8: sources[0].url: this kind of address is not supported (found \"git://\", allowed: https://HOST/PATH, ssh://HOST/PATH, user@HOST:PATH, or the path of a local repository)",
	}, {
		"a token for ssh", []string{address, "git@git.example:fleet.git"},
		"22:9: sources[0].auth: has no sshKeyFile, so nothing can log in by ssh\n" +
			"22:35: sources[0].auth.token: has no effect with an ssh address (allowed: username, sshKeyFile, knownHostsFile)\n    remove it, or change the address",
	}, {
		"an API without a port", []string{"10.0.0.2:443", "10.0.0.2"},
		"11:37: supervisors[0].kubernetes.login.api: must be a host and a port (found \"10.0.0.2\", allowed: HOST:PORT, without https://)",
	}, {
		"login and kubeconfig", []string{"context: edge}", "login: {address: x}}"},
		"14:52: supervisors[1].kubernetes.login: is given beside a kubeconfig or context, and only one of them can be used\n    remove one of the two",
	}, {
		"neither login nor kubeconfig", []string{"{kubeconfig: edge.kubeconfig, context: edge}", "{}"},
		"14:15: supervisors[1].kubernetes: does not say how to reach the Supervisor (allowed: kubeconfig, context, or login)\n" +
			"    login: {address: HOST} logs in with the credentials of the vCenter",
	}, {
		"a CA that is not looked at", []string{"insecure: true", "insecure: true, caFile: x"},
		"13:130: supervisors[1].vcenter.caFile: has no effect with insecure: true (found \"x\")\n    remove insecure, so that the certificate is verified",
	}, {
		"the same name twice", []string{"name: local", "name: fleet"},
		"32:10: sources[1].name: source \"fleet\" is given twice, first at vksync.yaml:16:9 (found \"fleet\")\n    remove one of the two, or rename it",
	}, {
		"an unknown Supervisor", []string{"supervisor: lab\n", "supervisor: lap\n"},
		"20:15: sources[0].supervisor: there is no such Supervisor in this file (found \"lap\", allowed: lab, edge)",
	}, {
		"no Supervisor of two", []string{", supervisor: edge", ""},
		"32:3: sources[1].supervisor: is required where there are several Supervisors (allowed: lab, edge)",
	}, {
		"out of the repository", []string{"clusters/eu/", "../eu"},
		"19:9: sources[0].path: is not a directory in the repository (found \"../eu\", allowed: a path as clusters/eu, without . and .. and not absolute)",
	}, {
		"polling without rest", []string{"1m30s", "10ms"},
		"21:9: sources[0].poll: is not a time to wait between two looks at the remote (found \"10ms\", allowed: 1s to 24h)\n    a webhook tells of a push at once",
	}, {
		"no signer", []string{"{sshAllowedSignersFile: signers}", "{}"},
		"23:11: sources[0].verify: says nothing of whose signatures count (allowed: openPGPKeysFile, sshAllowedSignersFile)\n" +
			"    name a file, or remove the field: then signatures are not looked at",
	}, {
		"all of a window", []string{"[Fri, Sat]", "[Friday]", "Europe/Berlin", "Berlin", "\"06:00\"", "\"18:00\""},
		"31:15: sources[0].policy.freeze[0].days[0]: must be one of the allowed values (found \"Friday\", allowed: Mon, Tue, Wed, Thu, Fri, Sat, Sun)\n" +
			"31:43: sources[0].policy.freeze[0].to: is the same as from (found \"18:00\")\n    a whole day is from 00:00 to 24:00\n" +
			"31:62: sources[0].policy.freeze[0].timeZone: is not a time zone (found \"Berlin\", allowed: a name of the IANA time zone database, as Europe/Berlin or UTC)",
	}, {
		"an open server without a token", []string{", token: {file: api-token}", ""},
		"33:19: server.address: can be reached from other machines, and no token is set (found \":8090\", allowed: a loopback address as 127.0.0.1:8090, or any with server.token)\n" +
			"    add token: {file: PATH} or {env: NAME}",
	}, {
		"no selector", []string{"tier=prod", "tier==="},
		"35:8: shard: is not a label selector: unable to parse requirement: found '=', expected: identifier (found \"tier===,region in (eu,us)\", allowed: a selector as tier=prod,region in (eu,us),!canary)",
	}, {
		"a typo, an unknown mode and a missing provider", []string{"shard:", "shrad:", "approval", "manual", "provider: gitlab, ", ""},
		"24:12: sources[0].webhook.provider: is required (allowed: github, gitlab, gitea, bitbucket)\n" +
			"26:11: sources[0].policy.mode: must be one of the allowed values (found \"manual\", allowed: automatic, plan-only, approval)\n" +
			"35:1: shrad: unknown field (allowed: apiVersion, kind, leaderElection, server, shard, sources, supervisors)\n    did you mean shard?",
	}, {
		"a manifest", []string{goodConfig, goodNamespace},
		"1:1: this is not the configuration of vksync (found \"vksync.dev/v1alpha1 VSphereNamespace\", allowed: vksync.dev/v1alpha1 Config)\n" +
			"    manifests are read from the repo of a source; --config names the daemon's own file",
	}, {
		"two documents", []string{goodConfig, "a: 1\n---\nb: 1\n"},
		" the file has 2 documents (allowed: one, with apiVersion vksync.dev/v1alpha1 and kind Config)",
	}, {
		"no YAML", []string{goodConfig, "a: [1"},
		"1:1: this is not YAML: did not find expected ',' or ']'",
	}}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			config, problems := LoadConfig("vksync.yaml", []byte(strings.NewReplacer(test.edit...).Replace(goodConfig)))
			for i := range problems {
				problems[i].Addr = resource.Addr{} // which leaves out the same "in Config" everywhere
			}
			got := strings.TrimPrefix(strings.ReplaceAll(problems.Error(), "\nvksync.yaml:", "\n"), "vksync.yaml:")
			if diff := cmp.Diff(test.want, got); diff != "" || config != nil {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestConfigNamesWithoutALanguage(t *testing.T) {
	t.Parallel()
	_, problems := LoadConfig("etc/vksync.conf", []byte(goodConfig))
	want := "etc/vksync.conf: the name does not say what the configuration is written in (allowed: a name that ends in .yaml, .json or .cue)\n    rename the file"
	if got := problems.Error(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSecretRef(t *testing.T) {
	t.Parallel()
	getenv := func(name string) string { return map[string]string{"SET": "hunter2"}[name] }
	readFile := func(name string) ([]byte, error) {
		data, known := map[string][]byte{"good": []byte("hunter2\r\n"), "empty": []byte("\n"), "large": make([]byte, maxSecretBytes+1), "zero": []byte("a\x00b")}[name]
		if !known {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		return data, nil
	}
	tests := []struct {
		ref  SecretRef
		want string
		err  string
	}{
		{SecretRef{}, "", ""},
		{SecretRef{Env: "SET"}, "hunter2", ""},
		{SecretRef{File: "good"}, "hunter2", ""},
		{SecretRef{Env: "UNSET"}, "", "the environment variable UNSET is not set or empty"},
		{SecretRef{File: "missing"}, "", "open missing: file does not exist"},
		{SecretRef{File: "empty"}, "", "the secret in empty is empty"},
		{SecretRef{File: "large"}, "", "the secret in large has more than 64 KiB"},
		{SecretRef{File: "zero"}, "", "holds a zero byte"},
	}
	for _, test := range tests {
		got, err := test.ref.Read(getenv, readFile)
		if got != test.want || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%#v: got %q and %v, want %q and %q", test.ref, got, err, test.want, test.err)
		}
	}
}

// Where a secret is says enough of it for nobody to need it printed.
func TestConfigPrintsNoSecretRef(t *testing.T) {
	t.Parallel()
	config, problems := LoadConfig("vksync.yaml", []byte(goodConfig))
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	asJSON, err := json.Marshal(config.Supervisors)
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{fmt.Sprint(config.Supervisors), fmt.Sprintf("%+v", config.Supervisors), fmt.Sprintf("%#v", config.Supervisors), string(asJSON)} {
		if strings.Contains(form, "secrets/vcenter") || !strings.Contains(form, "(hidden)") {
			t.Errorf("it prints as %s", form)
		}
	}
}

func TestFreezeWindows(t *testing.T) {
	t.Parallel()
	load := func(windows string) Policy {
		text := strings.Replace(goodConfig, "- {days: [Fri, Sat], from: \"18:00\", to: \"06:00\", timeZone: Europe/Berlin}", windows, 1)
		config, problems := LoadConfig("vksync.yaml", []byte(text))
		if problems.Err() != nil {
			t.Fatal(problems)
		}
		return config.Sources[0].Policy
	}
	const (
		nights  = `- {days: [Fri, Sat], from: "18:00", to: "06:00", timeZone: Europe/Berlin}`
		weekend = `- {days: [Sat, Sun], from: "00:00", to: "24:00"}` + "\n    - {days: [Fri], from: \"18:00\", to: \"24:00\"}"
		always  = `- {from: "00:00", to: "24:00"}`
	)
	tests := []struct{ windows, at, until string }{ // until is "" where it is not frozen
		{nights, "2026-06-05T15:59:59Z", ""}, // a Friday; Berlin is at +2
		{nights, "2026-06-05T16:00:00Z", "2026-06-06T04:00:00Z"},
		{nights, "2026-06-06T03:59:59Z", "2026-06-06T04:00:00Z"},
		{nights, "2026-06-06T04:00:00Z", ""},
		{nights, "2026-06-07T03:00:00Z", "2026-06-07T04:00:00Z"}, // Sunday, of Saturday's
		{nights, "2026-06-08T03:00:00Z", ""},
		{nights, "2026-03-28T22:00:00Z", "2026-03-29T04:00:00Z"}, // a night of seven hours less one
		{weekend, "2026-06-05T20:00:00Z", "2026-06-08T00:00:00Z"},
		{weekend, "2026-06-08T00:00:00Z", ""},
		{always, "2026-06-08T00:00:00Z", "0001-01-01T00:00:00Z"},
	}
	for _, test := range tests {
		at, err := time.Parse(time.RFC3339, test.at)
		if err != nil {
			t.Fatal(err)
		}
		until, frozen := load(test.windows).Frozen(at)
		got := ""
		if frozen {
			got = until.UTC().Format(time.RFC3339)
		}
		if got != test.until {
			t.Errorf("%s at %s: frozen until %q, want %q", test.windows, test.at, got, test.until)
		}
	}
	if got := load(nights).Freeze[0].String(); got != "Fri,Sat 18:00-06:00 Europe/Berlin" {
		t.Errorf("the window prints as %q", got)
	}
}

// Whatever the file holds, reading it ends, and it is either a Config that can be
// used or problems in it.
func FuzzConfig(f *testing.F) {
	for _, text := range []string{goodConfig, goodNamespace, "a: &x [*x]", "supervisors: [[1], {name: 3}]\nsources: {url: {}}", "\xff\xfe"} {
		f.Add("a.yaml", text)
	}
	f.Add("1.json", `{"apiVersion":"vksync.dev/v1alpha1", "kind":"Config","":10}`)
	f.Add("a.cue", "package x\napiVersion: \"vksync.dev/v1alpha1\"\nkind: \"Config\"\nsupervisors: [for x in [1] {name: x}]")
	f.Add("a.json", `{"apiVersion": "vksync.dev/v1alpha1", "kind": "Config", "sources": [{"policy": {"freeze": [{"from": 1}]}}]}`)
	f.Fuzz(func(t *testing.T, name, text string) {
		config, problems := LoadConfig(name, []byte(text))
		if (config == nil) != (len(problems) > 0) {
			t.Errorf("got %v and %v", config, problems)
		}
		if config != nil && len(config.Supervisors) == 0 {
			t.Error("there is no Supervisor")
		}
		for _, p := range problems {
			if p.Message == "" || p.Pos.File == "" && name != "" {
				t.Errorf("problem %+v has no message or no place", p)
			}
		}
	})
}
