package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/vksync/vksync/simulate"
)

// sandboxFiles are what a sandbox writes for its clients: credentials, so only
// its user may read them.
type sandboxFiles struct {
	dir  string // absolute, so that the files are good everywhere
	lock *os.File
}

// The files. Whoever finds env finds the others, and a sandbox that answers.
const (
	sandboxLock       = "sandbox.lock"
	sandboxKubeconfig = "kubeconfig"
	sandboxCA         = "ca.pem"
	sandboxEnv        = "env"
)

var sandboxWrites = []string{sandboxEnv, sandboxKubeconfig, sandboxCA}

// newSandboxFiles makes the directory this sandbox's own until remove.
func newSandboxFiles(dir string) (*sandboxFiles, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("--dir: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, invalid(fmt.Errorf("--dir: %w; name a directory that can be written to", err))
	}
	f := &sandboxFiles{dir: dir}
	// What lies there without the lock file is not what a sandbox has left behind.
	if _, err := os.Lstat(f.path(sandboxLock)); errors.Is(err, fs.ErrNotExist) {
		for _, name := range sandboxWrites {
			if _, err := os.Lstat(f.path(name)); err == nil {
				return nil, invalid(fmt.Errorf("--dir %s: there is a file %s of somebody else; name another directory", dir, name))
			}
		}
	}
	if f.lock, err = os.OpenFile(f.path(sandboxLock), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, invalid(fmt.Errorf("--dir: %w; name a directory that can be written to", err))
	}
	if err := lockFile(f.lock); err != nil {
		return nil, invalid(errors.Join(fmt.Errorf("--dir %s is in use by another sandbox; name another directory, or end that one", dir), f.lock.Close()))
	}
	return f, nil
}

func (f *sandboxFiles) path(name string) string { return filepath.Join(f.dir, name) }

// write tells clients how to reach the sandbox, env last.
func (f *sandboxFiles) write(s *simulate.Served) error {
	kubeconfig, err := s.Kubeconfig()
	if err != nil {
		return fmt.Errorf("writing the kubeconfig: %w", err)
	}
	var env strings.Builder
	for _, v := range [][2]string{
		{"KUBECONFIG", f.path(sandboxKubeconfig)},
		{"GOVC_URL", s.VCenterURL()},
		{"GOVC_USERNAME", s.User},
		{"GOVC_PASSWORD", s.Password},
		{"GOVC_TLS_CA_CERTS", f.path(sandboxCA)},
		{"GOVC_INSECURE", "false"},
	} {
		fmt.Fprintf(&env, "export %s=%s\n", v[0], quoted(v[1]))
	}
	for _, file := range []struct {
		name    string
		content []byte
	}{{sandboxCA, s.CA}, {sandboxKubeconfig, kubeconfig}, {sandboxEnv, []byte(env.String())}} {
		if err := f.put(file.name, file.content); err != nil {
			return fmt.Errorf("writing the files of the sandbox: %w", err)
		}
	}
	return nil
}

// put writes a file that is there whole or not at all, and follows no link that
// somebody left in its place.
func (f *sandboxFiles) put(name string, content []byte) error {
	temporary, err := os.CreateTemp(f.dir, name+".*") // readable by its user only
	if err != nil {
		return err
	}
	_, err = temporary.Write(content)
	if err = errors.Join(err, temporary.Close()); err == nil {
		err = os.Rename(temporary.Name(), f.path(name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary.Name()))
	}
	return nil
}

// remove removes what write wrote, and the directory if nothing else is in it. It
// leaves alone what is another sandbox's, after somebody removed this one's files.
func (f *sandboxFiles) remove() error {
	own, ownErr := f.lock.Stat()
	there, thereErr := os.Lstat(f.path(sandboxLock))
	if ownErr != nil || thereErr != nil || !os.SameFile(own, there) {
		return f.lock.Close()
	}
	var errs []error
	for _, name := range append(sandboxWrites, sandboxLock) {
		if err := os.Remove(f.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	errs = append(errs, f.lock.Close())
	_ = os.Remove(f.dir) // stays when there is anything else in it
	return errors.Join(errs...)
}

// quoted is text as a word of a POSIX shell.
func quoted(text string) string {
	special := func(r rune) bool {
		return !strings.ContainsRune("/.-_:@%+=,", r) && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}
	if text != "" && !strings.ContainsFunc(text, special) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
