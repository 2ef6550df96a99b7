package fakeserver

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
)

// ticketHeader carries the number of a decision that the in-memory transport took before it sent the request.
const ticketHeader = "Fakeserver-Ticket"

// decide returns the fault of a request: the one its ticket names, or the next of the rules. A ticket is good for one arrival; when net/http repeats a request by
// itself on another connection, the rules are asked again.
func (s *Server) decide(op string, h http.Header) provisioningtest.Fault {
	number := h.Get(ticketHeader)
	h.Del(ticketHeader)
	s.mu.Lock()
	fault, ok := s.tickets[number]
	delete(s.tickets, number)
	s.mu.Unlock()
	if ok {
		return fault
	}
	fault, _ = s.faults.Next(op)
	return fault
}

// issue stores a decision and returns its ticket.
func (s *Server) issue(f provisioningtest.Fault) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.issued++
	number := strconv.Itoa(s.issued)
	s.tickets[number] = f
	return number
}

// act carries a request out the way its fault says. commit runs the handler.
func (s *Server) act(w http.ResponseWriter, r *http.Request, f provisioningtest.Fault, commit func() *answer) {
	switch f.Do {
	case "", provisioningtest.Slow:
		a := commit()
		s.pause(a.delay)
		a.send(w)
	case provisioningtest.CutBefore:
		cut(w)
	case provisioningtest.CutAfter:
		commit()
		cut(w)
	case provisioningtest.CommitLate:
		s.later(f.Late, func() { commit() })
		cut(w)
	case provisioningtest.Answer:
		instead(f).send(w)
	case provisioningtest.AnswerLate:
		commit()
		instead(f).send(w)
	case provisioningtest.HTML:
		page(f).send(w)
	case provisioningtest.CutBody:
		commit().sendHalf(w)
	case provisioningtest.Hang:
		s.hang(r)
		cut(w)
	case provisioningtest.HangAfter:
		commit()
		s.hang(r)
		cut(w)
	default:
		http.Error(w, "fakeserver: unknown fault action "+string(f.Do), http.StatusNotImplemented)
	}
}

// hang waits until the client or the server gives up.
func (s *Server) hang(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-s.done:
	}
}

// later runs commit after d, unless the server is closed before.
func (s *Server) later(d time.Duration, commit func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	var t *time.Timer
	t = time.AfterFunc(d, func() {
		if !s.enter() {
			return
		}
		defer s.running.Done()
		s.mu.Lock()
		delete(s.late, t)
		s.mu.Unlock()
		commit()
	})
	s.late[t] = struct{}{}
}

// instead is the answer that the rule gives, status 500 when it names none.
func instead(f provisioningtest.Fault) *answer {
	a := &answer{header: http.Header{}, status: cmp.Or(f.Status, http.StatusInternalServerError)}
	switch {
	case strings.HasPrefix(f.Body, "{"), strings.HasPrefix(f.Body, "["):
		a.header.Set("Content-Type", "application/json")
	case f.Body != "":
		a.header.Set("Content-Type", "text/plain; charset=utf-8")
	}
	a.retryAfter(f)
	a.body.WriteString(f.Body)
	return a
}

// page is what a proxy in front of a panel answers.
func page(f provisioningtest.Fault) *answer {
	a := &answer{header: http.Header{"Content-Type": {"text/html"}, "Server": {"nginx"}}, status: cmp.Or(f.Status, http.StatusBadGateway)}
	a.retryAfter(f)
	a.body.WriteString(cmp.Or(f.Body, HTMLPage(a.status)))
	return a
}

// HTMLPage is the error page of nginx for a status.
func HTMLPage(status int) string {
	title := fmt.Sprintf("%d %s", status, http.StatusText(status))
	return "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" + title + "</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
}

// cut closes the connection of a request without an answer.
func cut(w http.ResponseWriter) {
	if conn := hijack(w); conn != nil {
		_ = conn.Close()
	}
}

// reset closes it so that the other side of a TCP connection sees a reset.
func reset(w http.ResponseWriter) {
	conn := hijack(w)
	if conn == nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// hijack takes the connection over. Where that is impossible (HTTP/2, a recorder) it says so in the answer and returns nil.
func hijack(w http.ResponseWriter) net.Conn {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, "fakeserver: this connection cannot be closed: "+err.Error(), http.StatusNotImplemented)
		return nil
	}
	return conn
}
