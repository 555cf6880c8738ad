package schema

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/vksync/vksync/reconcile/resource"
)

// configKind is the apiVersion and kind of the file of --config.
const configKind = "vksync.dev/v1alpha1 Config"

// checkConfig judges the document of a configuration by its definition and by
// what its fields say of each other.
func checkConfig(doc *node) Problems {
	kind := doc.field("apiVersion").str() + " " + doc.field("kind").str()
	if kind != configKind {
		p := Problem{Pos: doc.pos, Message: "this is not the configuration of vksync", Found: showText(kind), Allowed: configKind}
		if kindDefinitions[kind] != "" {
			p.Hint = "manifests are read from the repo of a source; --config names the daemon's own file"
		}
		return Problems{p}
	}
	c := &configCheck{relation{doc: doc}}
	c.literals(doc, nil)
	d := compiled()
	problems := d.judge(d.config, doc)
	c.supervisors()
	c.sources()
	c.server()
	c.shard()
	return append(problems, c.problems...)
}

// configCheck looks at what a definition cannot say. A field of another shape
// than expected is the definition's to refuse and passed over here.
type configCheck struct{ relation }

// secretFields are the fields that hold a SecretRef.
var secretFields = []string{"password", "token", "secret"}

// literals refuses secrets that stand in the file, and takes them out of it.
func (c *configCheck) literals(n *node, path []string) {
	for _, f := range n.fields {
		at := append(slices.Clone(path), f.name)
		env, file := f.node.field("env"), f.node.field("file")
		if f.name == "username" {
			c.username(f.node, at)
			continue
		}
		if !slices.Contains(secretFields, f.name) {
			c.literals(f.node, at)
			continue
		}
		switch {
		case f.node.shape == broken:
		case f.node.shape != record:
			c.refuse(f.node, Problem{
				Message: "a secret is not written into this file", Found: resource.Hidden, Allowed: "{env: NAME} or {file: PATH}",
				Hint: "put it into the environment of vksync or into a file that only vksync can read, and refer to it",
			}, at...)
			*f.node = node{shape: broken, pos: f.node.pos}
		case (env == nil) == (file == nil):
			c.refuse(f.node, Problem{Message: "needs one of env and file", Allowed: "{env: NAME} or {file: PATH}"}, at...)
		}
	}
	for i, item := range n.items {
		c.literals(item, append(slices.Clone(path), strconv.Itoa(i)))
	}
}

// username: a name, or a reference to one.
func (c *configCheck) username(n *node, at []string) {
	const allowed = "a name, {env: NAME} or {file: PATH}"
	switch env, file := n.field("env"), n.field("file"); {
	case n.shape == broken || n.str() != "":
	case n.shape != record || len(n.fields) != 1 || env.str() == "" && file.str() == "":
		c.refuse(n, Problem{Message: "is not a user name", Allowed: allowed}, at...)
	case env != nil && !envName.MatchString(env.str()):
		c.refuse(env, Problem{Message: "is not the name of an environment variable", Allowed: allowed}, append(at, "env")...)
	}
}

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (c *configCheck) supervisors() {
	c.unique(c.doc.field("supervisors"), "Supervisor", "supervisors")
	if all := c.doc.field("supervisors"); all != nil && all.shape == list && len(all.items) == 0 {
		c.refuse(all, Problem{Message: "needs at least one Supervisor"}, "supervisors")
	}
	for i, s := range c.doc.field("supervisors").elements() {
		at := []string{"supervisors", strconv.Itoa(i)}
		c.tls(s.field("vcenter"), append(slices.Clone(at), "vcenter")...)
		c.kubernetes(s.field("kubernetes"), append(at, "kubernetes")...)
	}
}

// kubernetes: either a kubeconfig or a login.
func (c *configCheck) kubernetes(k *node, at ...string) {
	if k == nil || k.shape != record {
		return
	}
	login, kubeconfig, context := k.field("login"), k.field("kubeconfig"), k.field("context")
	switch {
	case login == nil && kubeconfig == nil && context == nil:
		c.refuse(k, Problem{
			Message: "does not say how to reach the Supervisor", Allowed: "kubeconfig, context, or login",
			Hint: "login: {address: HOST} logs in with the credentials of the vCenter",
		}, at...)
	case login != nil && (kubeconfig != nil || context != nil):
		c.refuse(login, Problem{Message: "is given beside a kubeconfig or context, and only one of them can be used", Hint: "remove one of the two"}, append(at, "login")...)
	case login != nil && login.shape == record:
		at = append(at, "login")
		c.tls(login, at...)
		if (login.field("username") == nil) != (login.field("password") == nil) {
			c.refuse(login, Problem{Message: "has only one of username and password", Hint: "give both, or none for those of the vCenter"}, at...)
		}
	}
}

