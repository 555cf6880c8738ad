package trace

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// differences compares the recording with a changed copy of it.
func differences(t *testing.T, change func([]Change) []Change) []string {
	t.Helper()
	r, s := ours(t)
	other := &Recording{Changes: change(slices.Clone(r.Changes))}
	realParts, played := split(t, r, s), split(t, other, s)
	var out []string
	for _, step := range Compare(realParts, played) {
		for _, d := range step {
			out = append(out, d.String())
		}
	}
	return out
}

func TestARecordingIsLikeItself(t *testing.T) {
	if got := differences(t, func(c []Change) []Change { return c }); len(got) > 0 {
		t.Errorf("it differs:\n%s", strings.Join(got, "\n"))
	}
}

// TestRandomNamesMakeNoDifference turns the alphabet of suffixes around, so that
// siblings come in another order of names.
func TestRandomNamesMakeNoDifference(t *testing.T) {
	got := differences(t, func(changes []Change) []Change {
		names := NamesOf(changes)
		for i := range changes {
			changes[i] = renamed(changes[i], names)
		}
		return changes
	})
	if len(got) > 0 {
		t.Errorf("it differs:\n%s", strings.Join(got, "\n"))
	}
}

func renamed(c Change, names Names) Change {
	rename := func(name string) string {
		parts := strings.Split(name, "-")
		for i, part := range parts {
			if !slices.Contains(names.given, part) && random(part) {
				parts[i] = strings.Map(func(r rune) rune { return rune(suffixes[len(suffixes)-1-strings.IndexRune(suffixes, r)]) }, part)
			}
		}
		return strings.Join(parts, "-")
	}
	c.ID.Name = rename(c.ID.Name)
	if c.Owners != nil {
		refs := slices.Clone(*c.Owners)
		for i, ref := range refs {
			kind, name, _ := strings.Cut(ref, "/")
			bare := strings.TrimRight(name, "*!")
			refs[i] = kind + "/" + rename(bare) + name[len(bare):]
		}
		c.Owners = &refs
	}
	if c.Labels != nil {
		labels := maps.Clone(*c.Labels)
		for key, value := range labels {
			labels[key] = rename(value)
		}
		c.Labels = &labels
	}
	return c
}

