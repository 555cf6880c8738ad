package phase

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
)

// Each cause has advice that names what it is about. Chains are what the simulator,
// the scripts of testdata and real controllers say.
func TestFix(t *testing.T) {
	t.Parallel()
	reached := map[int]bool{}
	for _, test := range fixes {
		chain := []Link{{Kind: "Cluster", Namespace: "web", Name: "prod", Condition: "Available", Reason: "NotAvailable"}, test.link}
		t.Run(test.link.Kind+" "+test.link.Condition+" "+test.link.Reason, func(t *testing.T) {
			advice, commands := Fix(chain)
			if !strings.Contains(advice, test.advice) || test.advice == "" && advice != "" {
				t.Errorf("advice is %q, want %q in it", advice, test.advice)
			}
			if !slices.Contains(commands, test.command) {
				t.Errorf("commands are %q, want %q among them", commands, test.command)
			}
			for _, c := range append(commands, advice) {
				if strings.ContainsAny(c, "\n") || strings.Contains(strings.ReplaceAll(c, "{.metadata", ""), "{kind") || strings.Contains(c, "{n") {
					t.Errorf("a placeholder is left in %q", c)
				}
			}
		})
		for i, r := range remedies {
			if r.helps(test.link) {
				reached[i] = true
				break
			}
		}
	}
	for i, r := range remedies {
		if !reached[i] {
			t.Errorf("no test reaches the remedy %q of %v %v %v %v", r.advice, r.kinds, r.conditions, r.reasons, r.said)
		}
	}
}

