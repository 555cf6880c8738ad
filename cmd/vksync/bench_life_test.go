package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// What 1,000 clusters of 3+5 may take to be created: DESIGN section 7, and the
// floor of the same number of VMs, as many times.
const (
	createWall   = time.Minute
	createMemory = 2048 // MiB
	createFloors = 3
)

// lives are the sizes of the fleets whose life is measured.
var lives = []int{10, 100, 1000}

// BenchmarkLife creates fleets of clusters of 3+5, upgrades them and deletes them,
// as a user does: three runs of the built program, the second and the third on
// the saved world of the first, so that they also take what reading it takes. It
// prints what each took, how an event's cost grows with the fleet, and beside each
// creation the floor: as many VMs in vcsim and nothing else, before and after it.
func BenchmarkLife(b *testing.B) {
	program := built(b)
	var table bytes.Buffer
	rows := tabwriter.NewWriter(&table, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(rows, "clusters\tchange\twall\tbar\tCPU\tpeak RSS\tbar\tevents\tevents/s\tCPU us/event\tto that of 10\t")
	first := map[string]cost{}
	for _, n := range lives {
		b.Run(fmt.Sprintf("clusters=%d", n), func(b *testing.B) {
			for b.Loop() {
				l := newLife(b, program, n)
				for _, change := range []string{"create", "upgrade", "delete"} {
					var before cost
					if change == "create" {
						before = l.floor(b)
					}
					c := l.play(b, change)
					if n == lives[0] {
						first[change] = c
					}
					fmt.Fprintln(rows, lifeRow(n, change, c, first[change]))
					b.ReportMetric(c.wall.Seconds(), change+"-s")
					b.ReportMetric(float64(c.memory), change+"-MiB")
					if change == "create" {
						f := between(before, l.floor(b))
						l.save(b)
						fmt.Fprintln(rows, floorRow(n, c, f))
						b.ReportMetric(c.wall.Seconds()/f.wall.Seconds(), "create/floor")
					}
				}
			}
		})
	}
	if err := rows.Flush(); err != nil {
		b.Fatal(err)
	}
	fmt.Printf("\n%s\n", table.String())
}

// A life is a fleet on its way.
type life struct {
	program, dir, site string
	clusters           int
}

func newLife(b *testing.B, program string, clusters int) life {
	b.Helper()
	l := life{program: program, dir: b.TempDir(), clusters: clusters}
	l.site = filepath.Join(l.dir, "site.yaml")
	save(b, l.site, inventoryFor(clusters))
	fleet := namespaces(clusters, 3, 5)
	fleetAt(b, l.at("create"), fleet)
	for i, text := range fleet {
		empty, _, _ := strings.Cut(text, clusterHead)
		save(b, filepath.Join(l.at("delete"), fmt.Sprintf("team-%03d.yaml", i)), empty)
		save(b, filepath.Join(l.at("upgrade"), fmt.Sprintf("team-%03d.yaml", i)), strings.ReplaceAll(text, firstRelease, nextRelease))
	}
	return l
}

func (l life) at(name string) string { return filepath.Join(l.dir, name) }

// save leaves the world after the creation for what comes then, in a run that is not
// measured.
func (l life) save(b *testing.B) {
	b.Helper()
	spend(b, l.program, "simulate", "-o", "json", l.at("create"), "--inventory", l.site, "--save", l.at("world"))
}

// play makes one change.
func (l life) play(b *testing.B, change string) cost {
	b.Helper()
	switch change {
	case "create":
		return spend(b, l.program, "simulate", "-o", "json", l.at(change), "--inventory", l.site)
	case "delete":
		return spend(b, l.program, "simulate", "-o", "json", l.at(change), "--from", l.at("world"), "--prune", "--prune-limit", "0")
	}
	return spend(b, l.program, "simulate", "-o", "json", l.at(change), "--from", l.at("world"))
}

// floor makes the VMs of the fleet in vcsim. Its wall is that of the VMs alone.
func (l life) floor(b *testing.B) cost {
	b.Helper()
	c := spend(b, "floor", "-vms", fmt.Sprint(l.clusters*8))
	var document floorDocument
	if err := json.Unmarshal(c.out, &document); err != nil {
		b.Fatal(err)
	}
	c.wall = time.Duration(document.Seconds * float64(time.Second))
	return c
}

// between is the mean of what was spent before and after something: the speed of a
// machine drifts, and who comes later finds its memory warm.
func between(before, after cost) cost {
	after.wall, after.cpu = (before.wall+after.wall)/2, (before.cpu+after.cpu)/2
	return after
}

func lifeRow(n int, change string, c, first cost) string {
	wall, memory := "-", "-"
	if change == "create" && n == 1000 {
		wall = held(true, c.wall <= createWall, fmt.Sprintf("%.0f s", createWall.Seconds()))
		memory = held(true, c.memory <= createMemory, fmt.Sprintf("%d MiB", createMemory))
	}
	return fmt.Sprintf("%d\t%s\t%.2f s\t%s\t%.2f s\t%d MiB\t%s\t%d\t%.0f\t%.1f\t%.2f\t", n, change,
		c.wall.Seconds(), wall, c.cpu.Seconds(), c.memory, memory,
		c.events, float64(c.events)/c.wall.Seconds(), c.perEvent(), c.perEvent()/first.perEvent())
}

// floorRow is the floor of a creation, and how many times as long the creation took.
func floorRow(n int, created, f cost) string {
	times, cpu := created.wall.Seconds()/f.wall.Seconds(), created.cpu.Seconds()/f.cpu.Seconds()
	return fmt.Sprintf("%d\tfloor, %d VMs\t%.2f s\t%s\t%.2f s\t%d MiB\t-\t\t\t\t\t", n, n*8, f.wall.Seconds(),
		fmt.Sprintf("create %.1fx, CPU %.1fx: %s", times, cpu, held(true, times <= createFloors, fmt.Sprintf("%dx", createFloors))), f.cpu.Seconds(), f.memory)
}

// perEvent is what an event took of the processors, in microseconds: a busy machine
// leaves that comparable.
func (c cost) perEvent() float64 { return float64(c.cpu.Microseconds()) / float64(c.events) }
