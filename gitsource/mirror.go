package gitsource

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
)

const (
	// lookLimit ends a look at a remote that trickles.
	lookLimit = 30 * time.Minute
	// maxPacks is after how many fetches the mirror is cloned anew, since each
	// adds a pack and go-git cannot repack (cue-git.md 2).
	maxPacks = 200
	// maxHaves is how many known commits a fetch names.
	maxHaves = 256
	// firstRetry and lastRetry are how soon a remote that is down is asked again.
	firstRetry, lastRetry = time.Second, time.Minute
)

// mirror is a bare repository in Config.Dir that follows one branch of a remote.
// Only its owner, the goroutine that looks, writes to it.
type mirror struct {
	config Config
	at     address
	unlock func()
	// repo is nil until there is a whole and readable mirror.
	repo *repository
	// cloned is the commit for which the mirror was made.
	cloned plumbing.Hash
	// fault is why the mirror of before was set aside.
	fault error
	// after is when a remote that was busy wants to be asked.
	after time.Time
}

// newMirror takes a directory into possession.
func newMirror(c Config, at address) (*mirror, error) {
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("finding %s: %w", c.Dir, err)
	}
	c.Dir = dir
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the directory of the mirror: %w", err)
	}
	unlock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	m := &mirror{config: c, at: at, unlock: unlock}
	m.tidy()
	return m, nil
}

func (m *mirror) close() error {
	m.unlock()
	return nil
}

func (m *mirror) dir() string    { return filepath.Join(m.config.Dir, "mirror.git") }
func (m *mirror) next() string   { return filepath.Join(m.config.Dir, "mirror.next") }
func (m *mirror) old() string    { return filepath.Join(m.config.Dir, "mirror.old") }
func (m *mirror) damage() string { return filepath.Join(m.config.Dir, "mirror.damaged") }
func (m *mirror) source() string { return m.at.scheme + "://" + m.at.host + "/" + m.at.path }

// branch is the followed branch as a part of a reference's name.
func (m *mirror) branch() string { return url.PathEscape(cmp.Or(m.config.Branch, "HEAD")) }

// tidy removes what an earlier process left half done, and finishes an exchange of
// mirrors that it was killed in.
func (m *mirror) tidy() {
	if _, err := os.Stat(m.dir()); errors.Is(err, fs.ErrNotExist) {
		_ = os.Rename(m.old(), m.dir()) // there is none to come back to, usually
	}
	left, _ := filepath.Glob(filepath.Join(globbed(m.config.Dir), "incoming-*"))
	for _, name := range append(left, m.next(), m.old()) {
		_ = os.RemoveAll(name) // what stays is in the way later, and said then
	}
}

// globbed is a path for a pattern.
func globbed(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}

// servedRef has the commit that was last served of a branch.
func (m *mirror) servedRef() plumbing.ReferenceName {
	return plumbing.ReferenceName("refs/vksync/served/" + m.branch())
}

// tipRef has the commit that was last fetched of a branch.
func (m *mirror) tipRef() plumbing.ReferenceName {
	return plumbing.ReferenceName("refs/vksync/fetched/" + m.branch())
}

// resume finds what was served before the process started.
func (m *mirror) resume() (revisionOf, bool) {
	if _, err := os.Stat(m.dir()); err != nil {
		return revisionOf{}, false
	}
	if err := m.open(); err != nil {
		m.setAside(err)
		return revisionOf{}, false
	}
	if m.repo == nil {
		return revisionOf{}, false
	}
	tip, err := m.repo.tip(m.servedRef())
	return revisionOf{repo: m.repo, hash: tip, branch: cmp.Or(m.config.Branch, "HEAD")}, err == nil
}

// open opens the mirror, unless it is that of another remote.
func (m *mirror) open() error {
	repo, err := openRepository(m.at.shown, m.dir())
	if err != nil {
		return err
	}
	own, err := repo.git.Config()
	if err != nil {
		return err
	}
	if origin := own.Remotes["origin"]; origin == nil || len(origin.URLs) != 1 || origin.URLs[0] != m.source() {
		return os.RemoveAll(m.dir())
	}
	m.repo = repo
	return nil
}