var fixes = []struct {
	link            Link
	advice, command string
}{
	{Link{"VSphereCluster", "web", "prod-x", "VCenterAvailable", "VCenterUnreachable", "ServerFaultCode: Cannot complete login due to an incorrect user name or password."}, "refuses the login", "govc about"},
	{Link{"vSphere VM", "web", "m-1", "PowerOnVM_Task", "task-9", "NoPermission: Permission to perform this operation was denied."}, "lacks a privilege", "govc permissions.ls"},
	{Link{"VSphereCluster", "web", "prod-x", "VCenterAvailable", "VCenterUnreachable", "tls: failed to verify certificate: x509: certificate has expired"}, "certificate is not trusted", "govc about.cert -show"},
	{Link{"VSphereCluster", "web", "prod-x", "VCenterAvailable", "VCenterUnreachable", "dial tcp: i/o timeout"}, "does not reach vCenter", "govc about"},
	{Link{"Cluster", "web", "prod", "Paused", "Paused", ""}, "It is paused", `kubectl -n web patch cluster.cluster.x-k8s.io prod --type merge -p '{"spec":{"paused":false}}'`},
	{Link{"Cluster", "web", "prod", "TopologyReconciled", "LifecycleHookBlocking", "hook test blocks"}, "runtime hook", "kubectl -n web describe cluster.cluster.x-k8s.io prod"},
	{Link{"Cluster", "web", "prod", "TopologyReconciled", "ClusterClassNotReconciled", ""}, "ClusterClass is not ready", "kubectl get clusterclass.cluster.x-k8s.io -A"},
	{Link{"Cluster", "web", "prod", "", "denied", `admission webhook "tkr-resolver-cluster-webhook.tanzu.vmware.com" denied the request: Could not resolve KR/OSImage for v1.99`}, "No Kubernetes release", "kubectl get kubernetesreleases"},
	{Link{"VSphereCluster", "web", "prod-x", "LoadBalancerReady", "Deleting", ""}, "It is being deleted", "kubectl -n web describe vspherecluster.vmware.infrastructure.cluster.x-k8s.io prod-x"},
	{Link{"VSphereCluster", "web", "prod-x", "FailureDomainsReady", "NotReady", ""}, "No zone of web is ready", "kubectl -n web get zone.topology.tanzu.vmware.com"},
	{Link{"VirtualMachine", "web", "m-1", "VirtualMachineConditionVMSetResourcePolicyReady", "NotFound", ""}, "The folder and the resource pools", "kubectl -n web describe virtualmachinesetresourcepolicy.vmoperator.vmware.com prod"},
	{Link{"Machine", "web", "m-1", "EtcdPodHealthy", "InspectionFailed", "Waiting for a Node to exist"}, "Nothing is known of it", "kubectl -n web describe machine.cluster.x-k8s.io m-1"},
	{Link{"Service", "web", "prod", "Ready", "IPAllocationFailed", "no free load-balancer address: 10.0.0.1-10.0.0.2"}, "load balancer has no address left", "kubectl get service -A --field-selector spec.type=LoadBalancer"},
	{Link{"VirtualMachineService", "web", "prod", "VirtualMachineServiceServiceReady", "ServiceReadyNotPresent", ""}, "gives no address", "kubectl -n web describe virtualmachineservice.vmoperator.vmware.com prod"},
	{Link{"VSphereCluster", "web", "prod-x", "LoadBalancerReady", "WaitingForIP", ""}, "gives the control plane no address", "kubectl -n web describe virtualmachineservice.vmoperator.vmware.com prod"},
	{Link{"SubnetPort", "web", "m-1-eth0", "Ready", "SubnetPortNotReady", "no free address: the private block 172.26.0.0/28 of VPC web is used up"}, "out of addresses. Give the VPC of web", "kubectl -n web describe networkinfo.crd.nsx.vmware.com"},
	{Link{"NetworkInterface", "web", "m-1-eth0", "Failure", "CannotAllocIP", ""}, "IP pool", "kubectl get ippool.netoperator.vmware.com -A"},
	{Link{"SubnetPort", "web", "m-1-eth0", "Ready", "SubnetPortNotReady", "error occurred while processing the SubnetPort CR"}, "gives the machine no port", "kubectl -n web describe subnetport.crd.nsx.vmware.com m-1-eth0"},
	{Link{"SubnetSet", "web", "prod-x", "Ready", "SubnetSetNotReady", ""}, "network of the cluster is not made", "kubectl -n web describe subnetset.crd.nsx.vmware.com prod-x"},
	{Link{"VirtualMachine", "web", "m-1", "VirtualMachineNetworkReady", "NotReady", "network interface is not ready"}, "network is not ready", "kubectl -n web describe virtualmachine.vmoperator.vmware.com m-1"},
	{Link{"VirtualMachine", "web", "m-1", "VirtualMachineClassReady", "NotFound", `virtualmachineclasses.vmoperator.vmware.com "best-effort-medium" not found`}, "does not have best-effort-medium", "kubectl -n web get virtualmachineclass.vmoperator.vmware.com"},
	{Link{"VirtualMachine", "web", "m-1", "VirtualMachineClassReady", "NotFound", ""}, "does not have the VM class", "kubectl -n web get virtualmachineclass.vmoperator.vmware.com"},
	{Link{"VSphereMachine", "web", "m-1", "VirtualMachineProvisioned", "NotProvisioned", `admission webhook "default.validating.virtualmachine.vmoperator.vmware.com" denied the request: spec.storageClass: Invalid value: "gold": Storage policy is not associated with the namespace web`}, "does not have gold", "kubectl get storageclass"},
	{Link{"VSphereMachine", "web", "m-1", "VirtualMachineProvisioned", "NotProvisioned", `admission webhook "validation.storagepolicyquota.cns.vmware.com" denied the request: exceeded quota: gold-storagepolicyquota, requested: 1 MiB`}, "storage quota of web is used up", "kubectl -n web describe storagepolicyquota.cns.vmware.com"},
	{Link{"Machine", "web", "m-1", "InfrastructureReady", "NotReady", "exceeded quota: web, requested: limits.memory=8Gi"}, "A quota of web is used up", "govc namespace.info web"},
	{Link{"VirtualMachine", "web", "m-1", "VirtualMachineStorageReady", "NotFound", `storageclasses.storage.k8s.io "gold" not found`}, "cannot use gold", "govc storage.policy.info -s"},
	{Link{"VirtualMachine", "web", "m-1", "VirtualMachineImageReady", "NotFound", `clustervirtualmachineimages.vmoperator.vmware.com "vmi-1" not found`}, "There is no vmi-1", "govc library.info '*'"},
	{Link{"VirtualMachine", "web", "m-1", "VirtualMachineImageReady", "NotReady", ""}, "The image cannot be used yet", "govc library.info '*'"},
	{Link{"VirtualMachine", "web", "m-1", "VirtualMachineConditionPlacementReady", "ZoneMismatch", ""}, "zone asked for", "kubectl -n web get zone.topology.tanzu.vmware.com"},
	{Link{"VirtualMachine", "web", "m-1", "VirtualMachineConditionPlacementReady", "NotReady", "InsufficientStorage: zone-a: ds-1: free space 1 GiB, needed 20 GiB"}, "No datastore", "govc datastore.info"},
	{Link{"VirtualMachine", "web", "m-1", "VirtualMachineConditionPlacementReady", "NotReady", "InsufficientMemory: zone-a: 3 hosts, largest free memory 2 GiB, needed 4 GiB"}, "No host has room", "govc host.info '*'"},
	{Link{"VirtualMachine", "web", "m-1", "VirtualMachineConditionPlacementReady", "Error", "no recommendation"}, "finds no place", "govc host.info '*'"},
	{Link{"vSphere VM", "web", "m-1", "Destroy_Task", "task-9", "HostNotConnected: the host is not connected"}, "does not let the machine go", `govc vm.info "$(govc find / -type m -name m-1)"`},
	{Link{"vSphere VM", "web", "m-1", "CreateVM_Task", "task-9", "GenericVmConfigFault"}, "vCenter refused m-1", `govc tasks "$(govc find / -type m -name m-1)"`},
	{Link{"VirtualMachine", "web", "m-1", "VirtualMachineCreated", "Error", "deploy failed"}, "vCenter has not done it", `govc tasks "$(govc find / -type m -name m-1)"`},
	{Link{"VSphereMachine", "web", "m-1", "VirtualMachineProvisioned", "PoweringOn", ""}, "", `govc tasks "$(govc find / -type m -name m-1)"`},
	{Link{"VSphereMachine", "web", "m-1", "VirtualMachineProvisioned", "WaitingForNetworkAddress", ""}, "guest reports no address", `govc vm.console "$(govc find / -type m -name m-1)"`},
	{Link{"VirtualMachine", "web", "m-1", "VirtualMachineGuestNetworkConfigSynced", "NotSynced", ""}, "network settings", "kubectl -n web describe virtualmachine.vmoperator.vmware.com m-1"},
	{Link{"Cluster", "web", "prod", "RemoteConnectionProbe", "ProbeFailed", "Remote connection not established yet"}, "does not answer at the cluster's endpoint", "kubectl -n web get virtualmachineservice.vmoperator.vmware.com prod -o wide"},
	{Link{"Machine", "web", "m-1", "NodeReady", "NodeNotReady", "container runtime network not ready: cni plugin not initialized"}, "CNI", "kubectl -n web describe machine.cluster.x-k8s.io m-1"},
	{Link{"KubeadmControlPlane", "web", "prod-x", "EtcdClusterHealthy", "NotHealthy", ""}, "etcd is not healthy", "kubectl -n web describe kubeadmcontrolplane.controlplane.cluster.x-k8s.io prod-x"},
	{Link{"Machine", "web", "m-1", "APIServerPodHealthy", "DoesNotExist", "Pod does not exist"}, "static pod", "kubectl -n web describe machine.cluster.x-k8s.io m-1"},
	{Link{"VirtualMachine", "web", "m-1", "VirtualMachineBootstrapReady", "NotFound", ""}, "bootstrap Secret is missing", "kubectl -n web describe kubeadmconfig.bootstrap.cluster.x-k8s.io m-1"},
	{Link{"KubeadmConfig", "web", "m-1", "DataSecretAvailable", "NotAvailable", "Waiting for Cluster control plane to be initialized"}, "", "kubectl -n web describe kubeadmconfig.bootstrap.cluster.x-k8s.io m-1"},
	{Link{"KubeadmConfig", "web", "m-1", "DataSecretAvailable", "NotAvailable", "failed to generate"}, "bootstrap provider makes no data", "kubectl -n web describe kubeadmconfig.bootstrap.cluster.x-k8s.io m-1"},
	{Link{"MachineSet", "web", "md-x", "ScalingUp", "ScalingUp", `* KubeadmControlPlane prod-x is provisioning ("ControlPlaneIsStable" preflight check failed)`}, "control plane is stable", "kubectl -n web describe machineset.cluster.x-k8s.io md-x"},
	{Link{"Machine", "web", "m-1", "OwnerRemediated", "CannotBeRemediated", ""}, "Too many machines", "kubectl -n web get machinehealthcheck.cluster.x-k8s.io"},
	{Link{"Machine", "web", "m-1", "Deleting", "DrainingNode", "Drain not completed yet: pod web/shop-0: cannot evict pod as it would violate the pod's disruption budget."}, "PodDisruptionBudget", "kubectl --kubeconfig prod.kubeconfig get poddisruptionbudget -A"},
	{Link{"Machine", "web", "m-1", "Event", "FailedDrainNode", "cannot evict pod as it would violate the pod's disruption budget"}, "PodDisruptionBudget", "kubectl -n web describe machine.cluster.x-k8s.io m-1"},
	{Link{"Machine", "web", "m-1", "Deleting", "WaitingForVolumeDetach", ""}, "volume is not detached", "kubectl --kubeconfig prod.kubeconfig get volumeattachment"},
	{Link{"Machine", "web", "m-1", "Deleting", "WaitingForPreTerminateHook", ""}, "hook holds the machine", "kubectl -n web get machine.cluster.x-k8s.io m-1 -o jsonpath='{.metadata.annotations}'"},
	{Link{"VSphereMachine", "web", "m-1", "Deleting", "Finalizers", "waits for vspheremachine.infrastructure.cluster.x-k8s.io"}, "by hand leaves machines", "kubectl -n web describe vspheremachine.vmware.infrastructure.cluster.x-k8s.io m-1"},
	{Link{"VSphereNamespace", "", "web", "", "StillInhabited", "Cluster web/prod is in it"}, "Delete that first", "kubectl -n web get cluster.cluster.x-k8s.io,virtualmachine.vmoperator.vmware.com,persistentvolumeclaim"},
	{Link{"Cluster", "web", "prod", "", "denied", `admission webhook "validation.cluster.cluster.x-k8s.io" denied the request: spec.topology.version: cannot be decreased`}, "A webhook refused it", "kubectl -n web describe cluster.cluster.x-k8s.io prod"},
	{Link{"Cluster", "web", "prod", "", "conflict", "conflict with \"kubectl\""}, "--force-conflicts", "kubectl -n web get cluster.cluster.x-k8s.io prod -o yaml --show-managed-fields"},
	{Link{"Cluster", "web", "prod", "", "Protected", ""}, "deletion-protection", "kubectl -n web get cluster.cluster.x-k8s.io prod -o jsonpath='{.metadata.annotations}'"},
	{Link{"Cluster", "web", "prod", "", "denied", "clusters.cluster.x-k8s.io is forbidden: User \"a\" cannot patch"}, "may not do this", "kubectl auth whoami"},
	{Link{"Cluster", "web", "prod", "", "invalid", "spec.topology.version: Invalid value"}, "does not take it as it is", "kubectl -n web get cluster.cluster.x-k8s.io prod -o yaml"},
	{Link{"Cluster", "web", "prod", "", "not served", ""}, "no such kind", "kubectl api-resources"},
	{Link{"Cluster", "web", "prod", "", "Timeout", "no answer within 30s"}, "did not answer in time", "govc about"},
	{Link{"VSphereNamespace", "", "web", "", "NotCreated", ""}, "", "govc namespace.ls"},
	{Link{"Cluster", "web", "prod", "", "NotCreated", ""}, "", "kubectl -n web get cluster.cluster.x-k8s.io"},
	{Link{"VSphereNamespace", "", "web", "ConfigStatus", "ERROR", ""}, "could not configure", "govc namespace.info web"},
	{Link{"Cluster", "web", "prod", "TopologyReconciled", "ReconcileFailed", "error computing the desired state"}, "topology cannot be worked out", "kubectl -n web describe cluster.cluster.x-k8s.io prod"},
	{Link{"Machine", "web", "m-1", "Something", "New", "that nobody knows"}, "", "kubectl -n web describe machine.cluster.x-k8s.io m-1"},
	{Link{"VSphereNamespace", "", "web", "", "CONFIGURING", ""}, "", "govc namespace.info web"},
	{Link{"vSphere VM", "web", "m-1", "ReconfigVM_Task", "", ""}, "vCenter refused", `govc events "$(govc find / -type m -name m-1)"`},
}

