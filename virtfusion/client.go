package virtfusion

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

const panelName = "virtfusion"

// Client is a connection to one control server. It is safe for concurrent use and needs no closing. Its services share everything, the rate limit included.
type Client struct {
	General          *GeneralService
	Servers          *ServersService
	Queue            *QueueService
	Packages         *PackagesService
	Media            *MediaService
	Users            *UsersService
	SSHKeys          *SSHKeysService
	HypervisorGroups *HypervisorGroupsService
	Hypervisors      *HypervisorsService
	SelfService      *SelfServiceService
	Interfaces       *InterfacesService
	Firewall         *FirewallService
	IPBlocks         *IPBlocksService
	ReverseDNS       *ReverseDNSService
	DNSServices      *DNSServicesService

	rest *rest.Client
}

// New makes a client for the control server at baseURL ("https://cp.example.com", with or without "/api/v1") and a token made in the admin area under
// Configuration, API. It checks its input and does no network I/O; General.TestConnection does. Errors are of Kind Invalid.
//
// baseURL must be https, except on a loopback address or with WithInsecureHTTP. The token must be printable ASCII without spaces or quotes: what a careless
// copy adds to it would only show as "unauthorized" later. A token may be limited to operations and to source addresses; what it may not do is Forbidden at run
// time.
func New(baseURL string, token provisioning.Secret, opts ...Option) (*Client, error) {
	if err := checkToken(token.Reveal()); err != nil {
		return nil, err
	}
	r, err := rest.New(rest.Panel{
		Name:   panelName,
		Prefix: "/api/v1",
		Authorize: func(_ context.Context, h http.Header) error {
			h.Set("Authorization", "Bearer "+token.Reveal())
			return nil
		},
		Refusal: refusal,
	}, baseURL, opts...)
	if err != nil {
		return nil, err
	}
	return &Client{
		General:          &GeneralService{r},
		Servers:          &ServersService{r},
		Queue:            &QueueService{r},
		Packages:         &PackagesService{r},
		Media:            &MediaService{r},
		Users:            &UsersService{r},
		SSHKeys:          &SSHKeysService{r},
		HypervisorGroups: &HypervisorGroupsService{r},
		Hypervisors:      &HypervisorsService{r},
		SelfService:      &SelfServiceService{r},
		Interfaces:       &InterfacesService{r},
		Firewall:         &FirewallService{rest: r},
		IPBlocks:         &IPBlocksService{r},
		ReverseDNS:       &ReverseDNSService{r},
		DNSServices:      &DNSServicesService{r},
		rest:             r,
	}, nil
}

func checkToken(token string) error {
	if token == "" {
		return provisioning.InvalidField("token", "must not be empty")
	}
	for _, c := range []byte(token) {
		if c <= ' ' || c > '~' || strings.IndexByte("\"'`", c) >= 0 {
			return provisioning.InvalidField("token", "must be printable ASCII without spaces and quotes")
		}
	}
	return nil
}

// BaseURL is the control server's address without the API prefix and without a slash at its end.
func (c *Client) BaseURL() string { return c.rest.BaseURL() }

// Do calls an operation that this package lacks. path lies below /api/v1 and may carry a query: "/servers/7/firewall/primary?x=1"; each of its elements is
// unescaped, checked and escaped again, so an empty one, "." and ".." are refused. in is sent as JSON unless it is nil. out receives the whole answer, "data"
// included; pass nil where the operation answers nothing.
//
// GET is treated as a read. Everything else is sent once, and an unclear answer is ErrMaybeApplied, unless the option Repeatable says that repeating it gives
// the same end state.
func (c *Client) Do(ctx context.Context, method, path string, in, out any, opts ...CallOption) error {
	call, err := rest.RawCall(method, path, in, out)
	if err != nil {
		return err
	}
	return c.rest.Do(ctx, call, opts...)
}

// Option changes the client that New makes.
type Option = rest.Option

// WithHTTPClient sends through a copy of hc: its transport and cookie jar are used, so that connection pools, proxies and client certificates stay the
// caller's. Redirects are refused all the same.
func WithHTTPClient(hc *http.Client) Option { return rest.WithHTTPClient(hc) }

// RetryPolicy says how often and how patiently a call is tried again. Zero fields mean the defaults: 4 attempts, 250 ms doubling to 8 s with full jitter, and a
// Retry-After of at most 30 s. MaxAttempts 1 switches retries off. Which calls may be retried at all is told in the package documentation and cannot be changed
// here.
type RetryPolicy = rest.RetryPolicy

// WithRetry replaces the retry policy.
func WithRetry(p RetryPolicy) Option { return rest.WithRetry(p) }

// WithAttemptTimeout limits each attempt of a call, 30 s when not given. The limit of a call as a whole is its context.
func WithAttemptTimeout(d time.Duration) Option { return rest.WithAttemptTimeout(d) }

// WithRateLimit spaces the attempts of this client out. A token of the panel can have a rate limit, but the panel does not tell it, so this is off unless set.
func WithRateLimit(perSecond float64, burst int) Option { return rest.WithRateLimit(perSecond, burst) }

// WithLogger logs one line an attempt at level Debug, without headers, queries and bodies. Without it the client is silent.
func WithLogger(l *slog.Logger) Option { return rest.WithLogger(l) }

// WithRootCAs trusts the certificates in pem, besides those of the system. Many control servers run with a self-signed certificate: put that certificate here.
// There is no option that switches the check off. It needs the default transport or an *http.Transport.
func WithRootCAs(pem []byte) Option { return rest.WithRootCAs(pem) }

// WithUserAgent replaces the User-Agent header.
func WithUserAgent(s string) Option { return rest.WithUserAgent(s) }

// WithInsecureHTTP allows plain http to hosts other than loopback addresses. The token then travels in the clear.
func WithInsecureHTTP() Option { return rest.WithInsecureHTTP() }

// WithMaxBodyBytes limits how much of an answer is read, 16 MiB when not given.
func WithMaxBodyBytes(n int64) Option { return rest.WithMaxBodyBytes(n) }

// CallOption changes one call. A list hands it to the call of each page.
type CallOption = rest.CallOption

// ResponseInfo receives the last answer of a call: status, header, body, and how many attempts were made. Header and Body are the panel's own and may hold
// secrets.
type ResponseInfo = rest.ResponseInfo

// CaptureResponse stores the last answer of the call in r, also when the call fails.
func CaptureResponse(r *ResponseInfo) CallOption { return rest.CaptureResponse(r) }

// Repeatable declares that repeating this write gives the same end state, so that it may be retried like a set.
func Repeatable() CallOption { return rest.Repeatable() }

// AttemptTimeout replaces the limit of one attempt for one call.
func AttemptTimeout(d time.Duration) CallOption { return rest.AttemptTimeout(d) }

// NotAfter forbids to start an attempt after t. A call that comes too late fails as not sent, which is how a stored order can be sure that an old request never
// wakes up and sends.
func NotAfter(t time.Time) CallOption { return rest.NotAfter(t) }
