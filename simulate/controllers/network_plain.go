package controllers

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// networkPlain is a Supervisor without a network of its own: one NetworkInterface
// for each VM and nothing else, as in the recording (observed.md 5).
var networkPlain = networkProvider{
	nic:     kindNetworkInterface,
	network: func(*Manager, string, string) string { return "" },
	prepare: func(*Manager, *unstructured.Unstructured, *unstructured.Unstructured) (string, error) { return "", nil },
	describe: func(nic map[string]any, _ *unstructured.Unstructured, _ string) {
		nic["spec"] = map[string]any{"type": "vmxnet3"}
	},
	address: firstIPConfig,
	probed:  true,
}
