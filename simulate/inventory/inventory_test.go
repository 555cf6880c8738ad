package inventory_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vksync/vksync/simulate/inventory"
)

func content(change func(spec map[string]any)) map[string]any {
	spec := map[string]any{
		"datacenter": "dc-lab",
		"supervisor": map[string]any{"name": "lab"},
		"zones": []any{
			map[string]any{"name": "zone-a", "cluster": "compute-a", "hosts": []any{
				map[string]any{"name": "esx-a1", "cores": int64(32), "mhz": int64(2600), "memoryMiB": int64(262144)},
				map[string]any{"name": "esx-a2", "cores": int64(32), "mhz": int64(2600), "memoryMiB": int64(262144), "maintenance": true},
			}},
		},
		"datastores":      []any{map[string]any{"name": "vsan-a", "capacityGiB": int64(100), "freeGiB": int64(0), "zones": []any{"zone-a"}}},
		"storagePolicies": []any{map[string]any{"name": "gold", "datastores": []any{"vsan-a"}}},
		"loadBalancer":    map[string]any{"ranges": []any{"10.20.0.10-10.20.0.12", "10.20.1.1"}},
		"contentLibraries": []any{map[string]any{"name": "vks", "images": []any{
			map[string]any{"name": "vmi-1", "displayName": "photon-5-v1.34.1", "os": map[string]any{"name": "photon", "version": "5"}, "diskGiB": int64(20)},
		}}},
		"kubernetesReleases": []any{
			map[string]any{"version": "v1.34.1+vmware.1-vkr.4", "images": []any{"vmi-1"}},
			map[string]any{"version": "v1.34.10+vmware.1-vkr.1"},
			map[string]any{"version": "v1.34.9+vmware.1-vkr.2"},
			map[string]any{"version": "v1.35.0+vmware.1-vkr.1", "incompatible": true},
			map[string]any{"version": "v1.3.0+vmware.1"},
		},
	}
	change(spec)
	return map[string]any{"metadata": map[string]any{"name": "lab"}, "spec": spec}
}

