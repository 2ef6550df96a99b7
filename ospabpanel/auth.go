package ospabpanel

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// Auth logs panel users in. It needs no credentials of its own and is safe for concurrent use. Its routes are known from an older public version of the panel
// only.
type Auth struct{ rest *rest.Client }

// NewAuth makes an Auth for the panel at baseURL. It does no network I/O; its errors are of Kind Invalid.
func NewAuth(baseURL string, opts ...Option) (*Auth, error) {
	c, err := rest.New(rest.Panel{Name: panelName, Prefix: apiPrefix, Refusal: refusal}, baseURL, withDefaults(opts)...)
	if err != nil {
		return nil, err
	}
	return &Auth{c}, nil
}

// Session is a panel user with a token.
type Session struct {
	Token   provisioning.Secret
	Expires time.Time // as the token tells, 24 hours after the login; zero when it cannot be read
	User    Account
}

// LogValue logs the user and the time, not the token.
func (s Session) LogValue() slog.Value {
	return slog.GroupValue(slog.Int64("user", int64(s.User.ID)), slog.String("username", s.User.Username), slog.Time("expires", s.Expires))
}

// Account is a panel user.
type Account struct {
	ID                   PanelUserID
	Username, Email      string
	CreatedAt, UpdatedAt time.Time
}

type credentials struct {
	Username string              `json:"username"`
	Email    string              `json:"email,omitzero"`
	Password provisioning.Secret `json:"password"`
}

// Login exchanges user name (1 to 64 characters) and password for a token. Wrong ones are Unauthorized.
//
// API: POST /api/auth/login
func (a *Auth) Login(ctx context.Context, username string, password provisioning.Secret, opts ...CallOption) (Session, error) {
	if err := checkText("username", username, 64); err != nil {
		return Session{}, err
	}
	if password == "" {
		return Session{}, provisioning.InvalidField("password", "is missing")
	}
	// A login changes nothing on the panel: its tokens are signed, not stored.
	return a.session(ctx, "login", rest.Read, credentials{Username: username, Password: password}, opts)
}

// RegisterRequest describes a new panel user.
type RegisterRequest struct {
	Username string // 1 to 64 characters
	Email    string // at most 128 characters
	Password provisioning.Secret
}

// LogValue logs the name and the address, not the password.
func (r RegisterRequest) LogValue() slog.Value {
	return slog.GroupValue(slog.String("username", r.Username), slog.String("email", r.Email))
}

// Register makes a panel user and logs it in. It is sent at most once. A name or an address that exists already is refused with Invalid.
//
// API: POST /api/auth/register
func (a *Auth) Register(ctx context.Context, r RegisterRequest, opts ...CallOption) (Session, error) {
	for _, err := range []error{checkText("username", r.Username, 64), checkText("email", r.Email, 128)} {
		if err != nil {
			return Session{}, err
		}
	}
	if len([]rune(r.Password.Reveal())) < 8 {
		return Session{}, provisioning.InvalidField("password", "must have at least 8 characters")
	}
	return a.session(ctx, "register", rest.Once, credentials(r), opts)
}

func (a *Auth) session(ctx context.Context, op string, class rest.Class, in credentials, opts []CallOption) (Session, error) {
	var got struct {
		Token provisioning.Secret `json:"token"`
		User  struct {
			ID        rest.Int    `json:"id"`
			Username  rest.String `json:"username"`
			Email     rest.String `json:"email"`
			CreatedAt timestamp   `json:"created_at"`
			UpdatedAt timestamp   `json:"updated_at"`
		} `json:"user"`
	}
	err := a.rest.Do(ctx, rest.Call{
		Op: op, Class: class, Method: http.MethodPost, Path: []any{"auth", op}, In: in, Out: &got,
		Check: func() error {
			if got.Token == "" || got.User.ID < 1 {
				return unexpected("the answer holds no token or no user")
			}
			return nil
		},
	}, opts...)
	if err != nil {
		return Session{}, err
	}
	u := got.User
	return Session{
		Token: got.Token, Expires: readClaims(got.Token).expires(),
		User: Account{PanelUserID(u.ID), string(u.Username), string(u.Email), u.CreatedAt.Time.Time, u.UpdatedAt.Time.Time},
	}, nil
}

// Tokens is a TokenSource that logs in with a user name and a password whenever a token is needed.
func (a *Auth) Tokens(username string, password provisioning.Secret) TokenSource {
	return TokenFunc(func(ctx context.Context, _ provisioning.Secret) (provisioning.Secret, error) {
		s, err := a.Login(ctx, username, password)
		return s.Token, err
	})
}
