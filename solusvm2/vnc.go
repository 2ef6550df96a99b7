package solusvm2

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// VNC is the way to a server's screen.
type VNC struct {
	// URL is "host:port/uuid" on the panels that were seen: see WebSocketURL.
	URL  provisioning.Secret `json:"url"`
	Host string              `json:"host"`
	Port Int                 `json:"port"`
	VM   struct {
		ID       ServerID       `json:"id"`
		UUID     string         `json:"uuid"`
		Settings ServerSettings `json:"settings"`
	} `json:"vm"`
	// VNCProxyURL is on newer panels. One portal opens it in the browser in preference to URL; what it is for is not documented.
	VNCProxyURL provisioning.Secret `json:"vnc_proxy_url"`
}

// LogValue logs all of it, with its secrets masked.
func (v VNC) LogValue() slog.Value { return provisioning.Masked(v) }

// Password is the password of the VNC console. When it is empty read the server: see ServerSettings.ConsolePassword.
func (v *VNC) Password() provisioning.Secret { return v.VM.Settings.ConsolePassword() }

// WebSocketURL is the address a viewer such as noVNC connects to, through the management node at baseURL (Client.BaseURL). The protocol is RFB. A URL that is
// an address of a socket already is returned as it is; that some panels answer so is a guess of one module.
func (v *VNC) WebSocketURL(baseURL string) (provisioning.Secret, error) {
	target := v.URL.Reveal()
	if strings.HasPrefix(target, "wss://") || strings.HasPrefix(target, "ws://") {
		return v.URL, nil
	}
	base, err := url.Parse(baseURL)
	if err != nil || base.Host == "" {
		return "", provisioning.InvalidField("baseURL", "must be an address with a host")
	}
	scheme := "wss"
	if base.Scheme == "http" {
		scheme = "ws"
	}
	return provisioning.Secret(scheme + "://" + base.Host + strings.TrimSuffix(base.EscapedPath(), "/") + "/vnc?url=" + url.QueryEscape(target)), nil
}

// vncAnswer is the answer of vnc_up, which is the only one of the panel that is not wrapped in data. A wrapped one is read all the same.
type vncAnswer struct{ VNC }

func (a *vncAnswer) UnmarshalJSON(b []byte) error {
	var wrapped envelope[json.RawMessage]
	if json.Unmarshal(b, &wrapped) == nil && bytes.HasPrefix(wrapped.Data, []byte("{")) {
		b = wrapped.Data
	}
	return json.Unmarshal(b, &a.VNC)
}

// OpenVNC prepares a server's console. Do not offer it while ServerSettings.VNCEnabled is false or the server is suspended. It is sent once, because it may end
// another viewer's session.
//
// Class: once.
// API: POST /servers/{id}/vnc_up
func (s *ServersService) OpenVNC(ctx context.Context, id ServerID, opts ...CallOption) (*VNC, error) {
	if err := positive("id", id); err != nil {
		return nil, err
	}
	var out vncAnswer
	err := s.rest.Do(ctx, rest.Call{Op: "openVnc", Class: rest.Once, Method: http.MethodPost, Path: []any{"servers", id, "vnc_up"}, Out: &out,
		Check: func() error {
			if out.URL == "" {
				return lacks("console address")
			}
			if out.VM.ID != 0 {
				return sameID("server", out.VM.ID, id)
			}
			return nil
		}}, opts...)
	if err != nil {
		return nil, err
	}
	return &out.VNC, nil
}
