package schema

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fleetOf is a repo of n YAML clusters, a file each, of about the size that
// people write: three variables, two pools, an override.
func fleetOf(b *testing.B, n int) fs.FS {
	b.Helper()
	dir := b.TempDir()
	for i := range n {
		name := fmt.Sprintf("c%05d", i)
		team := fmt.Sprintf("team-%d", i%50)
		text := strings.NewReplacer("name: prod,", "name: "+name+",", "team-a", team).Replace(goodCluster)
		if err := os.MkdirAll(filepath.Join(dir, team), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, team, name+".yaml"), []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	return os.DirFS(dir)
}

func benchmarkLoad(b *testing.B, fsys fs.FS, want int) {
	b.ReportAllocs()
	for b.Loop() {
		desired, problems := Load(fsys, ".")
		if len(problems) > 0 || desired.Resources.Len() != want {
			b.Fatalf("got %d resources and %v, want %d", desired.Resources.Len(), problems, want)
		}
	}
}

func BenchmarkLoad1(b *testing.B)     { benchmarkLoad(b, fleetOf(b, 1), 1) }
func BenchmarkLoad1000(b *testing.B)  { benchmarkLoad(b, fleetOf(b, 1000), 1000) }
func BenchmarkLoad10000(b *testing.B) { benchmarkLoad(b, fleetOf(b, 10_000), 10_000) }

func BenchmarkLoadFleet(b *testing.B) {
	benchmarkLoad(b, os.DirFS("../testdata/fleet"), 16)
}

// BenchmarkCompile is what the first Load of a process pays on top.
func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		compile()
	}
}
