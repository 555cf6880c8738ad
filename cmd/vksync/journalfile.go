package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/vksync/vksync/reconcile/journal"
)

// journalFile is where --journal goes; nil without one.
type journalFile struct {
	file    *os.File
	closing chan struct{}
	writing sync.WaitGroup // of what flush writes

	mu      sync.Mutex // guards what is below
	buffer  *bufio.Writer
	encoder *journal.Encoder
	err     error // the first that happened
}

// flushEvery is how late the file is for who follows it.
const flushEvery = 500 * time.Millisecond

// createJournal replaces the file at path; an empty path makes none, which can be
// closed as well.
func createJournal(path string) (*journalFile, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("creating the journal: %w", err)
	}
	j := &journalFile{file: f, closing: make(chan struct{}), buffer: bufio.NewWriterSize(f, 1<<16)}
	j.encoder = journal.NewEncoder(j.buffer)
	j.writing.Go(j.flush)
	return j, nil
}

// add writes one event.
func (j *journalFile) add(e journal.Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err == nil {
		j.err = j.encoder.Encode(e)
	}
}

// flush writes what there is again and again, until the file is closed.
func (j *journalFile) flush() {
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	for {
		select {
		case <-j.closing:
			return
		case <-ticker.C:
		}
		j.mu.Lock()
		if j.err == nil {
			j.err = j.buffer.Flush()
		}
		j.mu.Unlock()
	}
}

// close reports everything that went wrong since the file was made, if it was.
func (j *journalFile) close() error {
	if j == nil {
		return nil
	}
	close(j.closing)
	j.writing.Wait()
	err := errors.Join(j.err, j.buffer.Flush(), j.file.Close())
	if err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	return nil
}
