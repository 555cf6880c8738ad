package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"
)

// bar is one piece of work and what it may cost (DESIGN section 7, 2 cores).
type bar struct {
	work     string
	clusters int
	// controlPlane and workers are the size of each cluster.
	controlPlane, workers int
	// args are those of vksync; the fleet comes behind them.
	args []string
	// wall and memory are the bars; 0 is none.
	wall   time.Duration
	memory int64 // MiB
}

var bars = []bar{
	{"forecast of one 3+3 cluster, process start to end", 1, 3, 3, []string{"plan"}, time.Second, 0},
	{"validate 1,000 clusters", 1000, 3, 5, []string{"validate"}, 1500 * time.Millisecond, 1024},
	{"validate 10,000 clusters", 10_000, 3, 5, []string{"validate"}, 12 * time.Second, 1024},
}

// BenchmarkBars runs the built program on generated fleets, from process start
// to exit, and prints a table of what it took beside what it may take. It has
// its own target in the Makefile.
func BenchmarkBars(b *testing.B) {
	program := built(b)
	var table bytes.Buffer
	rows := tabwriter.NewWriter(&table, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(rows, "work\twall\tbar\tCPU\tpeak RSS\tbar\tevents\tevents/s\t")
	for _, w := range bars {
		b.Run(strings.ReplaceAll(w.work, ",", ""), func(b *testing.B) {
			var c cost
			for b.Loop() {
				c = w.run(b, program)
			}
			b.ReportMetric(c.wall.Seconds(), "wall-s")
			b.ReportMetric(c.cpu.Seconds(), "cpu-s")
			b.ReportMetric(float64(c.memory), "peak-MiB")
			fmt.Fprintln(rows, w.row(c))
		})
	}
	if err := rows.Flush(); err != nil {
		b.Fatal(err)
	}
	fmt.Printf("\n%s\n", table.String())
}

// cost is what one run took.
type cost struct {
	wall   time.Duration
	cpu    time.Duration // of all cores; what a busy machine leaves comparable
	memory int64         // MiB, at its peak
	events int           // 0 where there are none
	out    []byte        // what was printed
}

func (w bar) run(b *testing.B, program string) cost {
	b.Helper()
	dir := b.TempDir()
	args := append(w.args[:len(w.args):len(w.args)], fleetAt(b, filepath.Join(dir, "fleet"), namespaces(w.clusters, w.controlPlane, w.workers)))
	if w.args[0] != "validate" {
		site := filepath.Join(dir, "site.yaml")
		save(b, site, inventoryFor(w.clusters))
		args = append(args, "--inventory", site)
	}
	return spend(b, program, args...)
}

// built is the program, built for this run.
func built(b *testing.B) string {
	b.Helper()
	program := filepath.Join(b.TempDir(), "vksync")
	if out, err := exec.CommandContext(b.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		b.Fatalf("building: %v\n%s", err, out)
	}
	return program
}

// fleetAt saves a fleet's files to dir, and returns dir.
func fleetAt(b *testing.B, dir string, files []string) string {
	b.Helper()
	for i, text := range files {
		save(b, filepath.Join(dir, fmt.Sprintf("team-%03d.yaml", i)), text)
	}
	return dir
}

// spend runs a program from its start to its end and says what that took.
func spend(b *testing.B, program string, args ...string) cost {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), program, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	start := time.Now()
	if err := cmd.Run(); err != nil {
		b.Fatalf("%s %s: %v\n%s", filepath.Base(program), strings.Join(args, " "), err, errs.String())
	}
	c := cost{wall: time.Since(start), out: out.Bytes()}
	c.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		c.memory = usage.Maxrss >> 10
	}
	var document runDocument
	if json.Unmarshal(c.out, &document) == nil {
		c.events = document.Totals.Events
	}
	return c
}

func (w bar) row(c cost) string {
	rate, events := "", ""
	if c.events > 0 {
		events, rate = fmt.Sprint(c.events), fmt.Sprintf("%.0f", float64(c.events)/c.wall.Seconds())
	}
	return fmt.Sprintf("%s\t%.2f s\t%s\t%.2f s\t%d MiB\t%s\t%s\t%s\t", w.work,
		c.wall.Seconds(), held(w.wall > 0, c.wall <= w.wall, fmt.Sprintf("%.1f s", w.wall.Seconds())),
		c.cpu.Seconds(), c.memory, held(w.memory > 0, c.memory <= w.memory, fmt.Sprintf("%d MiB", w.memory)), events, rate)
}

// held shows a bar and whether it holds; "-" where there is none.
func held(is, holds bool, value string) string {
	switch {
	case !is:
		return "-"
	case holds:
		return value + " ok"
	}
	return value + " OVER"
}

func save(b *testing.B, path, text string) {
	b.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		b.Fatal(err)
	}
}
