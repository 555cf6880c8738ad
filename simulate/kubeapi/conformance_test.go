package kubeapi_test

import (
	"net/http/httptest"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/vksync/vksync/simulate/controllers"
	"github.com/vksync/vksync/simulate/kubeapi"
	"github.com/vksync/vksync/simulate/kubeapi/conformance"
)

// The same suite runs against a real API server in testdata/apiserver.
func TestConformance(t *testing.T) {
	t.Parallel()
	store := kubeapi.New(kubeapi.Config{Kinds: controllers.Kinds()})
	server := httptest.NewServer(store.Handler())
	t.Cleanup(server.Close)
	store.Compact()
	conformance.Run(t, conformance.Server{
		Config:  &rest.Config{Host: server.URL, QPS: -1},
		Compact: func(*testing.T) { store.Compact() },
	})
}
