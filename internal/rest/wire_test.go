package rest

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
)

// wireServer speaks TCP on loopback. It counts the requests that arrived whole: a panel may have carried those out.
type wireServer struct {
	net.Listener
	received atomic.Int32
	wg       sync.WaitGroup
}

// serve gives each connection to behave, until the test ends.
func serve(t *testing.T, behave func(*wireServer, *net.TCPConn)) *wireServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &wireServer{Listener: l}
	s.wg.Add(1)
	go func() {
		defer s.wg.Done()
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.wg.Add(1)
			go func() {
				defer s.wg.Done()
				defer func() { _ = conn.Close() }()
				_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
				if tcp, ok := conn.(*net.TCPConn); ok {
					behave(s, tcp)
				}
			}()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); s.wg.Wait() })
	return s
}

// receive reads one whole request.
func (s *wireServer) receive(conn io.Reader) bool {
	r, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return false
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return false
	}
	s.received.Add(1)
	return true
}

func reset(conn *net.TCPConn) {
	_ = conn.SetLinger(0)
	_ = conn.Close()
}

func send(text string) func(*wireServer, *net.TCPConn) {
	return func(s *wireServer, conn *net.TCPConn) {
		if s.receive(conn) {
			_, _ = io.WriteString(conn, text)
		}
	}
}

// untilClosed waits until the client gives up.
func untilClosed(conn *net.TCPConn) { _, _ = io.Copy(io.Discard, conn) }

const (
	goodAnswer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{\"id\":7}"
	htmlAnswer = "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 22\r\n\r\n<html>Bad Gateway</ht>"
)

type wireWant struct {
	attempts int
	maybe    bool
	kind     provisioning.Kind
}

type scenario struct {
	name            string
	behave          func(*wireServer, *net.TCPConn)
	scheme          string // "http" unless set
	read, set, once wireWant
	status          int
	received        [3]int32 // whole requests, by class
	hangs           bool     // it ends by the attempt timeout
}

func hanging(s scenario) scenario {
	s.hangs = true
	return s
}

func scenarios() []scenario {
	const gone, route = provisioning.Unavailable, provisioning.NoRoute
	unsent := func(n int) (r, s, o wireWant) {
		return wireWant{n, false, gone}, wireWant{n, false, gone}, wireWant{n, false, gone}
	}
	lost := func() (r, s, o wireWant) {
		return wireWant{3, false, gone}, wireWant{3, true, gone}, wireWant{1, true, gone}
	}
	all := func(name, scheme string, status int, behave func(*wireServer, *net.TCPConn), received [3]int32) func(r, s, o wireWant) scenario {
		return func(r, s, o wireWant) scenario {
			return scenario{name: name, behave: behave, scheme: scheme, read: r, set: s, once: o, status: status, received: received}
		}
	}
	return []scenario{
		all("connection refused", "http", 0, nil, [3]int32{})(unsent(3)),
		all("TLS handshake cut", "https", 0, func(_ *wireServer, c *net.TCPConn) {
			_, _ = io.ReadFull(c, make([]byte, 50))
			reset(c)
		}, [3]int32{})(unsent(3)),
		hanging(all("TLS handshake hangs", "https", 0, func(_ *wireServer, c *net.TCPConn) { untilClosed(c) }, [3]int32{})(unsent(3))),
		all("https to a port that speaks http", "https", 0, func(_ *wireServer, c *net.TCPConn) {
			_, _ = io.ReadFull(c, make([]byte, 50))
			_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
		}, [3]int32{})(unsent(1)),
		all("certificate of an unknown CA", "https", 0, func(_ *wireServer, c *net.TCPConn) {
			s := tls.Server(c, testCertificate())
			_ = s.Handshake()
		}, [3]int32{})(unsent(1)),
		all("reset after the first bytes", "http", 0, func(_ *wireServer, c *net.TCPConn) {
			_, _ = io.ReadFull(c, make([]byte, 10))
			reset(c)
		}, [3]int32{})(lost()),
		all("reset after the request", "http", 0, func(s *wireServer, c *net.TCPConn) { s.receive(c); reset(c) }, [3]int32{3, 3, 1})(lost()),
		all("closed after the request", "http", 0, func(s *wireServer, c *net.TCPConn) { s.receive(c) }, [3]int32{3, 3, 1})(lost()),
		all("half a status line", "http", 0, send("HTTP/1.1 20"), [3]int32{3, 3, 1})(lost()),
		all("not HTTP at all", "http", 0, send("220 smtp.example ESMTP\r\n"), [3]int32{3, 3, 1})(lost()),
		hanging(all("silence", "http", 0, func(s *wireServer, c *net.TCPConn) { s.receive(c); untilClosed(c) }, [3]int32{3, 3, 1})(lost())),
		all("a body that is cut", "http", 200, send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"id\":7"), [3]int32{3, 3, 1})(lost()),
		all("a chunked body that is cut", "http", 200, send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"id\"\r\n"), [3]int32{3, 3, 1})(lost()),
		hanging(all("a body that hangs", "http", 200, func(s *wireServer, c *net.TCPConn) {
			send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"id\":7")(s, c)
			untilClosed(c)
		}, [3]int32{3, 3, 1})(lost())),
		all("502 with a page", "http", 502, send(htmlAnswer), [3]int32{3, 3, 1})(lost()),
		all("a redirect", "http", 307, send("HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"), [3]int32{1, 1, 1})(
			wireWant{1, false, route}, wireWant{1, false, route}, wireWant{1, false, route}),
		all("a page instead of JSON", "http", 200, send("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"), [3]int32{1, 1, 1})(
			wireWant{1, false, route}, wireWant{1, true, route}, wireWant{1, true, route}),
		all("a success without a body", "http", 204, send("HTTP/1.1 204 No Content\r\n\r\n"), [3]int32{1, 1, 1})(
			wireWant{1, false, provisioning.Unexpected}, wireWant{1, true, provisioning.Unexpected}, wireWant{1, true, provisioning.Unexpected}),
	}
}

