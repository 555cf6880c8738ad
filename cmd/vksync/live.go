package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/schema"
)

// A connector leads to a live world. It is connection, or in tests what stands in
// for it.
type connector interface {
	addFlags(cmd *cobra.Command)
	endpoints(ctx context.Context) (reconcile.Endpoints, error)
	// part is what of a source's repository is for that world; nil is all of it.
	part(source string) (func(*schema.Desired) *resource.Set, error)
}

var _ connector = (*connection)(nil)

// live is the live world of a command.
type live struct {
	connector
	// inventory is a file with the Inventory, which lets checks of addresses and
	// capacity be made; empty uses that in PATH, if there is one.
	inventory string
	// poll is how often vSphere Namespaces are read while a plan runs; 0 is the default.
	poll time.Duration
}

// venue finds out where the live world is.
func (l *live) venue(ctx context.Context, d desired) (*venue, error) {
	v := &venue{poll: l.poll, part: l.part}
	switch {
	case l.inventory != "":
		chosen, err := inventory(ctx, l.inventory)
		if err != nil {
			return nil, err
		}
		v.inventory = &chosen
	case len(d.Inventories) > 0:
		chosen, err := only(d.Inventories, d.tree.Name)
		if err != nil {
			return nil, err
		}
		v.inventory = &chosen
	}
	var err error
	v.endpoints, err = l.endpoints(ctx)
	return v, err
}

// liveFlags are those that ask for a live world by naming one.
var liveFlags = []string{"config", "supervisor", "kubeconfig", "context"}

// wantsLive says whether the flags of a command that can do both ask for a live world.
func wantsLive(cmd *cobra.Command, live bool) bool {
	for _, name := range liveFlags {
		if f := cmd.Flags().Lookup(name); f != nil && f.Changed {
			return true
		}
	}
	return live
}
