package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"

	"github.com/vksync/vksync/reconcile/journal"
)

// journalFile is where --journal goes. The nil journalFile swallows everything.
type journalFile struct {
	file    *os.File
	buffer  *bufio.Writer
	encoder *journal.Encoder
	err     error // the first that happened
}

// createJournal replaces the file at path; an empty path makes none.
func createJournal(path string) (*journalFile, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("creating the journal: %w", err)
	}
	j := &journalFile{file: f, buffer: bufio.NewWriterSize(f, 1<<16)}
	j.encoder = journal.NewEncoder(j.buffer)
	return j, nil
}

// add writes one event.
func (j *journalFile) add(e journal.Event) {
	if j != nil && j.err == nil {
		j.err = j.encoder.Encode(e)
	}
}

// close reports everything that went wrong since the file was made.
func (j *journalFile) close() error {
	if j == nil {
		return nil
	}
	err := errors.Join(j.err, j.buffer.Flush(), j.file.Close())
	if err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	return nil
}
