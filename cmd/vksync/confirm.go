package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/charmbracelet/x/term"
)

// interactive says whether somebody can answer.
func interactive(in io.Reader) bool {
	f, ok := in.(*os.File)
	return ok && term.IsTerminal(f.Fd())
}

// longestAnswer is how much of an answer is read.
const longestAnswer = 1024

// confirm asks, and is nil when the answer is yes. An interrupt is an answer too.
func confirm(ctx context.Context, in io.Reader, out io.Writer, question string) error {
	if _, err := fmt.Fprintf(out, "\n%s Only 'yes' does it: ", question); err != nil {
		return err
	}
	answer := make(chan string, 1)
	go func() {
		// A line that cannot be read is no yes.
		line, _ := bufio.NewReader(io.LimitReader(in, longestAnswer)).ReadString('\n')
		answer <- strings.TrimSpace(line)
	}()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case text := <-answer:
		if text != "yes" {
			return outcome{exitError, errors.New("not applied: the answer was not yes")}
		}
		return nil
	}
}
