package solusvm2test

import (
	"crypto/rand"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// token is what opens the API for a user, kept under its text.
type token struct {
	UserID  int64     `json:"userId"`
	Login   bool      `json:"login"`   // it comes from a login
	OneTime bool      `json:"oneTime"` // it is gone with its first use
	Expires time.Time `json:"expires"` // zero: never
}

func authOperations() []operation {
	return []operation{
		{"login", "POST /auth/login", public, (*call).login},
		{"checkToken", "GET /auth", everyone, func(*call) answer { return noContent() }},
		{"getAccount", "GET /account", everyone, func(c *call) answer { return ok(c.userJSON(c.user)) }},
	}
}

// TokenFor makes an API token of a user, which does not expire. A user who does not exist has none: "".
func (p *Panel) TokenFor(userID int64) provisioning.Secret {
	return view(p, func(c *call) provisioning.Secret {
		if c.Users[userID] == nil {
			return ""
		}
		return provisioning.Secret(c.issue(&token{UserID: userID}))
	})
}

// EndLogins makes the tokens from logins invalid, as if their time had come.
func (p *Panel) EndLogins() {
	p.look(func(c *call) { c.endLogins(0) })
}

// endLogins drops the tokens from logins of one user, or of all for 0.
func (st *state) endLogins(userID int64) {
	maps.DeleteFunc(st.Tokens, func(_ string, t *token) bool { return t.Login && (userID == 0 || t.UserID == userID) })
}

func (st *state) issue(t *token) string {
	text := rand.Text() + rand.Text()
	st.Tokens[text] = t
	return text
}

// login refuses wrong credentials as a validation error.
func (c *call) login() answer {
	f := c.form()
	f.require("email", "password")
	email, password := f.text("email", "", 255), f.text("password", "", 255)
	u := c.userByEmail(email)
	if !f.failed() && (u == nil || u.Password == "" || u.Password != password) {
		f.fail("email", "These credentials do not match our records.")
	}
	if f.failed() {
		return f.invalid()
	}
	if !u.allows(c.source()) {
		return unauthorized()
	}
	t := &token{UserID: u.ID, Login: true, Expires: c.now.Add(c.panel.tokenLife)}
	return ok(obj{"credentials": obj{"access_token": c.issue(t), "token_type": "Bearer", "expires_at": c.time(t.Expires)}})
}

// authenticate finds the owner of the token.
func (c *call) authenticate() (a answer, known bool) {
	text, isBearer := strings.CutPrefix(c.r.Header.Get("Authorization"), "Bearer ")
	t := c.Tokens[text]
	if !isBearer || t == nil || !t.Expires.IsZero() && !c.now.Before(t.Expires) || c.Users[t.UserID] == nil {
		return refuse(http.StatusUnauthorized, "Unauthenticated."), false
	}
	if t.OneTime {
		delete(c.Tokens, text)
	}
	c.user = c.Users[t.UserID]
	if !c.user.allows(c.source()) {
		return unauthorized(), false // 401 or 403: guess
	}
	return answer{}, true
}

// source is where a request comes from. Through Transport that is this machine.
func (c *call) source() netip.Addr {
	host, _, _ := net.SplitHostPort(c.r.RemoteAddr)
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap()
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

// allows reports whether the user may come from an address. An empty list allows every one.
func (u *user) allows(from netip.Addr) bool {
	return len(u.AllowedIPs) == 0 || slices.ContainsFunc(u.AllowedIPs, func(text string) bool {
		p, err := parseNetwork(text)
		return err == nil && p.Contains(from)
	})
}

// parseNetwork reads an address or a network.
func parseNetwork(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return p, fmt.Errorf("%q is neither an address nor a network", text)
	}
	return p.Masked(), nil
}

// isAdmin reports whether the owner of the token has the role ADMIN. All other roles are treated as CLIENT (guess).
func (c *call) isAdmin() bool { return slices.Contains(c.user.RoleIDs, RoleAdmin) }

// can reports whether the owner of the token has a permission.
func (c *call) can(permission int64) bool {
	return c.isAdmin() || slices.ContainsFunc(c.user.RoleIDs, func(id int64) bool { return slices.Contains(c.Roles[id].Permissions, permission) })
}
