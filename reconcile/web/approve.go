package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/vksync/vksync/reconcile"
)

// An approval is what a client posts to /api/v1/approve: the digest of the plan
// that it has seen waiting.
type approval struct {
	Source     string `json:"source"`
	Supervisor string `json:"supervisor"`
	Digest     string `json:"digest"`
}

// maxApproval bounds an approval, in bytes.
const maxApproval = 4 << 10

// approve takes an approval from who has the token. That a client runs on this
// machine is enough to read, and not to have something done.
func (o Options) approve(w http.ResponseWriter, r *http.Request) {
	var a approval
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxApproval))
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil || a.Source == "" || a.Supervisor == "" || a.Digest == "" {
		answer(w, http.StatusBadRequest, `an approval is {"source": NAME, "supervisor": NAME, "digest": DIGEST}`)
		return
	}
	switch err := o.Approve(r.Context(), a.Source, a.Supervisor, a.Digest); {
	case err == nil:
		answer(w, http.StatusAccepted, "approved: "+a.Digest)
	case errors.Is(err, reconcile.ErrNotPending):
		answer(w, http.StatusConflict, err.Error())
	default:
		answer(w, http.StatusBadGateway, "the approval was not written: "+err.Error())
	}
}

// trusted lets only those in who have the token. To those on this machine, who
// may read the status, it says how to approve without one.
func (o Options) trusted(next http.Handler) http.Handler {
	return o.private(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if o.Token != nil && o.Approve != nil {
			next.ServeHTTP(w, r)
			return
		}
		text := "approving here takes a token: set server.token in the daemon's configuration, or annotate the ConfigMap"
		for _, l := range o.Status().Loops {
			if l.Approve != "" {
				text += fmt.Sprintf("\n%s/%s: %s", l.Source, l.Supervisor, l.Approve)
			}
		}
		answer(w, http.StatusForbidden, text)
	}))
}
