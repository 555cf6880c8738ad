package phase

// remedies are the causes that are known, the particular before the general: the
// first that fits is taken. They cover the detectors of domain.md 8.1 and what its
// part 4 calls accepted but stalling. Where a setting is wrong the advice is about
// the repository, since what is only changed in the Supervisor is changed back.
var remedies = []remedy{
	// Who may not log in, or is cut off.
	{
		said:     []string{"incorrect user name or password", "invalidlogin", "notauthenticated", "cannot complete login", "passwordexpired", "password has expired"},
		advice:   "vCenter refuses the login. Check the account's password, and whether it is locked or expired.",
		commands: []string{"govc about", "kubectl -n {ns} describe {kind} {name}"},
	},
	{
		said:     []string{"nopermission", "permission to perform this operation was denied"},
		advice:   "The account lacks a privilege in vCenter. Give its role the one that the task needs.",
		commands: []string{"govc permissions.ls", "kubectl -n {ns} describe {kind} {name}"},
	},
	{
		said:     []string{"x509:", "certificate signed by unknown", "certificate has expired"},
		advice:   "A certificate is not trusted. Renew it, or have the one who says this trust the authority that signed it.",
		commands: []string{"govc about.cert -show", "kubectl -n {ns} describe {kind} {name}"},
	},
	{
		conditions: []string{"VCenterAvailable"},
		advice:     "The Supervisor does not reach vCenter. Check vCenter's services, the network between them, and the login of the service account.",
		commands:   []string{"govc about", "kubectl -n {ns} describe {kind} {name}"},
	},

	// Somebody stopped it.
	{
		conditions: []string{"Paused"},
		advice:     "It is paused. An upgrade of VKS does so for a short time; if somebody did it by hand, end it when that is over.",
		commands: []string{
			"kubectl -n {ns} get {kind} {name} -o jsonpath='{.metadata.annotations}'",
			`kubectl -n {ns} patch {kind} {name} --type merge -p '{"spec":{"paused":false}}'`,
		},
	},
	{
		reasons:  []string{"LifecycleHookBlocking", "WaitingForBeforeDeleteHook"},
		advice:   "A runtime hook holds it back. Ask the extension that its message names.",
		commands: []string{"kubectl get extensionconfig.runtime.cluster.x-k8s.io", "kubectl -n {ns} describe {kind} {name}"},
	},
	{
		reasons:  []string{"ClusterClassNotReconciled"},
		advice:   "Its ClusterClass is not ready, or does not exist. Name one that the Supervisor has.",
		commands: []string{"kubectl get clusterclass.cluster.x-k8s.io -A", "kubectl -n {ns} describe {kind} {name}"},
	},
	{
		said:     []string{"could not resolve kr", "could not resolve tkr"},
		advice:   "No Kubernetes release fits the version and the OS images asked for. Choose a version that is compatible here, with one image for each pool.",
		commands: []string{"kubectl get kubernetesreleases", "kubectl get osimages"},
	},

	// What is on its way out says so in all of its conditions.
	{
		reasons:  []string{"Deleting"},
		advice:   "It is being deleted, and the controller that its finalizer names has work left. Look at what it says; taking the finalizer away by hand leaves machines and folders behind in vCenter.",
		commands: []string{"kubectl -n {ns} get {kind} {name} -o jsonpath='{.metadata.finalizers}'", "kubectl -n {ns} describe {kind} {name}"},
	},
	{
		conditions: []string{"FailureDomainsReady"},
		advice:     "No zone of {ns} is ready. Check that the vSphere Namespace has zones, and the failureDomain that the cluster names.",
		commands:   []string{"kubectl -n {ns} get zone.topology.tanzu.vmware.com", "kubectl -n {ns} describe {kind} {name}"},
	},
	{
		conditions: []string{"ResourcePolicyReady", "VirtualMachineConditionVMSetResourcePolicyReady"},
		advice:     "The folder and the resource pools of the cluster are not made, or still held by a machine. Look at what the policy says.",
		commands:   []string{"kubectl -n {ns} describe virtualmachinesetresourcepolicy.vmoperator.vmware.com {cluster}"},
	},

	// Addresses and networks.
	{
		kinds:    []string{"Service", "VirtualMachineService", "VSphereCluster"},
		said:     []string{"no free", "is free", "ipallocationfailed", "exhausted", "no available ip", "pool is full"},
		advice:   "The load balancer has no address left. Enlarge its range, or delete a cluster or LoadBalancer Service that nobody needs; it then goes on by itself.",
		commands: []string{"kubectl get service -A --field-selector spec.type=LoadBalancer", "kubectl -n {ns} describe {kind} {name}"},
	},
	{
		kinds:    []string{"Service", "VirtualMachineService"},
		advice:   "The load balancer gives no address. Check that it runs and has addresses left.",
		commands: []string{"kubectl -n {ns} describe {kind} {name}", "kubectl get service -A --field-selector spec.type=LoadBalancer"},
	},
	{
		conditions: []string{"LoadBalancerReady"},
		advice:     "The load balancer gives the control plane no address. Check that it runs and has addresses left.",
		commands:   []string{"kubectl -n {ns} describe virtualmachineservice.vmoperator.vmware.com {cluster}", "kubectl get service -A --field-selector spec.type=LoadBalancer"},
	},
	{
		kinds:    []string{"SubnetPort", "SubnetSet", "Subnet"},
		said:     []string{"no free address", "no address is free", "used up", "exhausted", "no available ip", "not enough ip"},
		advice:   "The network is out of addresses. Give the VPC of {ns} another private block, or delete machines that nobody needs; it then goes on by itself.",
		commands: []string{"kubectl -n {ns} get subnet.crd.nsx.vmware.com,subnetport.crd.nsx.vmware.com", "kubectl -n {ns} describe networkinfo.crd.nsx.vmware.com"},
	},
	{
		kinds:    []string{"NetworkInterface", "VirtualNetworkInterface"},
		said:     []string{"cannotallocip", "no free address", "no address is free", "used up", "exhausted", "no available ip"},
		advice:   "The network is out of addresses. Add a range to its IP pool, or delete machines that nobody needs; it then goes on by itself.",
		commands: []string{"kubectl get ippool.netoperator.vmware.com -A", "kubectl -n {ns} describe {kind} {name}"},
	},
	{
		kinds:    []string{"SubnetPort", "NetworkInterface", "VirtualNetworkInterface"},
		advice:   "The network gives the machine no port. Look at what it says of the port, and at the health of NSX or the switch.",
		commands: []string{"kubectl -n {ns} describe {kind} {name}"},
	},
	{
		kinds:    []string{"SubnetSet", "VirtualNetwork", "Network"},
		advice:   "The network of the cluster is not made. Look at what the network provider says of it, and at the health of NSX.",
		commands: []string{"kubectl -n {ns} describe {kind} {name}", "kubectl -n {ns} describe networkinfo.crd.nsx.vmware.com"},
	},
	{
		conditions: []string{"NetworkReady", "VirtualMachineNetworkReady"},
		advice:     "The network is not ready. Look at what the network provider says of it.",
		commands:   []string{"kubectl -n {ns} describe {kind} {name}", "kubectl -n {ns} get subnetset.crd.nsx.vmware.com,subnetport.crd.nsx.vmware.com"},
	},

	// What the vSphere Namespace does not have.
	{
		conditions: []string{"VirtualMachineClassReady"},
		it:         "the VM class",
		advice:     "The vSphere Namespace {ns} does not have {it}. Add it to vmClasses of the VSphereNamespace, or set another vmClass on the cluster.",
		commands:   []string{"kubectl -n {ns} get virtualmachineclass.vmoperator.vmware.com"},
	},
	{
		said:     []string{"storage policy is not associated", "storageclassrequired"},
		it:       "the storage policy",
		advice:   "The vSphere Namespace {ns} does not have {it}. Add it to storagePolicies of the VSphereNamespace, or set another storageClass on the cluster.",
		commands: []string{"kubectl -n {ns} get storagepolicyquota.cns.vmware.com", "kubectl get storageclass"},
	},
	{
		said:     []string{"storagepolicyquota", "requests.storage"},
		advice:   "The storage quota of {ns} is used up. Raise limitMiB of the policy in the VSphereNamespace, or make volumes and pools smaller.",
		commands: []string{"kubectl -n {ns} describe storagepolicyquota.cns.vmware.com"},
	},
	{
		said:     []string{"exceeded quota", "quota exceeded", "insufficientresourcesfault", "insufficientmemoryresourcesfault", "insufficientcpuresourcesfault"},
		advice:   "A quota of {ns} is used up. Raise it in resources of the VSphereNamespace, or take smaller or fewer machines.",
		commands: []string{"kubectl -n {ns} describe resourcequota", "govc namespace.info {ns}"},
	},
	{
		conditions: []string{"VirtualMachineStorageReady"},
		it:         "the storage class",
		advice:     "The machine cannot use {it}. Check that the vSphere Namespace {ns} has its policy and that a datastore fits it.",
		commands:   []string{"kubectl -n {ns} get storagepolicyquota.cns.vmware.com", "govc storage.policy.info -s"},
	},
	{
		conditions: []string{"VirtualMachineImageReady"},
		reasons:    []string{"NotFound"},
		it:         "the image",
		advice:     "There is no {it}. Check that its content library is synchronised and in contentLibraries of the VSphereNamespace {ns}.",
		commands:   []string{"kubectl get clustervirtualmachineimage.vmoperator.vmware.com", "govc library.info '*'"},
	},
	{
		conditions: []string{"VirtualMachineImageReady", "VirtualMachineConditionImageCacheReady"},
		it:         "The image",
		advice:     "{it} cannot be used yet. Check the synchronisation of its content library, and the room on the datastore.",
		commands:   []string{"kubectl get clustervirtualmachineimage.vmoperator.vmware.com", "govc library.info '*'", "govc datastore.info"},
	},

	// Room in vCenter.
	{
		conditions: []string{"VirtualMachineConditionPlacementReady"},
		reasons:    []string{"ZoneMismatch"},
		advice:     "The zone asked for is not one of {ns}. Name a failureDomain that the vSphere Namespace has.",
		commands:   []string{"kubectl -n {ns} get zone.topology.tanzu.vmware.com"},
	},
	{
		said:     []string{"insufficientstorage", "insufficient disk space", "nodiskspace", "free space"},
		advice:   "No datastore of the policy has room. Free some, add a datastore to the policy, or make volumes smaller.",
		commands: []string{"govc datastore.info"},
	},
	{
		said:     []string{"insufficientmemory", "insufficientcpu", "insufficient resources", "insufficienthostcapacity", "insufficientfailoverresources", "no host is compatible", "nocompatiblehost"},
		advice:   "No host has room for the machine. Free memory or CPU, add a host to the zone, or take a smaller VM class.",
		commands: []string{"govc host.info '*'", "kubectl -n {ns} describe {kind} {name}"},
	},
	{
		conditions: []string{"VirtualMachineConditionPlacementReady"},
		advice:     "vCenter finds no place for the machine. Check DRS, hosts in maintenance, and the datastores of its storage policy.",
		commands:   []string{"govc host.info '*'", "kubectl -n {ns} describe {kind} {name}"},
	},
	{
		kinds:      []string{"vSphere VM"},
		conditions: []string{"Destroy_Task", "PowerOffVM_Task"},
		advice:     "vCenter does not let the machine go. Look at its tasks and at its host; a host that does not answer has to come back first.",
		commands:   []string{"govc tasks {vm}", "govc vm.info {vm}"},
	},
	{
		kinds:    []string{"vSphere VM"},
		advice:   "vCenter refused {name}. Look at what it says of the task; it is tried again by itself once that is mended.",
		commands: []string{"govc tasks {vm}", "govc events {vm}"},
	},
	{
		conditions: []string{"VirtualMachineCreated", "VirtualMachinePowerStateSynced"},
		advice:     "vCenter has not done it. Look at the machine's tasks there.",
		commands:   []string{"govc tasks {vm}", "kubectl -n {ns} describe {kind} {name}"},
	},
	{
		conditions: []string{"VirtualMachineProvisioned"},
		reasons:    []string{"PoweringOn"},
		commands:   []string{"govc tasks {vm}", "kubectl -n {ns} describe {kind} {name}"},
	},

	// Guests that do not come up.
	{
		reasons:  []string{"WaitingForNetworkAddress", "WaitingForIPAllocation", "WaitingForIPAddress"},
		advice:   "The guest reports no address. See on its console whether it boots, whether VMware Tools run, and whether DHCP answers.",
		commands: []string{"govc vm.console {vm}", "govc vm.info {vm}", "kubectl -n {ns} describe virtualmachine.vmoperator.vmware.com {name}"},
	},
	{
		conditions: []string{"VirtualMachineGuestNetworkConfigSynced"},
		advice:     "The guest has not taken its network settings. See on its console whether it boots and whether VMware Tools run.",
		commands:   []string{"govc vm.console {vm}", "kubectl -n {ns} describe {kind} {name}"},
	},
	{
		conditions: []string{"RemoteConnectionProbe", "ControlPlaneInitialized", "Initialized"},
		advice:     "The API server does not answer at the cluster's endpoint. Check the load balancer behind it, and cloud-init and kubeadm on the first control-plane machine.",
		commands: []string{
			"kubectl -n {ns} get virtualmachineservice.vmoperator.vmware.com {cluster} -o wide",
			"kubectl -n {ns} get virtualmachine.vmoperator.vmware.com -l capv.vmware.com/cluster.role=controlplane,capv.vmware.com/cluster.name={cluster} -o wide",
		},
	},
	{
		conditions: []string{"NodeHealthy", "NodeReady"},
		advice:     "The node has not joined, or is not ready. Check cloud-init on the machine, and in the cluster the CNI and the cloud provider that gives nodes their providerID.",
		commands:   []string{"kubectl -n {ns} describe {kind} {name}", "govc vm.console {vm}"},
	},
	{
		conditions: []string{
			"EtcdPodHealthy", "EtcdMemberHealthy", "EtcdClusterHealthy",
			"APIServerPodHealthy", "ControllerManagerPodHealthy", "SchedulerPodHealthy", "ControlPlaneComponentsHealthy",
		},
		reasons:  []string{"InspectionFailed", "HealthUnknown"},
		advice:   "Nothing is known of it: the cluster's API server does not answer, or the node has not joined. Mend that first.",
		commands: []string{"kubectl -n {ns} describe {kind} {name}", "kubectl -n {ns} get virtualmachineservice.vmoperator.vmware.com {cluster} -o wide"},
	},
	{
		conditions: []string{"EtcdPodHealthy", "EtcdMemberHealthy", "EtcdClusterHealthy"},
		advice:     "etcd is not healthy. Mend or replace the member that its message names, and never more than one at a time.",
		commands:   []string{"kubectl -n {ns} describe {kind} {name}"},
	},
	{
		conditions: []string{"APIServerPodHealthy", "ControllerManagerPodHealthy", "SchedulerPodHealthy", "ControlPlaneComponentsHealthy"},
		advice:     "A component of the control plane does not run. Look at its static pod on the machine that its message names.",
		commands:   []string{"kubectl -n {ns} describe {kind} {name}"},
	},
	{
		conditions: []string{"VirtualMachineBootstrapReady"},
		advice:     "The machine's bootstrap Secret is missing or has no key for it. It is made by the bootstrap provider; look at the KubeadmConfig.",
		commands:   []string{"kubectl -n {ns} describe kubeadmconfig.bootstrap.cluster.x-k8s.io {name}"},
	},
	{
		kinds:    []string{"KubeadmConfig"},
		said:     []string{"waiting for", "waitingfor"},
		commands: []string{"kubectl -n {ns} describe {kind} {name}"},
	},
	{
		kinds:    []string{"KubeadmConfig"},
		advice:   "The bootstrap provider makes no data for the machine. Look at what it says.",
		commands: []string{"kubectl -n {ns} describe {kind} {name}"},
	},
	{
		said:     []string{"preflight check failed"},
		advice:   "No machine is added before the control plane is stable. Mend what its message names first.",
		commands: []string{"kubectl -n {ns} describe {kind} {name}"},
	},
	{
		said:     []string{"toomanyunhealthy", "remediation is not allowed", "cannotberemediated", "remediationdeferred"},
		advice:   "Too many machines are unhealthy at once to replace them by themselves. Find what they share: a host, a datastore, a network.",
		commands: []string{"kubectl -n {ns} get machinehealthcheck.cluster.x-k8s.io", "kubectl -n {ns} get machine.cluster.x-k8s.io -o wide"},
	},

	// What does not go.
	{
		reasons:  []string{"DrainingNode"},
		advice:   "Pods do not leave the node. Give them another place, or lower the PodDisruptionBudget that keeps them; nodeDrainTimeout of the topology ends the wait.",
		commands: []string{"kubectl --kubeconfig {cluster}.kubeconfig get poddisruptionbudget -A", "kubectl -n {ns} describe {kind} {name}"},
	},
	{
		said:     []string{"poddisruptionbudget", "disruption budget"},
		advice:   "A PodDisruptionBudget keeps pods on the node. Give them another place, or lower it; nodeDrainTimeout of the topology ends the wait.",
		commands: []string{"kubectl --kubeconfig {cluster}.kubeconfig get poddisruptionbudget -A", "kubectl -n {ns} describe {kind} {name}"},
	},
	{
		reasons:  []string{"WaitingForVolumeDetach"},
		advice:   "A volume is not detached from the node. Check the CSI driver in the cluster, and the task in vCenter.",
		commands: []string{"kubectl --kubeconfig {cluster}.kubeconfig get volumeattachment", "govc tasks {vm}"},
	},
	{
		reasons:  []string{"WaitingForPreDrainHook", "WaitingForPreTerminateHook"},
		advice:   "Somebody's hook holds the machine. The annotation *.delete.hook.machine.cluster.x-k8s.io says whose.",
		commands: []string{"kubectl -n {ns} get {kind} {name} -o jsonpath='{.metadata.annotations}'"},
	},
	{
		conditions: []string{"Deleting"},
		advice:     "The controller that its finalizer names has work left. Look at what it says; taking the finalizer away by hand leaves machines and folders behind in vCenter.",
		commands:   []string{"kubectl -n {ns} get {kind} {name} -o jsonpath='{.metadata.finalizers}'", "kubectl -n {ns} describe {kind} {name}"},
	},
	{
		kinds:    []string{"VSphereNamespace", "Namespace"},
		reasons:  []string{"StillInhabited"},
		advice:   "There is something left in the vSphere Namespace. Delete that first.",
		commands: []string{"kubectl -n {name} get cluster.cluster.x-k8s.io,virtualmachine.vmoperator.vmware.com,persistentvolumeclaim"},
	},

	// What was refused.
	{
		said:     []string{"admission webhook", "denied the request"},
		advice:   "A webhook refused it. Change in the repository what its message names.",
		commands: []string{"kubectl -n {ns} describe {kind} {name}"},
	},
	{
		reasons:  []string{"conflict", "Conflict"},
		advice:   "Another field manager owns what would change. Take the field out of the repository, or take it over with --force-conflicts.",
		commands: []string{"kubectl -n {ns} get {kind} {name} -o yaml --show-managed-fields"},
	},
	{
		reasons:  []string{"Protected"},
		advice:   "Its annotation vksync.dev/deletion-protection forbids to delete it. Take the annotation away first, in a commit of its own.",
		commands: []string{"kubectl -n {ns} get {kind} {name} -o jsonpath='{.metadata.annotations}'"},
	},
	{
		reasons:  []string{"denied", "Forbidden", "Unauthorized"},
		advice:   "The account may not do this. Give it the role Edit or Owner on the vSphere Namespace, or log in again.",
		commands: []string{"kubectl auth whoami", "kubectl -n {ns} auth can-i --list"},
	},
	{
		conditions: []string{""},
		reasons:    []string{"invalid", "Invalid"},
		advice:     "The API server does not take it as it is. Change in the repository what its message names.",
		commands:   []string{"kubectl -n {ns} get {kind} {name} -o yaml"},
	},
	{
		reasons:  []string{"not served"},
		advice:   "The Supervisor has no such kind. Check its version, and that the service of this kind runs.",
		commands: []string{"kubectl api-resources"},
	},
	{
		conditions: []string{""},
		reasons:    []string{"transient", "Timeout", "LeaseLost"},
		advice:     "It did not answer in time, and is tried again by itself. Check that the Supervisor and vCenter are well.",
		commands:   []string{"kubectl get --raw=/readyz?verbose", "govc about"},
	},
	{
		kinds:    []string{"VSphereNamespace"},
		reasons:  []string{"NotCreated"},
		commands: []string{"govc namespace.ls"},
	},
	{
		reasons:  []string{"NotCreated"},
		commands: []string{"kubectl -n {ns} get {kind}"},
	},
	{
		kinds:    []string{"VSphereNamespace", "Namespace"},
		reasons:  []string{"ERROR"},
		advice:   "vCenter could not configure the vSphere Namespace. Its messages say why.",
		commands: []string{"govc namespace.info {name}"},
	},
	{
		reasons:  []string{"ReconcileFailed"},
		advice:   "The topology cannot be worked out or applied. Change in the repository what its message names.",
		commands: []string{"kubectl -n {ns} describe {kind} {name}"},
	},
}
