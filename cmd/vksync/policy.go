package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/resource"
)

// policy is what a plan may do.
type policy struct {
	source         string
	prune          bool
	pruneLimit     int
	adopt          bool
	forceConflicts bool
}

// policyFlags are the flags of a policy.
var policyFlags = []string{"source", "prune", "prune-limit", "adopt", "force-conflicts"}

func (p *policy) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&p.source, "source", "default", "label "+resource.LabelSource+" of what is owned")
	f.BoolVar(&p.prune, "prune", false, "delete what is owned and no longer in the repository")
	f.IntVar(&p.pruneLimit, "prune-limit", 5, "refuse to delete more than this; 0 is no limit")
	f.BoolVar(&p.adopt, "adopt", false, "take over what exists and another or nobody owns")
	f.BoolVar(&p.forceConflicts, "force-conflicts", false, "take over fields that other field managers own")
}

// check refuses values that cannot be used.
func (p *policy) check() error {
	if p.pruneLimit < 0 {
		return invalid(fmt.Errorf("--prune-limit is %d: want 0 (no limit) or more", p.pruneLimit))
	}
	if faults := validation.IsValidLabelValue(p.source); p.source == "" || len(faults) > 0 {
		return invalid(fmt.Errorf("--source is %q: want a label value, such as \"payments\": %s", p.source, strings.Join(append(faults, "not empty"), "; ")))
	}
	return nil
}

// setFrom takes the policy of a saved plan.
func (p *policy) setFrom(saved plan.Policy) {
	*p = policy{
		source: saved.Source, prune: saved.Prune, pruneLimit: saved.PruneLimit, adopt: saved.Adopt, forceConflicts: saved.ForceConflicts,
	}
}

func (p *policy) options() reconcile.Options {
	return reconcile.Options{Prune: p.prune, PruneLimit: p.pruneLimit, Adopt: p.adopt, ForceConflicts: p.forceConflicts}
}
