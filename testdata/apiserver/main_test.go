package apiserver

import (
	"os"
	"testing"

	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
)

// asKubectl in the environment makes the test program be kubectl, of the same
// version as the server.
const asKubectl = "VKSYNC_TEST_KUBECTL"

func TestMain(m *testing.M) {
	if os.Getenv(asKubectl) != "" {
		os.Exit(cli.Run(cmd.NewDefaultKubectlCommand()))
	}
	os.Exit(m.Run())
}
