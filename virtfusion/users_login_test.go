package virtfusion_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
)

// loginWrites are the classes of the writes in loginOperations.
var loginWrites = map[string]string{
	"POST /users/7001/authenticationTokens": "once", "POST /users/cust-7/authenticationTokens": "once", "POST /users/7001/serverAuthenticationTokens/417": "once",
}

func loginOperations() []operation {
	isLogin := func(want string) func(*testing.T, any) {
		return func(t *testing.T, got any) {
			login := got.(*virtfusion.Login)
			link, err := login.URL(panelURL)
			require.NoError(t, err)
			assert.Equal(t, want, link.Reveal())
			assert.Equal(t, virtfusion.Int(60), login.Expiry.TTLSeconds)
			assert.Equal(t, time.Date(2026, 3, 2, 9, 1, 0, 170943000, time.UTC), login.Expiry.Expires.UTC())
		}
	}
	return []operation{{
		name: "make a login of a user", fixture: "createUserAuthenticationTokens.200", method: "POST", path: "/users/7001/authenticationTokens",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Users.CreateLogin(ctx, virtfusion.ExtRelationID(7001), virtfusion.LoginRequest{})
		},
		check: isLogin("https://cp.example.com/token_authenticate/?1=fixture-login-user-one&2=fixture-login-user-two"),
	}, {
		name: "make a login of a user known by text, with the way back", fixture: "createUserAuthenticationTokens.200", method: "POST",
		path:  "/users/cust-7/authenticationTokens",
		query: "relStr=true", body: `{"return_url":"https://shop.example.com/account"}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Users.CreateLogin(ctx, virtfusion.RelStr("cust-7"), virtfusion.LoginRequest{ReturnURL: "https://shop.example.com/account"})
		},
	}, {
		name: "make a login on the page of a server", fixture: "createServerAuthenticationTokens.200", method: "POST",
		path: "/users/7001/serverAuthenticationTokens/417",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Users.CreateServerLogin(ctx, virtfusion.ExtRelationID(7001), 417, virtfusion.LoginRequest{})
		},
		check: isLogin("https://cp.example.com/token_authenticate/?1=fixture-login-server-one&2=fixture-login-server-two"),
	}}
}

func TestALoginStaysOnTheControlServer(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ base, path, want string }{
		"a path":                   {"https://cp.example.com", "/token_authenticate/?1=a&2=b", "https://cp.example.com/token_authenticate/?1=a&2=b"},
		"a port":                   {"https://cp.example.com:8443", "/token_authenticate/?1=a&2=b", "https://cp.example.com:8443/token_authenticate/?1=a&2=b"},
		"another host":             {"https://cp.example.com", "https://elsewhere.example.com/?1=planted", ""},
		"another authority, short": {"https://cp.example.com", "//elsewhere.example.com/?1=planted", ""},
		"a backslash":              {"https://cp.example.com", `/\elsewhere.example.com/?1=planted`, ""},
		"a line break":             {"https://cp.example.com", "/\n/elsewhere.example.com/?1=planted", ""},
		"a tab":                    {"https://cp.example.com", "/\t/elsewhere.example.com/?1=planted", ""},
		"userinfo":                 {"https://cp.example.com", "@elsewhere.example.com/?1=planted", ""},
		"no tokens":                {"https://cp.example.com", "/token_authenticate/", ""},
		"nothing":                  {"https://cp.example.com", "", ""},
		"no base":                  {"", "/token_authenticate/?1=planted", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			login := virtfusion.Login{EndpointComplete: provisioning.Secret(tt.path)}
			got, err := login.URL(tt.base)
			assert.Equal(t, tt.want, got.Reveal())
			assert.Equal(t, tt.want == "", err != nil)
			assert.NotContains(t, printed(err, login, got), "planted")
		})
	}
}

func TestALoginWithoutAnAddressIsNoLogin(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"data":[]}`, `{"data":{"authentication":[]}}`, `{"data":{"authentication":{"tokens":{"1":"a","2":"b"}}}}`, ``} {
		c, panel := newClient(t, answer{status: 200, body: []byte(body)})
		_, err := c.Users.CreateLogin(t.Context(), virtfusion.ExtRelationID(7001), virtfusion.LoginRequest{})
		require.ErrorIs(t, err, provisioning.ErrMaybeApplied, body)
		assert.Len(t, panel.requests(), 1)
	}
}
