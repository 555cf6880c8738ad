package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/vksync/vksync/schema"
)

// newEvaluateCmd is the process that evaluates manifests for another vksync.
func newEvaluateCmd(io streams) *cobra.Command {
	return &cobra.Command{
		Use:    "evaluate",
		Short:  "Evaluate manifests for another vksync",
		Long:   "Evaluate manifests for another vksync, which starts this itself and speaks\nwith it on standard input and output. There is no use for it by hand.",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: runE(func(*cobra.Command, []string) error {
			return schema.ServeEvaluator(io.in, io.out)
		}),
	}
}

// newEvaluator makes an Evaluator whose child processes are this program.
func newEvaluator(o schema.EvaluatorOptions) (*schema.Evaluator, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding the program itself, to evaluate manifests with: %w", err)
	}
	o.Command = []string{self, "evaluate"}
	return schema.NewEvaluator(o), nil
}
