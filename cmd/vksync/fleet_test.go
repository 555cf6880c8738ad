package main

import (
	"fmt"
	"strings"
)

// perNamespace is how many generated clusters share a vSphere Namespace.
const perNamespace = 25

// manifests are n clusters with their vSphere Namespaces, as one YAML stream for
// each namespace would hold them.
func manifests(n, controlPlane, workers int) string {
	return strings.Join(namespaces(n, controlPlane, workers), "")
}

const (
	// clusterHead is what each generated cluster begins with.
	clusterHead = "---\napiVersion: cluster.x-k8s.io/v1beta2\n"
	// firstRelease is what generated clusters run; they can be upgraded to nextRelease.
	firstRelease = "v1.34.1+vmware.1-vkr.4"
	nextRelease  = "v1.34.2+vmware.1-vkr.1"
)

// namespaces are the files of a generated fleet, one for each namespace.
func namespaces(n, controlPlane, workers int) []string {
	var files []string
	for first := 0; first < n; first += perNamespace {
		var b strings.Builder
		name := fmt.Sprintf("team-%03d", first/perNamespace)
		fmt.Fprintf(&b, `---
apiVersion: vksync.dev/v1alpha1
kind: VSphereNamespace
metadata: {name: %s}
spec:
  supervisor: lab
  storagePolicies: [{name: vks-gold}]
  vmClasses: [best-effort-small]
  contentLibraries: [vks-releases]
`, name)
		for i := first; i < min(n, first+perNamespace); i++ {
			b.WriteString(cluster(name, i, controlPlane, workers))
		}
		files = append(files, b.String())
	}
	return files
}

// cluster is a manifest of usual size: two node pools, labels, and variables.
func cluster(namespace string, i, controlPlane, workers int) string {
	first := (workers + 1) / 2
	return fmt.Sprintf(clusterHead+`kind: Cluster
metadata:
  name: c%05d
  namespace: %s
  labels:
    team: %[2]s
    environment: production
  annotations:
    contact: %[2]s@lab.example
spec:
  clusterNetwork:
    pods:
      cidrBlocks: [192.168.0.0/16]
    services:
      cidrBlocks: [10.96.0.0/12]
    serviceDomain: cluster.local
  topology:
    classRef:
      name: builtin-generic-v3.4.0
      namespace: vmware-system-vks-public
    version: v1.34.1+vmware.1-vkr.4
    controlPlane:
      replicas: %[3]d
    workers:
      machineDeployments:
      - class: node-pool
        name: general
        replicas: %[4]d
        metadata:
          labels:
            pool: general
      - class: node-pool
        name: batch
        replicas: %[5]d
        metadata:
          labels:
            pool: batch
    variables:
    - name: vmClass
      value: best-effort-small
    - name: storageClass
      value: vks-gold
`, i, namespace, controlPlane, first, workers-first)
}

// inventoryFor is a site in which a generated fleet of n clusters fits.
func inventoryFor(n int) string {
	var b strings.Builder
	b.WriteString(`apiVersion: vksync.dev/v1alpha1
kind: Inventory
metadata: {name: bench}
spec:
  datacenter: dc-bench
  supervisor: {name: lab}
  zones:
`)
	for _, zone := range []string{"a", "b", "c"} {
		fmt.Fprintf(&b, "  - name: zone-%s\n    cluster: compute-%[1]s\n    hosts:\n", zone)
		for host := range 2 + n/25 {
			fmt.Fprintf(&b, "    - {name: esx-%s%03d.lab.example, cores: 64, mhz: 2600, memoryMiB: 1048576}\n", zone, host)
		}
	}
	b.WriteString("  datastores:\n")
	for _, zone := range []string{"a", "b", "c"} {
		fmt.Fprintf(&b, "  - {name: vsan-%s, capacityGiB: 1048576, zones: [zone-%[1]s]}\n", zone)
	}
	b.WriteString(`  storagePolicies: [{name: vks-gold, datastores: [vsan-a, vsan-b, vsan-c]}]
  networks: {privateCIDRs: [172.16.0.0/12], subnetSize: 32}
  loadBalancer: {ranges: [10.20.0.10-10.20.255.250]}
  vmClasses: [{name: best-effort-small, cpus: 2, memoryMiB: 4096}]
  contentLibraries:
  - name: vks-releases
    images:
    - {name: vmi-0a1b2c3d4e5f60718, displayName: photon-5-amd64-v1.34.1---vmware.1-vkr.4, os: {name: photon, version: "5"}, diskGiB: 20}
    - {name: vmi-1a2b3c4d5e6f70819, displayName: photon-5-amd64-v1.34.2---vmware.1-vkr.1, os: {name: photon, version: "5"}, diskGiB: 20}
  kubernetesReleases:
  - {version: v1.34.1+vmware.1-vkr.4, images: [vmi-0a1b2c3d4e5f60718]}
  - {version: v1.34.2+vmware.1-vkr.1, images: [vmi-1a2b3c4d5e6f70819]}
  clusterClasses: [builtin-generic-v3.4.0]
`)
	return b.String()
}
