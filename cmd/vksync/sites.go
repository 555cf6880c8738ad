package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/vksync/vksync/gitsource"
	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/reconcile/supervisor"
	"github.com/vksync/vksync/schema"
)

// A liveSite is a Supervisor with its vCenter.
type liveSite struct {
	name string
	// part is what of a revision is for it; nil is all.
	part func(*schema.Desired) *resource.Set
	// target finds out how it is reached; secrets are read anew each time.
	target func() (target, error)
	// tried is where it was last tried to connect to; nil before.
	tried *atomic.Pointer[reconcile.Endpoints]
}

// health is how the endpoints are.
func (s liveSite) health() (h reconcile.Health) {
	if tried := s.tried.Load(); tried != nil {
		h = tried.Health()
	}
	return h
}

// sites are those of the configuration, or else the one of the environment.
func (c *connection) sites(config *schema.Config, source schema.SourceConfig) []liveSite {
	if len(config.Supervisors) == 0 {
		return []liveSite{{name: cmp.Or(c.supervisor, c.context, "supervisor"), target: c.target, tried: new(atomic.Pointer[reconcile.Endpoints])}}
	}
	var out []liveSite
	for _, s := range config.Supervisors {
		at := liveSite{name: s.Name, target: func() (target, error) { return c.targetOf(s) }, tried: new(atomic.Pointer[reconcile.Endpoints])}
		if len(config.Supervisors) > 1 {
			at.part = reconcile.PartFor(s.Name, s.Name == cmp.Or(source.Supervisor, config.Supervisors[0].Name))
		}
		out = append(out, at)
	}
	return out
}

// site is the one that the flags of a command choose, which is for one only.
func (c *connection) site() (liveSite, error) { return c.siteFor("") }

// siteFor is site for a source. What no vSphere Namespace of the repository says
// the place of is for the Supervisor of that source, or, where the file does not
// know the source, for the chosen one.
func (c *connection) siteFor(source string) (liveSite, error) {
	if c.config == "" {
		return c.sites(&schema.Config{}, schema.SourceConfig{})[0], nil
	}
	config, err := c.file()
	if err != nil {
		return liveSite{}, err
	}
	var names []string
	for _, s := range config.Supervisors {
		names = append(names, s.Name)
	}
	chosen := c.supervisor
	switch {
	case chosen == "" && len(names) == 1:
		chosen = names[0]
	case chosen == "":
		return liveSite{}, invalid(fmt.Errorf("%s names %d Supervisors: choose one with --supervisor: %s", c.config, len(names), strings.Join(names, ", ")))
	case !slices.Contains(names, chosen):
		return liveSite{}, invalid(fmt.Errorf("--supervisor is %q, and %s names none like that: want %s", chosen, c.config, strings.Join(names, ", ")))
	}
	of := schema.SourceConfig{Supervisor: chosen}
	if i := slices.IndexFunc(config.Sources, func(s schema.SourceConfig) bool { return s.Name == source }); i >= 0 {
		of = config.Sources[i]
	}
	return c.sites(config, of)[slices.Index(names, chosen)], nil
}

// part is what of a repository is for the chosen site; nil is all of it.
func (c *connection) part(source string) (func(*schema.Desired) *resource.Set, error) {
	at, err := c.siteFor(source)
	return at.part, err
}

// file is what --config says.
func (c *connection) file() (*schema.Config, error) {
	if c.read != nil {
		return c.read, nil
	}
	text, err := os.ReadFile(c.config)
	if err != nil {
		return nil, invalid(fmt.Errorf("reading the configuration: %w", err))
	}
	config, problems := schema.LoadConfig(c.config, text)
	if len(problems) > 0 {
		return nil, invalid(fmt.Errorf("%s is not valid: %s\n%w", c.config, counted(len(problems), "problem"), problems.Err()))
	}
	c.read = config
	return config, nil
}

// connectTo makes an engine for a source on a site.
func (c *connection) connectTo(ctx context.Context, at liveSite, source string) (*reconcile.Engine, error) {
	t, err := at.target()
	if err != nil {
		return nil, err
	}
	endpoints, err := c.connect(ctx, t)
	at.tried.Store(&endpoints) // also of those that cannot be reached, their state is known
	if err != nil {
		return nil, err
	}
	endpoints.Source = source
	return reconcile.Connect(ctx, endpoints)
}

// targetOf is what the configuration says of a Supervisor.
func (c *connection) targetOf(s schema.SupervisorConfig) (t target, err error) {
	fail := func(err error) (target, error) {
		return target{}, invalid(fmt.Errorf("supervisor %s: %w", s.Name, err))
	}
	if t.vsphere.URL, err = url.Parse(s.VCenter.URL); err != nil {
		return fail(err)
	}
	user, password, err := c.credentials(s.VCenter.Credentials)
	if err != nil {
		return fail(err)
	}
	t.vsphere.URL.User = url.UserPassword(user, password)
	if t.vsphere.RootCAs, err = authorities(s.VCenter.TLS.CAFile); err != nil {
		return fail(err)
	}
	t.vsphere.Thumbprint, t.vsphere.Insecure = s.VCenter.TLS.Thumbprint, s.VCenter.TLS.Insecure
	t.kubeconfig, t.context = s.Kubernetes.Kubeconfig, s.Kubernetes.Context
	t.insecure = "insecure: true in " + c.config
	login := s.Kubernetes.Login
	if login == nil {
		return t, nil
	}
	if !login.Credentials.Username.IsZero() {
		if user, password, err = c.credentials(login.Credentials); err != nil {
			return fail(err)
		}
	}
	t.login = &supervisor.LoginConfig{
		Address: login.Address, API: login.API, Username: user, Password: password,
		Thumbprint: login.TLS.Thumbprint, Insecure: login.TLS.Insecure,
	}
	if t.login.RootCAs, err = authorities(login.TLS.CAFile); err != nil {
		return fail(err)
	}
	return t, nil
}

func (c *connection) credentials(of schema.Credentials) (user, password string, err error) {
	if user, err = of.Username.Read(c.env, os.ReadFile); err != nil {
		return "", "", err
	}
	password, err = of.Password.Read(c.env, os.ReadFile)
	return user, password, err
}

// authorities are those of a PEM file; nil, the system's, without one.
func authorities(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading certificates: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no PEM certificate", file)
	}
	return pool, nil
}

// evaluator judges the revisions of a source in child processes, and only what
// changed, also since an earlier process: what it found out is kept beside the
// source's mirror. That is the content of manifests, so nobody else may read it.
func (o *runOptions) evaluator(d *daemon, source string) (reconcile.Evaluate, error) {
	mirrors, err := o.mirrors()
	if err != nil {
		return nil, err
	}
	e, err := newEvaluator(schema.EvaluatorOptions{
		Timeout: o.evaluateTimeout, MemoryBytes: o.evaluateMemory,
		CacheFile: filepath.Join(mirrors, source+".evaluated"),
	})
	if err != nil {
		return nil, err
	}
	d.closers = append(d.closers, e.Close)
	return func(ctx context.Context, tree *gitsource.Tree) (*schema.Desired, schema.Problems, error) {
		desired, problems, err := e.Load(ctx, tree.FS, tree.Root)
		for i := range problems {
			problems[i].Pos.File = tree.Place(problems[i].Pos.File)
		}
		return desired, problems, err
	}, nil
}
