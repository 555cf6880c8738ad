package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/schema"
	"github.com/vksync/vksync/simulate"
	siteinventory "github.com/vksync/vksync/simulate/inventory"
)

// site says which world is simulated.
type site struct {
	inventory string
	from      string
	seed      uint64
	speed     float64
}

func (s *site) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.inventory, "inventory", "", "file with the Inventory, else that in PATH or the lab")
	f.StringVar(&s.from, "from", "", "saved world to go on from, instead of an empty one")
	f.Uint64Var(&s.seed, "seed", 1, "decides names and durations; same seed, same run")
	cmd.MarkFlagsMutuallyExclusive("inventory", "from")
}

// check refuses values that cannot be used.
func (s *site) check() error {
	if s.from != "" {
		if info, err := os.Stat(s.from); err != nil || !info.IsDir() {
			return invalid(fmt.Errorf("--from %s is not a directory: want one that simulate --save has written", s.from))
		}
	}
	return nil
}

// venue builds the simulated world.
func (s *site) venue(ctx context.Context, d desired) (*venue, error) {
	chosen, err := s.chosenInventory(ctx, d)
	if err != nil {
		return nil, err
	}
	return s.simulated(chosen)
}

// simulated builds the world on a site; nil is that of a saved world.
func (s *site) simulated(chosen *resource.Object) (*venue, error) {
	v := &venue{seed: s.seed, inventory: chosen}
	var err error
	if v.world, err = s.build(chosen, v); err != nil {
		return nil, err
	}
	if chosen == nil {
		saved, err := v.world.Inventory()
		if err != nil {
			return nil, err
		}
		v.inventory = &saved
	}
	v.endpoints = reconcile.Endpoints{Kube: v.world.KubeConfig(), VSphere: v.world.VSphereConfig(), World: v.world}
	return v, nil
}

// chosenInventory is nil when a saved world brings its own.
func (s *site) chosenInventory(ctx context.Context, d desired) (*resource.Object, error) {
	var chosen resource.Object
	var err error
	switch {
	case s.from != "":
		return nil, nil
	case s.inventory != "":
		chosen, err = inventory(ctx, s.inventory)
	case len(d.Inventories) > 0:
		chosen, err = only(d.Inventories, d.tree.Name)
	default:
		chosen = schema.LabInventory()
	}
	return &chosen, err
}

func (s *site) build(chosen *resource.Object, made *venue) (*simulate.World, error) {
	config := simulate.Config{Seed: s.seed, From: s.from, Speed: s.speed, Defer: made.record}
	if chosen != nil {
		var err error
		if config.Inventory, err = siteinventory.Decode(chosen.Object); err != nil {
			return nil, invalid(fmt.Errorf("%s: %w", chosen.Source, err))
		}
	}
	world, err := simulate.New(config)
	if err != nil && s.from != "" {
		return nil, invalid(fmt.Errorf("--from %s: %w", s.from, err))
	}
	return world, err
}