// Each deviation must be found, and told as a line that has what it says.
func TestDeviationsAreFound(t *testing.T) {
	const (
		machine = "s1-w6fwj-b8ds5"
		workerA = "s1-md-0-6rnxg-qtzdf-jgrw8"
	)
	for name, c := range map[string]struct {
		change func([]Change) []Change
		want   string
	}{
		"an object is missing":          {drop(func(c Change) bool { return c.ID.Name == "s1-sa" }), "| Secret/s1-sa | exists | real: created | simulated: -"},
		"an object too many":            {also(created("Secret", "test-s", "s1-spare")), "| Secret/s1-spare | exists | real: - | simulated: created"},
		"a transient object is missing": {drop(func(c Change) bool { return c.ID.Name == "s1-shim" }), "| Secret/s1-shim | exists | real: created > gone | simulated: -"},
		"an object is left over":        {drop(func(c Change) bool { return c.ID.Name == "s1-lock" && c.Verb == Deleted }), "| ConfigMap/s1-lock | exists | real: created > gone | simulated: created"},
		"a machine's part is missing":   {drop(func(c Change) bool { return c.ID.Kind == "NetworkInterface" && c.ID.Name == machine+"-eth0" }), "| NetworkInterface/s1-~-~-eth0 | exists | real: created | simulated: -"},
		"another reason": {conditions("VSphereMachine", "", func(k, v string) (string, bool) {
			return strings.Replace(v, "WaitingForNetworkAddress", "WaitingForAddress", 1), true
		}), "condition VirtualMachineProvisioned | real: False/WaitingForBootstrapData > False/Provisioning > False/NotReady > False/PoweringOn > False/WaitingForNetworkAddress > True/Provisioned | simulated: False/WaitingForBootstrapData > False/Provisioning > False/NotReady > False/PoweringOn > False/WaitingForAddress > True/Provisioned"},
		"another reason on one object": {conditions("KubeadmControlPlane", "", func(k, v string) (string, bool) {
			return strings.Replace(v, "True/Initialized", "True/Ready", 1), true
		}), "| KubeadmControlPlane/s1-~ | condition Initialized | real: False/NotInitialized > True/Initialized | simulated: False/NotInitialized > True/Ready"},
		"another reason on one of many machines": {conditions("VSphereMachine", workerA, func(k, v string) (string, bool) {
			return strings.Replace(v, "PoweringOn", "Starting", 1), true
		}), "> False/Starting > False/WaitingForNetworkAddress > True/Provisioned"},
		"a summary goes another way": {conditions("Cluster", "", func(k, v string) (string, bool) {
			return v, k != "ControlPlaneMachinesReady" || v != "Unknown/ReadyUnknown"
		}), "| Cluster/s1 | condition ControlPlaneMachinesReady | real: Unknown/ReadyUnknown > False/NotReady > True/Ready"},
		"a condition is missing": {conditions("Machine", "", func(k, v string) (string, bool) { return v, k != "EtcdPodHealthy" }),
			"| Machine/s1-~-~ | condition EtcdPodHealthy |"},
		"a condition does not end as it should": {conditions("Cluster", "", func(k, v string) (string, bool) { return v, k != "Available" || v != "True/Available" }),
			"| Cluster/s1 | condition Available | real: False/NotAvailable > True/Available | simulated: False/NotAvailable"},
		"a value between is missing": {conditions("VSphereMachine", "", func(k, v string) (string, bool) { return v, v != "False/PoweringOn" }),
			"condition VirtualMachineProvisioned |"},
		"a phase is missing": {each(func(c *Change) {
			if c.Phase == "Provisioned" && c.ID.Kind == "Machine" {
				c.Phase = ""
			}
		}), "| phase | real: Pending > Provisioning > Provisioned > Running | simulated: Pending > Provisioning > Running"},
		"a label is missing": {each(func(c *Change) {
			if c.ID.Kind == "VSphereMachine" && c.Labels != nil {
				labels := maps.Clone(*c.Labels)
				delete(labels, "cluster.x-k8s.io/set-name")
				c.Labels = &labels
			}
		}), "| VSphereMachine/s1-md-0-~-~-~ | label cluster.x-k8s.io/set-name | real: =s1-md-0-~-~ | simulated: -"},
		"a label has another value": {each(func(c *Change) {
			if c.ID.Kind == "VirtualMachine" && c.Labels != nil {
				labels := maps.Clone(*c.Labels)
				labels["capv.vmware.com/cluster.role"] = "node"
				c.Labels = &labels
			}
		}), "label capv.vmware.com/cluster.role | real: =controlplane | simulated: =node"},
		"a finalizer is missing": {each(func(c *Change) {
			if c.ID.Kind == "MachineDeployment" && c.Finalizers != nil {
				left := slices.DeleteFunc(slices.Clone(*c.Finalizers), func(f string) bool { return strings.HasPrefix(f, "machinedeployment.topology") })
				c.Finalizers = &left
			}
		}), "| MachineDeployment/s1-md-0-~ | finalizers |"},
		"an owner does not block": {each(func(c *Change) {
			if c.ID.Kind == "KubeadmConfig" && c.Owners != nil {
				refs := slices.Clone(*c.Owners)
				for i := range refs {
					refs[i] = strings.TrimSuffix(refs[i], "!")
				}
				c.Owners = &refs
			}
		}), "| owners | real: MachineSet/s1-md-0-~-~ > Machine/s1-md-0-~-~-~*! | simulated: MachineSet/s1-md-0-~-~ > Machine/s1-md-0-~-~-~*"},
		"an annotation is missing": {each(func(c *Change) {
			if c.ID.Kind == "MachineSet" {
				c.Annotations = slices.DeleteFunc(slices.Clone(c.Annotations), func(a string) bool { return strings.Contains(a, "disable-machine-create") })
			}
		}), "| annotation cluster.x-k8s.io/disable-machine-create | real: there | simulated: -"},
		"an annotation too many": {each(func(c *Change) {
			if c.ID.Kind == "VSphereCluster" && c.Verb == Added {
				c.Annotations = append(slices.Clone(c.Annotations), "example.com/extra")
			}
		}), "| annotation example.com/extra | real: - | simulated: there"},
		"a cause comes after its effect": {swap(
			func(c Change) bool { return c.ID.Kind == "Secret" && c.ID.Name == "s1-kubeconfig" && c.Verb == Added },
			func(c Change) bool { return c.ID.Kind == "Machine" && c.Verb == Added }),
			"| order | real: Secret/*-kubeconfig exists=created before Machine(controlplane) exists=created (same cluster)"},
		"a worker's bootstrap comes after its infrastructure": {swap(
			func(c Change) bool { return c.ID.Kind == "KubeadmConfig" && c.ID.Name == workerA && c.Verb == Added },
			func(c Change) bool { return c.ID.Kind == "VSphereMachine" && c.ID.Name == workerA && c.Verb == Added }),
			"| order | real: KubeadmConfig(worker) exists=created before VSphereMachine(worker) exists=created (same machine)"},
		"infrastructure is gone before its VM": {swap(
			func(c Change) bool { return c.ID.Kind == "VirtualMachine" && c.ID.Name == workerA && c.Verb == Deleted },
			func(c Change) bool { return c.ID.Kind == "VSphereMachine" && c.ID.Name == workerA && c.Verb == Deleted }),
			"| order | real: VirtualMachine exists=gone before VSphereMachine exists=gone (same machine)"},
		"two control planes come at once": {earlier(func(c Change) bool { return strings.HasSuffix(c.ID.Name, "s1-w6fwj-knpch") && c.Verb == Added }, "s1-w6fwj-b8ds5"),
			"| Machine/s1 controlplane | at once: most on their way in | real: 1 | simulated: 2"},
	} {
		t.Run(name, func(t *testing.T) {
			got := differences(t, c.change)
			if !slices.ContainsFunc(got, func(line string) bool { return strings.Contains(line, c.want) }) {
				t.Errorf("there is no line with %q in:\n%s", c.want, strings.Join(got, "\n"))
			}
			if len(got) > 20 {
				t.Errorf("%d lines are told of one deviation", len(got))
			}
		})
	}
}

