package simulate_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain has "go test ./simulate -run Trace -trace FILE" name a recording. That
// flag is go test's own, which would write an execution trace over the file.
func TestMain(m *testing.M) {
	flag.Parse()
	if own := flag.Lookup("test.trace"); own != nil && strings.HasSuffix(own.Value.String(), ".jsonl") {
		*traceFile = own.Value.String()
		if folder := flag.Lookup("test.outputdir"); folder != nil && !filepath.IsAbs(*traceFile) {
			*traceFile = filepath.Join(folder.Value.String(), *traceFile) // where go test was called
		}
		if err := own.Value.Set(""); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}