func TestFixOfNothing(t *testing.T) {
	t.Parallel()
	if advice, commands := Fix(nil); advice != "" || commands != nil {
		t.Errorf("advice is %q, commands %q, want none", advice, commands)
	}
}

// What a Kubernetes Event says goes before the condition that it is about, unless
// nothing is known of it.
func TestFixOfAWarning(t *testing.T) {
	t.Parallel()
	condition := Link{"VirtualMachine", "web", "m-1", "VirtualMachineCreated", "Error", ""}
	for message, want := range map[string]string{
		"InsufficientMemory: no host":  "No host has room",
		"something that nobody knows ": "vCenter has not done it",
	} {
		warning := Link{"VirtualMachine", "web", "m-1", Warning, "CreateFailure", message}
		if advice, _ := Fix([]Link{condition, warning}); !strings.Contains(advice, want) {
			t.Errorf("advice for %q is %q, want %q in it", message, advice, want)
		}
	}
}

// FuzzFix holds that no foreign text gets out of the quotes of a command.
func FuzzFix(f *testing.F) {
	for _, test := range fixes {
		f.Add(test.link.Kind, test.link.Namespace, test.link.Name, test.link.Condition, test.link.Reason, test.link.Message)
	}
	f.Add("Machine", "$(reboot)", "a'; reboot; '", "Deleting", "DrainingNode", "\x1b]0;x\a")
	f.Add("Machine", "-n", "--all", "", "", "`reboot`")
	f.Fuzz(func(t *testing.T, kind, namespace, name, condition, reason, message string) {
		_, commands := Fix([]Link{{Kind: "Cluster", Name: name}, {kind, namespace, name, condition, reason, message}})
		for _, c := range commands {
			if strings.IndexFunc(c, func(r rune) bool { return r < ' ' }) >= 0 {
				t.Errorf("a control code in %q", c)
			}
			bare := unquoted(strings.ReplaceAll(c, `"$(govc find / -type m -name `, ""))
			if strings.ContainsAny(bare, "`$;&|<>\n\\!*#~") || strings.Count(bare, `"`)+strings.Count(bare, ")") > 2*strings.Count(c, "govc find") {
				t.Errorf("what a shell would act on is outside of quotes in %q: %q", c, bare)
			}
		}
	})
}

