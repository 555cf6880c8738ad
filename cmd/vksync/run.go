package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/vksync/vksync/schema"
)

// runOptions are the flags of run.
type runOptions struct {
	connection

	name, branch, path string
	policy             schema.Policy
	observe            bool
	shard              string

	listen    string
	namespace string
	elect     bool
	mirror    string
	resync    time.Duration

	evaluateTimeout time.Duration
	evaluateMemory  int // bytes

	logFormat string
	verbose   bool
}

func newRunCmd() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run [REPOSITORY]",
		Short: "Keep a live Supervisor and vCenter equal to a Git repository",
		Long: `Follow a branch of a Git repository, and keep what runs equal to it: each
push is fetched, validated, planned and applied; what others change is
reported and corrected; what fails is tried again. REPOSITORY is a URL
(https, ssh) or the path of a local repository, bare or not. Several
repositories, Supervisors, policies, signatures and webhooks take a file
that --config names; docs/config.md describes it.

The vCenter is found as govc finds it (GOVC_URL, GOVC_USERNAME,
GOVC_PASSWORD), the Supervisor as kubectl does (KUBECONFIG, --context), or
by logging in with the vCenter's credentials (--supervisor ADDRESS).
'vksync sandbox' serves both to try it with.

Nothing is deleted without --prune. Ctrl-C finishes the actions that are
under way and ends; the next run goes on from what exists.

Manifests are evaluated in processes of their own: a file that takes longer
than --evaluate-timeout or more than --evaluate-memory is reported, and the
last good revision stays.`,
		Example: `  vksync run /srv/git/fleet.git
  vksync run https://git.example.com/platform/fleet.git --branch main --prune
  vksync run --config vksync.yaml`,
		Args: atMostOnePath,
		RunE: runE(func(cmd *cobra.Command, args []string) error {
			o.stderr, o.getenv = cmd.ErrOrStderr(), os.Getenv
			config, err := o.configuration(args)
			if err != nil {
				return err
			}
			return o.run(cmd.Context(), config)
		}),
	}
	o.connection.addFlags(cmd)
	cmd.Flags().Lookup("config").Usage = "file with Supervisors, sources, policies; see docs/config.md"
	cmd.Flags().Lookup("supervisor").Usage = "address of a Supervisor, to log in with the vCenter's credentials"
	o.addFlags(cmd)
	return cmd
}

// What run uses where nothing is said.
const (
	defaultListen    = "127.0.0.1:8090"
	defaultNamespace = "default"
)

func (o *runOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.name, "source", "default", "name of the source: the label of what it owns")
	f.StringVar(&o.branch, "branch", "", "branch to follow, else the repository's HEAD")
	f.StringVar(&o.path, "path", "", "directory in the repository, else all of it")
	addChoice(cmd, &o.policy.Mode, "mode", "", "what is done with a plan", schema.ModeAutomatic, schema.ModeApproval, schema.ModePlanOnly)
	f.BoolVar(&o.policy.Prune, "prune", false, "delete what is owned and no longer in the repository")
	f.IntVar(&o.policy.PruneLimit, "prune-limit", 5, "refuse to delete more than this in one run; 0 is no limit")
	f.BoolVar(&o.policy.Adopt, "adopt", false, "take over what exists and another or nobody owns")
	f.BoolVar(&o.policy.ForceConflicts, "force-conflicts", false, "take fields over from other field managers")
	f.BoolVar(&o.observe, "observe-drift", false, "report what others change, and leave it until the next push")
	f.StringVar(&o.shard, "shard", "", "label selector: act only on resources that match")
	f.StringVar(&o.listen, "listen", defaultListen, "address of health, metrics, status and events; empty: none")
	f.StringVar(&o.namespace, "namespace", defaultNamespace, "namespace on the Supervisor of vksync's own ConfigMap and Lease")
	f.BoolVar(&o.elect, "leader-elect", false, "act only while holding a Lease, for several replicas")
	f.StringVar(&o.mirror, "mirror", "", "directory for copies of repositories, else the user's cache")
	f.DurationVar(&o.resync, "resync", time.Minute, "how often all is compared although nothing changed")
	f.DurationVar(&o.evaluateTimeout, "evaluate-timeout", schema.DefaultTimeout, "how long one file or CUE package may take to evaluate")
	o.evaluateMemory = schema.DefaultMemory
	f.Var((*byteSize)(&o.evaluateMemory), "evaluate-memory", "memory that evaluating may take, per process")
	addChoice(cmd, &o.logFormat, "log-format", "", "form of the log on stderr", "auto", "text", "json")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "log more")
	for _, single := range []string{"source", "branch", "path", "mode", "prune", "prune-limit", "adopt", "force-conflicts", "observe-drift", "shard", "leader-elect", "namespace", "listen", "supervisor"} {
		cmd.MarkFlagsMutuallyExclusive("config", single)
	}
}

