package link

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// Error is why a read was given up, or why nothing was sent. It implements
// net.Error and is temporary. It has no chain: client-go repeats whatever it
// finds a reset connection in, and the Link has done that already. errors.Is
// sees through it.
type Error struct {
	Name     string // of the endpoint
	Attempts int    // how often it was tried; 0 is that nothing was sent
	Text     string // what went wrong the last time, without credentials
	// Retry is until when nothing is sent, when nothing was sent.
	Retry time.Time
	cause error
}

var _ net.Error = (*Error)(nil)

// Error is on one line.
func (e *Error) Error() string {
	switch {
	case e.Attempts == 0:
		return fmt.Sprintf("%s is not asked again before %s, after failures in a row: %s", e.Name, e.Retry.Format(time.TimeOnly), e.Text)
	case e.Attempts == 1:
		return fmt.Sprintf("%s: %s", e.Name, e.Text)
	}
	return fmt.Sprintf("%s: %s (tried %d times)", e.Name, e.Text, e.Attempts)
}

// Is says whether the cause is target.
func (e *Error) Is(target error) bool { return errors.Is(e.cause, target) }

// Timeout says whether the last attempt took too long.
func (e *Error) Timeout() bool { return isTimeout(e.cause) }

// Temporary is true: the same request may succeed later.
func (e *Error) Temporary() bool { return true }

// passing says whether err is a failure of the network, which may be over at the
// next attempt. Anything else, such as a certificate that nobody trusts, stays.
func passing(err error) bool {
	var untrusted *tls.CertificateVerificationError
	var network net.Error
	switch {
	case errors.As(err, &untrusted):
		return false
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe), errors.Is(err, net.ErrClosed):
		return true
	case errors.As(err, &network):
		return true
	}
	// net/http has errors without a type for connections that end at a bad time.
	text := err.Error()
	return strings.Contains(text, "server closed idle connection") || strings.Contains(text, "connection broken") ||
		strings.Contains(text, "GOAWAY") || strings.Contains(text, "http2: ") || cutStream(err)
}

// cutStream says whether the server, or a proxy before it, ended one request of a
// connection that goes on. net/http does not export the type of that error.
func cutStream(err error) bool { return strings.HasPrefix(err.Error(), "stream error: ") }

func isTimeout(err error) bool {
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &network) && network.Timeout()
}

// describe says what went wrong in words that neither hold credentials nor look
// like a failure that client-go repeats by itself.
func describe(err error) string {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return "the name " + dns.Name + " cannot be resolved: " + dns.Err
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection was refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the connection was reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe), errors.Is(err, net.ErrClosed), cutStream(err):
		return "the connection ended before the answer did"
	case isTimeout(err):
		return "no answer in time"
	}
	return Scrub(err.Error())
}

// describeStatus says what an answer with a failing status means.
func describeStatus(r *http.Response) string {
	return fmt.Sprintf("answered %d %s", r.StatusCode, http.StatusText(r.StatusCode))
}

// credentials are what may stand before the @ of a URL, and what follows an
// authorization scheme.
var credentials = []*regexp.Regexp{
	regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://)[^\s/"]*:?[^\s"]*@`),
	regexp.MustCompile(`(?i)\b(basic |bearer )[a-z0-9+/=._~-]{6,}`),
}

// Scrub hides the credentials in URLs and in authorization headers of a text.
func Scrub(text string) string {
	for _, pattern := range credentials {
		text = pattern.ReplaceAllString(text, "${1}(hidden)")
	}
	return text
}
