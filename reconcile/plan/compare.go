package plan

import (
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/vksync/vksync/reconcile/resource"
)

// NeedsDryRun names, in order, the desired Clusters for which only a server-side
// dry run tells what applying them would change: those whose applied fields
// differ from what is live. A new Cluster is among them only when its namespace
// exists, since the server refuses it otherwise. Same are those that are known to
// be as desired, for Observed.Same.
func NeedsDryRun(desired *resource.Set, observed *Observed, policy Policy) (ask []resource.Addr, same map[resource.Addr]bool) {
	var clusters []resource.Object
	for _, want := range desired.All() {
		if want.GetKind() == resource.KindCluster {
			clusters = append(clusters, want)
		}
	}
	answers := make([]answer, len(clusters))
	sideBySide(len(clusters), func(i int) { answers[i] = seen(clusters[i], observed, policy) })
	same = map[resource.Addr]bool{}
	for i, want := range clusters {
		switch answers[i] {
		case serverKnows:
			ask = append(ask, want.Addr())
		case asDesired:
			same[want.Addr()] = true
		}
	}
	return ask, same
}

// NeedsMachines says whether a plan changes a Cluster that is there, so that it has to
// say which of its machines that costs: then Observed.Live is to have
// KubeadmControlPlanes, MachineDeployments and Machines. It is asked once
// Observed.Same is known.
func NeedsMachines(desired *resource.Set, observed *Observed) bool {
	for addr, want := range desired.All() {
		live, exists := observed.Live.Get(addr)
		if want.GetKind() == resource.KindCluster && exists && !observed.Same[addr] && live.GetDeletionTimestamp() == nil {
			return true
		}
	}
	return false
}

// answer is what can be seen of a desired Cluster without the server.
type answer int

const (
	notAsked answer = iota // it may not be applied, or not yet
	serverKnows
	asDesired
)

func seen(want resource.Object, observed *Observed, policy Policy) answer {
	addr := want.Addr()
	live, exists := observed.Live.Get(addr)
	switch {
	case !exists:
		if _, there := observed.Live.Get(namespaceAddr(addr)); there {
			return serverKnows
		}
	case live.GetDeletionTimestamp() == nil && mayTouch(live, policy):
		if changes, unsure := compareCluster(live, owned(want, policy)); unsure || len(changes) > 0 {
			return serverKnows
		}
		return asDesired
	}
	return notAsked
}

// sideBySide calls f with 0 to n-1, on all cores.
func sideBySide(n int, f func(i int)) {
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				f(int(i))
			}
		})
	}
	group.Wait()
}

// namespaceAddr is the Kubernetes Namespace an object is in.
func namespaceAddr(a resource.Addr) resource.Addr {
	return resource.Addr{Supervisor: a.Supervisor, Kind: "Namespace", Name: a.Namespace}
}

// compareCluster lists what applying want would change in live, as far as that
// can be seen without the server; unsure says that it cannot.
func compareCluster(live, want resource.Object) (changes []Change, unsure bool) {
	c := comparison{applied: true, noise: noiseOf(live, want)}
	c.walk(path{}, canonical(live), canonical(want))
	r := removedFrom(live, want)
	return mergeChanges(c.changes, r.changes), c.unsure || r.unsure
}

// predictedChanges lists what differs between a live object and the server's
// answer to a dry run.
func predictedChanges(live, predicted resource.Object) []Change {
	c := comparison{noise: noiseOf(live, predicted)}
	c.walk(path{}, canonical(live), canonical(predicted))
	return c.changes
}

// compareNamespace lists what differs between a live vSphere Namespace and the
// desired one. The REST API replaces a namespace's settings, so what is left out
// is emptied; only the network, which is decided once, is left alone.
func compareNamespace(live, want resource.Object) []Change {
	c := comparison{}
	old, new := namespaceSpec(live), namespaceSpec(want)
	if new["network"] == nil {
		delete(old, "network")
	}
	applied := comparison{applied: true}
	applied.walk(path{}.field("spec").field("network"), old["network"], new["network"])
	delete(old, "network")
	delete(new, "network")
	c.walk(path{}.field("spec"), old, new)
	return mergeChanges(c.changes, applied.changes)
}

// namespaceSpec is a copy of the spec in which order has no meaning, and a zero
// limit is none.
func namespaceSpec(o resource.Object) map[string]any {
	spec := maps.Clone(resource.Fields(o.Object, "spec"))
	if spec == nil {
		return map[string]any{}
	}
	for _, list := range []string{"vmClasses", "contentLibraries"} {
		items := slices.Clone(resource.Items(spec, list))
		slices.SortFunc(items, compareAny)
		spec[list] = items
	}
	if limits := resource.Fields(spec, "resources"); limits != nil {
		limits = maps.Clone(limits)
		maps.DeleteFunc(limits, func(_ string, v any) bool { return number(v) == 0 })
		spec["resources"] = limits
	}
	policies := make([]any, 0, len(resource.Items(spec, "storagePolicies")))
	for _, item := range resource.Items(spec, "storagePolicies") {
		policy := maps.Clone(resource.Fields(item))
		if resource.Int(policy, "limitMiB") == 0 {
			delete(policy, "limitMiB")
		}
		policies = append(policies, policy)
	}
	spec["storagePolicies"] = policies
	if spec["description"] == "" {
		delete(spec, "description")
	}
	return spec
}

// owned is a desired object with the label that marks it as this source's.
func owned(want resource.Object, policy Policy) resource.Object {
	if policy.Source == "" {
		return want
	}
	content := maps.Clone(want.Object)
	labels := maps.Clone(resource.Fields(content, "metadata", "labels"))
	if labels == nil {
		labels = map[string]any{}
	}
	labels[resource.LabelSource] = policy.Source
	put(content, labels, "metadata", "labels")
	out := resource.NewObject(content)
	out.Supervisor, out.Source = want.Supervisor, want.Source
	return out
}

// mayTouch says whether the policy allows an existing resource to be changed.
func mayTouch(live resource.Object, policy Policy) bool {
	return policy.Adopt || isOwned(live, policy)
}

func isOwned(live resource.Object, policy Policy) bool {
	return policy.Source != "" && live.GetLabels()[resource.LabelSource] == policy.Source
}

// mergeChanges joins two lists by path, without saying anything twice.
func mergeChanges(a, b []Change) []Change {
	for _, change := range b {
		if !slices.ContainsFunc(a, func(c Change) bool { return under(c.Path, change.Path) }) {
			a = append(a, change)
		}
	}
	slices.SortStableFunc(a, func(x, y Change) int { return compareAny(x.Path, y.Path) })
	return a
}
