package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
)

// Refused is an answer that will be the same when the same is asked again.
type Refused struct {
	// Code is the HTTP status; 0 where what answers is no daemon.
	Code int
	Text string
}

// Error says why, and what to do.
func (r *Refused) Error() string { return r.Text }

// maxReason is how much of an answer is quoted, in bytes.
const maxReason = 4 << 10

// refusal turns an answer that is no good one into an error.
func (c *Client) refusal(response *http.Response) error {
	said, _ := io.ReadAll(io.LimitReader(response.Body, maxReason)) // what there is of it
	text := strings.TrimSpace(strings.ToValidUTF8(string(said), ""))
	own := strings.HasPrefix(response.Header.Get("Content-Type"), "text/plain") && text != ""
	where := c.where()
	switch code := response.StatusCode; {
	case code == http.StatusUnauthorized && c.token == nil:
		return &Refused{code, where + " wants a token: give it with --token-file or VKSYNC_TOKEN"}
	case code == http.StatusUnauthorized:
		return &Refused{code, where + " does not take the token: it has to be the daemon's server.token"}
	case (code == http.StatusForbidden || code == http.StatusConflict) && own:
		return &Refused{code, where + " refuses: " + text}
	case code == http.StatusNotFound && own && strings.Contains(text, "streams fit"):
		return &Refused{code, where + ": " + text}
	case code == http.StatusBadRequest && strings.Contains(text, "HTTP request to an HTTPS server"):
		return &Refused{0, where + " speaks TLS: want https:// in the URL"}
	case code/100 == 5 && own:
		return fmt.Errorf("%s: %s: %s", where, response.Status, text)
	case code/100 == 5:
		return fmt.Errorf("%s: %s", where, response.Status)
	}
	return c.stranger("it answers " + response.Status)
}

// stranger is an answer that no daemon gives.
func (c *Client) stranger(because string) error {
	return &Refused{0, fmt.Sprintf("what answers at %s is not 'vksync run', or another version of it: %s", c.base.Redacted(), because)}
}

// unreachable says in few words why there is no answer.
func (c *Client) unreachable(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err
	}
	var timeout net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nothing listens at %s: %w", c.base.Redacted(), syscall.ECONNREFUSED)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%s does not answer", c.where())
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return &Refused{0, c.where() + " speaks no TLS: want http:// in the URL"}
	}
	return fmt.Errorf("%s cannot be asked: %w", c.where(), err)
}

// where is the daemon, for people.
func (c *Client) where() string { return "the daemon at " + c.base.Redacted() }
