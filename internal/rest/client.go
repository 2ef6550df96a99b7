// Package rest is the one HTTP core of all panel clients: addresses, credentials, rate limit, repetition, errors and decoding. It tells the truth about writes:
// each call ends as done, as refused with a reason, or as one that may have been applied, and a write whose fate is unknown is never repeated if that could do
// it twice. Client.Do has the table.
//
// It is built on go-retryablehttp, which runs the loop; every decision is made here.
package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/hvpanels/hvpanels/provisioning"
)

// Version is the version of this module, as the User-Agent header tells it.
const Version = "0.1.0"

// Panel describes how one panel speaks HTTP. Each panel package has one.
type Panel struct {
	Name   string // first word of every error: "virtfusion"
	Prefix string // path of the API below the panel's address: "/api/v1". The base URL may come with or without it
	// Authorize sets the credentials on the headers of a request. It is called for every attempt, so that a changed key counts at once. A failure is final:
	// nothing is sent. What it sets is masked wherever it turns up in an error.
	Authorize func(ctx context.Context, h http.Header) error
	// Login, where set, renews the credentials after a 401. It is called at most once a call; the attempt is then repeated, whatever its class, because a 401
	// proves that nothing was done. Authorize and Login may make calls, but with a Client of their own: this one would call them again.
	Login func(ctx context.Context) error
	// Refusal reads the panel's own words from an answer that is not a success. It must not keep body. What it leaves empty is filled in from the status; a 404
	// is NotFound only if Refusal says so.
	Refusal func(status int, header http.Header, body []byte) Refused
}

// Refused is what a panel said when it refused a call.
type Refused struct {
	Kind    provisioning.Kind
	Message string
	Fields  map[string][]string // by input field
}

// Client makes the calls of one panel. It is safe for concurrent use and holds no secret; printing it shows the panel's name and address only.
type Client struct {
	*core
}

// core hides behind a pointer, so that fmt cannot walk into a transport that holds keys.
type core struct {
	panel     Panel
	origin    string   // what BaseURL returns
	api       *url.URL // origin and API prefix
	transport http.RoundTripper
	jar       http.CookieJar
	retry     RetryPolicy
	timeout   time.Duration
	limiter   *rate.Limiter
	log       *slog.Logger
	agent     []string
	maxBody   int64
	buffers   sync.Pool
}

// New makes a client of the panel at baseURL: scheme, host and, if the panel lives in a folder, its path; with or without the API prefix or a slash at the end.
// It checks its input and does no network I/O; its errors are of Kind Invalid and name the field.
func New(p Panel, baseURL string, opts ...Option) (*Client, error) {
	cfg := config{}
	for _, o := range opts {
		if o == nil {
			continue
		}
		if err := o(&cfg); err != nil {
			return nil, named(p, err)
		}
	}
	origin, api, err := parseBase(baseURL, p.Prefix, cfg.insecureHTTP)
	if err != nil {
		return nil, named(p, err)
	}
	transport, err := cfg.roundTripper()
	if err != nil {
		return nil, named(p, err)
	}
	c := &core{
		panel: p, origin: origin, api: api, transport: transport, jar: cfg.http.Jar, retry: cfg.retry.withDefaults(), timeout: cfg.timeout,
		limiter: cfg.limiter, log: cfg.log, agent: []string{"hvpanels/" + Version}, maxBody: cfg.maxBody,
	}
	c.buffers.New = func() any { return new(bytes.Buffer) }
	if cfg.agent != "" {
		c.agent = []string{cfg.agent}
	}
	if c.timeout == 0 {
		c.timeout = defaultAttemptTimeout
	}
	if t := cfg.http.Timeout; t > 0 {
		c.timeout = min(c.timeout, t)
	}
	if c.maxBody == 0 {
		c.maxBody = defaultMaxBody
	}
	return &Client{c}, nil
}

// BaseURL is the panel's address in one fixed spelling (lower case host, no default port), without the API prefix and without a slash at the end:
// "https://panel.example". It is what links are built from and what names the panel in stored records.
func (c *Client) BaseURL() string { return c.origin }

// Format prints the panel's name and address for every verb.
func (c *Client) Format(f fmt.State, _ rune) {
	if c == nil || c.core == nil {
		_, _ = io.WriteString(f, "rest.Client(nil)")
		return
	}
	_, _ = fmt.Fprintf(f, "rest.Client(%s %s)", c.panel.Name, c.origin)
}

// Do makes one call: it sends the request, repeats it as far as the class allows, and decodes the answer into in.Out. The error is nil or a
// *provisioning.Error.
//
// What is repeated, by class:
//
//	what happened                                                          Read    Set            Once
//	provably not sent (dial, DNS, TLS handshake); 429                      retry   retry          retry
//	401, where the panel has a Login                                       log in once, repeat the attempt
//	502, 503, 504, 520-524, reset, EOF, attempt timeout, body cut          retry   retry          MaybeApplied
//	other 5xx; 2xx whose body is missing or not the panel's JSON           error   MaybeApplied   MaybeApplied
//	3xx, 4xx, an answer the operation declares as its own                  that    that           that
//	untrusted certificate                                                  error   error          error
//	Retry-After beyond the policy's limit or the deadline                  error, with RetryAfter set
//	context ended, attempts used up                                        error   MaybeApplied if an attempt may have been sent
//
// Doubt is sticky: once an attempt of a Set or Once may have been applied, only success clears MaybeApplied. One thing counts as success besides a good answer:
// a DELETE of class Set whose earlier attempt may have been applied, and which the panel itself now answers with "not found".
func (c *Client) Do(ctx context.Context, in Call, opts ...CallOption) error {
	cl := &call{core: c.core, Call: in, ctx: ctx, class: in.Class}
	for _, o := range opts {
		if o != nil {
			o(&cl.opt)
		}
	}
	if cl.opt.repeatable && cl.class == Once {
		cl.class = Set
	}
	if cl.opt.capture != nil {
		*cl.opt.capture = ResponseInfo{}
	}
	req, err := cl.request()
	if err != nil {
		cl.stop = err
	} else {
		cl.run(req)
	}
	if cl.opt.capture != nil {
		cl.opt.capture.Attempts = cl.attempts
	}
	if cl.happened == done && cl.stop == nil {
		return nil
	}
	return cl.failure()
}

// request checks the call and builds its request. Nothing is sent yet.
func (cl *call) request() (*http.Request, error) {
	if cl.ctx == nil {
		return nil, provisioning.InvalidField("ctx", "must not be nil")
	}
	if !isToken(cl.Method) {
		return nil, provisioning.InvalidField("method", "is not an HTTP method")
	}
	u, path, err := joinPath(cl.api, cl.Path)
	if err != nil {
		return nil, err
	}
	cl.path = path
	if u.RawQuery, err = encodeQuery(cl.Query); err != nil {
		return nil, err
	}
	cl.query = u.RawQuery
	if cl.In != nil {
		if cl.body, err = json.Marshal(cl.In); err != nil {
			return nil, provisioning.InvalidField("body", "a %T cannot be written as JSON", cl.In)
		}
	}
	req := &http.Request{Method: cl.Method, URL: u, Host: u.Host, Header: make(http.Header), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
	return req.WithContext(cl.ctx), nil
}

func isToken(s string) bool {
	for _, r := range s {
		if (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-' {
			return false
		}
	}
	return s != ""
}

// named adds the panel's name to an error of New.
func named(p Panel, err error) error {
	if e, ok := err.(*provisioning.Error); ok && e.Panel == "" { //nolint:errorlint // our own, never wrapped
		e.Panel = p.Name
	}
	return err
}
