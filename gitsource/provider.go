package gitsource

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxSkew is how far the time that a forge signed with may be off.
const maxSkew = 5 * time.Minute

// provider is how one kind of forge signs and words its deliveries (cue-git.md 2.1).
type provider struct {
	// authentic checks the signature over the body as it came.
	authentic func(header http.Header, body []byte, secret string, now time.Time) bool
	// event has the kind of the delivery, and id what tells it from others.
	event, id []string
	// pushes are the kinds that can change a branch.
	pushes []string
}

var providers = map[string]provider{
	"github": {
		authentic: signedHex("sha256=", "X-Hub-Signature-256"),
		event:     []string{"X-GitHub-Event"}, id: []string{"X-GitHub-Delivery"},
		pushes: []string{"push", "create", "delete"},
	},
	"gitlab": {
		authentic: signedGitLab,
		event:     []string{"X-Gitlab-Event"}, id: []string{"webhook-id", "Idempotency-Key", "X-Gitlab-Event-UUID"},
		pushes: []string{"Push Hook", "System Hook"},
	},
	"gitea":   giteaLike,
	"forgejo": giteaLike,
	"bitbucket": {
		authentic: signedHex("sha256=", "X-Hub-Signature"),
		event:     []string{"X-Event-Key"}, id: []string{"X-Request-UUID", "X-Request-Id"},
		pushes: []string{"repo:push", "repo:refs_changed"},
	},
}

var giteaLike = provider{
	authentic: signedHex("", "X-Forgejo-Signature", "X-Gitea-Signature"),
	event:     []string{"X-Forgejo-Event", "X-Gitea-Event"}, id: []string{"X-Forgejo-Delivery", "X-Gitea-Delivery"},
	pushes: []string{"push", "create", "delete"},
}

// signedHex finds the code in the first of some headers that is there.
func signedHex(prefix string, names ...string) func(http.Header, []byte, string, time.Time) bool {
	return func(header http.Header, body []byte, secret string, _ time.Time) bool {
		value, ok := strings.CutPrefix(first(header, names), prefix)
		got, err := hex.DecodeString(value)
		return ok && err == nil && hmac.Equal(got, mac(secret, string(body)))
	}
}

// signedGitLab takes the signing form when it is there, else the plain token. A
// signing secret is "whsec_" and base64.
func signedGitLab(header http.Header, body []byte, secret string, now time.Time) bool {
	signatures := header.Get("webhook-signature")
	if signatures == "" {
		got, want := sha256.Sum256([]byte(header.Get("X-Gitlab-Token"))), sha256.Sum256([]byte(secret))
		return subtle.ConstantTimeCompare(got[:], want[:]) == 1
	}
	id, stamp := header.Get("webhook-id"), header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > maxSkew {
		return false
	}
	if encoded, ok := strings.CutPrefix(secret, "whsec_"); ok {
		if key, err := base64.StdEncoding.DecodeString(encoded); err == nil {
			secret = string(key)
		}
	}
	for signature := range strings.FieldsSeq(signatures) {
		encoded, ok := strings.CutPrefix(signature, "v1,")
		got, err := base64.StdEncoding.DecodeString(encoded)
		if ok && err == nil && hmac.Equal(got, mac(secret, id, ".", stamp, ".", string(body))) {
			return true
		}
	}
	return false
}

func first(header http.Header, names []string) string {
	for _, name := range names {
		if value := header.Get(name); value != "" {
			return value
		}
	}
	return ""
}

// read says what an authentic delivery is about. That of a kind which changes no
// branch need not be understood.
func (p provider) read(header http.Header, body []byte) (news, error) {
	event := first(header, p.event)
	n := news{id: first(header, p.id)}
	for _, push := range p.pushes {
		n.push = n.push || event == push
	}
	if !n.push {
		return n, nil
	}
	text, err := payload(header, body)
	if err != nil {
		return n, err
	}
	var said delivery
	if err := json.Unmarshal(text, &said); err != nil {
		return n, errors.New("the body is not the JSON of a push")
	}
	n.push, n.refs = said.changes(event), said.refs()
	return n, nil
}

// payload is the JSON of a body: all of it, or GitHub's and Gitea's form field.
func payload(header http.Header, body []byte) ([]byte, error) {
	kind, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return body, nil
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, errors.New("the body is not a form")
	}
	return []byte(form.Get("payload")), nil
}

// delivery has what the forges' pushes say of references, each in its own place.
type delivery struct {
	// GitHub, GitLab, Gitea and Forgejo; short in a create or delete event.
	Ref     string `json:"ref"`
	RefType string `json:"ref_type"`
	// GitLab's system hooks, which are of many kinds.
	EventName string `json:"event_name"`
	Changes   []struct {
		// GitLab's repository_update.
		Ref json.RawMessage `json:"ref"`
		// Bitbucket Data Center: the same as an identifier.
		RefID string `json:"refId"`
	} `json:"changes"`
	// Bitbucket Cloud; old is set for a deleted branch, new for a made one.
	Push struct {
		Changes []struct {
			New, Old *struct{ Type, Name string }
		} `json:"changes"`
	} `json:"push"`
}

// changes says whether branches can have changed by a system hook.
func (d delivery) changes(event string) bool {
	return event != "System Hook" || d.EventName == "push" || d.EventName == "repository_update"
}

// refs are the full names of the changed references.
func (d delivery) refs() []string {
	var refs []string
	switch {
	case d.RefType == "branch" && !strings.HasPrefix(d.Ref, "refs/"):
		refs = append(refs, "refs/heads/"+d.Ref)
	case d.RefType != "" && d.RefType != "branch":
		refs = append(refs, "refs/tags/"+d.Ref)
	case d.Ref != "":
		refs = append(refs, d.Ref)
	}
	for _, c := range d.Changes {
		if c.RefID == "" {
			return nil // a form that is not known may concern any branch
		}
		refs = append(refs, c.RefID)
	}
	for _, c := range d.Push.Changes {
		if c.New == nil && c.Old == nil {
			return nil
		}
		for _, side := range []*struct{ Type, Name string }{c.New, c.Old} {
			switch {
			case side == nil:
			case side.Type == "tag" || side.Type == "annotated_tag":
				refs = append(refs, "refs/tags/"+side.Name)
			default:
				refs = append(refs, "refs/heads/"+side.Name)
			}
		}
	}
	return refs
}
