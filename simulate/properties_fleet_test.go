package simulate_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// A fleet is what random revisions ask for: a vSphere Namespace and its clusters.
type fleet map[string]asked

// asked is what is asked of one cluster.
type asked struct {
	controlPlane int
	version      string
	// class and storage are the variables of all machines.
	class, storage string
	team           string // a label on every machine
	pools          map[string]poolShape
}

// A poolShape is what is asked of one node pool.
type poolShape struct {
	replicas int
	// class overrides that of the cluster; empty does not.
	class string
	// surge and unavailable are the pool's rollout strategy; surge 0 with
	// unavailable 0 leaves it to the default, which is 1 and 0.
	surge, unavailable int
}

// releases are those of the lab, one minor after the other.
var releases = []string{"v1.33", "v1.34", "v1.35"}

func randomFleet(r *rand.Rand) fleet {
	f := fleet{}
	for range 1 + r.IntN(2) {
		f.add(r)
	}
	return f
}

func (f fleet) add(r *rand.Rand) string {
	name := fmt.Sprintf("c%d", r.IntN(1000))
	for _, taken := f[name]; taken; _, taken = f[name] {
		name = fmt.Sprintf("c%d", r.IntN(1000))
	}
	s := asked{
		controlPlane: pick(r, 1, 1, 3), version: pick(r, releases[0], releases[0], releases[1]),
		class: "best-effort-small", storage: "vks-gold", team: "one", pools: map[string]poolShape{},
	}
	for range r.IntN(3) {
		s.pools[fmt.Sprintf("p%d", r.IntN(10))] = poolShape{replicas: r.IntN(4)}
	}
	f[name] = s
	return name
}

func pick[T any](r *rand.Rand, choices ...T) T { return choices[r.IntN(len(choices))] }

// one picks a key of a map, whatever order the map is in.
func one[V any](r *rand.Rand, m map[string]V) string {
	return pick(r, slices.Sorted(maps.Keys(m))...)
}

// clone is a copy that can be changed.
func (f fleet) clone() fleet {
	out := fleet{}
	for name, s := range f {
		s.pools = maps.Clone(s.pools)
		out[name] = s
	}
	return out
}

// changed is the fleet after a random change, and the change in words.
func (f fleet) changed(r *rand.Rand) (fleet, string) {
	next := f.clone()
	if len(next) == 0 || len(next) < 3 && r.IntN(12) == 0 {
		return next, "create " + next.add(r)
	}
	name := one(r, next)
	if r.IntN(12) == 0 {
		delete(next, name)
		return next, "delete " + name
	}
	s := next[name]
	var what []string
	for _, i := range r.Perm(len(changes))[:1+r.IntN(5)/4] { // now and then two at once, of which no two are versions
		what = append(what, changes[i](&s, r))
	}
	next[name] = s
	return next, name + ": " + strings.Join(what, " and ")
}

// changes are the kinds of change of a cluster; each says what it did.
var changes = []func(*asked, *rand.Rand) string{
	func(s *asked, r *rand.Rand) string {
		s.controlPlane = pick(r, 1, 3, 5)
		return fmt.Sprintf("%d control-plane machines", s.controlPlane)
	},
	func(s *asked, _ *rand.Rand) string {
		if at := slices.Index(releases, s.version); at+1 < len(releases) {
			s.version = releases[at+1]
		}
		return "version " + s.version
	},
	func(s *asked, r *rand.Rand) string {
		s.class = pick(r, "best-effort-small", "best-effort-medium")
		return "VM class " + s.class
	},
	func(s *asked, r *rand.Rand) string {
		s.storage = pick(r, "vks-gold", "vks-silver")
		return "storage class " + s.storage
	},
	func(s *asked, r *rand.Rand) string {
		s.team = pick(r, "one", "two", "three")
		return "label team=" + s.team
	},
	func(s *asked, r *rand.Rand) string {
		pool := fmt.Sprintf("p%d", r.IntN(10))
		s.pools[pool] = poolShape{replicas: r.IntN(5)}
		return "pool " + pool
	},
	onPool(func(s *asked, pool string, _ *rand.Rand) string {
		delete(s.pools, pool)
		return "no pool " + pool
	}),
	onPool(func(s *asked, pool string, r *rand.Rand) string {
		p := s.pools[pool]
		p.replicas = r.IntN(6)
		s.pools[pool] = p
		return fmt.Sprintf("pool %s of %d", pool, p.replicas)
	}),
	onPool(func(s *asked, pool string, r *rand.Rand) string {
		p := s.pools[pool]
		p.class, p.surge, p.unavailable = pick(r, "", "best-effort-medium"), r.IntN(3), r.IntN(2)
		s.pools[pool] = p
		return fmt.Sprintf("pool %s with VM class %q, surge %d, unavailable %d", pool, p.class, p.surge, p.unavailable)
	}),
}

// onPool is a change of a pool, where there is one.
func onPool(change func(*asked, string, *rand.Rand) string) func(*asked, *rand.Rand) string {
	return func(s *asked, r *rand.Rand) string {
		if len(s.pools) == 0 {
			return "nothing"
		}
		return change(s, one(r, s.pools), r)
	}
}

// manifests are the files of the revision that asks for the fleet.
func (f fleet) manifests() string {
	var b strings.Builder
	b.WriteString(`apiVersion: vksync.dev/v1alpha1
kind: VSphereNamespace
metadata: {name: team-a}
spec:
  supervisor: lab
  storagePolicies: [{name: vks-gold}, {name: vks-silver}]
  vmClasses: [best-effort-small, best-effort-medium]
  contentLibraries: [vks-releases]
`)
	for _, name := range slices.Sorted(maps.Keys(f)) {
		b.WriteString(f[name].manifest(name))
	}
	return b.String()
}

func (s asked) manifest(name string) string {
	var pools strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s.pools)) {
		p := s.pools[name]
		fmt.Fprintf(&pools, "\n      - class: node-pool\n        name: %s\n        replicas: %d\n        metadata: {labels: {team: %s}}", name, p.replicas, s.team)
		if p.surge+p.unavailable > 0 {
			fmt.Fprintf(&pools, "\n        rollout: {strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: %d, maxUnavailable: %d}}}", p.surge, p.unavailable)
		}
		if p.class != "" {
			fmt.Fprintf(&pools, "\n        variables: {overrides: [{name: vmClass, value: %s}]}", p.class)
		}
	}
	workers := ""
	if pools.Len() > 0 {
		workers = "\n    workers:\n      machineDeployments:" + pools.String()
	}
	return fmt.Sprintf(`---
apiVersion: cluster.x-k8s.io/v1beta2
kind: Cluster
metadata: {name: %s, namespace: team-a}
spec:
  clusterNetwork:
    pods: {cidrBlocks: [192.168.0.0/16]}
    services: {cidrBlocks: [10.96.0.0/12]}
  topology:
    classRef: {name: builtin-generic-v3.6.0, namespace: vmware-system-vks-public}
    version: %s
    controlPlane: {replicas: %d, metadata: {labels: {team: %s}}}%s
    variables:
    - {name: vmClass, value: %s}
    - {name: storageClass, value: %s}
`, name, s.version, s.controlPlane, s.team, workers, s.class, s.storage)
}
