package virtfusion

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// LoginRequest tunes a login link.
type LoginRequest struct {
	// ReturnURL is where the panel sends the browser back to, panel 7.1. It is documented for the link of a user and assumed for that of a server.
	ReturnURL string `json:"return_url,omitzero"`
}

func (r *LoginRequest) check() error {
	if r.ReturnURL == "" {
		return nil
	}
	if u, err := url.Parse(r.ReturnURL); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return provisioning.InvalidField("returnURL", "must be an http or https address")
	}
	return nil
}

// Login is a way into the panel that needs no password and works once.
type Login struct {
	Tokens struct {
		First  provisioning.Secret `json:"1"`
		Second provisioning.Secret `json:"2"`
	} `json:"tokens"`
	Endpoint string `json:"endpoint"`
	// EndpointComplete is a path on the control server that holds the tokens: see Login.URL.
	EndpointComplete provisioning.Secret `json:"endpoint_complete"`
	Expiry           struct {
		TTLSeconds Int  `json:"ttl"` // 60 seen
		Expires    Time `json:"expires"`
	} `json:"expiry"`
}

// LogValue logs all of it, with its secrets masked.
func (l Login) LogValue() slog.Value { return provisioning.Masked(l) }

// URL is the address to send the browser to, on the control server at baseURL (Client.BaseURL) and on no other host: what the panel answers is a path, and
// anything else is refused. It holds the tokens. It works once, and until Expiry.
func (l *Login) URL(baseURL string) (provisioning.Secret, error) {
	base, err := url.Parse(baseURL)
	if err != nil || base.Host == "" {
		return "", provisioning.InvalidField("baseURL", "must be an address with a host")
	}
	path := l.EndpointComplete.Reveal()
	u, err := url.Parse(path)
	if err != nil || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") ||
		u.Host != "" || u.Scheme != "" || u.RawQuery == "" {
		return "", &provisioning.Error{Panel: panelName, Kind: provisioning.Unexpected, Message: "the login address is not a path on the control server"}
	}
	return provisioning.Secret(base.Scheme + "://" + base.Host + path), nil
}

// CreateLogin makes a link that logs a user into the panel. Only users with an external relation have one; an integration also found it refused for
// administrators. The panel needs a commercial licence for it. It is sent once: each call makes another link.
//
// Class: once.
// API: POST /users/{extRelationId}/authenticationTokens
func (s *UsersService) CreateLogin(ctx context.Context, ext ExtRelation, r LoginRequest, opts ...CallOption) (*Login, error) {
	return s.login(ctx, "createUserAuthenticationTokens", ext, []any{"authenticationTokens"}, r, opts)
}

// CreateServerLogin makes a link that logs a user into the panel on the page of one server, as CreateLogin does.
//
// Class: once.
// API: POST /users/{extRelationId}/serverAuthenticationTokens/{serverId}
func (s *UsersService) CreateServerLogin(ctx context.Context, ext ExtRelation, server ServerID, r LoginRequest, opts ...CallOption) (*Login, error) {
	if err := positive("serverId", server); err != nil {
		return nil, err
	}
	return s.login(ctx, "createServerAuthenticationTokens", ext, []any{"serverAuthenticationTokens", server}, r, opts)
}

func (s *UsersService) login(ctx context.Context, op string, ext ExtRelation, below []any, r LoginRequest, opts []CallOption) (*Login, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	path, query, err := userPath(ext, below...)
	if err != nil {
		return nil, err
	}
	call := rest.Call{Op: op, Class: rest.Once, Method: http.MethodPost, Path: path, Query: query}
	if r != (LoginRequest{}) {
		call.In = r
	}
	type answer struct {
		Authentication Login `json:"authentication"`
	}
	out, err := fetch(ctx, s.rest, call, func(v *answer) error { return hasSecret("login address", v.Authentication.EndpointComplete) }, opts)
	if err != nil {
		return nil, err
	}
	return &out.Authentication, nil
}
