package supervisor

import (
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// userAgent is what the API server's audit log shows.
const userAgent = "vksync"

// FromKubeconfig reads how to reach a Supervisor as kubectl does: from the file at
// path, or else from those that KUBECONFIG names, or ~/.kube/config; or, where
// there is none, from the service account of the pod it runs in. An empty
// contextName is the current one. Exec plugins work as they do for kubectl: the
// file is the operator's own. The error is an *Error of class Invalid.
func FromKubeconfig(path, contextName string) (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = path
	rules.WarnIfAllMissing = false
	overrides := &clientcmd.ConfigOverrides{CurrentContext: contextName}
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides).ClientConfig()
	if err != nil {
		return nil, &Error{Op: "reading the kubeconfig", Class: Invalid, Message: clean(err.Error()), cause: err}
	}
	config.UserAgent = userAgent
	return config, nil
}

// NoKubeconfig says whether FromKubeconfig failed because there is no
// configuration at all.
func NoKubeconfig(err error) bool { return clientcmd.IsEmptyConfig(unwrapped(err)) }

func unwrapped(err error) error {
	if e, ok := err.(*Error); ok {
		return e.cause
	}
	return err
}
