package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func tools(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: tools NAME...")
	}
	dir, err := filepath.Abs(filepath.Join("..", "..", "bin", "tools"))
	ts.Check(err)
	for _, name := range args {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			ts.Fatalf("%s was not built for the tests: run 'make tools' first", name)
		}
	}
	ts.Setenv("PATH", dir+string(os.PathListSeparator)+ts.Getenv("PATH"))
	// Both keep caches and sessions below it.
	ts.Setenv("HOME", ts.MkAbs("home"))
}

// sourceFile takes what "export NAME=WORD" lines of a shell set.
func sourceFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: source FILE")
	}
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		name, word, ok := strings.Cut(strings.TrimPrefix(strings.TrimSuffix(line, "\n"), "export "), "=")
		if !ok {
			ts.Fatalf("%s: %q is no export", args[0], line)
		}
		if bare, quoted := strings.CutPrefix(word, "'"); quoted {
			word = strings.ReplaceAll(strings.TrimSuffix(bare, "'"), `'\''`, "'")
		}
		ts.Setenv(name, word)
	}
}

func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: await file FILE | await REGEXP COMMAND...")
	}
	happened := func() bool {
		_, err := os.Stat(ts.MkAbs(args[1]))
		return err == nil
	}
	if args[0] != "file" {
		want, err := regexp.Compile("(?m)" + args[0])
		ts.Check(err)
		happened = func() bool {
			return ts.Exec(args[1], args[2:]...) == nil && want.MatchString(ts.ReadFile("stdout"))
		}
	}
	for end := time.Now().Add(patience); !happened(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			ts.Fatalf("waited %s for %s", patience, strings.Join(args, " "))
		}
	}
}

// get is a command of its own: "get URL" prints the answer, whatever its status.
func get() {
	response, err := http.Get(os.Args[1])
	if err == nil {
		_, err = io.Copy(os.Stdout, response.Body)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
