package apiserver

import (
	"context"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/embed"
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

// compact forgets all revisions before the present one.
func (d *database) compact(ctx context.Context) error {
	_, err := d.server.Server.Compact(ctx, &etcdserverpb.CompactionRequest{Revision: d.server.Server.KV().Rev(), Physical: true})
	return err
}

func (d *database) close() { d.server.Close() }
