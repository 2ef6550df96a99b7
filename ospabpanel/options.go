package ospabpanel

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// Defaults of this package. What is not listed here is the same for all panels: 4 attempts, pauses from 250 ms to 8 s, a Retry-After of at most 30 s, idle connections for 30 s,
// half of the 60 s after which the panel closes them.
const (
	// DefaultAttemptTimeout is the limit of one attempt. The older panel gives up its own answer after 15 s.
	DefaultAttemptTimeout = 20 * time.Second
	// DefaultMaxBodyBytes is the limit of an answer.
	DefaultMaxBodyBytes = 1 << 20
	// DefaultMinMemory and DefaultMaxMemory are the plausibility window of WithMemoryWindow. It is this package's choice, not a rule of the panel.
	DefaultMinMemory = 128 * provisioning.MiB
	DefaultMaxMemory = 4 * provisioning.TiB
)

// Option tunes a client. New, NewUserClient and NewAuth take the same options.
type Option func(*options)

type options struct {
	rest                 []rest.Option
	minMemory, maxMemory provisioning.Bytes
}

func newOptions(opts []Option) options {
	o := options{
		rest:      []rest.Option{rest.WithAttemptTimeout(DefaultAttemptTimeout), rest.WithMaxBodyBytes(DefaultMaxBodyBytes)},
		minMemory: DefaultMinMemory, maxMemory: DefaultMaxMemory,
	}
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

func restOption(r rest.Option) Option { return func(o *options) { o.rest = append(o.rest, r) } }

// WithHTTPClient sends through a copy of c: its Transport and its Jar are used, its Timeout limits one attempt where it is the smaller limit, its CheckRedirect is not used because
// redirects are refused. c itself is never changed.
func WithHTTPClient(c *http.Client) Option { return restOption(rest.WithHTTPClient(c)) }

// RetryPolicy says how often and how fast a call is repeated where that is safe. Zero fields are the defaults; MaxAttempts 1 switches repeating off.
type RetryPolicy = rest.RetryPolicy

// WithRetry replaces the retry policy.
func WithRetry(p RetryPolicy) Option { return restOption(rest.WithRetry(p)) }

// WithAttemptTimeout sets the limit of one attempt, DefaultAttemptTimeout otherwise. The whole call is limited by its context only.
func WithAttemptTimeout(d time.Duration) Option { return restOption(rest.WithAttemptTimeout(d)) }

// WithRateLimit starts at most perSecond attempts a second on average and burst at once. Calls wait for their turn, but not beyond their deadline.
func WithRateLimit(perSecond float64, burst int) Option {
	return restOption(rest.WithRateLimit(perSecond, burst))
}

// WithLogger writes one line an attempt at level Debug. Nothing is logged otherwise. No key, token, password or body is ever logged.
func WithLogger(l *slog.Logger) Option { return restOption(rest.WithLogger(l)) }

// WithRootCAs trusts these certificates (PEM) besides those of the system. It needs the default transport or an *http.Transport. There is no way to switch verification off.
func WithRootCAs(pem []byte) Option { return restOption(rest.WithRootCAs(pem)) }

// WithUserAgent replaces the User-Agent header, "hvpanels/" and the version.
func WithUserAgent(s string) Option { return restOption(rest.WithUserAgent(s)) }

// WithInsecureHTTP allows plain http to other hosts than this machine. The key then travels in clear.
func WithInsecureHTTP() Option { return restOption(rest.WithInsecureHTTP()) }

// WithMaxBodyBytes sets how long an answer may be, DefaultMaxBodyBytes otherwise.
func WithMaxBodyBytes(n int64) Option { return restOption(rest.WithMaxBodyBytes(n)) }

// WithMemoryWindow sets which memory sizes Create believes, both ends included. A size outside of it is most likely a wrong unit, and is refused before anything is sent.
// The default is 128 MiB to 4 TiB (4,194,304 MB). Only Sync uses it.
func WithMemoryWindow(smallest, largest provisioning.Bytes) Option {
	return func(o *options) { o.minMemory, o.maxMemory = smallest, largest }
}

// CallOption changes one call.
type CallOption = rest.CallOption

// ResponseInfo receives the last answer of a call.
type ResponseInfo = rest.ResponseInfo

// CaptureResponse stores the last answer of the call in r, also when the call fails. The body is the panel's own and may hold a token.
func CaptureResponse(r *ResponseInfo) CallOption { return rest.CaptureResponse(r) }

// AttemptTimeout replaces the limit of one attempt for one call.
func AttemptTimeout(d time.Duration) CallOption { return rest.AttemptTimeout(d) }

// NotAfter forbids to start an attempt after t. A call that comes too late fails as not sent.
func NotAfter(t time.Time) CallOption { return rest.NotAfter(t) }
