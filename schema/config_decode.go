package schema

import (
	"cmp"
	"path/filepath"
	"strings"
	"time"
)

// What a configuration leaves out.
const (
	defaultPoll       = 30 * time.Second
	defaultPruneLimit = 5
	defaultAddress    = "127.0.0.1:8090"
	defaultLease      = "vksync"
)

// decoding turns an accepted document into a Config.
type decoding struct {
	dir string // that relative paths begin at
}

func (d decoding) config(doc *node) *Config {
	c := &Config{
		Server: ServerConfig{
			Address: cmp.Or(doc.field("server", "address").str(), defaultAddress),
			Token:   d.secret(doc.field("server", "token")),
		},
		LeaderElection: LeaderElectionConfig{
			Namespace: cmp.Or(doc.field("leaderElection", "namespace").str(), defaultLease),
			Name:      cmp.Or(doc.field("leaderElection", "name").str(), defaultLease),
			Disabled:  doc.field("leaderElection", "disabled").isTrue(),
		},
		Shard: doc.field("shard").str(),
	}
	for _, n := range doc.field("supervisors").elements() {
		c.Supervisors = append(c.Supervisors, d.supervisor(n))
	}
	for _, n := range doc.field("sources").elements() {
		source := d.source(n)
		if source.Supervisor == "" {
			source.Supervisor = c.Supervisors[0].Name // there is one, or it is named
		}
		c.Sources = append(c.Sources, source)
	}
	return c
}

func (d decoding) supervisor(n *node) SupervisorConfig {
	vcenter, kubernetes := n.field("vcenter"), n.field("kubernetes")
	s := SupervisorConfig{
		Name: n.field("name").str(),
		VCenter: VCenterConfig{
			URL: vcenter.field("url").str(), Credentials: d.credentials(vcenter), TLS: d.tls(vcenter),
		},
		Kubernetes: KubernetesConfig{
			Kubeconfig: d.file(kubernetes.field("kubeconfig")), Context: kubernetes.field("context").str(),
		},
	}
	if login := kubernetes.field("login"); login != nil {
		s.Kubernetes.Login = &LoginConfig{
			Address: login.field("address").str(), API: login.field("api").str(),
			Credentials: d.credentials(login), TLS: d.tls(login),
		}
		if s.Kubernetes.Login.Credentials == (Credentials{}) {
			s.Kubernetes.Login.Credentials = s.VCenter.Credentials
		}
	}
	return s
}

func (d decoding) tls(n *node) TLSConfig {
	return TLSConfig{
		CAFile: d.file(n.field("caFile")), Thumbprint: n.field("thumbprint").str(), Insecure: n.field("insecure").isTrue(),
	}
}

func (d decoding) credentials(n *node) Credentials {
	return Credentials{Username: d.user(n.field("username")), Password: d.secret(n.field("password"))}
}

func (d decoding) secret(n *node) SecretRef {
	return SecretRef{Env: n.field("env").str(), File: d.file(n.field("file"))}
}

func (d decoding) user(n *node) UserRef {
	return UserRef{Name: n.str(), From: d.secret(n)}
}

// file is the path of a file as the process finds it.
func (d decoding) file(n *node) string {
	if n.str() == "" || filepath.IsAbs(n.str()) {
		return n.str()
	}
	return filepath.Join(d.dir, filepath.FromSlash(n.str()))
}

func (d decoding) source(n *node) SourceConfig {
	auth, verify := n.field("auth"), n.field("verify")
	s := SourceConfig{
		Name: n.field("name").str(), URL: n.field("url").str(),
		Branch: n.field("branch").str(), Path: strings.TrimPrefix(strings.TrimSuffix(n.field("path").str(), "/"), "."),
		Supervisor: n.field("supervisor").str(),
		Poll:       defaultPoll,
		Auth: AuthConfig{
			Username: d.user(auth.field("username")), Password: d.secret(auth.field("password")), Token: d.secret(auth.field("token")),
			SSHKeyFile: d.file(auth.field("sshKeyFile")), KnownHostsFile: d.file(auth.field("knownHostsFile")), CAFile: d.file(auth.field("caFile")),
		},
		Verify: VerifyConfig{
			OpenPGPKeysFile: d.file(verify.field("openPGPKeysFile")), SSHAllowedSignersFile: d.file(verify.field("sshAllowedSignersFile")),
		},
		AllowRewrite: n.field("allowRewrite").isTrue(),
		Policy:       d.policy(n.field("policy")),
	}
	if transport(s.URL) == "" {
		s.URL = d.file(n.field("url"))
	}
	if poll, err := time.ParseDuration(n.field("poll").str()); err == nil {
		s.Poll = poll
	}
	if hook := n.field("webhook"); hook != nil {
		s.Webhook = &WebhookConfig{Provider: hook.field("provider").str(), Secret: d.secret(hook.field("secret"))}
	}
	return s
}

func (d decoding) policy(n *node) Policy {
	p := Policy{
		Mode:  cmp.Or(n.field("mode").str(), ModeAutomatic),
		Prune: n.field("prune").isTrue(), PruneLimit: defaultPruneLimit,
		Adopt: n.field("adopt").isTrue(), ForceConflicts: n.field("forceConflicts").isTrue(),
		Drift: cmp.Or(n.field("drift").str(), DriftCorrect),
	}
	if limit := n.field("pruneLimit"); limit != nil {
		p.PruneLimit = int(limit.int())
	}
	for _, w := range n.field("freeze").elements() {
		p.Freeze = append(p.Freeze, windowOf(w))
	}
	return p
}

// windowOf is the window that n describes; what is wrong in it has been refused.
func windowOf(n *node) Window {
	w := Window{From: clock(n.field("from").str()), To: clock(n.field("to").str()), Location: time.UTC}
	if zone, err := time.LoadLocation(n.field("timeZone").str()); err == nil {
		w.Location = zone
	}
	for _, n := range n.field("days").elements() {
		for day := time.Sunday; day <= time.Saturday; day++ {
			if day.String()[:3] == n.str() {
				w.Days = append(w.Days, day)
			}
		}
	}
	return w
}

// clock is "18:30" as the time after midnight.
func clock(s string) time.Duration {
	hours, minutes, _ := strings.Cut(s, ":")
	d, err := time.ParseDuration(hours + "h" + minutes + "m")
	if err != nil {
		return 0
	}
	return d
}

// isTrue says whether n is true; false of anything else, also of a nil node.
func (n *node) isTrue() bool { return n != nil && n.value == true }
