package rest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/hvpanels/hvpanels/provisioning"
)

var (
	errAttemptTimeout = errors.New("no complete answer within the time limit of one attempt")
	errTooLate        = errors.New("not sent: the time until which it may be sent has passed")
)

// call is the state of one call. It is the RoundTripper and all hooks of a retryablehttp.Client of its own, so that one place sees every attempt and nothing
// travels through contexts. It must not have a method CloseIdleConnections: the library would close the caller's connections after each failed call.
type call struct {
	*core
	Call
	ctx   context.Context // the caller's
	opt   callOptions
	class Class // Call.Class, unless the caller declared the write as repeatable

	path, query string
	body        []byte
	client      http.Client
	loop        retryablehttp.Client

	attempts, logins int
	doubt            bool  // an attempt may have been applied
	stop             error // why no further attempt was started, other than by the retry table
	pausing          bool
	pause            time.Duration

	attempt
}

// attempt is what is known about the last attempt that was started.
type attempt struct {
	inFlight   bool
	started    time.Time
	ctx        context.Context
	cancel     context.CancelFunc
	wire       *wire // nil for Read, where it makes no difference
	sent       http.Header
	err        error // from the transport
	status     int
	header     http.Header
	happened   event
	retryAfter time.Duration
	kind       provisioning.Kind
	message    string
	fields     map[string][]string
	cause      error
}

// wire tells whether a request may have reached the server. Each attempt has its own, because a transport may still be busy with one that was given up.
type wire struct {
	asked atomic.Bool // net/http's transport looked for a connection
	got   atomic.Bool // it got one: the request may be on its way
	late  atomic.Bool // the body was refused because the time to send had passed: the server never had the whole request
}

