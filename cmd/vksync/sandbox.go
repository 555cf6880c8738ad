package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"time"

	"github.com/spf13/cobra"

	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/apply"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/schema"
	"github.com/vksync/vksync/simulate"
	siteinventory "github.com/vksync/vksync/simulate/inventory"
)

// sandboxOptions are the flags of sandbox.
type sandboxOptions struct {
	source
	site
	save                        string
	dir                         string
	supervisorPort, vcenterPort int
	quiet                       bool
}

func newSandboxCmd(io streams) *cobra.Command {
	var o sandboxOptions
	cmd := &cobra.Command{
		Use:   "sandbox [PATH]",
		Short: "Serve a simulated Supervisor and vCenter to kubectl, govc and vksync",
		Long: `Serve a simulated site on this machine over TLS: a Supervisor for kubectl and
a vCenter for govc. Its controllers act on whatever anyone applies, and bring
back virtual machines that are powered off or destroyed in vCenter. The
manifests below PATH are applied at the start; without PATH it begins empty.

What is needed to reach it is written to --dir while it runs: a kubeconfig,
ca.pem, and env for the shell. Only this user may read them. Ctrl-C ends it.`,
		Example: `  vksync sandbox
  vksync sandbox fleet --speed 60
  vksync sandbox --from world --save later`,
		Args: atMostOnePath,
		RunE: runE(func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.path = args[0]
			}
			return o.run(cmd.Context(), io, cmd.ErrOrStderr())
		}),
	}
	f := cmd.Flags()
	f.StringVar(&o.inventory, "inventory", "", "file with the Inventory, else that in PATH or the lab")
	f.StringVar(&o.from, "from", "", "saved world to go on from, instead of an empty one")
	f.StringVar(&o.save, "save", "", "new directory to save the world to at the end")
	f.Uint64Var(&o.seed, "seed", 1, "decides names and durations")
	f.Float64Var(&o.speed, "speed", 10, "seconds of model time per second")
	f.StringVar(&o.dir, "dir", "vksync-sandbox", "directory for kubeconfig, ca.pem and env")
	f.IntVar(&o.supervisorPort, "supervisor-port", 0, "port of the Supervisor; 0: any that is free")
	f.IntVar(&o.vcenterPort, "vcenter-port", 0, "port of vCenter; 0: any that is free")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print only what goes wrong")
	cmd.MarkFlagsMutuallyExclusive("inventory", "from")
	return cmd
}

// sandboxSource owns what PATH asks for: that of vksync run and apply, unless they
// are told otherwise.
const sandboxSource = "default"

// check refuses values that cannot be used.
func (o *sandboxOptions) check() error {
	if !(o.speed > 0) {
		return invalid(fmt.Errorf("--speed is %g: want more than 0, such as 1 (real time) or 60", o.speed))
	}
	for flag, port := range map[string]int{"supervisor-port": o.supervisorPort, "vcenter-port": o.vcenterPort} {
		if port < 0 || port > 65535 {
			return invalid(fmt.Errorf("--%s is %d: want 0 (any that is free) to 65535", flag, port))
		}
	}
	if o.dir == "" {
		return invalid(errors.New("--dir is empty: name a directory"))
	}
	if o.save != "" {
		if err := checkSave(o.save); err != nil {
			return invalid(err)
		}
	}
	return o.site.check()
}

func (o *sandboxOptions) run(ctx context.Context, streams streams, errs io.Writer) (err error) {
	if err := o.check(); err != nil {
		return err
	}
	d := desired{Desired: new(schema.Desired)}
	if o.path != "" {
		if d, err = o.load(ctx); err != nil {
			return err
		}
	}
	log.SetOutput(io.Discard) // vcsim logs what a client asks for that it does not know
	files, err := newSandboxFiles(o.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, files.remove()) }()
	out := io.Writer(streams.out)
	if o.quiet {
		out = io.Discard
	}
	says := newNarrator(out, errs)
	world, err := o.build(ctx, d, says)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, world.Close()) }()
	says.now = world.Now
	served, err := world.Serve(ctx, simulate.ServeOptions{
		Speed: o.speed, SupervisorPort: o.supervisorPort, VCenterPort: o.vcenterPort,
		OnFault: says.fault, OnInterference: says.interference,
	})
	if err != nil {
		return err
	}
	if err := files.write(served); err != nil {
		return errors.Join(err, served.Close())
	}
	says.welcome(o, served)
	o.apply(ctx, d, served, says)
	<-ctx.Done() // a server that is told to end has done its work
	if err := served.Close(); err != nil {
		return err
	}
	if o.save != "" {
		return world.Save(o.save)
	}
	return nil
}

func (o *sandboxOptions) build(ctx context.Context, d desired, says *narrator) (*simulate.World, error) {
	config := simulate.Config{Seed: o.seed, From: o.from, Start: time.Now(), Record: says.record}
	chosen, err := o.chosenInventory(ctx, d)
	if err != nil {
		return nil, err
	}
	if chosen != nil {
		if config.Inventory, err = siteinventory.Decode(chosen.Object); err != nil {
			return nil, invalid(fmt.Errorf("%s: %w", chosen.Source, err))
		}
	}
	world, err := simulate.New(config)
	if err != nil && o.from != "" {
		return nil, invalid(fmt.Errorf("--from %s: %w", o.from, err))
	}
	return world, err
}

// apply makes the world what the manifests ask for, with the shipping engine, and
// says what came of it. It returns when that is known or ctx ends.
func (o *sandboxOptions) apply(ctx context.Context, d desired, served *simulate.Served, says *narrator) {
	if d.Resources.Len() == 0 {
		return
	}
	end, err := o.reach(ctx, d, served)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		says.fault(fmt.Errorf("applying %s: %w", d.tree.Name, err))
	case end.Outcome != journal.Reached:
		says.fault(fmt.Errorf("applying %s: it reached %d of %s; kubectl describe says why", d.tree.Name, end.Reached, counted(end.Goals, "goal")))
	default:
		says.line(says.now(), "%s is applied: %s reached", d.tree.Name, counted(end.Goals, "goal"))
	}
}

func (o *sandboxOptions) reach(ctx context.Context, d desired, served *simulate.Served) (end journal.End, err error) {
	vcenter, err := served.VSphereConfig()
	if err != nil {
		return end, err
	}
	engine, err := reconcile.Connect(ctx, reconcile.Endpoints{Kube: served.KubeConfig(), VSphere: vcenter, Source: sandboxSource})
	if err != nil {
		return end, err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		err = errors.Join(err, engine.Close(ctx))
	}()
	p, err := engine.Plan(ctx, &d.Resources, reconcile.Options{Revision: d.tree.Revision})
	if err != nil {
		return end, err
	}
	// What is polled goes as fast as the sandbox does.
	poll := max(time.Duration(float64(10*time.Second)/o.speed), 100*time.Millisecond)
	return engine.Run(ctx, p, apply.Options{Poll: poll})
}