// tls: what is trusted is said in one way.
func (c *configCheck) tls(n *node, at ...string) {
	if n.field("insecure") == nil || n.field("insecure").value != true {
		return
	}
	for _, name := range []string{"caFile", "thumbprint"} {
		if other := n.field(name); other != nil {
			c.refuse(other, Problem{Message: "has no effect with insecure: true", Hint: "remove insecure, so that the certificate is verified"}, append(slices.Clone(at), name)...)
		}
	}
}

func (c *configCheck) sources() {
	c.unique(c.doc.field("sources"), "source", "sources")
	supervisors := c.doc.field("supervisors").elements()
	for i, s := range c.doc.field("sources").elements() {
		at := []string{"sources", strconv.Itoa(i)}
		of := func(path ...string) []string { return append(slices.Clone(at), path...) }
		c.address(s, of)
		c.supervisorOf(s, supervisors, of)
		c.repoPath(s.field("path"), of("path"))
		c.poll(s.field("poll"), of("poll"))
		c.auth(s, of)
		c.verify(s.field("verify"), of("verify"))
		for j, w := range s.field("policy", "freeze").elements() {
			c.window(w, of("policy", "freeze", strconv.Itoa(j)))
		}
	}
}

var scpLike = regexp.MustCompile(`^[^\s/:@]+@[^\s/:]+:.`)

// transport is how a repository is reached: "http", "ssh", "" for a local path,
// or a scheme that is not supported.
func transport(address string) string {
	scheme, _, hasScheme := strings.Cut(address, "://")
	switch {
	case scheme == "https":
		return "http"
	case hasScheme:
		return scheme
	case scpLike.MatchString(address):
		return "ssh"
	}
	return ""
}

