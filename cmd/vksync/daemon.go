package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/vksync/vksync/gitsource"
	"github.com/vksync/vksync/reconcile"
	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/reconcile/supervisor"
	"github.com/vksync/vksync/reconcile/web"
	"github.com/vksync/vksync/schema"
)

// daemon is what run puts together.
type daemon struct {
	daemon  reconcile.Daemon
	events  *web.Events
	hooks   http.Handler
	closers []func() error
}

// assemble wires every source to every Supervisor. It contacts nothing.
func (o *runOptions) assemble(ctx context.Context, config *schema.Config, log *slog.Logger) (*daemon, error) {
	d := &daemon{events: web.NewEvents()}
	shard, err := selector(config.Shard)
	if err != nil {
		return nil, err
	}
	var hooks []gitsource.Hook
	for _, s := range config.Sources {
		source, err := o.follow(ctx, s)
		if err != nil {
			return nil, errors.Join(invalid(err), d.close())
		}
		d.closers = append(d.closers, source.Close)
		if s.Webhook != nil {
			hooks = append(hooks, hookOf(s, source))
		}
		evaluate, err := o.evaluator(d, s.Name)
		if err != nil {
			return nil, errors.Join(err, d.close())
		}
		feed := reconcile.NewFeed(s.Name, source, evaluate, log)
		d.daemon.Feeds = append(d.daemon.Feeds, feed)
		for _, at := range o.sites(config, s) {
			if _, err := at.target(); err != nil { // better said now than again and again
				return nil, errors.Join(err, d.close())
			}
			d.daemon.Loops = append(d.daemon.Loops, reconcile.NewLoop(reconcile.LoopConfig{
				Source: s.Name, Supervisor: at.name, Feed: feed, Part: at.part, Policy: s.Policy, Shard: shard,
				Connect:   func(ctx context.Context) (*reconcile.Engine, error) { return o.connectTo(ctx, at, s.Name) },
				Health:    at.health,
				Namespace: config.LeaderElection.Namespace,
				Lease:     leaseOf(config.LeaderElection, s.Name),
				Resync:    o.resync,
				Journal:   []func(journal.Event){d.events.Sink(s.Name, at.name)},
				Log:       log,
			}))
		}
	}
	if len(hooks) > 0 {
		if d.hooks, err = gitsource.NewWebhook(hooks); err != nil {
			return nil, errors.Join(invalid(err), d.close())
		}
	}
	return d, nil
}

// follow begins to follow a source.
func (o *runOptions) follow(ctx context.Context, s schema.SourceConfig) (*gitsource.Source, error) {
	mirrors, err := o.mirrors()
	if err != nil {
		return nil, err
	}
	c := gitsource.Config{
		Name: s.Name, URL: s.URL, Branch: s.Branch, Path: s.Path, Poll: s.Poll, AllowRewrite: s.AllowRewrite,
		Dir: filepath.Join(mirrors, s.Name),
		Auth: gitsource.Auth{
			Password: secret(s.Auth.Password), Token: secret(s.Auth.Token),
			CAFile: s.Auth.CAFile, SSHKeyFile: s.Auth.SSHKeyFile, KnownHostsFile: s.Auth.KnownHostsFile,
		},
		Verify: gitsource.Verify{OpenPGPKeysFile: s.Verify.OpenPGPKeysFile, SSHAllowedSignersFile: s.Verify.SSHAllowedSignersFile},
	}
	if c.Auth.Username, err = s.Auth.Username.Read(os.Getenv, os.ReadFile); err != nil {
		return nil, err
	}
	return gitsource.Follow(ctx, c)
}

// secret reads a secret anew each time, so that a rotated one is taken up; nil
// where there is none.
func secret(ref schema.SecretRef) func() (string, error) {
	if ref.IsZero() {
		return nil
	}
	return func() (string, error) { return ref.Read(os.Getenv, os.ReadFile) }
}

// leaseOf is the Lease for one source; replicas that follow the same sources
// share them out as it comes.
func leaseOf(c schema.LeaderElectionConfig, source string) *supervisor.LeaderOptions {
	if c.Disabled {
		return nil
	}
	host, err := os.Hostname()
	if err != nil {
		host = "vksync"
	}
	return &supervisor.LeaderOptions{
		Namespace: c.Namespace, Name: cmp.Or(c.Name, "vksync") + "-" + source,
		// Two processes of one host, or of one pod that was restarted, are two.
		Identity: fmt.Sprintf("%s_%d_%s", host, os.Getpid(), runID()),
	}
}

// selector is the shard's; nil for none, which selects everything.
func selector(text string) (func(map[string]string) bool, error) {
	if text == "" {
		return nil, nil
	}
	s, err := labels.Parse(text)
	if err != nil {
		return nil, invalid(fmt.Errorf("--shard %q is not a label selector, such as \"tier=prod\": %w", text, err))
	}
	return func(l map[string]string) bool { return s.Matches(labels.Set(l)) }, nil
}

// close lets go of what was opened.
func (d *daemon) close() error {
	var errs []error
	for _, c := range d.closers {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}

// hookOf is where the forge of a source tells of pushes: /webhook/SOURCE.
func hookOf(s schema.SourceConfig, source *gitsource.Source) gitsource.Hook {
	return gitsource.Hook{
		Path: "/webhook/" + s.Name, Provider: s.Webhook.Provider, Secret: secret(s.Webhook.Secret), Branch: s.Branch, Look: source.Look,
	}
}
