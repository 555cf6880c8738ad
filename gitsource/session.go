package gitsource

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
)

// maxAdvertised bounds the list of references a remote sends.
const maxAdvertised = 64 << 20

// session is one conversation with a remote's upload-pack.
type session interface {
	// advertisement is the remote's list of references. It comes first.
	advertisement() (io.Reader, error)
	// ask sends a request and returns the answer.
	ask(request []byte) (io.ReadCloser, error)
	// mishap is what the remote said besides, "" when it said nothing.
	mishap() string
	close()
}

// dialed limits how long a connection may be silent, whichever protocol is on it.
func dialed(ctx context.Context, network, host string, silence time.Duration) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: min(silence, 30*time.Second)}).DialContext(ctx, network, host)
	if err != nil {
		return nil, err
	}
	return impatient{conn, silence}, nil
}

type impatient struct {
	net.Conn
	silence time.Duration
}

func (c impatient) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.silence)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c impatient) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.silence)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// advertised reads which branches the remote has.
func advertised(s session) (*packp.AdvRefs, error) {
	from, err := s.advertisement()
	if err != nil {
		return nil, err
	}
	var start bytes.Buffer
	list := packp.NewAdvRefs()
	err = list.Decode(&limited{r: io.TeeReader(from, &firstOf{&start, 1 << 12}), left: maxAdvertised, of: "list of references"})
	var said *pktline.ErrorLine
	switch {
	case errors.Is(err, packp.ErrEmptyAdvRefs):
		return list, nil
	case errors.As(err, &said):
		return nil, fmt.Errorf("the server says: %s", printable(said.Text, 200))
	case err != nil && s.mishap() != "":
		return nil, fmt.Errorf("the server says: %s", s.mishap())
	case bytes.Contains(start.Bytes(), []byte("object-format=sha256")):
		return nil, errors.New("it is a SHA-256 repository, which cannot be read: give one with SHA-1 objects")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errors.New("reading its references: the connection ended before all were there")
	case err != nil:
		return nil, fmt.Errorf("reading its references: %w", err)
	}
	return list, nil
}

// branchTip finds the followed branch among what a remote advertises; "" is the
// one that its HEAD names.
func branchTip(a *packp.AdvRefs, branch, shown string) (name string, tip plumbing.Hash, err error) {
	name = branch
	if branch == "" {
		for _, ref := range a.Capabilities.Get(capability.SymRef) {
			if target, ok := strings.CutPrefix(ref, "HEAD:refs/heads/"); ok {
				name = target
			}
		}
		if name == "" && a.Head != nil {
			return "HEAD", *a.Head, nil
		}
	}
	if tip, there := a.References["refs/heads/"+name]; there {
		return name, tip, nil
	}
	var branches []string
	for ref := range a.References {
		if b, ok := strings.CutPrefix(ref, "refs/heads/"); ok {
			branches = append(branches, b)
		}
	}
	if name == "" {
		name = "main"
	}
	return "", tip, noBranch(name, shown, branches)
}

// pack asks for the commit and what it needs that haves do not reach.
func pack(s session, a *packp.AdvRefs, want plumbing.Hash, haves []plumbing.Hash) (io.ReadCloser, error) {
	request := packp.NewUploadPackRequest()
	request.Wants, request.Haves = []plumbing.Hash{want}, haves
	for _, c := range []capability.Capability{capability.OFSDelta, capability.Sideband64k, capability.NoProgress} {
		if a.Capabilities.Supports(c) {
			if err := request.Capabilities.Set(c); err != nil {
				return nil, err
			}
		}
	}
	if a.Capabilities.Supports(capability.Agent) {
		if err := request.Capabilities.Set(capability.Agent, "vksync"); err != nil {
			return nil, err
		}
	}
	var body bytes.Buffer
	if err := request.UploadRequest.Encode(&body); err != nil {
		return nil, err
	}
	if err := request.UploadHaves.Encode(&body, false); err != nil {
		return nil, err
	}
	if err := pktline.NewEncoder(&body).EncodeString("done\n"); err != nil {
		return nil, err
	}
	answer, err := s.ask(body.Bytes())
	if err != nil {
		return nil, err
	}
	response := packp.NewUploadPackResponse(request)
	if err := response.Decode(answer); err != nil {
		answer.Close()
		if s.mishap() != "" {
			return nil, fmt.Errorf("the server says: %s", s.mishap())
		}
		return nil, fmt.Errorf("asking for commit %.12s: %w", want.String(), err)
	}
	if !request.Capabilities.Supports(capability.Sideband64k) {
		return response, nil
	}
	return struct {
		io.Reader
		io.Closer
	}{sideband.NewDemuxer(sideband.Sideband64k, response), response}, nil
}

// limited fails, rather than ends, when more is read than there may be.
type limited struct {
	r    io.Reader
	left int64
	of   string
}

type tooMuch struct{ of string }

func (t tooMuch) Error() string { return "the " + t.of + " is larger than allowed" }

func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, tooMuch{l.of}
	}
	n, err := l.r.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	return n, err
}

// firstOf keeps the first bytes written to it.
type firstOf struct {
	to   *bytes.Buffer
	left int
}

func (f *firstOf) Write(p []byte) (int, error) {
	n := min(len(p), f.left)
	f.to.Write(p[:n])
	f.left -= n
	return len(p), nil
}