// address: a kind of URL that is known, without a password.
func (c *configCheck) address(s *node, of func(...string) []string) {
	n := s.field("url")
	const allowed = "https://HOST/PATH, ssh://HOST/PATH, user@HOST:PATH, or the path of a local repository"
	if n.str() == "" {
		return
	}
	scheme, rest, hasScheme := strings.Cut(n.str(), "://")
	u, err := url.Parse(n.str())
	switch {
	case !hasScheme:
	case !slices.Contains([]string{"https", "http", "ssh"}, scheme):
		c.refuse(n, Problem{Message: "this kind of address is not supported", Found: showText(scheme + "://"), Allowed: allowed}, of("url")...)
	case strings.HasPrefix(rest, "/") || err != nil && !strings.Contains(rest, "@"):
		c.refuse(n, Problem{Message: "is not an address", Allowed: allowed}, of("url")...)
	case err != nil || u.User != nil && (scheme != "ssh" || strings.Contains(u.User.String(), ":")):
		c.refuse(n, Problem{
			Message: "holds a user or a password", Found: showText(n.str()), Allowed: allowed,
			Hint: "remove what is before the @, and give auth: {username, password: {env: NAME}} or {token: {file: PATH}}",
		}, of("url")...)
	case scheme == "http" && !isLoopback(u.Hostname()):
		c.refuse(n, Problem{Message: "what comes over http can be read and changed on the way", Allowed: allowed, Hint: "use https; http is for this machine only"}, of("url")...)
	}
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// supervisorOf: a source says which of several Supervisors it is for.
func (c *configCheck) supervisorOf(s *node, supervisors []*node, of func(...string) []string) {
	var names []string
	for _, supervisor := range supervisors {
		names = append(names, supervisor.field("name").str())
	}
	n := s.field("supervisor")
	switch {
	case n == nil && len(names) > 1 && s.shape == record:
		c.refuse(s, Problem{Message: "is required where there are several Supervisors", Allowed: strings.Join(names, ", ")}, of("supervisor")...)
	case n.str() != "" && !slices.Contains(names, n.str()):
		c.refuse(n, Problem{Message: "there is no such Supervisor in this file", Allowed: strings.Join(names, ", ")}, of("supervisor")...)
	}
}

// repoPath: a directory below the top of the repository.
func (c *configCheck) repoPath(n *node, at []string) {
	if s := n.str(); s != "" && (path.IsAbs(s) || path.Clean(s) != strings.TrimSuffix(s, "/") || s == ".." || strings.HasPrefix(s, "../")) {
		c.refuse(n, Problem{Message: "is not a directory in the repository", Allowed: "a path as clusters/eu, without . and .. and not absolute"}, at...)
	}
}

// minPoll keeps a remote from being asked all the time.
const minPoll = time.Second

func (c *configCheck) poll(n *node, at []string) {
	if n.str() == "" {
		return
	}
	if d, err := time.ParseDuration(n.str()); err == nil && (d < minPoll || d > 24*time.Hour) {
		c.refuse(n, Problem{Message: "is not a time to wait between two looks at the remote", Allowed: "1s to 24h", Hint: "a webhook tells of a push at once"}, at...)
	}
}

// auth: one way to log in, and one that fits the address.
func (c *configCheck) auth(s *node, of func(...string) []string) {
	auth, by := s.field("auth"), transport(s.field("url").str())
	var ways []string
	for _, way := range []string{"password", "token", "sshKeyFile"} {
		if auth.field(way) != nil {
			ways = append(ways, way)
		}
	}
	fits := map[string][]string{
		"http": {"username", "password", "token", "caFile"},
		"ssh":  {"username", "sshKeyFile", "knownHostsFile"},
		"":     {},
	}
	_, known := fits[by]
	switch {
	case auth == nil || auth.shape != record || s.field("url").str() == "" || !known:
		return
	case len(ways) > 1:
		c.refuse(auth, Problem{Message: "gives several ways to log in: " + strings.Join(ways, ", "), Allowed: "one of password, token and sshKeyFile"}, of("auth")...)
		return
	case auth.field("password") != nil && auth.field("username") == nil:
		c.refuse(auth, Problem{Message: "has a password and no username"}, of("auth")...)
	}
	what := map[string]string{"http": "an https address", "ssh": "an ssh address", "": "a local repository"}
	for _, f := range auth.fields {
		if !slices.Contains(fits[by], f.name) && slices.Contains([]string{"username", "password", "token", "caFile", "sshKeyFile", "knownHostsFile"}, f.name) {
			c.refuse(f.node, Problem{Message: "has no effect with " + what[by], Allowed: strings.Join(fits[by], ", "), Hint: "remove it, or change the address"}, of("auth", f.name)...)
		}
	}
	if by == "ssh" && auth.field("sshKeyFile") == nil {
		c.refuse(auth, Problem{Message: "has no sshKeyFile, so nothing can log in by ssh"}, of("auth")...)
	}
}

// verify: something to verify by.
func (c *configCheck) verify(n *node, at []string) {
	if n != nil && n.shape == record && len(n.fields) == 0 {
		c.refuse(n, Problem{
			Message: "says nothing of whose signatures count", Allowed: "openPGPKeysFile, sshAllowedSignersFile",
			Hint: "name a file, or remove the field: then signatures are not looked at",
		}, at...)
	}
}

func (c *configCheck) window(w *node, at []string) {
	zone := w.field("timeZone")
	if _, err := time.LoadLocation(zone.str()); err != nil || zone.str() == "Local" {
		c.refuse(zone, Problem{Message: "is not a time zone", Allowed: "a name of the IANA time zone database, as Europe/Berlin or UTC"}, append(slices.Clone(at), "timeZone")...)
	}
	from, to := w.field("from"), w.field("to")
	if from.str() != "" && from.str() == to.str() {
		c.refuse(to, Problem{Message: "is the same as from", Hint: "a whole day is from 00:00 to 24:00"}, append(slices.Clone(at), "to")...)
	}
	if from.str() == "24:00" {
		c.refuse(from, Problem{Message: "is the end of a day", Allowed: "00:00 to 23:59"}, append(slices.Clone(at), "from")...)
	}
	if days := w.field("days"); days != nil && days.shape == list && len(days.items) == 0 {
		c.refuse(days, Problem{Message: "lists no day", Hint: "remove the field for every day"}, append(slices.Clone(at), "days")...)
	}
}

// server: what others can reach asks for a token.
func (c *configCheck) server() {
	n := c.doc.field("server", "address")
	host, port, err := net.SplitHostPort(n.str())
	switch {
	case n.str() == "" || err != nil:
		return
	case c.doc.field("server", "token") == nil && !isLoopback(host):
		c.refuse(n, Problem{
			Message: "can be reached from other machines, and no token is set", Allowed: "a loopback address as 127.0.0.1:8090, or any with server.token",
			Hint: "add token: {file: PATH} or {env: NAME}",
		}, "server", "address")
	}
	if p, err := strconv.Atoi(port); err != nil || p > 65535 {
		c.refuse(n, Problem{Message: "has no port", Allowed: "0 to 65535"}, "server", "address")
	}
}

// shard: a selector as kubectl takes it.
func (c *configCheck) shard() {
	n := c.doc.field("shard")
	if n.str() == "" {
		return
	}
	if _, err := labels.Parse(n.str()); err != nil {
		c.refuse(n, Problem{Message: fmt.Sprintf("is not a label selector: %s", shorten(err.Error())), Allowed: "a selector as tier=prod,region in (eu,us),!canary"}, "shard")
	}
}