func drop(which func(Change) bool) func([]Change) []Change {
	return func(changes []Change) []Change { return slices.DeleteFunc(changes, which) }
}

func each(change func(*Change)) func([]Change) []Change {
	return func(changes []Change) []Change {
		for i := range changes {
			change(&changes[i])
		}
		return changes
	}
}

// conditions changes the values of conditions, or takes them out.
func conditions(kind, name string, change func(kind, value string) (string, bool)) func([]Change) []Change {
	return each(func(c *Change) {
		if c.ID.Kind != kind || name != "" && c.ID.Name != name {
			return
		}
		left := map[string]string{}
		for k, v := range c.Conditions {
			if value, keep := change(k, v); keep {
				left[k] = value
			}
		}
		c.Conditions = left
	})
}

func created(kind, namespace, name string) Change {
	return Change{Verb: Added, ID: ID{Kind: kind, Namespace: namespace, Name: name},
		Labels: &map[string]string{"cluster.x-k8s.io/cluster-name": "s1"}}
}

// also puts a change behind the first MARK of a step.
func also(more Change) func([]Change) []Change {
	return func(changes []Change) []Change {
		at := slices.IndexFunc(changes, func(c Change) bool { return strings.HasPrefix(c.Mark, "s1 create") })
		more.T = changes[at].T
		return slices.Insert(changes, at+1, more)
	}
}

// swap exchanges the places of the first changes that a and b choose.
func swap(a, b func(Change) bool) func([]Change) []Change {
	return func(changes []Change) []Change {
		i, j := slices.IndexFunc(changes, a), slices.IndexFunc(changes, b)
		changes[i], changes[j] = changes[j], changes[i]
		return changes
	}
}

// earlier moves changes to where the machine called name was created.
func earlier(which func(Change) bool, name string) func([]Change) []Change {
	return func(changes []Change) []Change {
		var moved []Change
		changes = slices.DeleteFunc(changes, func(c Change) bool {
			if which(c) {
				moved = append(moved, c)
				return true
			}
			return false
		})
		at := slices.IndexFunc(changes, func(c Change) bool { return c.ID.Kind == "Machine" && c.ID.Name == name })
		return slices.Insert(changes, at+1, moved...)
	}
}
