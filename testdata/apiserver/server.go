package apiserver

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/pflag"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	cliflag "k8s.io/component-base/cli/flag"
	"k8s.io/klog/v2"
	controlplane "k8s.io/kubernetes/pkg/controlplane/apiserver/options"
	generic "k8s.io/kubernetes/pkg/controlplane/apiserver/samples/generic/server"
)

// readyWithin is how long a server may take to serve. It takes about three
// seconds on two idle cores; the rest is for machines that are not idle.
const readyWithin = 2 * time.Minute

// A Server is a running API server.
type Server struct {
	// Config is of an administrator, without a limit of requests.
	Config *rest.Config
	etcd   *database
}

// quiet keeps the server's log out of the tests' output.
var quiet = sync.OnceFunc(func() { klog.SetLogger(logr.Discard()) })

// Start runs an API server for the test, with the garbage collector and the
// namespace controller, but without any kind that is not Kubernetes' own. gates
// are feature gates, as GATE=BOOL; they hold for the whole process.
func Start(t testing.TB, gates ...string) *Server {
	t.Helper()
	quiet()
	// Cleanups run when the test's own context has ended.
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	etcd := startEtcd(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listening on loopback: %v", err)
	}
	dir := t.TempDir()
	options, err := optionsFor(ctx, dir, listener, etcd, gates)
	if err != nil {
		t.Fatalf("configuring the API server: %v", err)
	}
	done := make(chan error, 1)
	if err := run(ctx, options, done); err != nil {
		t.Fatalf("starting the API server: %v", err)
	}
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the API server ended with: %v", err)
		}
		etcd.close()
	})
	s := &Server{etcd: etcd, Config: &rest.Config{
		Host: "https://" + listener.Addr().String(), BearerToken: adminToken, QPS: -1, UserAgent: "tester/1.0",
		TLSClientConfig: rest.TLSClientConfig{CAFile: filepath.Join(dir, certName+".crt")},
	}}
	s.awaitReady(t, done)
	startControllers(t, ctx, s.Config)
	return s
}

const (
	adminToken = "administrator"
	certName   = "apiserver"
)

// optionsFor are the command line of the API server, as a struct.
func optionsFor(ctx context.Context, dir string, listener net.Listener, etcd *database, gates []string) (controlplane.CompletedOptions, error) {
	var none controlplane.CompletedOptions
	tokens, key := filepath.Join(dir, "tokens.csv"), filepath.Join(dir, "accounts.key")
	if err := os.WriteFile(tokens, []byte(adminToken+`,administrator,administrator,"system:masters"`+"\n"), 0o600); err != nil {
		return none, err
	}
	if err := writeKey(key); err != nil {
		return none, err
	}
	o := generic.NewOptions()
	var flags cliflag.NamedFlagSets
	o.AddFlags(&flags)
	all := pflag.NewFlagSet("server", pflag.ContinueOnError)
	for _, set := range flags.FlagSets {
		all.AddFlagSet(set)
	}
	// What only a flag can say.
	if err := all.Parse([]string{"--authorization-mode=RBAC", "--token-auth-file=" + tokens, "--feature-gates=" + strings.Join(gates, ",")}); err != nil {
		return none, err
	}
	address := listener.Addr().(*net.TCPAddr)
	o.SecureServing.Listener, o.SecureServing.BindPort = listener, address.Port
	o.SecureServing.ExternalAddress = address.IP
	o.SecureServing.ServerCert.CertDirectory, o.SecureServing.ServerCert.PairName = dir, certName
	o.Etcd.StorageConfig.Transport.ServerList = []string{etcd.url}
	o.ServiceAccountSigningKeyFile = key
	o.Authentication.ServiceAccounts.Issuers = []string{"https://vksync.test"}
	o.Authentication.ServiceAccounts.KeyFiles = []string{key}
	completed, err := o.Complete(ctx, nil, nil)
	if err != nil {
		return none, err
	}
	return completed, utilerrors.NewAggregate(completed.Validate())
}

func writeKey(path string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), 0o600)
}

// run builds the chain of servers and serves it until ctx ends; done then gets
// what came of it.
func run(ctx context.Context, options controlplane.CompletedOptions, done chan<- error) error {
	config, err := generic.NewConfig(options)
	if err != nil {
		return err
	}
	completed, err := config.Complete()
	if err != nil {
		return err
	}
	chain, err := generic.CreateServerChain(completed)
	if err != nil {
		return err
	}
	prepared, err := chain.PrepareRun()
	if err != nil {
		return err
	}
	go func() { done <- prepared.Run(ctx) }()
	return nil
}

// awaitReady waits until the server is ready and has made its own namespaces.
func (s *Server) awaitReady(t testing.TB, done <-chan error) {
	t.Helper()
	client, err := kubernetes.NewForConfig(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	Eventually(t, readyWithin, "the API server to be ready", func() error {
		select {
		case err := <-done:
			t.Fatalf("the API server has ended: %v", err)
		default:
		}
		if err := client.RESTClient().Get().AbsPath("/readyz").Do(t.Context()).Error(); err != nil {
			return err
		}
		_, err := client.CoreV1().Namespaces().Get(t.Context(), "default", metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return fmt.Errorf("namespace default is not there yet")
		}
		return err
	})
}

// Eventually asks until met returns nil, and fails the test with its last error
// when that takes too long.
func Eventually(t testing.TB, within time.Duration, what string, met func() error) {
	t.Helper()
	deadline := time.Now().Add(within)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := met()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited %s for %s: %v", within, what, err)
		}
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatalf("waiting for %s: %v (last: %v)", what, t.Context().Err(), err)
		}
	}
}
