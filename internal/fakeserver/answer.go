package fakeserver

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
)

// answer is what a handler wrote.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
	delay  time.Duration
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) { a.status = cmp.Or(a.status, status) }

// Write implements http.ResponseWriter.
func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}

func (a *answer) retryAfter(f provisioningtest.Fault) {
	if f.RetryAfter != "" {
		a.header.Set("Retry-After", f.RetryAfter)
	}
}

// send writes the answer to the connection.
func (a *answer) send(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(cmp.Or(a.status, http.StatusOK))
	_, _ = w.Write(a.body.Bytes())
}

// sendHalf writes the head and half of the body, then closes the connection. Of an answer without a body it writes half of the head.
func (a *answer) sendHalf(w http.ResponseWriter) {
	conn := hijack(w)
	if conn == nil {
		return
	}
	defer func() { _ = conn.Close() }()
	status := cmp.Or(a.status, http.StatusOK)
	var head bytes.Buffer
	fmt.Fprintf(&head, "HTTP/1.1 %d %s\r\n", status, http.StatusText(status))
	_ = a.header.Write(&head)
	fmt.Fprintf(&head, "Content-Length: %d\r\n\r\n", a.body.Len())
	if a.body.Len() < 2 {
		_, _ = conn.Write(head.Bytes()[:head.Len()/2])
		return
	}
	_, _ = conn.Write(append(head.Bytes(), a.body.Bytes()[:a.body.Len()/2]...))
}

// WriteJSON writes an answer. A value that cannot become JSON is answered 500.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "fakeserver: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

// Delay lets the answer of a handler wait, after the handler has done its work. It works in handlers of a Server only.
func Delay(w http.ResponseWriter, d time.Duration) {
	if a, ok := w.(*answer); ok {
		a.delay = d
	}
}