var testCertificate = sync.OnceValue(func() *tls.Config {
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	defer s.Close()
	return s.TLS
})

func wireClient(t *testing.T, base string, opts ...Option) *Client {
	t.Helper()
	transport, ok := http.DefaultTransport.(*http.Transport)
	require.True(t, ok)
	transport = transport.Clone()
	t.Cleanup(transport.CloseIdleConnections)
	c, err := New(testPanel(), base, append([]Option{
		WithHTTPClient(&http.Client{Transport: transport}), WithRetry(RetryPolicy{MaxAttempts: 3, BaseDelay: time.Millisecond, MaxDelay: 2 * time.Millisecond}),
		WithAttemptTimeout(5 * time.Second),
	}, opts...)...)
	require.NoError(t, err)
	return c
}

func TestEveryOutcomeOverRealSockets(t *testing.T) {
	t.Parallel()
	for _, sc := range scenarios() {
		for class, w := range map[Class]wireWant{Read: sc.read, Set: sc.set, Once: sc.once} {
			t.Run(sc.name+"/"+classNames[class], func(t *testing.T) {
				t.Parallel()
				s := serve(t, func(s *wireServer, c *net.TCPConn) { sc.behave(s, c) })
				if sc.behave == nil {
					_ = s.Close()
				}
				var options []CallOption
				if sc.hangs {
					options = append(options, AttemptTimeout(200*time.Millisecond))
				}
				e := failed(t, wireClient(t, sc.scheme+"://"+s.Addr().String()).Do(t.Context(), callOf(class, new(server)), options...))
				assert.Equal(t, w.attempts, e.Attempts, "%v", e)
				assert.Equal(t, w.maybe, e.MaybeApplied, "%v", e)
				assert.Equal(t, w.kind, e.Kind, "%v", e)
				assert.Equal(t, sc.status, e.Status, "%v", e)
				assert.NotErrorIs(t, e, context.DeadlineExceeded)
				if sc.hangs { // a slow machine may not get the request across in time
					assert.LessOrEqual(t, s.received.Load(), sc.received[class])
				} else {
					assert.Equal(t, sc.received[class], s.received.Load())
				}
				if class == Once {
					assert.LessOrEqual(t, s.received.Load(), int32(1), "a create arrived twice")
				}
			})
		}
	}
}

