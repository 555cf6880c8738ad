package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vksync/vksync/gitsource"
	"github.com/vksync/vksync/reconcile/resource"
	"github.com/vksync/vksync/schema"
)

// source is where the desired state comes from.
type source struct {
	path     string
	revision string
}

func (s *source) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.revision, "revision", "", "commit to read, not the files: branch, tag, hash")
}

// setArgs takes the optional PATH.
func (s *source) setArgs(args []string) {
	s.path = "."
	if len(args) > 0 {
		s.path = args[0]
	}
}

// desired is a validated desired state and where it was read.
type desired struct {
	*schema.Desired
	tree *gitsource.Tree
}

// load reads and validates everything. All problems come in one error.
func (s *source) load(ctx context.Context) (desired, error) {
	tree, err := s.open()
	if err != nil {
		return desired{}, invalid(err)
	}
	d, err := loadTree(ctx, tree)
	if err != nil {
		return desired{}, err
	}
	return desired{d, tree}, nil
}

func (s *source) open() (*gitsource.Tree, error) {
	if s.revision != "" {
		return gitsource.AtRevision(s.path, s.revision)
	}
	return gitsource.WorkTree(s.path)
}

// loadTree validates a tree, and names files as the user finds them. Manifests
// may be a stranger's, as in a check of a pull request: they are evaluated in
// child processes, which costs some 50 ms and keeps what they may do to a message, and
// which Ctrl-C ends at once.
func loadTree(ctx context.Context, tree *gitsource.Tree) (*schema.Desired, error) {
	evaluator, err := newEvaluator(schema.EvaluatorOptions{})
	if err != nil {
		return nil, err
	}
	defer evaluator.Close() // without a cache there is nothing to fail
	d, problems, err := evaluator.Load(ctx, tree.FS, tree.Root)
	if err != nil {
		return nil, err
	}
	if len(problems) > 0 {
		for i := range problems {
			problems[i].Pos.File = tree.Place(problems[i].Pos.File)
		}
		return nil, invalid(fmt.Errorf("%s is not valid: %s\n%w", tree.Name, counted(len(problems), "problem"), problems.Err()))
	}
	for _, o := range d.Resources.All() {
		o.Source.File = tree.Place(o.Source.File)
		d.Resources.Put(o)
	}
	return d, nil
}

// errNothing says that a tree without a manifest is more likely a wrong path
// than a wish to have nothing.
func (d desired) errNothing() error {
	return invalid(fmt.Errorf("there is no manifest in %s: want a .yaml, .yml, .json or .cue file with a Cluster or a VSphereNamespace", d.tree.Name))
}

// kinds counts the resources by kind: "12 Cluster, 4 VSphereNamespace".
func (d desired) kinds() string {
	counts := map[string]int{resource.KindInventory: len(d.Inventories)}
	for a := range d.Resources.All() {
		counts[a.Kind]++
	}
	var parts []string
	for _, kind := range []string{resource.KindCluster, resource.KindVSphereNamespace, resource.KindInventory} {
		if counts[kind] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[kind], kind))
		}
	}
	return strings.Join(parts, ", ")
}

// inventory is the one Inventory of a file.
func inventory(ctx context.Context, path string) (resource.Object, error) {
	tree, err := gitsource.WorkTree(path)
	if err != nil {
		return resource.Object{}, invalid(fmt.Errorf("reading the inventory: %w", err))
	}
	d, err := loadTree(ctx, tree)
	if err != nil {
		return resource.Object{}, err
	}
	return only(d.Inventories, path)
}

func only(inventories []resource.Object, path string) (resource.Object, error) {
	if len(inventories) == 1 {
		return inventories[0], nil
	}
	var names []string
	for _, o := range inventories {
		names = append(names, o.GetName())
	}
	if len(names) == 0 {
		return resource.Object{}, invalid(fmt.Errorf("%s holds no Inventory: want exactly one object of kind Inventory and apiVersion vksync.dev/v1alpha1", path))
	}
	return resource.Object{}, invalid(fmt.Errorf("%s holds %d Inventories (%s): name a file that holds one with --inventory", path, len(names), strings.Join(names, ", ")))
}

// counted is "1 problem" or "2 problems".
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
