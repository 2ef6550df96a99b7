package solusvm2

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

const (
	panelName = "solusvm2"
	apiPrefix = "/api/v1"
)

// Client is a connection to one management node. It is safe for concurrent use and needs no closing. Its services share everything, the rate limit and the
// login included.
type Client struct {
	Account          *AccountService
	Servers          *ServersService
	Tasks            *TasksService
	Usage            *UsageService
	Snapshots        *SnapshotsService
	Backups          *BackupsService
	Migrations       *MigrationsService
	Plans            *PlansService
	Locations        *LocationsService
	OSImages         *OSImagesService
	ISOImages        *ISOImagesService
	Applications     *ApplicationsService
	Projects         *ProjectsService
	Users            *UsersService
	SSHKeys          *SSHKeysService
	ComputeResources *ComputeResourcesService
	IPBlocks         *IPBlocksService
	IPAddresses      *IPAddressesService
	Roles            *RolesService
	LimitGroups      *LimitGroupsService
	ActivityLogs     *ActivityLogsService
	Settings         *SettingsService

	rest *conn
}

// New makes a client for the management node at baseURL ("https://solus.example.com:4444", with or without "/api/v1") and a token: an administrator makes one
// under Access, API Tokens, a customer on the account page. Such tokens do not expire. It checks its input and does no network I/O; Account.Get is the cheapest
// call that tests address and token. Errors are of Kind Invalid.
//
// baseURL must be https, except on a loopback address or with WithInsecureHTTP. The token must be printable ASCII without spaces or quotes: what a careless
// copy adds to it would only show as "unauthorized" later. What the token's role may not do is Forbidden at run time, see the package documentation.
func New(baseURL string, token provisioning.Secret, opts ...Option) (*Client, error) {
	if err := checkToken(token.Reveal()); err != nil {
		return nil, err
	}
	r, err := rest.New(rest.Panel{
		Name:   panelName,
		Prefix: apiPrefix,
		Authorize: func(_ context.Context, h http.Header) error {
			h.Set("Authorization", "Bearer "+token.Reveal())
			return nil
		},
		Refusal: refusal,
	}, baseURL, opts...)
	if err != nil {
		return nil, err
	}
	return newClient(&conn{Client: r}), nil
}

// NewWithLogin makes a client that logs in with the e-mail address and password of a user of the panel. It checks its input and does no network I/O: the first
// call logs in. Calls that run at the same time share one login. The token is renewed shortly before the time at which the panel said it ends, and after a 401,
// upon which the call is repeated.
//
// Panels on which users log in through another service have no password login, and answer Unauthorized like for a wrong password. Prefer New where a token can
// be had: logging in makes a session of the user on the panel, and password changes end it.
func NewWithLogin(baseURL, email string, password provisioning.Secret, opts ...Option) (*Client, error) {
	if !strings.Contains(email, "@") {
		return nil, provisioning.InvalidField("email", "is not an e-mail address")
	}
	if password == "" {
		return nil, provisioning.InvalidField("password", "must not be empty")
	}
	plain, err := rest.New(rest.Panel{Name: panelName, Prefix: apiPrefix, Refusal: loginRefusal}, baseURL, opts...)
	if err != nil {
		return nil, err
	}
	s := newSession(plain, email, password)
	r, err := rest.New(rest.Panel{Name: panelName, Prefix: apiPrefix, Authorize: s.authorize, Login: s.renew, Refusal: refusal}, baseURL, opts...)
	if err != nil {
		return nil, err
	}
	return newClient(&conn{Client: r, session: s}), nil
}

func newClient(c *conn) *Client {
	return &Client{
		Account:          &AccountService{c},
		Servers:          &ServersService{c},
		Tasks:            &TasksService{c},
		Usage:            &UsageService{c},
		Snapshots:        &SnapshotsService{c},
		Backups:          &BackupsService{c},
		Migrations:       &MigrationsService{c},
		Plans:            &PlansService{c},
		Locations:        &LocationsService{c},
		OSImages:         &OSImagesService{c},
		ISOImages:        &ISOImagesService{c},
		Applications:     &ApplicationsService{c},
		Projects:         &ProjectsService{c},
		Users:            &UsersService{c},
		SSHKeys:          &SSHKeysService{c},
		ComputeResources: &ComputeResourcesService{c},
		IPBlocks:         &IPBlocksService{c},
		IPAddresses:      &IPAddressesService{c},
		Roles:            &RolesService{c},
		LimitGroups:      &LimitGroupsService{c},
		ActivityLogs:     &ActivityLogsService{c},
		Settings:         &SettingsService{c},
		rest:             c,
	}
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

// conn is what the services share: the HTTP core, and the login where there is one.
type conn struct {
	*rest.Client
	session *session
}

// Do makes one call.
func (c *conn) Do(ctx context.Context, call rest.Call, opts ...CallOption) error {
	if c.session != nil && ctx != nil {
		ctx = withToken(ctx)
	}
	return c.Client.Do(ctx, call, opts...)
}

// BaseURL is the management node's address without the API prefix and without a slash at its end.
func (c *Client) BaseURL() string { return c.rest.BaseURL() }

// Do calls an operation that this package lacks. path lies below /api/v1 and may carry a query: "/languages?page=2"; each of its elements is unescaped, checked
// and escaped again, so an empty one, "." and ".." are refused. in is sent as JSON unless it is nil. out receives the whole answer, "data" included; pass nil
// where the operation answers nothing.
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

// WithRateLimit spaces the attempts of this client out. It is off unless set: the panel has limits (429 was seen), but no numbers are published.
func WithRateLimit(perSecond float64, burst int) Option { return rest.WithRateLimit(perSecond, burst) }

// WithLogger logs one line an attempt at level Debug, without headers, queries and bodies. Without it the client is silent.
func WithLogger(l *slog.Logger) Option { return rest.WithLogger(l) }

// WithRootCAs trusts the certificates in pem, besides those of the system. Many management nodes run with a self-signed certificate: put that certificate here.
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
