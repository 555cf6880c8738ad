package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/link"
	"github.com/vksync/vksync/reconcile/supervisor"
	"github.com/vksync/vksync/reconcile/vsphere"
	"github.com/vksync/vksync/schema"
)

// connection says how a live Supervisor and its vCenter are reached: the vCenter
// as govc knows it, the Supervisor as kubectl does or by logging in; or both as a
// file says.
type connection struct {
	// config is the file; empty uses what is below and the environment.
	config string
	// supervisor is the address to log in at; empty uses a kubeconfig. With config
	// it is the name of one of the Supervisors there.
	supervisor string
	kubeconfig string
	context    string
	// patience is how long one request may take; 0 is the default of the clients.
	patience time.Duration

	getenv func(string) string // nil is os.Getenv
	stderr io.Writer           // for what the user has to know

	mu sync.Mutex // guards what is below
	// links are those made so far, by endpoint: whoever connects to the same one
	// knows what the others know of it.
	links map[string]*link.Link
	// warned are the endpoints whose certificate is not verified.
	warned map[string]bool
	// read is the content of config, once it was read.
	read *schema.Config
}

func (c *connection) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.config, "config", "", "file that names Supervisors and vCenters, as of run; see docs/config.md")
	f.StringVar(&c.supervisor, "supervisor", "", "address of a Supervisor, to log in with the vCenter's credentials; with --config: its name there")
	f.StringVar(&c.kubeconfig, "kubeconfig", "", "kubeconfig of the Supervisor, else $KUBECONFIG or ~/.kube/config")
	f.StringVar(&c.context, "context", "", "context of the kubeconfig, else its current one")
	f.DurationVar(&c.patience, "request-timeout", 30*time.Second, "how long the Supervisor or the vCenter may take to answer a request")
	cmd.MarkFlagsMutuallyExclusive("supervisor", "kubeconfig")
	cmd.MarkFlagsMutuallyExclusive("supervisor", "context")
	cmd.MarkFlagsMutuallyExclusive("config", "kubeconfig")
	cmd.MarkFlagsMutuallyExclusive("config", "context")
}

// target is where to connect, whatever said so. Login is nil where a kubeconfig
// leads to the Supervisor. Insecure is what turns verification off, for people.
type target struct {
	vsphere    vsphere.Config
	login      *supervisor.LoginConfig
	kubeconfig string
	context    string
	insecure   string
}

// endpoints finds out where to connect. Only a login contacts anything.
func (c *connection) endpoints(ctx context.Context) (reconcile.Endpoints, error) {
	at, err := c.site()
	if err != nil {
		return reconcile.Endpoints{}, err
	}
	t, err := at.target()
	if err != nil {
		return reconcile.Endpoints{}, err
	}
	return c.connect(ctx, t)
}

// howToTry ends the errors of those who have not said where to connect.
const howToTry = "\nTo try vksync without either, run 'vksync sandbox': it serves a simulated site and prints the environment to use"

// target is what the flags and the environment say.
func (c *connection) target() (t target, err error) {
	t.kubeconfig, t.context, t.insecure = c.kubeconfig, c.context, vsphere.EnvInsecure
	if c.env(vsphere.EnvURL) == "" {
		return t, invalid(errors.New("no vCenter is given: set " + vsphere.EnvURL + ", " + vsphere.EnvUsername + " and " + vsphere.EnvPassword + ", as for govc" + howToTry))
	}
	if t.vsphere, err = vsphere.ConfigFromEnv(c.env); err != nil {
		return t, invalid(err)
	}
	if c.supervisor == "" {
		return t, nil
	}
	password, _ := t.vsphere.URL.User.Password()
	thumbprint, err := vsphere.KnownThumbprint(c.env(vsphere.EnvKnownHosts), c.supervisor)
	if err != nil {
		return t, invalid(err)
	}
	t.login = &supervisor.LoginConfig{
		Address: c.supervisor, Username: t.vsphere.URL.User.Username(), Password: password,
		RootCAs: t.vsphere.RootCAs, Thumbprint: thumbprint, Insecure: t.vsphere.Insecure,
	}
	return t, nil
}

// connect makes the clients' configurations of a target, each with the Link of its
// endpoint.
func (c *connection) connect(ctx context.Context, t target) (reconcile.Endpoints, error) {
	if c.patience < 0 {
		return reconcile.Endpoints{}, invalid(fmt.Errorf("--request-timeout is %s: want more than 0", c.patience))
	}
	e := reconcile.Endpoints{VSphere: t.vsphere}
	e.VSphere.Timeout = 2 * c.patience // a call may be a request that is repeated
	vcenter := "the vCenter at " + t.vsphere.URL.Host
	e.VSphere.Link = c.link(vcenter)
	if t.vsphere.Insecure {
		c.warnInsecure(vcenter, t.insecure)
	}
	if t.login != nil {
		return c.logIn(ctx, e, t)
	}
	var err error
	if e.Kube, err = supervisor.FromKubeconfig(t.kubeconfig, t.context); err != nil {
		if supervisor.NoKubeconfig(err) {
			err = errors.New("no Supervisor is given: set KUBECONFIG or --kubeconfig, as for kubectl, or --supervisor ADDRESS to log in with the vCenter's credentials" + howToTry)
		}
		return e, invalid(err)
	}
	where := "the Supervisor at " + e.Kube.Host
	e.KubeLink = c.link(where)
	if e.Kube.Insecure {
		c.warnInsecure(where, "insecure-skip-tls-verify in the kubeconfig")
	}
	return e, nil
}

func (c *connection) logIn(ctx context.Context, e reconcile.Endpoints, t target) (reconcile.Endpoints, error) {
	login := *t.login
	where := "the Supervisor at " + login.Address
	e.KubeLink = c.link(where)
	login.Link = e.KubeLink
	if login.Insecure {
		c.warnInsecure(where, t.insecure)
	}
	var err error
	e.Kube, err = supervisor.Login(ctx, login)
	return e, err
}

// env is a variable of the environment.
func (c *connection) env(name string) string {
	if c.getenv == nil {
		return os.Getenv(name)
	}
	return c.getenv(name)
}

// link is the Link of an endpoint.
func (c *connection) link(endpoint string) *link.Link {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.links == nil {
		c.links = map[string]*link.Link{}
	}
	if c.links[endpoint] == nil {
		c.links[endpoint] = link.New(link.Options{Name: endpoint, Timeout: c.patience})
	}
	return c.links[endpoint]
}

// warnInsecure says once that anybody on the way could be the server.
func (c *connection) warnInsecure(endpoint, because string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.warned[endpoint] {
		return
	}
	if c.warned == nil {
		c.warned = map[string]bool{}
	}
	c.warned[endpoint] = true
	// There is nobody else to tell when this fails.
	_, _ = fmt.Fprintf(c.stderr, "vksync: the certificate of %s is not verified (%s)\n", endpoint, because)
}
