//go:build !unix

package gate

// reserve leaves the port to whoever takes it.
func reserve(string) (release func()) { return func() {} }
