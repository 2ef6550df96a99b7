package ospabpanel

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/hvpanels/hvpanels/internal/rest"
)

// Defaults of this package. What is not listed here is the same for all panels: 4 attempts, pauses from 250 ms to 8 s, a Retry-After of at most 30 s, idle
// connections kept for 30 s, half of the time after which the panel closes them.
const (
	// DefaultAttemptTimeout is the limit of one attempt. The older panel gives up its own answer after 15 s.
	DefaultAttemptTimeout = 20 * time.Second
	// DefaultMaxBodyBytes is the limit of an answer.
	DefaultMaxBodyBytes = 1 << 20
)

// Option changes the client that New, NewUserClient or NewAuth makes.
type Option = rest.Option

func withDefaults(opts []Option) []Option {
	return append([]Option{rest.WithAttemptTimeout(DefaultAttemptTimeout), rest.WithMaxBodyBytes(DefaultMaxBodyBytes)}, opts...)
}

// WithHTTPClient sends through a copy of hc: its Transport and its Jar are used, its Timeout limits one attempt where it is the smaller limit, its
// CheckRedirect is not used because redirects are refused. hc itself is never changed.
func WithHTTPClient(hc *http.Client) Option { return rest.WithHTTPClient(hc) }

// RetryPolicy says how often and how patiently a call is repeated where that is safe. Zero fields mean the defaults; MaxAttempts 1 switches repeating off.
type RetryPolicy = rest.RetryPolicy

// WithRetry replaces the retry policy.
func WithRetry(p RetryPolicy) Option { return rest.WithRetry(p) }

// WithAttemptTimeout limits one attempt, DefaultAttemptTimeout when not given. The limit of a call as a whole is its context.
func WithAttemptTimeout(d time.Duration) Option { return rest.WithAttemptTimeout(d) }

// WithRateLimit starts at most perSecond attempts a second on average and burst at once. Calls wait for their turn, but not beyond their deadline. No limit of
// the panel is known, so this is off unless set.
func WithRateLimit(perSecond float64, burst int) Option { return rest.WithRateLimit(perSecond, burst) }

// WithLogger writes one line an attempt at level Debug, without bodies, headers and secrets. Without it the client is silent.
func WithLogger(l *slog.Logger) Option { return rest.WithLogger(l) }

// WithRootCAs trusts the certificates in pem besides those of the system. It needs the default transport or an *http.Transport. There is no option that
// switches the check off.
func WithRootCAs(pem []byte) Option { return rest.WithRootCAs(pem) }

// WithUserAgent replaces the User-Agent header.
func WithUserAgent(s string) Option { return rest.WithUserAgent(s) }

// WithInsecureHTTP allows plain http to other hosts than this machine. Keys and tokens then travel in the clear.
func WithInsecureHTTP() Option { return rest.WithInsecureHTTP() }

// WithMaxBodyBytes limits how much of an answer is read, DefaultMaxBodyBytes when not given.
func WithMaxBodyBytes(n int64) Option { return rest.WithMaxBodyBytes(n) }

// CallOption changes one call.
type CallOption = rest.CallOption

// ResponseInfo receives the last answer of a call: status, header, body, and how many attempts were made. Header and Body are the panel's own and may hold
// secrets.
type ResponseInfo = rest.ResponseInfo

// CaptureResponse stores the last answer of the call in r, also when the call fails.
func CaptureResponse(r *ResponseInfo) CallOption { return rest.CaptureResponse(r) }

// AttemptTimeout replaces the limit of one attempt for one call.
func AttemptTimeout(d time.Duration) CallOption { return rest.AttemptTimeout(d) }

// NotAfter forbids to start an attempt after t. A call that comes too late fails as not sent.
func NotAfter(t time.Time) CallOption { return rest.NotAfter(t) }