// unquoted is a command without what is in single quotes.
func unquoted(c string) string {
	c = strings.ReplaceAll(c, `'\''`, "")
	var b strings.Builder
	for i, part := range strings.Split(c, "'") {
		if i%2 == 0 {
			b.WriteString(part)
		}
	}
	return b.String()
}

func TestResourceOf(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ kind, apiVersion, want string }{
		{"Machine", "cluster.x-k8s.io/v1beta2", "machine.cluster.x-k8s.io"},
		{"Machine", "", "machine.cluster.x-k8s.io"},
		{"Secret", "v1", "secret"},
		{"Service", "", "service"},
		{"Network", "example.com/v1", "network.example.com"},
	} {
		if got := ResourceOf(test.kind, test.apiVersion); got != test.want {
			t.Errorf("%s of %s is %q, want %q", test.kind, test.apiVersion, got, test.want)
		}
	}
}

func TestQuote(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"prod-1":  "prod-1",
		"":        "''",
		"a b":     "'a b'",
		"it's":    `'it'\''s'`,
		"-rf":     "'-rf'",
		"a\x1b\n": "'a'",
		"ünïcode": "'ünïcode'",
		"$(x)`y`": "'$(x)`y`'",
	} {
		if got := Quote(text); got != want {
			t.Errorf("Quote(%q) is %s, want %s", text, got, want)
		}
	}
	if !unicode.IsPrint([]rune(Quote("\u009b"))[0]) {
		t.Error("a control code is left")
	}
}

