package virtfusion

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

var (
	_ provisioning.ConsoleOpener = (*Provider)(nil)
	_ provisioning.PanelAccess   = (*Provider)(nil)
)

// consoleDelay is how long the panel needs until a new socket token works. An integration found it.
const consoleDelay = 2500 * time.Millisecond

// OpenConsole opens the way to a server's screen and ends another viewer's: each call makes a new socket token. A viewer that connects before ReadyAt is
// closed. Host, Port and Password are the raw VNC endpoint.
//
// Page is the panel's own viewer, which needs a session of the panel (see LoginLink). Its address is formed from the server's UUID and is not documented, so it
// is empty unless ProviderOptions.ConsolePath tells how.
func (p *Provider) OpenConsole(ctx context.Context, id provisioning.ID) (provisioning.Console, error) {
	server, err := parseID(id)
	if err != nil {
		return provisioning.Console{}, err
	}
	page, err := p.consolePage(ctx, server)
	if err != nil {
		return provisioning.Console{}, err
	}
	var v *VNC
	if p.o.VNCSwitch {
		v, err = p.client.Servers.SwitchVNC(ctx, server, true)
	} else {
		v, err = p.client.Servers.SetVNC(ctx, server, VNCEnable)
	}
	if err != nil {
		return provisioning.Console{}, err
	}
	socket, err := v.WebSocketURL(p.client.BaseURL())
	if err != nil {
		return provisioning.Console{}, err
	}
	host := v.Hostname
	if host == "" {
		host = v.IP
	}
	return provisioning.Console{WebSocket: socket, Page: page, Host: host, Port: int(v.Port), Password: v.Password, ReadyAt: time.Now().Add(consoleDelay)}, nil
}

// consolePage is the address of the panel's viewer for a server, "" when nobody has told how it is formed.
func (p *Provider) consolePage(ctx context.Context, id ServerID) (string, error) {
	if p.o.ConsolePath == "" {
		return "", nil
	}
	if !strings.HasPrefix(p.o.ConsolePath, "/") || strings.HasPrefix(p.o.ConsolePath, "//") || !strings.Contains(p.o.ConsolePath, "{uuid}") {
		return "", provisioning.InvalidField("consolePath", "must be a path on the control server that holds {uuid}")
	}
	s, err := p.client.Servers.Get(ctx, id, GetServerOptions{})
	if err != nil {
		return "", err
	}
	if s.UUID == "" {
		return "", nil
	}
	return p.client.BaseURL() + strings.ReplaceAll(p.o.ConsolePath, "{uuid}", url.PathEscape(s.UUID)), nil
}

// LoginLink makes a link that logs the owner into the panel, on the page of server id when it is not empty. It works once, for about a minute, and needs the
// panel's commercial licence. ownerRef is the numeric external relation id, because the panel makes links for nobody else. Accounts of administrators are
// refused: a link for one would hand the panel over. The link's host is the configured control server, whatever the panel answers.
func (p *Provider) LoginLink(ctx context.Context, ownerRef string, id provisioning.ID) (provisioning.Link, error) {
	var server ServerID
	var err error
	if id != "" {
		if server, err = parseID(id); err != nil {
			return provisioning.Link{}, err
		}
	}
	ext, err := p.customer(ctx, ownerRef)
	if err != nil {
		return provisioning.Link{}, err
	}
	var login *Login
	if id == "" {
		login, err = p.client.Users.CreateLogin(ctx, ext, LoginRequest{})
	} else {
		login, err = p.client.Users.CreateServerLogin(ctx, ext, server, LoginRequest{})
	}
	if err != nil {
		return provisioning.Link{}, err
	}
	address, err := login.URL(p.client.BaseURL())
	if err != nil {
		return provisioning.Link{}, err
	}
	link := provisioning.Link{URL: address, Expires: login.Expiry.Expires.Time}
	if link.Expires.IsZero() {
		link.Expires = time.Now().Add(time.Duration(login.Expiry.TTLSeconds) * time.Second)
	}
	return link, nil
}

// ResetPanelPassword gives the owner's panel account a new password and returns it. The panel sends no mail. It is sent once: each call makes another password,
// and after ErrMaybeApplied neither the old one nor a new one is known to work. Accounts of administrators are refused.
func (p *Provider) ResetPanelPassword(ctx context.Context, ownerRef string) (provisioning.Secret, error) {
	ext, err := p.customer(ctx, ownerRef)
	if err != nil {
		return "", err
	}
	reset, err := p.client.Users.ResetPassword(ctx, ext)
	if err != nil {
		return "", err
	}
	return reset.Password, nil
}

// customer is the external relation of an account that is no administrator's.
func (p *Provider) customer(ctx context.Context, ref string) (ExtRelationID, error) {
	ext, err := parse[ExtRelationID]("owner.ref", ref)
	if err != nil {
		return 0, err
	}
	u, err := p.client.Users.GetByExtRelation(ctx, ext)
	if err != nil {
		return 0, err
	}
	if bool(u.Admin) {
		return 0, provisioning.InvalidField("owner.ref", "the account is an administrator's")
	}
	return ext, nil
}
