package simulate

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/vksync/vksync/reconcile/vsphere"
	"github.com/vksync/vksync/simulate/gate"
)

// ServeOptions say how a world is served. The zero value of each but Speed is useful.
type ServeOptions struct {
	// Speed is how many seconds of model time pass in a second. It must be more
	// than 0.
	Speed float64
	// SupervisorPort and VCenterPort are on 127.0.0.1; 0 is any that is free.
	SupervisorPort, VCenterPort int
	// User and Password log in to vCenter and at the Supervisor's /wcp/login.
	// Empty is DefaultUser and a password drawn at random.
	User, Password string
	// Token is the bearer token of the kubeconfig, which does not expire. Empty
	// is one drawn at random.
	Token string
	// TokenLife is how long, by the wall clock, tokens of /wcp/login are good; 0
	// is a Supervisor's ten hours.
	TokenLife time.Duration
	// OnFault is told of faults of the simulation itself, each once, OnInterference
	// of what is done to the Supervisor's VMs in vCenter. Like Config.Record they
	// are called by the goroutine that plays the controllers. They may be nil.
	OnFault        func(error)
	OnInterference func(Interference)
}

// defaultTokenLife is that of a Supervisor's tokens.
const defaultTokenLife = 10 * time.Hour

// Served is a world that is reached over the network. Its model time runs, and
// its controllers act on whatever anyone writes, until Close.
type Served struct {
	// CA is the certificate, PEM, that the certificates of both servers are
	// signed with.
	CA []byte
	// User and Password are those of vCenter and of /wcp/login, Token is that of
	// the kubeconfig.
	User, Password, Token string

	world      *World
	supervisor *gate.Endpoint
	vcenter    *gate.Endpoint
	tokens     *gate.Tokens
	stop       context.CancelFunc
	stopped    chan struct{}
	close      sync.Once
	closeErr   error
}

// Serve opens the world to clients on this machine, over TLS: the Supervisor's
// Kubernetes API with /wcp/login, and vCenter with /sdk, /api and /rest. It is
// served until ctx ends or Close is called. A world is served once; Wait must not
// be called on it, since its time runs by itself.
func (w *World) Serve(ctx context.Context, o ServeOptions) (*Served, error) {
	if !(o.Speed > 0) {
		return nil, fmt.Errorf("serving the simulated world: the speed is %g: want more than 0", o.Speed)
	}
	if w.inbox != nil {
		return nil, errors.New("serving the simulated world: it was served already")
	}
	s := &Served{
		world: w, stopped: make(chan struct{}),
		User:     cmp.Or(o.User, DefaultUser),
		Password: cmp.Or(o.Password, gate.Secret()),
		Token:    cmp.Or(o.Token, gate.Secret()),
	}
	w.vcenter.RequireLogin(s.User, s.Password)
	w.user = url.UserPassword(s.User, s.Password)
	s.tokens = gate.NewTokens(s.Token, cmp.Or(o.TokenLife, defaultTokenLife), w.vcenter.Allows)
	if err := w.controllers.Everyday(); err != nil {
		return nil, fmt.Errorf("serving the simulated world: %w", err)
	}
	w.begin(o)
	ctx, s.stop = context.WithCancel(ctx)
	go func() {
		defer close(s.stopped)
		w.run(ctx)
	}()
	if err := s.listen(o); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	context.AfterFunc(ctx, func() { _ = s.Close() }) // whoever closes as well gets the error
	return s, nil
}

// begin has model time run, and the controllers live with faults.
func (w *World) begin(o ServeOptions) {
	w.clock.pace = newPace(o.Speed, w.clock.now)
	w.inbox = &inbox{wake: w.clock.pace.nudge}
	w.onInterfere = o.OnInterference
	w.controllers.Tolerate(w.faultTeller(o.OnFault))
	w.clock.AfterFunc(0, w.controllers.CountQuotas)
}

func (s *Served) listen(o ServeOptions) error {
	a, err := gate.NewAuthority()
	if err != nil {
		return err
	}
	s.CA = a.PEM
	if s.supervisor, err = gate.Open(string(Supervisor), o.SupervisorPort, a, s.tokens.Guard(s.world.store.Handler()), gate.Status); err != nil {
		return err
	}
	s.vcenter, err = gate.Open(string(VCenter), o.VCenterPort, a, s.world.vcenter.Handler(), gate.Plain)
	return err
}

// Close stops time and both servers, and cuts what is connected. The world stays:
// it can be saved, and the caller closes it. Close may be called more than once.
func (s *Served) Close() error {
	s.close.Do(func() {
		for _, e := range []*gate.Endpoint{s.supervisor, s.vcenter} {
			if e != nil {
				s.closeErr = errors.Join(s.closeErr, e.Close())
			}
		}
		s.stop()
		<-s.stopped
	})
	return s.closeErr
}

// SupervisorURL is where the Kubernetes API and /wcp/login are: https://127.0.0.1:PORT.
func (s *Served) SupervisorURL() string { return s.supervisor.URL() }

// VCenterURL is where vCenter is: https://127.0.0.1:PORT. SOAP is at /sdk below it.
func (s *Served) VCenterURL() string { return s.vcenter.URL() }

// KubeConfig leads client-go to the Supervisor.
func (s *Served) KubeConfig() *rest.Config {
	return &rest.Config{
		Host: s.SupervisorURL(), BearerToken: s.Token, UserAgent: "vksync", QPS: -1,
		TLSClientConfig: rest.TLSClientConfig{CAData: s.CA},
	}
}

// Kubeconfig is the file that leads kubectl to the Supervisor. Its one context is
// called sandbox. It holds the token.
func (s *Served) Kubeconfig() ([]byte, error) {
	const name = "sandbox"
	config := clientcmdapi.NewConfig()
	config.Clusters[name] = &clientcmdapi.Cluster{Server: s.SupervisorURL(), CertificateAuthorityData: s.CA}
	config.AuthInfos[name] = &clientcmdapi.AuthInfo{Token: s.Token}
	config.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	config.CurrentContext = name
	return clientcmd.Write(*config)
}

// VSphereConfig leads govmomi to vCenter.
func (s *Served) VSphereConfig() (vsphere.Config, error) {
	u, err := url.Parse(s.VCenterURL() + "/sdk")
	if err != nil {
		return vsphere.Config{}, err
	}
	u.User = url.UserPassword(s.User, s.Password)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.CA)
	return vsphere.Config{URL: u, RootCAs: roots}, nil
}
