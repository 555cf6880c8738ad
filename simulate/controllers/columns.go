package controllers

import "github.com/vksync/vksync/simulate/kubeapi"

// Columns of the kinds, as in the printer columns of their definitions: Cluster
// API 1.14, VM Operator v1alpha5 and CAPV's supervisor mode. A priority above 0
// is for -o wide.

func column(name, path string) kubeapi.Column { return kubeapi.Column{Name: name, Path: path} }

func number(name, path string) kubeapi.Column {
	return kubeapi.Column{Name: name, Type: "integer", Path: path}
}

func condition(name, kind string) kubeapi.Column {
	return column(name, `.status.conditions[?(@.type=="`+kind+`")].status`)
}

func wide(c kubeapi.Column) kubeapi.Column {
	c.Priority = 10
	return c
}

var (
	columnAge     = kubeapi.Column{Name: "Age", Type: "date", Path: ".metadata.creationTimestamp"}
	columnCluster = column("Cluster", ".spec.clusterName")
	columnLabel   = column("Cluster", `.metadata.labels['cluster\.x-k8s\.io/cluster-name']`)
	columnPaused  = wide(condition("Paused", "Paused"))
	columnPhase   = column("Phase", ".status.phase")
)

// replicaColumns are the counts that all who own machines have.
var replicaColumns = []kubeapi.Column{
	number("Desired", ".spec.replicas"), number("Current", ".status.replicas"), number("Ready", ".status.readyReplicas"),
	number("Available", ".status.availableReplicas"), number("Up-to-date", ".status.upToDateReplicas"), columnPaused,
}

var columns = map[string][]kubeapi.Column{
	"Cluster": {
		column("ClusterClass", ".spec.topology.classRef.name"), condition("Available", "Available"),
		number("CP Desired", ".status.controlPlane.desiredReplicas"), wide(number("CP Current", ".status.controlPlane.replicas")),
		wide(number("CP Ready", ".status.controlPlane.readyReplicas")), number("CP Available", ".status.controlPlane.availableReplicas"),
		number("CP Up-to-date", ".status.controlPlane.upToDateReplicas"),
		number("W Desired", ".status.workers.desiredReplicas"), wide(number("W Current", ".status.workers.replicas")),
		wide(number("W Ready", ".status.workers.readyReplicas")), number("W Available", ".status.workers.availableReplicas"),
		number("W Up-to-date", ".status.workers.upToDateReplicas"),
		columnPaused, columnPhase, columnAge, column("Version", ".spec.topology.version"),
	},
	"ClusterClass": {columnPaused, condition("Variables Ready", "VariablesReady"), columnAge},
	"Machine": {
		columnCluster, column("Node Name", ".status.nodeRef.name"), wide(column("Provider ID", ".spec.providerID")),
		column("Failure domain", ".status.failureDomain"), condition("Ready", "Ready"), condition("Available", "Available"),
		condition("Up-to-date", "UpToDate"), wide(column("Internal-IP", `.status.addresses[?(@.type=="InternalIP")].address`)),
		wide(column("External-IP", `.status.addresses[?(@.type=="ExternalIP")].address`)), wide(column("OS-Image", ".status.nodeInfo.osImage")),
		columnPaused, columnPhase, columnAge, column("Version", ".spec.version"),
	},
	"MachineSet": ownerColumns([]kubeapi.Column{columnCluster}, columnAge, column("Version", ".spec.template.spec.version")),
	"MachineDeployment": ownerColumns([]kubeapi.Column{columnCluster, condition("Available", "Available")},
		columnPhase, columnAge, column("Version", ".spec.template.spec.version")),
	"MachineHealthCheck": {
		columnCluster, number("Replicas", ".status.expectedMachines"), number("Healthy", ".status.currentHealthy"), columnPaused, columnAge,
	},
	"KubeadmControlPlane": ownerColumns([]kubeapi.Column{columnLabel, condition("Available", "Available")},
		kubeapi.Column{Name: "Initialized", Type: "boolean", Path: ".status.initialization.controlPlaneInitialized"},
		columnAge, column("Version", ".spec.version")),
	"KubeadmConfig": {columnLabel, columnPaused, column("Data secret created", ".status.initialization.dataSecretCreated"), columnAge},
	"KubeadmConfigTemplate": {
		column("ClusterClass", `.metadata.ownerReferences[?(@.kind=="ClusterClass")].name`),
		column("Cluster", `.metadata.ownerReferences[?(@.kind=="Cluster")].name`), columnAge,
	},
	"VSphereMachine": {column("Zone", ".spec.failureDomain"), column("ProviderID", ".spec.providerID"), columnAge},
	"VirtualMachine": {
		column("Power-State", ".status.powerState"), wide(column("Class", ".spec.className")), wide(column("Image", ".spec.image.name")),
		wide(column("Primary-IP4", ".status.network.primaryIP4")), columnAge,
	},
	"VirtualMachineClass": {
		number("CPU", ".spec.hardware.cpus"), column("Memory", ".spec.hardware.memory"), columnAge,
	},
	"VirtualMachineService":      {column("Type", ".spec.type"), columnAge},
	"ClusterVirtualMachineImage": {column("Display Name", ".status.name"), column("Image Version", ".status.productInfo.version"), column("OS Name", ".status.osInfo.type")},
	"KubernetesRelease":          {column("Version", ".spec.version"), condition("Ready", "Ready"), condition("Compatible", "Compatible"), columnAge},
	"StorageClass":               kubeapi.StorageClassColumns(),
}

func ownerColumns(first []kubeapi.Column, last ...kubeapi.Column) []kubeapi.Column {
	return append(append(first, replicaColumns...), last...)
}