func TestPatience(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		link Link
		want time.Duration // 0 is none
	}{
		{Link{Kind: "VSphereCluster", Condition: "LoadBalancerReady", Reason: "WaitingForIP"}, 5 * time.Minute},
		{Link{Kind: "Service", Condition: "Ready", Reason: "IPAllocationFailed", Message: "no free load-balancer address"}, time.Minute},
		{Link{Kind: "VSphereCluster", Condition: "NetworkReady", Reason: "NotReady"}, 2 * time.Minute},
		{Link{Kind: "SubnetPort", Condition: "Ready", Reason: "SubnetPortNotReady"}, 2 * time.Minute},
		{Link{Kind: "VSphereMachine", Condition: "VirtualMachineProvisioned", Reason: "WaitingForNetworkAddress"}, 5 * time.Minute},
		{Link{Kind: "Cluster", Condition: "RemoteConnectionProbe", Reason: "ProbeFailed"}, 10 * time.Minute},
		{Link{Kind: "Machine", Condition: "NodeReady", Reason: "NodeNotReady"}, 10 * time.Minute},
		{Link{Kind: "MachineSet", Condition: "ScalingUp", Reason: "ScalingUp", Message: `"ControlPlaneIsStable" preflight check failed`}, 10 * time.Minute},
		{Link{Kind: "VirtualMachine", Condition: "VirtualMachineClassReady", Reason: "NotFound"}, time.Minute},
		{Link{Kind: "VSphereMachine", Condition: "VirtualMachineProvisioned", Reason: "WaitingForBootstrapData"}, 0},
		{Link{Kind: "Machine", Condition: "Deleting", Reason: "WaitingForInfrastructureDeletion"}, 0},
	} {
		if got, known := Patience(test.link); got != test.want || known != (test.want > 0) {
			t.Errorf("for %s of %s it is %v, want %v", test.link.Condition, test.link.Kind, got, test.want)
		}
	}
}
