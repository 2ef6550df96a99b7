package ospabpaneltest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

const tokenLife = 24 * time.Hour

var errToken = errors.New("invalid token")

// claims are those of the panel's tokens. Tokens of the main site carry "id" instead of user_id and are signed with another secret.
type claims struct {
	UserID   int64  `json:"user_id"`
	Username string `json:"username"`
	Subject  string `json:"sub"`
	Expires  int64  `json:"exp"`
	Issued   int64  `json:"iat"`
}

var encoding = base64.RawURLEncoding

func signToken(u User, secret provisioning.Secret, now time.Time) provisioning.Secret {
	body, _ := json.Marshal(claims{u.ID, u.Username, strconv.FormatInt(u.ID, 10), now.Add(tokenLife).Unix(), now.Unix()}) // numbers and strings always marshal
	text := encoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encoding.EncodeToString(body)
	return provisioning.Secret(text + "." + signature(text, secret))
}

func signature(text string, secret provisioning.Secret) string {
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write([]byte(text))
	return encoding.EncodeToString(mac.Sum(nil))
}

// checkToken returns the id of the user a token was made for.
func checkToken(token string, secret provisioning.Secret, now time.Time) (int64, error) {
	cut := strings.LastIndexByte(token, '.')
	if cut < 0 || !hmac.Equal([]byte(token[cut+1:]), []byte(signature(token[:cut], secret))) {
		return 0, errToken
	}
	_, payload, _ := strings.Cut(token[:cut], ".")
	body, err := encoding.DecodeString(payload)
	if err != nil {
		return 0, errToken
	}
	var c claims
	if json.Unmarshal(body, &c) != nil || c.UserID < 1 || now.Unix() >= c.Expires {
		return 0, errToken
	}
	return c.UserID, nil
}

// Token issues a token for the panel user, as a login does. It is valid for 24 hours; there is no way to renew or revoke one, except RevokeTokens. An id that
// no user has gives a token with which nothing can be seen.
func (p *Panel) Token(userID int64) provisioning.Secret {
	p.mu.Lock()
	defer p.mu.Unlock()
	u := User{ID: userID}
	if known := p.state.user(func(u User) bool { return u.ID == userID }); known != nil {
		u = *known
	}
	return signToken(u, p.state.JWTSecret, time.Now())
}

// RevokeTokens makes all tokens issued so far invalid, as changing JWT_SECRET on the panel does.
func (p *Panel) RevokeTokens() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.JWTSecret += "+"
}
