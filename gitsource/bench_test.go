package gitsource_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/vksync/vksync/gitsource"
)

// fleetOf is a team whose repository has n manifests of 2 KiB.
func fleetOf(b *testing.B, n int) (team, string) {
	b.Helper()
	w := newTeam(b)
	files := map[string]string{}
	for i := range n {
		files[fmt.Sprintf("clusters/%02d/c%05d.yaml", i%50, i)] = fmt.Sprintf("name: c%d\n%02048d\n", i, i)
	}
	w.commit(files)
	w.push()
	return w, gitIn(b, w.clone, "rev-parse", "HEAD")
}

// BenchmarkPushToSeen measures from the change of the reference in a local bare
// repository to the revision that is served, with one of its manifests changed;
// the push itself is not in it, the start of the process that moves the reference
// is.
func BenchmarkPushToSeen(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w, head := fleetOf(b, n)
			s := follow(b, gitsource.Config{URL: w.bare})
			untilServes(b, s, head)
			var seen time.Duration
			for i := range b.N {
				h := w.commit(map[string]string{"clusters/00/c00000.yaml": fmt.Sprintf("n: %d\n", i)})
				w.push("origin", h+":refs/heads/stage")
				start := time.Now()
				gitIn(b, w.bare, "update-ref", "refs/heads/main", h)
				untilServes(b, s, h)
				seen += time.Since(start)
			}
			b.ReportMetric(float64(seen.Microseconds())/1000/float64(b.N), "ms/seen")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkFetch measures a look that finds one new commit, over https.
func BenchmarkFetch(b *testing.B) {
	w, head := fleetOf(b, 1000)
	f := newForge(b, w.bare[:len(w.bare)-len("/fleet.git")])
	s := follow(b, gitsource.Config{URL: f.URL + "/fleet.git", Dir: b.TempDir(), Poll: time.Hour, Auth: gitsource.Auth{CAFile: f.ca}})
	untilServes(b, s, head)
	var seen time.Duration
	for i := range b.N {
		h := w.pushed(i)
		start := time.Now()
		s.Look()
		untilServes(b, s, h)
		seen += time.Since(start)
	}
	b.ReportMetric(float64(seen.Microseconds())/1000/float64(b.N), "ms/fetch")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkClone measures a first look at 10,000 manifests over https.
func BenchmarkClone(b *testing.B) {
	w, head := fleetOf(b, 10_000)
	f := newForge(b, w.bare[:len(w.bare)-len("/fleet.git")])
	for b.Loop() {
		s := follow(b, gitsource.Config{URL: f.URL + "/fleet.git", Dir: b.TempDir(), Poll: time.Hour, Auth: gitsource.Auth{CAFile: f.ca}})
		untilServes(b, s, head)
	}
}