// setAside takes a damaged mirror out of use. The last one is kept to be looked
// at.
func (m *mirror) setAside(because error) {
	m.repo, m.fault = nil, because
	_ = os.RemoveAll(m.damage())
	if err := os.Rename(m.dir(), m.damage()); err != nil {
		_ = os.RemoveAll(m.dir()) // a clone that finds it in its place says so
	}
}

// damaged sets the mirror aside when a revision could not be read from it, which
// the remote has whole: asking again will clone it. A revision that is unreadable
// in a fresh clone is the remote's own fault.
func (m *mirror) damaged(found revisionOf, because error) bool {
	if m.repo == nil || m.cloned == found.hash {
		return false
	}
	m.setAside(because)
	return true
}

// pause has jitter, so that many sources do not ask at once.
func (m *mirror) pause(failures int) time.Duration {
	wait := m.config.Poll
	if failures > 0 {
		wait = min(min(firstRetry, m.config.Poll)<<min(failures-1, 20), max(lastRetry, m.config.Poll))
	}
	wait += time.Duration((rand.Float64() - 0.5) / 5 * float64(wait))
	return max(wait, time.Until(m.after))
}

// served remembers the commit for the next start.
func (m *mirror) served(found revisionOf) error {
	if err := m.repo.point(m.servedRef(), found.hash); err != nil {
		return fmt.Errorf("writing to the mirror: %w", err)
	}
	return nil
}

// latest asks the remote for the branch and fetches what is new.
func (m *mirror) latest(ctx context.Context) (revisionOf, error) {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	var used secrets
	found, err := m.ask(ctx, used.add)
	var later busy
	if errors.As(err, &later) {
		m.after = time.Now().Add(later.after)
	}
	if err != nil && m.fault != nil {
		err = fmt.Errorf("%w; the mirror was damaged and must be cloned anew (%w)", err, m.fault)
	}
	return found, used.scrub(err)
}

func (m *mirror) ask(ctx context.Context, hide func(string)) (revisionOf, error) {
	s, err := m.session(ctx, hide)
	if err != nil {
		return revisionOf{}, fmt.Errorf("%s: %w", m.at.shown, err)
	}
	defer s.close()
	list, err := advertised(s)
	if err != nil {
		return revisionOf{}, fmt.Errorf("%s: %w", m.at.shown, err)
	}
	branch, tip, err := branchTip(list, m.config.Branch, m.at.shown)
	if err != nil {
		return revisionOf{}, err
	}
	if err := m.fetch(ctx, s, list, tip); err != nil {
		return revisionOf{}, fmt.Errorf("%s: %w", m.at.shown, err)
	}
	return revisionOf{repo: m.repo, hash: tip, branch: branch}, nil
}

func (m *mirror) session(ctx context.Context, hide func(string)) (session, error) {
	if m.at.scheme == "ssh" {
		return openSSH(ctx, m.config, m.at, hide)
	}
	return openHTTP(ctx, m.config, m.at, hide)
}

// fetch makes a commit readable in the mirror.
func (m *mirror) fetch(ctx context.Context, s session, list *packp.AdvRefs, tip plumbing.Hash) error {
	if m.repo != nil && m.repo.has(tip) {
		return m.repo.point(m.tipRef(), tip)
	}
	count, size := packs(m.dir())
	if m.repo == nil || count >= maxPacks {
		return m.clone(ctx, s, list, tip)
	}
	in, err := m.receive(ctx, s, list, tip, m.config.Limits.MirrorBytes-size)
	if err != nil {
		return err
	}
	defer in.discard()
	if err := in.install(m.dir()); err != nil {
		return err
	}
	m.repo.refresh()
	return m.repo.point(m.tipRef(), tip)
}

func (m *mirror) receive(ctx context.Context, s session, list *packp.AdvRefs, tip plumbing.Hash, room int64) (*incoming, error) {
	var haves []plumbing.Hash
	if m.repo != nil && room < m.config.Limits.MirrorBytes {
		haves = m.repo.recent(m.tipRef(), m.servedRef())
	}
	from, err := pack(s, list, tip, haves)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	return receive(ctx, from, m.config.Dir, room, m.config.Limits)
}
