package apiserver

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/client-go/rest"
)

// database is an etcd with one member, in this process.
type database struct {
	url    string
	server *embed.Etcd
}

func startEtcd(t testing.TB) *database {
	t.Helper()
	dir := t.TempDir()
	config := embed.NewConfig()
	config.Dir = filepath.Join(dir, "data")
	config.UnsafeNoFsync = true // it need not outlive the test
	config.LogLevel, config.LogOutputs = "error", []string{filepath.Join(dir, "etcd.log")}
	loopback := url.URL{Scheme: "http", Host: "127.0.0.1:0"}
	config.ListenPeerUrls, config.ListenClientUrls = []url.URL{loopback}, []url.URL{loopback}
	config.AdvertisePeerUrls, config.AdvertiseClientUrls = []url.URL{loopback}, []url.URL{loopback}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	server, err := embed.StartEtcd(config)
	if err != nil {
		t.Fatalf("starting etcd: %v", err)
	}
	select {
	case <-server.Server.ReadyNotify():
	case err := <-server.Err():
		t.Fatalf("starting etcd: %v", err)
	case <-time.After(readyWithin):
		t.Fatalf("etcd is not ready after %s", readyWithin)
	}
	return &database{url: "http://" + server.Clients[0].Addr().String(), server: server}
}

// compact forgets all revisions before one.
func (d *database) compact(ctx context.Context, revision int64) error {
	_, err := d.server.Server.Compact(ctx, &etcdserverpb.CompactionRequest{Revision: revision, Physical: true})
	return err
}

func (d *database) close() { d.server.Close() }

// Compact has the server forget all versions before the present one, and waits
// until it has taken up its watches of etcd again, which that may have ended.
func (s *Server) Compact(t testing.TB) {
	t.Helper()
	version := s.etcd.server.Server.KV().Rev()
	if err := s.etcd.compact(t.Context(), version); err != nil {
		t.Fatalf("compacting: %v", err)
	}
	client, err := rest.HTTPClientFor(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/api/v1/configmaps", "/api/v1/namespaces", "/apis/vmoperator.vmware.com/v1alpha5/virtualmachines"} {
		Eventually(t, readyWithin, path+" to be up to date after a compaction", func() error {
			response, err := client.Get(fmt.Sprintf("%s%s?limit=1&resourceVersionMatch=NotOlderThan&resourceVersion=%d", s.Config.Host, path, version))
			if err != nil {
				return err
			}
			defer response.Body.Close()
			if response.StatusCode == http.StatusGatewayTimeout {
				return fmt.Errorf("it is not")
			}
			return nil
		})
	}
}
