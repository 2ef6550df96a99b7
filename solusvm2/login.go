package solusvm2

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// Token is a credential that the panel has handed out.
type Token struct {
	AccessToken provisioning.Secret `json:"access_token"`
	TokenType   string              `json:"token_type"` // "Bearer"
	// ExpiresAt is zero when the panel does not tell. It was seen as RFC 3339 and without a zone.
	ExpiresAt Time `json:"expires_at"`
}

// LogValue logs all of it, with its secrets masked.
func (t Token) LogValue() slog.Value { return provisioning.Masked(t) }

// renewBefore is how long before its known end a token is renewed.
const renewBefore = time.Minute

// session holds the token of a login and gets the next one. Only one login is under way at a time; whoever needs a token meanwhile waits for that one.
type session struct {
	login   func(context.Context) (*Token, error) // a closure, so that printing a session cannot reach the password
	current atomic.Pointer[sessionToken]
	turn    chan struct{} // held while logging in
	tries   atomic.Int64
	refusal error // of the last login, if the panel refused it; guarded by turn
}

type sessionToken struct {
	made    *Token
	renewAt time.Time // zero when the end is not known
}

func newSession(c *rest.Client, email string, password provisioning.Secret) *session {
	return &session{
		turn:  make(chan struct{}, 1),
		login: func(ctx context.Context) (*Token, error) { return login(ctx, c, email, password) },
	}
}

// login exchanges e-mail address and password for a token. Repeating it makes another token, which does no harm.
//
// Class: set.
// API: POST /auth/login
func login(ctx context.Context, c *rest.Client, email string, password provisioning.Secret) (*Token, error) {
	in := struct {
		Email    string              `json:"email"`
		Password provisioning.Secret `json:"password"`
	}{email, password}
	var out envelope[struct {
		Credentials Token `json:"credentials"`
	}]
	err := c.Do(ctx, rest.Call{Op: "login", Class: rest.Set, Method: http.MethodPost, Path: []any{"auth", "login"}, In: in, Out: &out,
		Check: func() error {
			if checkToken(out.Data.Credentials.AccessToken.Reveal()) != nil {
				return lacks("usable token")
			}
			return nil
		}})
	if err != nil {
		return nil, err
	}
	return &out.Data.Credentials, nil
}

// tokenUsed is the key under which a call's context holds which token its last attempt was sent with.
type tokenUsed struct{}

func withToken(ctx context.Context) context.Context {
	return context.WithValue(ctx, tokenUsed{}, new(*sessionToken))
}

// authorize is called for every attempt.
func (s *session) authorize(ctx context.Context, h http.Header) error {
	t, err := s.token(ctx, nil)
	if err != nil {
		return err
	}
	if used, ok := ctx.Value(tokenUsed{}).(**sessionToken); ok {
		*used = t
	}
	h.Set("Authorization", "Bearer "+t.made.AccessToken.Reveal())
	return nil
}

// renew is called after a 401. It logs in unless the token that was refused has been replaced already.
func (s *session) renew(ctx context.Context) error {
	var refused *sessionToken
	if used, ok := ctx.Value(tokenUsed{}).(**sessionToken); ok {
		refused = *used
	}
	_, err := s.token(ctx, refused)
	return err
}

// token returns a token that is not known to be out of date and is not the one that was refused.
func (s *session) token(ctx context.Context, refused *sessionToken) (*sessionToken, error) {
	if t := s.current.Load(); t.usable(refused) {
		return t, nil
	}
	tries := s.tries.Load()
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if t := s.current.Load(); t.usable(refused) {
		return t, nil
	}
	if s.refusal != nil && s.tries.Load() != tries {
		return nil, s.refusal // while this call waited: asking again would only lock the account
	}
	made, err := s.login(ctx)
	s.refusal = nil
	if err != nil {
		if errors.Is(err, provisioning.Unauthorized) || errors.Is(err, provisioning.Forbidden) {
			s.refusal = err
		}
		s.tries.Add(1)
		return nil, err
	}
	t := &sessionToken{made: made, renewAt: renewAt(made.ExpiresAt.Time, time.Now())}
	s.current.Store(t)
	s.tries.Add(1)
	return t, nil
}

// renewAt is when to renew a token. An end that has passed already, or nearly, is not believed: it comes from a clock or a time zone that differs from ours,
// and would make every call log in. The panel's 401 tells the truth.
func renewAt(expires, now time.Time) time.Time {
	at := expires.Add(-renewBefore)
	if expires.IsZero() || !at.After(now.Add(renewBefore)) {
		return time.Time{}
	}
	return at
}

func (t *sessionToken) usable(refused *sessionToken) bool {
	return t != nil && t != refused && (t.renewAt.IsZero() || time.Now().Before(t.renewAt))
}
