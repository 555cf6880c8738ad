package main

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Every example journal is reported in every form, at its end and in the middle.
func TestReportsOfEveryExample(t *testing.T) {
	t.Parallel()
	journals, err := filepath.Glob("../../testdata/journals/*.jsonl")
	if err != nil || len(journals) == 0 {
		t.Fatalf("no example journals: %v", err)
	}
	out := filepath.Join(t.TempDir(), "report")
	for _, path := range journals {
		for _, form := range []string{"html", "svg", "text"} {
			for _, at := range []string{"0", "1s", "1m"} {
				quietly(t, "report", path, "--format", form, "--at", at, "--out", out)
				text, err := os.ReadFile(out)
				if err != nil || len(text) == 0 {
					t.Errorf("%s as %s at %s: %d bytes, %v", path, form, at, len(text), err)
				}
				if form == "svg" {
					wellFormed(t, path, text)
				}
			}
		}
	}
}

func wellFormed(t *testing.T, name string, text []byte) {
	t.Helper()
	for d := xml.NewDecoder(bytes.NewReader(text)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Errorf("%s: the picture is not XML: %v", name, err)
			return
		}
	}
}

// Ctrl-C ends a report also while it waits for more of its journal, and leaves what
// was there.
func TestAReportOfWhatDoesNotComeCanBeInterrupted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out := filepath.Join(dir, "run.html")
	if err := os.WriteFile(out, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	said, err := os.Create(filepath.Join(t.TempDir(), "said"))
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	from, to := io.Pipe()
	defer to.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if code := run(ctx, []string{"report", "-", "--out", out}, from, said, said); code != exitInterrupted {
		t.Errorf("exit code %d, want %d", code, exitInterrupted)
	}
	entries, err := os.ReadDir(dir)
	if text, _ := os.ReadFile(out); err != nil || string(text) != "mine" || len(entries) != 1 {
		t.Errorf("it leaves %d files, the first with %q; %v", len(entries), text, err)
	}
}
