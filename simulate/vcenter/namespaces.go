package vcenter

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// namespaces are the vSphere Namespaces by name. It has its own lock, which is
// never held while a hook runs.
type namespaces struct {
	catalog *catalog
	hooks   NamespaceHooks

	mu     sync.Mutex
	byName map[string]NamespaceSpec
}

func newNamespaces(c *catalog, hooks NamespaceHooks) *namespaces {
	return &namespaces{catalog: c, hooks: hooks, byName: map[string]NamespaceSpec{}}
}

// Namespace looks a vSphere Namespace up. What it returns is the caller's own.
func (v *VCenter) Namespace(name string) (NamespaceSpec, bool) { return v.namespaces.get(name) }

// SetNamespaceStatus sets the state that REST shows of a namespace, and replaces
// its messages. It does nothing when there is no such namespace.
func (v *VCenter) SetNamespaceStatus(name, configStatus string, messages ...string) {
	n := v.namespaces
	n.mu.Lock()
	defer n.mu.Unlock()
	if spec, ok := n.byName[name]; ok {
		spec.ConfigStatus, spec.Messages = configStatus, slices.Clone(messages)
		n.byName[name] = spec
	}
}

// RemoveNamespace forgets a namespace, with its folder and pools and those of its
// clusters. It fails while a VM is in one of the folders.
func (v *VCenter) RemoveNamespace(name string) error {
	v.direct.Lock()
	defer v.direct.Unlock()
	var inside []groupKey
	for f := range v.groups {
		if f.namespace == name {
			inside = append(inside, f)
		}
	}
	// The namespace's own folder, the one without a cluster, goes last.
	slices.SortFunc(inside, func(a, b groupKey) int { return strings.Compare(b.cluster, a.cluster) })
	for _, f := range inside {
		if err := v.removeGroup(f); err != nil {
			return fmt.Errorf("removing namespace %s: %w", name, err)
		}
	}
	v.namespaces.forget(name)
	return nil
}

func (n *namespaces) get(name string) (NamespaceSpec, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	spec, ok := n.byName[name]
	return spec.clone(), ok
}

// list is all namespaces by name.
func (n *namespaces) list() []NamespaceSpec {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []NamespaceSpec
	for _, name := range slices.Sorted(maps.Keys(n.byName)) {
		out = append(out, n.byName[name].clone())
	}
	return out
}

func (n *namespaces) put(spec NamespaceSpec) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.byName[spec.Name] = spec.clone()
}

func (n *namespaces) forget(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.byName, name)
}

// create accepts a namespace.
func (n *namespaces) create(spec NamespaceSpec) error {
	if err := checkName(spec.Name); err != nil {
		return err
	}
	spec.ConfigStatus = Running
	if n.hooks.Created != nil {
		spec.ConfigStatus = Configuring
	}
	n.mu.Lock()
	_, taken := n.byName[spec.Name]
	if !taken {
		n.byName[spec.Name] = spec.clone()
	}
	n.mu.Unlock()
	if taken {
		return refuse(alreadyExists, "A vSphere Namespace with the name %q already exists.", spec.Name)
	}
	call(n.hooks.Created, spec)
	return nil
}

// update changes a namespace with f, which works on a copy.
func (n *namespaces) update(name string, f func(*NamespaceSpec) error) error {
	spec, err := n.alter(name, f)
	if err == nil {
		call(n.hooks.Updated, spec)
	}
	return err
}

// remove begins the removal of a namespace.
func (n *namespaces) remove(name string) error {
	spec, err := n.alter(name, func(spec *NamespaceSpec) error {
		spec.ConfigStatus = Removing
		return nil
	})
	if err != nil {
		return err
	}
	if n.hooks.Deleted == nil {
		n.forget(name)
	}
	call(n.hooks.Deleted, spec)
	return nil
}

func (n *namespaces) alter(name string, f func(*NamespaceSpec) error) (NamespaceSpec, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	spec, ok := n.byName[name]
	if !ok {
		return spec, refuse(notFound, "There is no vSphere Namespace with the name %q.", name)
	}
	if spec.ConfigStatus == Removing {
		return spec, refuse(notAllowed, "The vSphere Namespace %q is being removed.", name)
	}
	spec = spec.clone()
	if err := f(&spec); err != nil {
		return spec, err
	}
	n.byName[name] = spec
	return spec.clone(), nil
}

func call(hook func(NamespaceSpec), spec NamespaceSpec) {
	if hook != nil {
		hook(spec)
	}
}

var nameSyntax = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

func checkName(name string) error {
	if nameSyntax.MatchString(name) {
		return nil
	}
	return refuse(invalidArgument, "The name %q of a vSphere Namespace is not valid: at most 63 of a-z, 0-9 and '-', beginning and ending with a letter or digit.", name)
}

func (s NamespaceSpec) clone() NamespaceSpec {
	s.StoragePolicies = slices.Clone(s.StoragePolicies)
	s.VMClasses = slices.Clone(s.VMClasses)
	s.ContentLibraries = slices.Clone(s.ContentLibraries)
	s.Permissions = slices.Clone(s.Permissions)
	s.Network.PrivateCIDRs = slices.Clone(s.Network.PrivateCIDRs)
	s.Messages = slices.Clone(s.Messages)
	return s
}
