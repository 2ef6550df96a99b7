package rest

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"math"
	"net/http"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/hvpanels/hvpanels/provisioning"
)

const (
	defaultAttemptTimeout = 30 * time.Second
	defaultMaxBody        = 16 << 20
	idleConnTimeout       = 30 * time.Second // below the 60 s after which panels close, so that few writes meet a dying connection
)

// Option changes a client when it is made.
type Option func(*config) error

type config struct {
	http         http.Client
	rootCAs      []byte
	retry        RetryPolicy
	timeout      time.Duration
	limiter      *rate.Limiter
	log          *slog.Logger
	agent        string
	insecureHTTP bool
	maxBody      int64
}

// RetryPolicy says how often and how patiently a call is repeated. Zero fields mean the defaults.
type RetryPolicy struct {
	MaxAttempts   int           // attempts of one call, the first included: 4; 1 switches repeating off
	BaseDelay     time.Duration // upper limit of the first pause, doubled for each further one: 250 ms. The pause itself is random (full jitter)
	MaxDelay      time.Duration // upper limit of any such pause: 8 s
	MaxRetryAfter time.Duration // longest Retry-After that is waited for: 30 s. Beyond it the call ends with RetryAfter set
}

func (p RetryPolicy) withDefaults() RetryPolicy {
	if p.MaxAttempts == 0 {
		p.MaxAttempts = 4
	}
	if p.BaseDelay == 0 {
		p.BaseDelay = 250 * time.Millisecond
	}
	if p.MaxDelay == 0 {
		p.MaxDelay = 8 * time.Second
	}
	if p.MaxRetryAfter == 0 {
		p.MaxRetryAfter = 30 * time.Second
	}
	return p
}

// WithHTTPClient sends through a copy of hc: its Transport and its Jar are used, its Timeout limits one attempt where it is the smaller limit, its
// CheckRedirect is not used because redirects are refused. hc itself is never changed and its idle connections are never closed. nil means the default: a
// transport of its own, like http.DefaultTransport but with idle connections closed after 30 s.
func WithHTTPClient(hc *http.Client) Option {
	return func(c *config) error {
		if hc != nil {
			c.http = *hc
		}
		return nil
	}
}

// WithRetry replaces the retry policy.
func WithRetry(p RetryPolicy) Option {
	return func(c *config) error {
		if p.MaxAttempts < 0 || p.BaseDelay < 0 || p.MaxDelay < 0 || p.MaxRetryAfter < 0 {
			return provisioning.InvalidField("retry", "must not hold negative numbers")
		}
		c.retry = p
		return nil
	}
}

// WithAttemptTimeout limits one attempt, from the dial to the last byte of the answer: 30 s unless a panel package says otherwise. The whole call is limited by
// its context only.
func WithAttemptTimeout(d time.Duration) Option {
	return func(c *config) error {
		if d <= 0 {
			return provisioning.InvalidField("attemptTimeout", "must be more than 0, not %v", d)
		}
		c.timeout = d
		return nil
	}
}

// WithRateLimit starts at most perSecond attempts a second on average and burst at once. Calls wait for their turn, but not beyond their deadline: then they
// fail at once with Kind RateLimited.
func WithRateLimit(perSecond float64, burst int) Option {
	return func(c *config) error {
		if !(perSecond > 0) || math.IsInf(perSecond, 0) || burst < 1 {
			return provisioning.InvalidField("rateLimit", "needs more than 0 a second and a burst of at least 1")
		}
		c.limiter = rate.NewLimiter(rate.Limit(perSecond), burst)
		return nil
	}
}

// WithLogger writes one line an attempt at level Debug: panel, operation, method, path, attempt, status, duration and kind of failure. Headers, queries and
// bodies are never logged. Without a logger nothing is logged.
func WithLogger(l *slog.Logger) Option {
	return func(c *config) error {
		c.log = l
		return nil
	}
}

// WithRootCAs trusts the certificates in pem besides those of the system. It needs the default transport or an *http.Transport, which is cloned.
func WithRootCAs(pem []byte) Option {
	return func(c *config) error {
		if !x509.NewCertPool().AppendCertsFromPEM(pem) {
			return provisioning.InvalidField("rootCAs", "holds no PEM certificate")
		}
		c.rootCAs = pem
		return nil
	}
}

// WithUserAgent replaces the User-Agent header, "hvpanels/" and the version.
func WithUserAgent(agent string) Option {
	return func(c *config) error {
		if agent == "" || strings.ContainsFunc(agent, notInHeader) {
			return provisioning.InvalidField("userAgent", "must be printable ASCII text")
		}
		c.agent = agent
		return nil
	}
}

// WithInsecureHTTP allows plain http to other hosts than loopback. Credentials and passwords then travel unencrypted.
func WithInsecureHTTP() Option {
	return func(c *config) error {
		c.insecureHTTP = true
		return nil
	}
}

// WithMaxBodyBytes limits how much of an answer is read: 16 MiB. A longer answer is an error, and memory stays bounded.
func WithMaxBodyBytes(n int64) Option {
	return func(c *config) error {
		if n <= 0 || n > math.MaxInt32 {
			return provisioning.InvalidField("maxBodyBytes", "must be between 1 and %d", math.MaxInt32)
		}
		c.maxBody = n
		return nil
	}
}

// roundTripper picks the transport: the caller's own as it is, else a clone of the default.
func (c *config) roundTripper() (http.RoundTripper, error) {
	rt := c.http.Transport
	if rt == nil {
		rt = http.DefaultTransport
		if t, ok := rt.(*http.Transport); ok {
			t = t.Clone()
			t.IdleConnTimeout = idleConnTimeout
			rt = t
		}
	}
	if c.rootCAs == nil {
		return rt, nil
	}
	t, ok := rt.(*http.Transport)
	if !ok {
		return nil, provisioning.InvalidField("rootCAs", "cannot be set on a transport of type %T; let that transport trust them", rt)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	pool.AppendCertsFromPEM(c.rootCAs)
	t = t.Clone()
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	t.TLSClientConfig.RootCAs = pool
	return t, nil
}
