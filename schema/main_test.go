package schema

import (
	"fmt"
	"os"
	"testing"
)

// The test binary is also the process that evaluates.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "evaluate" {
		if err := ServeEvaluator(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// newEvaluator makes an Evaluator with child processes.
func newEvaluator(t testing.TB, o EvaluatorOptions) *Evaluator {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	o.Command = []string{self, "evaluate"}
	e := NewEvaluator(o)
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}
