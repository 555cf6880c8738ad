package gitsource

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

// clone makes a new mirror, and puts it in the place of the old one when it is
// whole.
func (m *mirror) clone(ctx context.Context, s session, list *packp.AdvRefs, tip plumbing.Hash) error {
	in, err := m.receive(ctx, s, list, tip, m.config.Limits.MirrorBytes)
	if err != nil {
		return err
	}
	defer in.discard()
	if err := m.build(in, tip); err != nil {
		return fmt.Errorf("making the mirror: %w", err)
	}
	if err := exchange(m.next(), m.dir(), m.old()); err != nil {
		return fmt.Errorf("making the mirror: %w", err)
	}
	repo, err := openRepository(m.at.shown, m.dir())
	if err != nil {
		return err
	}
	m.repo, m.cloned, m.fault = repo, tip, nil
	return nil
}

// build makes a repository out of a pack.
func (m *mirror) build(in *incoming, tip plumbing.Hash) error {
	if err := os.RemoveAll(m.next()); err != nil {
		return err
	}
	store := filesystem.NewStorage(osfs.New(m.next(), osfs.WithBoundOS()), cache.NewObjectLRU(cache.MiByte))
	made, err := git.Init(store, nil)
	if err != nil {
		return err
	}
	if _, err := made.CreateRemote(&config.RemoteConfig{Name: "origin", URLs: []string{m.source()}}); err != nil {
		return err
	}
	if err := in.install(m.next()); err != nil {
		return err
	}
	if m.repo != nil { // what was served stays known if the new history has it
		if served, err := m.repo.tip(m.servedRef()); err == nil && store.HasEncodedObject(served) == nil {
			if err := store.SetReference(plumbing.NewHashReference(m.servedRef(), served)); err != nil {
				return err
			}
		}
	}
	if err := store.SetReference(plumbing.NewHashReference(m.tipRef(), tip)); err != nil {
		return err
	}
	return store.Close()
}

// exchange puts a directory in the place of another one, which it removes.
func exchange(next, place, old string) error {
	if err := os.RemoveAll(old); err != nil {
		return err
	}
	if err := os.Rename(place, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(next, place); err != nil {
		return err
	}
	return os.RemoveAll(old)
}