// A connection that was kept alive dies under the second request: before it is read, while it is read, and after it was carried out.
func TestAKeptAliveConnectionThatDies(t *testing.T) {
	t.Parallel()
	for name, die := range map[string]func(*wireServer, *net.TCPConn, *bufio.Reader) bool{
		"closed while idle": func(*wireServer, *net.TCPConn, *bufio.Reader) bool { return true },
		"reset at the first byte": func(_ *wireServer, c *net.TCPConn, r *bufio.Reader) bool {
			_, _ = r.ReadByte()
			reset(c)
			return true
		},
		"reset after the request": func(s *wireServer, c *net.TCPConn, r *bufio.Reader) bool {
			s.receive(r)
			reset(c)
			return true
		},
		"closed after the request": func(s *wireServer, _ *net.TCPConn, r *bufio.Reader) bool { return s.receive(r) },
	} {
		for class, className := range classNames {
			t.Run(name+"/"+className, func(t *testing.T) {
				t.Parallel()
				var first atomic.Bool
				s := serve(t, func(s *wireServer, c *net.TCPConn) {
					r := bufio.NewReader(c)
					warmUp := first.CompareAndSwap(false, true)
					for {
						request, err := http.ReadRequest(r)
						if err != nil {
							return
						}
						_, _ = io.Copy(io.Discard, request.Body)
						if !warmUp {
							s.received.Add(1)
						}
						_, _ = io.WriteString(c, goodAnswer)
						if warmUp && die(s, c, r) {
							return
						}
					}
				})
				c := wireClient(t, "http://"+s.Addr().String())
				require.NoError(t, c.Do(t.Context(), readCall(new(server))))
				err := c.Do(t.Context(), callOf(class, new(server)))
				received := s.received.Load()
				if class != Once {
					assert.NoError(t, err)
					return
				}
				assert.LessOrEqual(t, received, int32(1), "a create arrived twice")
				if err != nil && received > 0 {
					assert.True(t, failed(t, err).MaybeApplied, "a create arrived and nobody says so: %v", err)
				}
				assert.False(t, err == nil && received == 0, "a create that never arrived counts as done")
			})
		}
	}
}

func TestARedirectIsNotFollowedAndCarriesNoCredentials(t *testing.T) {
	t.Parallel()
	var reached atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+"/?token=planted", status)
		}))
		for class := range classNames {
			e := failed(t, wireClient(t, s.URL).Do(t.Context(), callOf(class, new(server))))
			assert.Equal(t, provisioning.NoRoute, e.Kind)
			assert.Equal(t, status, e.Status)
			assert.Equal(t, 1, e.Attempts)
			assert.NotContains(t, e.Error(), "planted")
		}
		s.Close()
	}
	assert.Zero(t, reached.Load())
}

func TestOwnCertificatesCanBeTrusted(t *testing.T) {
	t.Parallel()
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var proto string
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				proto = r.Proto
				_, _ = io.WriteString(w, `{"id":7}`)
			}))
			s.EnableHTTP2 = http2
			s.Config.ErrorLog = log.New(io.Discard, "", 0)
			s.StartTLS()
			defer s.Close()
			e := failed(t, wireClient(t, s.URL).Do(t.Context(), onceCall(new(server))))
			assert.Contains(t, e.Error(), "certificate")
			assert.Empty(t, proto, "nothing was sent")
			c := wireClient(t, s.URL, WithRootCAs(certificatePEM(s)))
			require.NoError(t, c.Do(t.Context(), onceCall(new(server))))
			assert.Equal(t, map[bool]string{false: "HTTP/1.1", true: "HTTP/2.0"}[http2], proto)
		})
	}
}

// An HTTP/2 stream that is reset after the request has arrived leaves the same doubt as a connection that is.
func TestAnHTTP2StreamThatIsReset(t *testing.T) {
	t.Parallel()
	var received atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		received.Add(1)
		panic(http.ErrAbortHandler)
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	for class, want := range map[Class]wireWant{Read: {3, false, ""}, Set: {3, true, ""}, Once: {1, true, ""}} {
		received.Store(0)
		e := failed(t, wireClient(t, s.URL, WithRootCAs(certificatePEM(s))).Do(t.Context(), callOf(class, new(server))))
		assert.Equal(t, want.attempts, e.Attempts, "%v", e)
		assert.Equal(t, want.maybe, e.MaybeApplied)
		assert.Equal(t, int32(want.attempts), received.Load())
	}
}

// The time to send passes while the connection is made: what arrives is never a whole request.
func TestARequestIsNotWrittenAfterTheTimeToSendHasPassed(t *testing.T) {
	t.Parallel()
	s := serve(t, send(goodAnswer))
	dialer, notAfter := &net.Dialer{}, time.Now().Add(400*time.Millisecond)
	slow := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		<-time.After(time.Until(notAfter) + time.Millisecond)
		return dialer.DialContext(ctx, network, address)
	}}
	defer slow.CloseIdleConnections()
	c := wireClient(t, "http://"+s.Addr().String(), WithHTTPClient(&http.Client{Transport: slow}))
	e := failed(t, c.Do(t.Context(), onceCall(new(server)), NotAfter(notAfter)))
	assert.False(t, e.MaybeApplied)
	assert.Equal(t, provisioning.Unavailable, e.Kind)
	assert.Equal(t, 1, e.Attempts)
	assert.Zero(t, s.received.Load())
	require.NoError(t, c.Do(t.Context(), onceCall(new(server)), NotAfter(time.Now().Add(time.Minute))))
}
