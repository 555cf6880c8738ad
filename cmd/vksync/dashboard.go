package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vksync/vksync/tui"
)

// dashboardOptions are the flags of dashboard.
type dashboardOptions struct {
	connector

	replay string
	follow bool
	speed  float64
	paced  bool // a speed was asked for

	server, tokenFile, caFile string

	progress string
	mode     tui.Mode // what progress comes to
}

func newDashboardCmd(io streams, to connector) *cobra.Command {
	o := dashboardOptions{connector: to}
	cmd := &cobra.Command{
		Use:   "dashboard",
		Short: "Look at every cluster: a live world, a daemon's runs, or a journal",
		Long: `Show the phase timeline of every cluster: what happens, what is next, what
waits and why, how long still. It only looks, and shows one of

  the live Supervisor and its vCenter, found as apply finds them: a Cluster
    that anybody creates, changes or deletes is followed. This is what is
    shown when nothing else is asked for;
  the runs of a daemon: --server with the URL of 'vksync run --listen'. Its
    token comes from --token-file or VKSYNC_TOKEN. A plan that waits there can
    be approved with it;
  a journal, as --journal of apply and simulate writes it: --replay with its
    file, "-" for standard input. It is played at --speed, and can be paused,
    stepped through and searched. --follow goes on with one that is still
    being written.

On a terminal ? lists the keys, and what was shown last stays when it is left.
Anywhere else the same events are lines; --progress json has them as JSON.`,
		Example: `  vksync dashboard
  vksync dashboard --config vksync.yaml --supervisor lab
  vksync dashboard --server http://127.0.0.1:8090
  vksync dashboard --replay run.jsonl --speed 120
  vksync dashboard --replay run.jsonl --follow`,
		Args: noFile,
		RunE: runE(func(cmd *cobra.Command, _ []string) error {
			o.paced = cmd.Flags().Changed("speed")
			if err := o.check(cmd, io.out); err != nil {
				return err
			}
			return o.run(cmd.Context(), io)
		}),
	}
	f := cmd.Flags()
	o.connector.addFlags(cmd)
	f.StringVar(&o.replay, "replay", "", "file of a journal to play; - is standard input")
	f.BoolVar(&o.follow, "follow", false, "with --replay: go on as the file grows, beginning at its end")
	f.Float64Var(&o.speed, "speed", 60, "with --replay: seconds of the journal per second, 1 to 1000; 0: as fast as it can")
	f.StringVar(&o.server, "server", "", "address of a daemon, such as http://127.0.0.1:8090")
	f.StringVar(&o.tokenFile, "token-file", "", "with --server: file with the daemon's server.token, else $VKSYNC_TOKEN")
	f.StringVar(&o.caFile, "ca-file", "", "with --server: PEM file, trusted in place of the system's")
	addChoice(cmd, &o.progress, "progress", "", "display", "auto", "tty", "plain", "json", "quiet")
	return cmd
}

// noFile refuses arguments, the likeliest of which is a journal.
func noFile(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return invalid(fmt.Errorf("%s takes no argument, and %q is one: a journal is played with --replay %s\nRun '%s --help' to see what is possible",
			cmd.CommandPath(), args[0], args[0], cmd.CommandPath()))
	}
	return nil
}

// check refuses flags that do not go together, and a display that out cannot show.
func (o *dashboardOptions) check(cmd *cobra.Command, out *os.File) (err error) {
	given := func(names ...string) (set []string) {
		for _, name := range names {
			if cmd.Flags().Changed(name) {
				set = append(set, "--"+name)
			}
		}
		return set
	}
	sources := given("replay", "server")
	if len(sources) == 0 {
		sources = []string{"the live world"}
	} else if live := given(liveFlags...); len(live) > 0 {
		sources = append(sources, "the live world ("+strings.Join(live, ", ")+")")
	}
	switch {
	case len(sources) > 1:
		return invalid(fmt.Errorf("one thing can be looked at, not %s: choose one", strings.Join(sources, " and ")))
	case cmd.Flags().Changed("replay") && o.replay == "":
		return invalid(errors.New("--replay is empty: want the file of a journal, or - for standard input"))
	case cmd.Flags().Changed("server") && o.server == "":
		return invalid(errors.New("--server is empty: want the URL of a daemon, such as http://127.0.0.1:8090"))
	}
	for of, names := range map[string][]string{"replay": {"follow", "speed"}, "server": {"token-file", "ca-file"}} {
		if astray := given(names...); len(astray) > 0 && !slices.Contains(sources, "--"+of) {
			return invalid(fmt.Errorf("%s goes with --%s only", strings.Join(astray, " and "), of))
		}
	}
	if o.speed != 0 && !(o.speed >= 1 && o.speed <= 1000) {
		return invalid(fmt.Errorf("--speed is %g: want 1 (as it happened) to 1000, or 0 (as fast as it can)", o.speed))
	}
	modes := map[string]tui.Mode{"auto": tui.Auto, "tty": tui.Live, "plain": tui.Plain, "json": tui.JSON, "quiet": tui.Quiet}
	if o.mode, err = tui.Choose(tui.Detect(out, os.Environ()), modes[o.progress]); err != nil {
		return invalid(fmt.Errorf("--progress %s: %w", o.progress, err))
	}
	return nil
}

func (o *dashboardOptions) run(ctx context.Context, io streams) error {
	from, err := o.open(io)
	if err != nil {
		return err
	}
	defer from.close()
	if o.mode == tui.Live {
		return o.show(ctx, io, from)
	}
	return o.print(ctx, io, from)
}

// open is the origin that was asked for.
func (o *dashboardOptions) open(io streams) (origin, error) {
	switch {
	case o.replay != "":
		return o.openReplay(io)
	case o.server != "":
		return o.openServer(io)
	}
	return watchedWorld{o.connector}, nil
}
