package vcenter_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"testing"

	"github.com/vksync/vksync/reconcile/vsphere"
	"github.com/vksync/vksync/simulate/inventory"
	"github.com/vksync/vksync/simulate/vcenter"
)

const password = "canary-5f1c"

// start builds a vCenter that is gone when the test is over.
func start(tb testing.TB, inv *inventory.Inventory) *vcenter.VCenter {
	tb.Helper()
	return startWith(tb, vcenter.Config{Inventory: inv})
}

func startWith(tb testing.TB, config vcenter.Config) *vcenter.VCenter {
	tb.Helper()
	v, err := vcenter.New(config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := v.Close(); err != nil {
			tb.Error(err)
		}
	})
	return v
}

// serve answers with handler on connections that stay in the process, and
// returns how to reach it.
func serve(tb testing.TB, handler http.Handler) vsphere.Config {
	tb.Helper()
	l := &pipes{incoming: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: handler}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	tb.Cleanup(func() {
		if err := server.Close(); err != nil {
			tb.Error(err)
		}
		<-done
	})
	return vsphere.Config{
		URL:         &url.URL{Scheme: "http", Host: "vcenter.lab.example", User: url.UserPassword("administrator@vsphere.local", password)},
		DialContext: l.dial,
	}
}

// dial connects the shipping client to handler.
func dial(tb testing.TB, handler http.Handler) *vsphere.Client {
	tb.Helper()
	c, err := vsphere.Dial(tb.Context(), serve(tb, handler))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := c.Close(context.Background()); err != nil {
			tb.Error(err)
		}
	})
	return c
}

// pipes is a listener whose connections are net.Pipes.
type pipes struct {
	incoming chan net.Conn
	closed   chan struct{}
}

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.incoming <- server:
		return client, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.incoming:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	close(p.closed)
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

// lab is three zones of so many hosts each, 32 cores and 256 GiB.
func lab(tb testing.TB, hostsPerZone int) *inventory.Inventory {
	tb.Helper()
	var zones, datastores, names []any
	for _, z := range []string{"a", "b", "c"} {
		var hosts []any
		for i := range hostsPerZone {
			hosts = append(hosts, map[string]any{
				"name": fmt.Sprintf("esx-%s%d.lab.example", z, i+1), "cores": 32, "mhz": 2600, "memoryMiB": 262144,
			})
		}
		zones = append(zones, map[string]any{"name": "zone-" + z, "cluster": "compute-" + z, "hosts": hosts})
		datastores = append(datastores, map[string]any{"name": "vsan-" + z, "capacityGiB": 20480 * max(1, hostsPerZone/4), "zones": []any{"zone-" + z}})
		names = append(names, "vsan-"+z)
	}
	inv, err := inventory.Decode(map[string]any{
		"metadata": map[string]any{"name": "lab"},
		"spec": map[string]any{
			"vcenter": map[string]any{"version": "9.0.0"}, "datacenter": "dc-lab", "supervisor": map[string]any{"name": "lab"},
			"zones": zones, "datastores": datastores,
			"storagePolicies": []any{map[string]any{"name": "vks-gold", "datastores": names}, map[string]any{"name": "only-a", "datastores": []any{"vsan-a"}}},
			"networks":        map[string]any{"privateCIDRs": []any{"172.26.0.0/16"}, "subnetSize": 32},
			"loadBalancer":    map[string]any{"ranges": []any{"10.20.0.10-10.20.0.60"}},
			"vmClasses": []any{
				map[string]any{"name": "best-effort-small", "cpus": 2, "memoryMiB": 4096},
				map[string]any{"name": "guaranteed-medium", "cpus": 2, "memoryMiB": 8192, "reserved": true},
			},
			"contentLibraries": []any{map[string]any{"name": "vks-releases"}, map[string]any{"name": "golden"}},
		},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return inv
}

// makeVM places, creates and powers on a VM, and gives it an address.
func makeVM(tb testing.TB, v *vcenter.VCenter, ns, cluster, name string) vcenter.VMRef {
	tb.Helper()
	spot, err := v.Place(vcenter.PlaceRequest{Namespace: ns, CPUs: 2, MemoryMiB: 4096, DiskGiB: 20, StoragePolicy: "vks-gold"})
	if err != nil {
		tb.Fatal(err)
	}
	ref, err := v.CreateVM(specOf(ns, cluster, name, spot))
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := v.PowerOn(ref.MoID); err != nil {
		tb.Fatal(err)
	}
	if err := v.SetGuest(ref.MoID, "172.26.0.4", name); err != nil {
		tb.Fatal(err)
	}
	return ref
}

func specOf(ns, cluster, name string, spot vcenter.Spot) vcenter.VMSpec {
	return vcenter.VMSpec{
		Namespace: ns, Cluster: cluster, Name: name, Spot: spot, CPUs: 2, MemoryMiB: 4096, DiskGiB: 20,
		BiosUUID: uuidOf(name, 1), InstanceUUID: uuidOf(name, 2),
	}
}

func uuidOf(name string, kind int) string {
	var sum [6]byte
	for i := range name {
		sum[i%6] = sum[i%6]*31 + name[i]
	}
	return fmt.Sprintf("4200%04x-0000-4000-8000-%012x", kind, sum[:])
}