// run makes the attempts. What came of them is in cl.
func (cl *call) run(req *http.Request) {
	cl.client = http.Client{Transport: cl, Jar: cl.jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	cl.loop = retryablehttp.Client{
		HTTPClient: &cl.client, RetryMax: math.MaxInt32, CheckRetry: cl.checkRetry, Backoff: cl.backoff, ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	r := &retryablehttp.Request{Request: req}
	if cl.body != nil {
		if err := r.SetBody(cl.body); err != nil {
			cl.stop = err
			return
		}
	}
	r.SetResponseHandler(cl.answer)
	_, err := cl.loop.Do(r) //nolint:bodyclose // answer has closed it
	if cl.pausing && err != nil {
		cl.stop = cl.ctx.Err()
	}
}

// RoundTrip makes one attempt.
func (cl *call) RoundTrip(r *http.Request) (*http.Response, error) {
	cl.pausing = false
	header, err := cl.prepare(r)
	if err != nil {
		cl.stop = err
		return nil, err
	}
	timeout := cl.timeout
	if cl.opt.attemptTimeout > 0 {
		timeout = cl.opt.attemptTimeout
	}
	cl.attempt = attempt{inFlight: true, started: time.Now(), sent: header}
	cl.attempt.ctx, cl.cancel = context.WithTimeoutCause(cl.ctx, timeout, errAttemptTimeout)
	cl.attempts++
	out := r.WithContext(cl.watch())
	out.Header = header
	cl.guardBody(out)
	resp, err := cl.transport.RoundTrip(out)
	if err != nil {
		cl.err = err
		return nil, err
	}
	if resp != nil {
		cl.status, cl.header = resp.StatusCode, resp.Header
	}
	return resp, nil
}

// prepare does what has to be done before an attempt. Its error means that the attempt was not started.
func (cl *call) prepare(r *http.Request) (http.Header, error) {
	if cl.happened == expired {
		if err := cl.logIn(); err != nil {
			return nil, err
		}
	}
	if err := takeTurn(cl.ctx, cl.limiter, cl.latest()); err != nil {
		return nil, err
	}
	header, err := cl.headers(r)
	if err != nil {
		return nil, err
	}
	return header, cl.inTime()
}

// inTime says whether an attempt may start now.
func (cl *call) inTime() error {
	if err := cl.ctx.Err(); err != nil {
		return err
	}
	if !cl.opt.notAfter.IsZero() && time.Now().After(cl.opt.notAfter) {
		return &provisioning.Error{Kind: provisioning.Unavailable, Message: errTooLate.Error()}
	}
	return nil
}

// latest is the time after which no attempt may start, or zero.
func (cl *call) latest() time.Time {
	deadline, ok := cl.ctx.Deadline()
	if !ok || !cl.opt.notAfter.IsZero() && cl.opt.notAfter.Before(deadline) {
		return cl.opt.notAfter
	}
	return deadline
}

// watch returns the context of the attempt, for writes with the trace that shows whether the request may have been sent.
func (cl *call) watch() context.Context {
	if cl.class == Read {
		return cl.attempt.ctx
	}
	w := new(wire)
	cl.wire = w
	return httptrace.WithClientTrace(cl.attempt.ctx, &httptrace.ClientTrace{
		GetConn: func(string) { w.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { w.got.Store(true) },
	})
}

// guardBody makes the transport look at the clock once more when it begins to write the body, which may be long after the attempt was started: dialling takes
// time, and processes are paused.
func (cl *call) guardBody(out *http.Request) {
	if cl.opt.notAfter.IsZero() || cl.body == nil || cl.wire == nil {
		return
	}
	get, w, notAfter := out.GetBody, cl.wire, cl.opt.notAfter
	out.Body = &guardedBody{ReadCloser: out.Body, wire: w, notAfter: notAfter}
	out.GetBody = func() (io.ReadCloser, error) {
		b, err := get()
		return &guardedBody{ReadCloser: b, wire: w, notAfter: notAfter}, err
	}
}

type guardedBody struct {
	io.ReadCloser
	wire     *wire
	notAfter time.Time
	begun    bool
}

func (g *guardedBody) Read(p []byte) (int, error) {
	if !g.begun && time.Now().After(g.notAfter) {
		g.wire.late.Store(true)
		return 0, errTooLate
	}
	g.begun = true
	return g.ReadCloser.Read(p)
}

// answer is the library's response handler: it reads the answer, so that one that is cut off is an attempt like any other.
func (cl *call) answer(resp *http.Response) error {
	buf, _ := cl.buffers.Get().(*bytes.Buffer)
	err := readBody(buf, resp, cl.maxBody)
	if err != nil && !errors.Is(err, errTooLarge) {
		err = cl.why(err)
	}
	cl.cancel()
	_ = resp.Body.Close()
	resp.Body = http.NoBody
	cl.answered(buf.Bytes(), err)
	if buf.Cap() <= maxPooled {
		cl.buffers.Put(buf)
	}
	return nil
}

// answered judges an answer. body is the transport's: nothing may keep it.
func (cl *call) answered(body []byte, err error) {
	if c := cl.opt.capture; c != nil {
		c.Status, c.Header, c.Body = cl.status, cl.header, bytes.Clone(body)
	}
	cl.retryAfter = parseRetryAfter(cl.header.Get("Retry-After"), time.Now())
	cl.happened = cl.judge(body, err)
	cl.finish()
}

// unanswered judges an attempt that has no answer.
func (cl *call) unanswered(err error) {
	if cl.status/100 == 3 { // http.Client gave up on a Location it cannot read
		cl.cancel()
		cl.answered(nil, nil)
		return
	}
	if cl.err != nil {
		err = cl.err
	}
	cl.kind, cl.cause = provisioning.Unavailable, cl.why(err)
	cl.cancel()
	switch {
	case cl.wire != nil && cl.wire.late.Load():
		cl.happened, cl.cause = unsent, errTooLate
		cl.stop = &provisioning.Error{Kind: provisioning.Unavailable, Message: errTooLate.Error()}
	case isUntrusted(err):
		cl.happened = untrusted
	case cl.neverSent(err):
		cl.happened = unsent
	default:
		cl.happened = lost
	}
	cl.finish()
}

// finish closes an attempt: it keeps the doubt and writes the log line.
func (cl *call) finish() {
	cl.inFlight = false
	if cl.class != Read && cl.happened.doubtful() {
		cl.doubt = true
	}
	if cl.log == nil || !cl.log.Enabled(cl.ctx, slog.LevelDebug) {
		return
	}
	attrs := []slog.Attr{
		slog.String("panel", cl.panel.Name), slog.String("op", cl.Op), slog.String("method", cl.Method), slog.String("path", cl.path),
		slog.Int("attempt", cl.attempts), slog.Int("status", cl.status), slog.Duration("duration", time.Since(cl.started)),
	}
	if cl.happened != done {
		attrs = append(attrs, slog.String("kind", string(cl.kind)), slog.Bool("maybe_applied", cl.doubt))
	}
	cl.log.LogAttrs(cl.ctx, slog.LevelDebug, "panel call", attrs...)
}
