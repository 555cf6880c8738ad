package gate

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"time"
)

// Fault is what happens to one request. The first field that is set counts; the
// zero Fault is none.
type Fault struct {
	// Reset cuts the connection before anything is answered.
	Reset bool
	// Lost does what the request asks for and then cuts the connection, so that
	// the client does not learn of it.
	Lost bool
	// Hang answers nothing until the client gives up or the endpoint goes down.
	Hang bool
	// Truncate does what the request asks for and cuts the connection after so
	// many bytes of the answer's body, which must not be a watch.
	Truncate int
	// Status answers with this code, and with RetryAfter in the header
	// Retry-After where it is set, rounded up to seconds. On the Supervisor the
	// body is the Status that an API server gives with the code.
	Status     int
	RetryAfter time.Duration
}

// Refuse answers a request with a Fault's Status.
type Refuse func(w http.ResponseWriter, code int)

// Fail has every request go through f, whose answer nil lets it pass. f may read
// the body of the request, and is called by many goroutines. Nil ends it.
func (e *Endpoint) Fail(f func(*http.Request) *Fault) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fail = f
}

// disturb does to a request what fail says, and reports whether that was anything.
func (e *Endpoint) disturb(fail func(*http.Request) *Fault, w http.ResponseWriter, r *http.Request) bool {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return true // the client has gone
	}
	asked := r.Clone(r.Context())
	asked.Body, r.Body = io.NopCloser(bytes.NewReader(body)), io.NopCloser(bytes.NewReader(body))
	f := fail(asked)
	switch {
	case f == nil || *f == (Fault{}):
		return false
	case f.Reset:
		cut(r)
	case f.Lost:
		e.handler.ServeHTTP(httptest.NewRecorder(), r)
		cut(r)
	case f.Hang:
		<-r.Context().Done()
		cut(r)
	case f.Truncate > 0:
		truncate(w, r, e.handler, f.Truncate)
	default:
		if f.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int((f.RetryAfter+time.Second-1)/time.Second)))
		}
		e.refuse(w, f.Status)
	}
	return true
}

// connection is where a request's context has the connection it came by.
type connection struct{}

// cut ends the connection with a reset, and with it whatever else is under way on
// it: over HTTP/2 that is all of the client's requests.
func cut(r *http.Request) {
	if conn, ok := r.Context().Value(connection{}).(net.Conn); ok {
		if tcp, ok := netConn(conn).(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // if not, the client sees an end of file, which is as good
		}
		_ = netConn(conn).Close()
	}
	panic(http.ErrAbortHandler)
}

// netConn is what is below TLS.
func netConn(c net.Conn) net.Conn {
	if below, ok := c.(interface{ NetConn() net.Conn }); ok {
		return below.NetConn()
	}
	return c
}

func truncate(w http.ResponseWriter, r *http.Request, handler http.Handler, limit int) {
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, r)
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	whole := answer.Body.Bytes()
	w.Header().Set("Content-Length", strconv.Itoa(len(whole)))
	w.WriteHeader(answer.Code)
	_, _ = w.Write(whole[:min(limit, len(whole))])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler) // closes the connection behind what was written
}

// reasons are what an API server says with a code.
var reasons = map[int][2]string{
	http.StatusUnauthorized:        {"Unauthorized", "Unauthorized"},
	http.StatusForbidden:           {"Forbidden", "forbidden: simulated"},
	http.StatusConflict:            {"Conflict", "Operation cannot be fulfilled: the object has been modified; please apply your changes to the latest version and try again"},
	http.StatusGone:                {"Expired", "The resourceVersion for the provided watch is too old."},
	http.StatusTooManyRequests:     {"TooManyRequests", "the server has received too many requests and has asked us to try again later"},
	http.StatusInternalServerError: {"InternalError", "Internal error occurred: simulated"},
	http.StatusServiceUnavailable:  {"ServiceUnavailable", "the server is currently unable to handle the request"},
	http.StatusGatewayTimeout:      {"Timeout", "the server was unable to return a response in the time allotted"},
}

// Plain refuses with the text of the code.
func Plain(w http.ResponseWriter, code int) { http.Error(w, http.StatusText(code), code) }

// Status refuses with the Status that an API server gives with the code.
func Status(w http.ResponseWriter, code int) {
	said, ok := reasons[code]
	if !ok {
		said = [2]string{"", http.StatusText(code)}
	}
	writeStatus(w, code, said[0], said[1])
}
