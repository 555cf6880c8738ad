package vcenter

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
)

// serveSOAP puts each call of a client, with the tasks that it starts, between two
// direct calls: vcsim reads lists of objects without a lock while it makes a view,
// and a VM that is being made has no name. A wait for updates is let through,
// since it may last.
func (v *VCenter) serveSOAP(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		v.direct.Lock()
		v.tell()
		if bytes.Contains(body, []byte("WaitForUpdates")) {
			defer v.events.follow()()
			v.direct.Unlock()
		} else {
			defer v.direct.Unlock()
			defer v.tasks.waitAsked()
		}
		// A panic in vcsim is an answer, not a cut connection.
		defer func() {
			if p := recover(); p != nil {
				http.Error(w, fmt.Sprintf("simulator fault: %v", p), http.StatusInternalServerError)
			}
		}()
		next.ServeHTTP(w, r)
	})
}
