package virtfusiontest

import (
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// loginTTL is how long a login link works.
const loginTTL = time.Minute

// login is a link into the panel that was not followed yet.
type login struct {
	First    string    `json:"first"`
	Second   string    `json:"second"`
	UserID   int64     `json:"userId"`
	ServerID int64     `json:"serverId"` // 0 when it is of no server
	Expires  time.Time `json:"expires"`
}

func loginOperations() []operation {
	return []operation{
		{"createUserAuthenticationTokens", "POST /users/{extRelationId}/authenticationTokens", "", (*call).createUserLogin},
		{"createServerAuthenticationTokens", "POST /users/{extRelationId}/serverAuthenticationTokens/{serverId}", "", (*call).createServerLogin},
	}
}

// SetCommercialLicense says whether the panel has the licence that logins need. It has it by default.
func (p *Panel) SetCommercialLicense(licensed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.Managed.Unlicensed = !licensed
}

func (c *call) createUserLogin() answer {
	u, a := c.findUser()
	if u == nil {
		return a
	}
	return c.logIn(u, 0)
}

// createServerLogin does not know the servers of others (guess).
func (c *call) createServerLogin() answer {
	u, a := c.findUser()
	if u == nil {
		return a
	}
	s, a := c.find()
	if s == nil {
		return a
	}
	if s.OwnerID != u.ID {
		return missing("server")
	}
	return c.logIn(u, s.ID)
}

func (c *call) logIn(u *user, serverID int64) answer {
	f := c.form()
	if c.panel.version >= V71 {
		f.text("return_url", "", 2000)
	}
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	if c.Managed.Unlicensed {
		return answer{status: http.StatusForbidden, body: obj{"errors": []string{"This feature needs a commercial license"}}} // status and wording: guess
	}
	m := &c.Managed
	m.Logins = slices.DeleteFunc(m.Logins, func(l *login) bool { return c.now.After(l.Expires) })
	l := &login{First: newToken(), Second: newToken(), UserID: u.ID, ServerID: serverID, Expires: c.now.Add(loginTTL)}
	m.Logins = append(m.Logins, l)
	const endpoint = "/token_authenticate"
	return ok(obj{"authentication": obj{
		"tokens": obj{"1": l.First, "2": l.Second}, "endpoint": endpoint, "endpoint_complete": endpoint + "/?1=" + l.First + "&2=" + l.Second,
		"expiry": obj{"ttl": int(loginTTL / time.Second), "expires": micros(l.Expires)},
	}})
}

// newToken makes a random token of a hundred characters.
func newToken() string { return (rand.Text() + rand.Text() + rand.Text() + rand.Text())[:100] }

// FollowLogin does what a browser does with a login link: it says who is logged in, and on the page of which server (0 for none). A link works once, for a
// minute, and on this panel's host.
func (p *Panel) FollowLogin(link provisioning.Secret) (userID, serverID int64, err error) {
	u, err := url.Parse(link.Reveal())
	if err != nil {
		return 0, 0, errors.New("virtfusiontest: the link is no address")
	}
	home, err := url.Parse(p.url)
	if err != nil || u.Scheme != home.Scheme || u.Host != home.Host || u.Path != "/token_authenticate/" {
		return 0, 0, errors.New("virtfusiontest: the link leads elsewhere")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.look()
	m := &c.Managed
	i := slices.IndexFunc(m.Logins, func(l *login) bool { return l.First == u.Query().Get("1") && l.Second == u.Query().Get("2") })
	if i < 0 {
		return 0, 0, errors.New("virtfusiontest: the link does not exist or was followed already")
	}
	l := m.Logins[i]
	m.Logins = slices.Delete(m.Logins, i, i+1)
	if c.now.After(l.Expires) {
		return 0, 0, errors.New("virtfusiontest: the link has expired")
	}
	return l.UserID, l.ServerID, nil
}

// consoleDelay is how long the socket needs after its token was made. A viewer that comes earlier is closed with code 1006.
const consoleDelay = 2500 * time.Millisecond

// ConnectConsole does what a viewer does with the address of a console's socket: it says whose screen it sees. Only the last token of a server works.
func (p *Panel) ConnectConsole(socket provisioning.Secret) (serverID int64, err error) {
	u, err := url.Parse(socket.Reveal())
	if err != nil {
		return 0, errors.New("virtfusiontest: the socket has no address")
	}
	home, err := url.Parse(p.url)
	if err != nil || u.Scheme != "wss" && u.Scheme != "ws" || u.Host != home.Host || u.Path != "/vnc/" {
		return 0, errors.New("virtfusiontest: the socket leads elsewhere")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.look()
	for _, s := range c.live() {
		if s.VNC.Token == u.Query().Get("token") {
			if c.now.Before(s.VNC.Rotated.Add(consoleDelay)) {
				return 0, errors.New("virtfusiontest: too early, closed with code 1006")
			}
			return s.ID, nil
		}
	}
	return 0, errors.New("virtfusiontest: the token is not the last one")
}