// configuration is what the file says, or else the flags.
func (o *runOptions) configuration(args []string) (*schema.Config, error) {
	if o.resync < time.Second {
		return nil, invalid(fmt.Errorf("--resync is %s: want 1s or more", o.resync))
	}
	if o.evaluateTimeout < 100*time.Millisecond {
		return nil, invalid(fmt.Errorf("--evaluate-timeout is %s: want 100ms or more", o.evaluateTimeout))
	}
	switch {
	case o.config != "" && len(args) > 0:
		return nil, invalid(errors.New("the repositories are in the file of --config: name none on the command line"))
	case o.config != "":
		return o.file()
	case len(args) == 0:
		return nil, invalid(errors.New("no repository is given: want a URL or a path, or --config FILE"))
	}
	if o.policy.PruneLimit < 0 {
		return nil, invalid(fmt.Errorf("--prune-limit is %d: want 0 (no limit) or more", o.policy.PruneLimit))
	}
	if faults := validation.IsDNS1123Label(o.name); len(faults) > 0 {
		return nil, invalid(fmt.Errorf("--source is %q: want a DNS label, such as \"fleet\": %s", o.name, strings.Join(faults, "; ")))
	}
	if o.observe {
		o.policy.Drift = schema.DriftObserve
	}
	return &schema.Config{
		Sources: []schema.SourceConfig{{Name: o.name, URL: args[0], Branch: o.branch, Path: o.path, Policy: o.policy}},
		Server:  schema.ServerConfig{Address: o.listen},
		LeaderElection: schema.LeaderElectionConfig{
			Namespace: o.namespace, Name: "vksync", Disabled: !o.elect,
		},
		Shard: o.shard,
	}, nil
}

// mirrors is the directory for copies of remote repositories.
func (o *runOptions) mirrors() (string, error) {
	if o.mirror != "" {
		return o.mirror, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", invalid(fmt.Errorf("there is no place for copies of repositories: give one with --mirror: %w", err))
	}
	return filepath.Join(cache, "vksync", "mirrors"), nil
}

// logger writes to stderr: for people on a terminal, for tools anywhere else.
func (o *runOptions) logger(config *schema.Config) *slog.Logger {
	level := slog.LevelInfo
	if o.verbose {
		level = slog.LevelDebug
	}
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: shownAttr}
	file, is := o.stderr.(*os.File)
	switch {
	case o.logFormat == "json":
		return slog.New(slog.NewJSONHandler(o.stderr, options))
	case o.logFormat == "text" || !is || !term.IsTerminal(file.Fd()):
		return slog.New(slog.NewTextHandler(o.stderr, options))
	case len(config.Sources) == 1 && len(config.Supervisors) <= 1:
		return slog.New(newTerminalLog(file, level, "source", "supervisor"))
	}
	return slog.New(newTerminalLog(file, level))
}

// shownAttr keeps credentials and control characters out of the log.
func shownAttr(_ []string, a slog.Attr) slog.Attr {
	switch v := a.Value.Any().(type) {
	case string:
		a.Value = slog.StringValue(shown(v))
	case error:
		a.Value = slog.StringValue(shown(v.Error()))
	}
	return a
}

// run keeps everything equal until ctx ends, which is how it is told to stop.
func (o *runOptions) run(ctx context.Context, config *schema.Config) error {
	log := o.logger(config)
	slog.SetDefault(log)
	d, err := o.assemble(ctx, config, log)
	if err != nil {
		return err
	}
	server, err := d.listen(config.Server)
	if err != nil {
		return errors.Join(err, d.close())
	}
	log.Info("vksync runs", "version", build().Version, "sources", len(config.Sources), "address", server.address())
	d.daemon.Run(ctx)
	log.Info("stopped")
	return errors.Join(server.close(), d.close())
}
