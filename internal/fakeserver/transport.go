package fakeserver

import (
	"context"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
)

// pipe is the way into a Server without a network: an http.Transport whose connections are net.Pipe, in front of an http.Server. It is the listener of that server too.
type pipe struct {
	server *Server
	conns  chan net.Conn
	http   *http.Server

	start   sync.Once
	ended   chan struct{} // closed when Serve has returned
	through *http.Transport
	refused *http.Transport // its dial fails
}

func newPipe(s *Server) *pipe {
	p := &pipe{server: s, conns: make(chan net.Conn), ended: make(chan struct{})}
	p.http = &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	p.through = &http.Transport{DialContext: p.dial, DialTLSContext: p.dial, MaxIdleConnsPerHost: 100}
	p.refused = &http.Transport{DialContext: p.refuse, DialTLSContext: p.refuse}
	return p
}

// RoundTrip asks the fault rules first: a refused request fails like a connection that nobody accepts, and nothing of it is sent.
func (p *pipe) RoundTrip(r *http.Request) (*http.Response, error) {
	p.start.Do(func() {
		go func() {
			defer close(p.ended)
			_ = p.http.Serve(p)
		}()
	})
	_, op, _ := p.server.find(r)
	fault, _ := p.server.faults.Next(op)
	if fault.Do == provisioningtest.Refuse {
		return p.refuseAfter(r, fault.Delay)
	}
	out := *r
	out.Header = r.Header.Clone()
	if out.Header == nil {
		out.Header = http.Header{}
	}
	out.Header.Set(ticketHeader, p.server.issue(fault))
	resp, err := p.through.RoundTrip(&out)
	if resp != nil {
		resp.Request = r
	}
	return resp, err
}

func (p *pipe) refuseAfter(r *http.Request, d time.Duration) (*http.Response, error) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.Context().Done():
	}
	return p.refused.RoundTrip(r)
}

// CloseIdleConnections lets http.Client.CloseIdleConnections work.
func (p *pipe) CloseIdleConnections() { p.through.CloseIdleConnections() }

func (p *pipe) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.conns <- far:
		return near, nil
	case <-p.server.done:
		return p.refuse(ctx, network, addr)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipe) refuse(_ context.Context, network, _ string) (net.Conn, error) {
	return nil, &net.OpError{Op: "dial", Net: network, Addr: p.Addr(), Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
}

// Accept implements net.Listener.
func (p *pipe) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.server.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener; the Server's own Close ends Accept.
func (p *pipe) Close() error { return nil }

// Addr implements net.Listener.
func (p *pipe) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "memory" }

// close ends the server and all connections. The done channel of the Server is closed already.
func (p *pipe) close() {
	_ = p.http.Close()
	p.start.Do(func() { close(p.ended) })
	<-p.ended
	p.through.CloseIdleConnections()
}
