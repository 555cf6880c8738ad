//go:build !unix

package gitsource

// lockDir does nothing where there are no locks that end with the process.
func lockDir(string) (unlock func(), err error) { return func() {}, nil }
