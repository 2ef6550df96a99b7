package ospabpanel

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// TokenSource issues the panel tokens of one panel user. A token of the main site is not one: it has another secret and another claim, and the panel refuses
// it.
type TokenSource interface {
	// Token returns a token. rejected is the one that the panel has just refused, and that must not come back; it is empty when there is none yet. Calls never
	// overlap.
	Token(ctx context.Context, rejected provisioning.Secret) (provisioning.Secret, error)
}

// TokenFunc is a function that is a TokenSource.
type TokenFunc func(ctx context.Context, rejected provisioning.Secret) (provisioning.Secret, error)

// Token calls the function.
func (f TokenFunc) Token(ctx context.Context, rejected provisioning.Secret) (provisioning.Secret, error) {
	return f(ctx, rejected)
}

// StaticToken is a TokenSource of one token, for as long as it lasts: the panel issues tokens for 24 hours and has no call to renew them.
func StaticToken(token provisioning.Secret) TokenSource {
	return TokenFunc(func(_ context.Context, rejected provisioning.Secret) (provisioning.Secret, error) {
		if rejected != "" && rejected == token {
			return "", &provisioning.Error{Kind: provisioning.Unauthorized, Message: "the panel refused the token, and there is no other"}
		}
		return token, nil
	})
}

// tokens keeps the present token of one user. Its lock is a channel, because the source may wait for the network.
type tokens struct {
	source TokenSource
	user   PanelUserID
	turn   chan struct{}
	now    provisioning.Secret
}

func newTokens(source TokenSource, user PanelUserID) *tokens {
	return &tokens{source: source, user: user, turn: make(chan struct{}, 1)}
}

// usedToken carries the token of a call's last attempt from authorize to renew, so that of many calls that fail with the same old token only one asks the
// source.
type usedToken struct{}

func withUsedToken(ctx context.Context) context.Context {
	return context.WithValue(ctx, usedToken{}, new(provisioning.Secret))
}

func (t *tokens) authorize(ctx context.Context, h http.Header) error {
	token, err := t.get(ctx, "")
	if err != nil {
		return err
	}
	if used, ok := ctx.Value(usedToken{}).(*provisioning.Secret); ok {
		*used = token
	}
	h.Set("Authorization", "Bearer "+token.Reveal())
	return nil
}

func (t *tokens) renew(ctx context.Context) error {
	var rejected provisioning.Secret
	if used, ok := ctx.Value(usedToken{}).(*provisioning.Secret); ok {
		rejected = *used
	}
	_, err := t.get(ctx, rejected)
	return err
}

// get returns the present token, unless that is the rejected one.
func (t *tokens) get(ctx context.Context, rejected provisioning.Secret) (provisioning.Secret, error) {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if t.now != "" && t.now != rejected {
		return t.now, nil
	}
	t.now = ""
	token, err := t.source.Token(ctx, rejected)
	if err != nil {
		return "", err
	}
	if token == "" || strings.ContainsFunc(token.Reveal(), func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", provisioning.InvalidField("token", "is empty or holds characters that no token has")
	}
	if owner := readClaims(token).UserID; t.user != 0 && owner != 0 && owner != t.user {
		return "", mismatch("the token belongs to panel user %d, not to %d", owner, t.user)
	}
	t.now = token
	return token, nil
}

// claims are what the panel's tokens tell about themselves. They are read, not verified: only the panel can do that.
type claims struct {
	UserID  PanelUserID `json:"user_id"`
	Expires int64       `json:"exp"` // Unix seconds
}

func (c claims) expires() time.Time {
	if c.Expires <= 0 {
		return time.Time{}
	}
	return time.Unix(c.Expires, 0)
}

// readClaims returns zero claims for what is not a token that can be read.
func readClaims(token provisioning.Secret) claims {
	parts := strings.Split(token.Reveal(), ".")
	if len(parts) != 3 {
		return claims{}
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	var c claims
	if err != nil || json.Unmarshal(payload, &c) != nil {
		return claims{}
	}
	return c
}
