// Command vksync keeps vSphere Kubernetes Service clusters equal to what a Git
// repository says, and tells beforehand what a change will do. It is the only
// place that chooses between worlds, displays and clocks; everything below is
// told which one to use.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"charm.land/fang/v2"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole program. It returns the exit code.
func run(ctx context.Context, args []string, in io.Reader, out, errs *os.File) int {
	tuneMemory(os.Getenv)
	ctx, stop := signal.NotifyContext(ctx, endings()...)
	defer stop()
	// The second Ctrl-C ends the process at once.
	context.AfterFunc(ctx, stop)

	root := newRootCmd(streams{in: in, out: out, errs: errs})
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	v := new(verdict)
	err := fang.Execute(context.WithValue(ctx, verdictKey{}, v), root,
		fang.WithVersion(build().Version),
		fang.WithoutManpage(),
		fang.WithErrorHandler(func(io.Writer, fang.Styles, error) {}),
	)
	if v.err != nil {
		err = v.err
	}
	return report(errs, err)
}

// endings are the signals that end the program in good order: Ctrl-C, a service
// manager, and a terminal that is closed, unless nohup has it live on.
func endings() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// streams are where a command reads keys from and writes results to.
type streams struct {
	in   io.Reader
	out  *os.File
	errs io.Writer // for what is no result
}

// A run is short and makes much that is garbage at once. Collecting it half as often
// saves a seventh of the time, up to a heap at which it begins to matter; more seldom
// saves nothing, since fresh memory costs as much.
const (
	gcPercent   = 200
	memoryLimit = 1950 << 20 // bytes
)

// tuneMemory sets the garbage collector, unless the environment does.
func tuneMemory(getenv func(string) string) {
	if getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}
