package phase

import "strings"

// Quote makes one word of a shell's command line of a text. Names come from
// clusters, and a command is there to be pasted.
func Quote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._/:@%+=,-", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 && s[0] != '-' {
		return s
	}
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return -1 // no terminal and no shell gets a control code
		}
		return r
	}, s)
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// ResourceOf is how kubectl is told a kind: in lower case and with its group, since
// several groups have a Machine or a Network. The group is that of apiVersion, and
// where that is empty the one that kinds of this name have on a Supervisor.
func ResourceOf(kind, apiVersion string) string {
	group, _, named := strings.Cut(apiVersion, "/")
	switch {
	case apiVersion == "":
		group = groupOf(kind)
	case !named:
		group = ""
	}
	if group == "" {
		return strings.ToLower(kind)
	}
	return strings.ToLower(kind) + "." + group
}

func groupOf(kind string) string {
	switch kind {
	case "Cluster", "ClusterClass", "Machine", "MachineDeployment", "MachineSet", "MachinePool", "MachineHealthCheck":
		return "cluster.x-k8s.io"
	case "KubeadmControlPlane":
		return "controlplane.cluster.x-k8s.io"
	case "KubeadmConfig", "KubeadmConfigTemplate":
		return "bootstrap.cluster.x-k8s.io"
	case "VSphereCluster", "VSphereMachine", "VSphereMachineTemplate", "ProviderServiceAccount":
		return "vmware.infrastructure.cluster.x-k8s.io"
	case "VSphereVM":
		return "infrastructure.cluster.x-k8s.io"
	case "VirtualMachine", "VirtualMachineService", "VirtualMachineClass", "VirtualMachineSetResourcePolicy",
		"VirtualMachineImage", "ClusterVirtualMachineImage":
		return "vmoperator.vmware.com"
	case "SubnetSet", "SubnetPort", "Subnet", "NetworkInfo":
		return "crd.nsx.vmware.com"
	case "NetworkInterface", "Network", "IPPool":
		return "netoperator.vmware.com"
	case "VirtualNetwork", "VirtualNetworkInterface":
		return "vmware.com"
	case "StoragePolicyQuota":
		return "cns.vmware.com"
	}
	return ""
}

// PathOfVM is a virtual machine's path for govc, which a shell finds by its name: it
// is the name of the VirtualMachine, in a folder of its cluster.
func PathOfVM(name string) string { return `"$(govc find / -type m -name ` + Quote(name) + `)"` }

func inNamespace(namespace string) string {
	if namespace == "" {
		return ""
	}
	return "-n " + Quote(namespace) + " "
}