func decode(t *testing.T) *inventory.Inventory {
	t.Helper()
	inv, err := inventory.Decode(content(func(map[string]any) {}))
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

func TestLookups(t *testing.T) {
	t.Parallel()
	inv := decode(t)
	image, _ := inv.Image("photon-5-v1.34.1")
	datastore, _ := inv.Datastore("vsan-a")
	_, unknown := inv.VMClass("huge")
	var addresses []string
	for _, r := range inv.LoadBalancerRanges() {
		for a := range r.All() {
			addresses = append(addresses, a.String())
		}
	}
	got := []any{
		inv.Version(), inv.SubnetSize(), inv.ZoneOfHost("esx-a2"), inv.ZoneOfHost("esx-z"), inv.ZoneOfCluster("compute-a"),
		image.Name, datastore.Free(), unknown, addresses,
	}
	want := []any{
		"9.0.0", 32, "zone-a", "", "zone-a",
		"vmi-1", int64(0), false, []string{"10.20.0.10", "10.20.0.11", "10.20.0.12", "10.20.1.1"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestReleaseOfAVersion(t *testing.T) {
	t.Parallel()
	inv := decode(t)
	for asked, want := range map[string]string{
		"v1.34.1+vmware.1-vkr.4": "v1.34.1+vmware.1-vkr.4",
		"v1.34":                  "v1.34.10+vmware.1-vkr.1",
		"v1.34.1":                "v1.34.1+vmware.1-vkr.4",
		"v1.3":                   "v1.3.0+vmware.1",
		"v1.35":                  "", // incompatible ones are found by their full name only
		"v1.35.0+vmware.1-vkr.1": "v1.35.0+vmware.1-vkr.1",
		"v1.36":                  "",
		"":                       "",
	} {
		got, ok := inv.Release(asked)
		if ok != (want != "") || ok && got.Version != want {
			t.Errorf("release of %q: got %q, %v; want %q", asked, got.Version, ok, want)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	zone := func(spec map[string]any) map[string]any { return spec["zones"].([]any)[0].(map[string]any) }
	for name, test := range map[string]struct {
		change func(spec map[string]any)
		says   string
	}{
		"another shape":                 {func(s map[string]any) { s["zones"] = "a" }, "cannot unmarshal string"},
		"no datacenter":                 {func(s map[string]any) { delete(s, "datacenter") }, "spec.datacenter is empty"},
		"no Supervisor":                 {func(s map[string]any) { delete(s, "supervisor") }, "spec.supervisor.name is empty"},
		"no zone":                       {func(s map[string]any) { s["zones"] = []any{} }, "at least one zone"},
		"a host twice":                  {func(s map[string]any) { zone(s)["hosts"] = slices.Repeat(zone(s)["hosts"].([]any), 2) }, `host "esx-a1" is there twice`},
		"a zone without a name":         {func(s map[string]any) { zone(s)["name"] = "" }, "a zone has no name"},
		"an unknown zone":               {func(s map[string]any) { zone(s)["name"] = "zone-b" }, `datastore vsan-a refers to zone "zone-a"`},
		"an unknown datastore":          {func(s map[string]any) { s["datastores"] = []any{} }, `storage policy gold refers to datastore "vsan-a"`},
		"a range that is none":          {func(s map[string]any) { s["loadBalancer"] = map[string]any{"ranges": []any{"10.0.0.1-x"}} }, "want first-last"},
		"a range from high to low":      {func(s map[string]any) { s["loadBalancer"] = map[string]any{"ranges": []any{"10.0.0.9-10.0.0.1"}} }, "must not be below the first"},
		"an unknown provider":           {networks("calico"), `spec.networks.provider is "calico"; it is one of nsx-vpc, nsx-t, vds, plain`},
		"port groups without addresses": {networks("vds"), "spec.networks.ranges is empty"},
		"no endpoint":                   {networks("plain", "10.0.0.1-10.0.0.9"), "give spec.supervisor.controlPlaneEndpoint"},
		"ranges for NSX":                {networks("nsx-t", "10.0.0.1-10.0.0.9"), "provider nsx-t uses spec.networks.privateCIDRs"},
		"blocks without NSX": {func(s map[string]any) {
			networks("vds", "10.0.0.1")(s)
			s["networks"].(map[string]any)["privateCIDRs"] = []any{"10.1.0.0/16"}
		}, "use spec.networks.ranges"},
		"a node range that is none": {networks("vds", "10.0.0.1-x"), "want first-last"},
		"an endpoint without a port": {func(s map[string]any) {
			s["supervisor"] = map[string]any{"name": "lab", "controlPlaneEndpoint": map[string]any{"host": "10.0.0.1"}}
		}, "it needs a host and a port"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := inventory.Decode(content(test.change)); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want an error that says %q", err, test.says)
			}
		})
	}
}

func networks(provider string, ranges ...any) func(map[string]any) {
	return func(spec map[string]any) {
		spec["networks"] = map[string]any{"provider": provider, "ranges": ranges}
	}
}

func TestRangeCount(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"10.0.0.1":                          1,
		"10.20.0.10-10.20.0.60":             51,
		"0.0.0.0-255.255.255.255":           1 << 32,
		"2001:db8::1-2001:db8::ffff":        0xffff,
		"::ffff:ffff:ffff:ffff-::1:0:0:0:0": 2, // across the halves of the address
		"::-ffff::":                         math.MaxInt64,
		"::-::7fff:ffff:ffff:ffff":          math.MaxInt64,
	} {
		r, err := inventory.ParseRange(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Count(); got != want {
			t.Errorf("%s: %d addresses, want %d", text, got, want)
		}
	}
}

func FuzzParseRange(f *testing.F) {
	for _, text := range []string{"10.20.0.10-10.20.0.60", "10.0.0.1", "::1-::ffff", "fe80::1%eth0-fe80::2%eth0", "255.255.255.255", "1-2", "-", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := inventory.ParseRange(text)
		if err != nil {
			return
		}
		if !r.Contains(r.First) || !r.Contains(r.Last) {
			t.Errorf("range %q does not contain its ends", text)
		}
		n := int64(0)
		for a := range r.All() {
			if n++; !r.Contains(a) {
				t.Fatalf("range %q yields %s", text, a)
			}
			if n == 100 {
				break
			}
		}
		if count := r.Count(); count < n || n < 100 && count != n {
			t.Errorf("range %q counts %d addresses, and yields %d", text, count, n)
		}
		if again, err := inventory.ParseRange(fmt.Sprintf("%s-%s", r.First, r.Last)); err != nil || again != r {
			t.Errorf("range %q does not read back: %v, %v", text, again, err)
		}
	})
}
