package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vksync/vksync/reconcile/plan"
)

// appliedSuffix is what the name of a saved plan ends with once it is used.
const appliedSuffix = ".applied"

// savePlan writes the plan of a session to --out. It replaces a saved plan and
// nothing else.
func (o *planOptions) savePlan(s *session) error {
	key := make([]byte, plan.KeyBytes)
	if _, err := rand.Read(key); err != nil {
		return fmt.Errorf("making the key of a saved plan: %w", err)
	}
	from := plan.From{Revision: s.desired.tree.Revision}
	var err error
	if from.Path, err = filepath.Abs(o.path); err != nil {
		return fmt.Errorf("finding %s: %w", o.path, err)
	}
	if o.inventory != "" {
		if from.Inventory, err = filepath.Abs(o.inventory); err != nil {
			return fmt.Errorf("finding %s: %w", o.inventory, err)
		}
	}
	saved, err := s.plan.Save(key, from, s.names()...)
	if err != nil {
		return err
	}
	text, err := saved.Encode()
	if err != nil {
		return err
	}
	return writeSaved(o.out, text)
}

// writeSaved writes a file that only its owner can read, whole or not at all.
func writeSaved(path string, text []byte) (err error) {
	if err := mayReplace(path); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".vksync-plan-*") // of mode 0600
	if err != nil {
		return fmt.Errorf("saving the plan: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("saving the plan: %w", err), os.Remove(f.Name()))
		}
	}()
	if _, err := f.Write(text); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func mayReplace(path string) error {
	if strings.HasSuffix(path, appliedSuffix) {
		return invalid(fmt.Errorf("--out %s: a name that ends with %s is of a plan that is used, name another", path, appliedSuffix))
	}
	text, err := readLimited(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return invalid(fmt.Errorf("--out %s: %w", path, err))
	case !plan.IsSaved(text):
		return invalid(fmt.Errorf("--out %s exists and is not a saved plan: name another file", path))
	}
	return nil
}

// readLimited reads a file up to the size of the largest saved plan.
func readLimited(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, plan.MaxSavedBytes+1))
	return text, errors.Join(err, f.Close())
}

// readSaved reads a saved plan; nil when path holds manifests.
func readSaved(path string) (*plan.Saved, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, used := os.Stat(path + appliedSuffix); used == nil {
			return nil, invalid(fmt.Errorf("%s was applied already, or its application was begun: a saved plan is used once, make a new one with plan --out", path))
		}
		return nil, nil // who reads manifests says what is wrong
	}
	if err != nil || !info.Mode().IsRegular() {
		return nil, nil
	}
	text, err := readLimited(path)
	if err != nil || !plan.IsSaved(text) {
		return nil, nil
	}
	if strings.HasSuffix(path, appliedSuffix) {
		return nil, invalid(fmt.Errorf("%s is a plan that was applied already: a saved plan is used once, make a new one with plan --out", path))
	}
	saved, err := plan.ReadSaved(bytes.TrimSpace(text))
	if err != nil {
		return nil, invalid(fmt.Errorf("the saved plan %s cannot be used: %w", path, err))
	}
	return saved, nil
}

// use marks a saved plan as used, before anything is done: from then on the world
// is another one, whatever comes of it. Of two who try one succeeds.
func use(path string) error {
	err := os.Rename(path, path+appliedSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return invalid(fmt.Errorf("%s was applied by somebody else just now: a saved plan is used once", path))
	}
	if err != nil {
		return fmt.Errorf("marking the plan as used: %w", err)
	}
	return nil
}

// holds fails when a saved plan is not what a session would do now.
func (s *session) holds(saved *plan.Saved) error {
	if !slices.Equal(saved.Endpoints, s.names()) {
		return invalid(fmt.Errorf("the plan was made for %s, and this is %s", strings.Join(saved.Endpoints, " and "), strings.Join(s.names(), " and ")))
	}
	differences, err := plan.Compare(saved, s.plan)
	if err != nil || len(differences) == 0 {
		return err
	}
	return invalid(fmt.Errorf("the plan does not hold any more, and nothing was done:\n%s\nMake a new one with plan --out", lines(differences)))
}

func lines(differences []plan.Difference) string {
	var out []string
	for _, d := range differences {
		out = append(out, "  "+d.String())
	}
	return strings.Join(out, "\n")
}

// stillHolds plans again and fails when anything has changed since the plan that
// was shown: somebody took time to decide.
func (s *session) stillHolds(ctx context.Context) error {
	was, err := s.plan.Save(make([]byte, plan.KeyBytes), plan.From{Path: s.job.path}, s.names()...)
	if err != nil {
		return err
	}
	if err := s.replan(ctx); err != nil {
		return err
	}
	differences, err := plan.Compare(was, s.plan)
	if err != nil || len(differences) == 0 {
		return err
	}
	return outcome{exitNotReached, fmt.Errorf("something changed after the plan was shown, and nothing was done:\n%s\nRun it again to see the plan as it is now", lines(differences))}
}
