package virtfusion_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
	"github.com/hvpanels/hvpanels/virtfusion"
	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

func TestAConsoleConnectsWhenItIsReadyAndEndsTheOneBefore(t *testing.T) {
	t.Parallel()
	inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
		first, err := provisioning.OpenConsole(t.Context(), m.provider, m.id)
		require.NoError(t, err)
		_, err = m.ConnectConsole(first.WebSocket)
		require.ErrorContains(t, err, "1006", "too early")
		time.Sleep(time.Until(first.ReadyAt))
		server, err := m.ConnectConsole(first.WebSocket)
		require.NoError(t, err)
		assert.Equal(t, m.server, server)

		assert.True(t, strings.HasPrefix(first.WebSocket.Reveal(), "wss://virtfusion.test/vnc/?token="))
		assert.Equal(t, "192.0.2.11", first.Host)
		assert.Positive(t, first.Port)
		assert.NotEmpty(t, first.Password)
		assert.Empty(t, first.Page, "its address is not documented")
		assert.Zero(t, m.Count("getServer"))

		second, err := m.provider.OpenConsole(t.Context(), m.id)
		require.NoError(t, err)
		time.Sleep(time.Until(second.ReadyAt))
		_, err = m.ConnectConsole(first.WebSocket)
		require.Error(t, err)
		_, err = m.ConnectConsole(second.WebSocket)
		require.NoError(t, err)
	})
}

func TestTheViewerPageIsFormedWhereItIsToldHow(t *testing.T) {
	t.Parallel()
	inBubble(t, virtfusion.ProviderOptions{ConsolePath: "/server/{uuid}/screen"}, func(t *testing.T, m *managed) {
		console, err := m.provider.OpenConsole(t.Context(), m.id)
		require.NoError(t, err)
		assert.Equal(t, "https://virtfusion.test/server/"+m.view().UUID+"/screen", console.Page)
	})
	for _, path := range []string{"server/{uuid}", "//elsewhere.example.com/{uuid}", "https://elsewhere.example.com/{uuid}", "/server"} {
		inBubble(t, virtfusion.ProviderOptions{ConsolePath: path}, func(t *testing.T, m *managed) {
			_, err := m.provider.OpenConsole(t.Context(), m.id)
			require.ErrorIs(t, err, provisioning.Invalid, path)
			assert.Zero(t, m.Count("setServerVnc"))
		})
	}
}

func TestAConsoleIsOpenedInTheOtherFormWhereItIsWanted(t *testing.T) {
	t.Parallel()
	inBubble(t, virtfusion.ProviderOptions{VNCSwitch: true}, func(t *testing.T, m *managed) {
		console, err := m.provider.OpenConsole(t.Context(), m.id)
		require.NoError(t, err)
		time.Sleep(time.Until(console.ReadyAt))
		_, err = m.ConnectConsole(console.WebSocket)
		require.NoError(t, err)
		assert.JSONEq(t, `{"vnc":true}`, string(m.Requests()[0].Body))
	}, virtfusiontest.WithVersion(virtfusiontest.V70))
}

func TestAConsoleIsOpenedOnceAndOnThePanelsOwnHost(t *testing.T) {
	t.Parallel()
	inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
		m.Inject(provisioningtest.Fault{Op: "setServerVnc", Do: provisioningtest.CutAfter})
		_, err := m.provider.OpenConsole(t.Context(), m.id)
		require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
		assert.Equal(t, 1, m.Count("setServerVnc"))
		_, err = m.provider.OpenConsole(t.Context(), "99")
		require.ErrorIs(t, err, provisioning.NotFound)
	})
	c, _ := newClient(t, answer{status: 200, body: []byte(`{"data":{"vnc":{"ip":"192.0.2.1","hostname":"vnc.example.com","port":5901,"password":"planted",
		"wss":{"token":"planted","url":"//elsewhere.example.com/?token=planted"}}}}`)})
	console, err := virtfusion.NewProvider(c, virtfusion.ProviderOptions{}).OpenConsole(t.Context(), "417")
	require.ErrorIs(t, err, provisioning.Unexpected)
	assert.NotContains(t, printed(console, err), "planted")

	c, _ = newClient(t, from(t, "setServerVnc.200"))
	console, err = virtfusion.NewProvider(c, virtfusion.ProviderOptions{}).OpenConsole(t.Context(), "417")
	require.NoError(t, err)
	assert.NotContains(t, printed(console), "fixture-vnc")
}

func TestALoginLinkLogsTheOwnerInOnce(t *testing.T) {
	t.Parallel()
	inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
		link, err := provisioning.LoginLink(t.Context(), m.provider, text(ownerRef), "")
		require.NoError(t, err)
		assert.Equal(t, time.Now().Add(time.Minute).UTC(), link.Expires.UTC())
		user, server, err := m.FollowLogin(link.URL)
		require.NoError(t, err)
		assert.Equal(t, m.owner, user)
		assert.Zero(t, server)
		_, _, err = m.FollowLogin(link.URL)
		require.Error(t, err, "it works once")

		link, err = m.provider.LoginLink(t.Context(), text(ownerRef), m.id)
		require.NoError(t, err)
		_, server, err = m.FollowLogin(link.URL)
		require.NoError(t, err)
		assert.Equal(t, m.server, server, "it opens the server's page")

		link, err = m.provider.LoginLink(t.Context(), text(ownerRef), m.id)
		require.NoError(t, err)
		time.Sleep(time.Until(link.Expires) + time.Second)
		_, _, err = m.FollowLogin(link.URL)
		require.ErrorContains(t, err, "expired")
		assert.NotContains(t, printed(link), "token_authenticate")
	})
}

func TestALoginLinkIsNotMadeForTheWrongPeople(t *testing.T) {
	t.Parallel()
	inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
		m.AddUser(virtfusiontest.User{Name: "Ada Admin", Email: "ada@example.com", ExtRelationID: 9001, Admin: true})
		m.AddUser(virtfusiontest.User{Name: "Else Other", Email: "else@example.com", ExtRelationID: 9002})
		for name, tt := range map[string]struct {
			ref  string
			id   provisioning.ID
			kind provisioning.Kind
		}{
			"an administrator":               {"9001", "", provisioning.Invalid},
			"nobody":                         {"9999", "", provisioning.NotFound},
			"a name":                         {"otto", "", provisioning.Invalid},
			"a server that does not exist":   {text(ownerRef), "99", provisioning.NotFound},
			"a server of somebody else":      {"9002", m.id, provisioning.NotFound},
			"a server id that cannot be one": {text(ownerRef), "web-1", provisioning.Invalid},
		} {
			_, err := m.provider.LoginLink(t.Context(), tt.ref, tt.id)
			require.ErrorIs(t, err, tt.kind, name)
		}
		assert.Zero(t, m.Count("createUserAuthenticationTokens"))

		_, err := m.provider.ResetPanelPassword(t.Context(), "9001")
		require.ErrorIs(t, err, provisioning.Invalid)
		assert.Zero(t, m.Count("resetUserPassword"))

		m.SetCommercialLicense(false)
		_, err = m.provider.LoginLink(t.Context(), text(ownerRef), "")
		require.ErrorIs(t, err, provisioning.Forbidden)
	})
}

func TestALoginLinkNeverLeadsElsewhere(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"https://elsewhere.example.com/token_authenticate/?1=planted", "//elsewhere.example.com/?1=planted",
		`/\\elsewhere.example.com/?1=planted`} {
		c, _ := newClient(t, from(t, "getUserByExtRelation.200"),
			answer{status: 200, body: []byte(`{"data":{"authentication":{"tokens":{"1":"planted","2":"b"},"endpoint_complete":"` + address + `"}}}`)})
		link, err := virtfusion.NewProvider(c, virtfusion.ProviderOptions{}).LoginLink(t.Context(), "7001", "")
		require.ErrorIs(t, err, provisioning.Unexpected, address)
		assert.Empty(t, link.URL)
		assert.NotContains(t, printed(link, err), "planted")
	}
}

func TestALinkWithoutATimeExpiresAfterItsSeconds(t *testing.T) {
	t.Parallel()
	c, _ := newClient(t, from(t, "getUserByExtRelation.200"),
		answer{status: 200, body: []byte(`{"data":{"authentication":{"endpoint_complete":"/token_authenticate/?1=a&2=b","expiry":{"ttl":"60","expires":null}}}}`)})
	link, err := virtfusion.NewProvider(c, virtfusion.ProviderOptions{}).LoginLink(t.Context(), "7001", "")
	require.NoError(t, err)
	assert.InDelta(t, 60, time.Until(link.Expires).Seconds(), 5)
}

func TestAPanelPasswordIsToldAndNotMailed(t *testing.T) {
	t.Parallel()
	inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
		first, err := provisioning.ResetPanelPassword(t.Context(), m.provider, text(ownerRef))
		require.NoError(t, err)
		second, err := m.provider.ResetPanelPassword(t.Context(), text(ownerRef))
		require.NoError(t, err)
		assert.NotEmpty(t, first)
		assert.NotEqual(t, first, second)
		assert.Empty(t, m.Mails())

		m.Inject(provisioningtest.Fault{Op: "resetUserPassword", Do: provisioningtest.CutAfter})
		_, err = m.provider.ResetPanelPassword(t.Context(), text(ownerRef))
		require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
		assert.Equal(t, 3, m.Count("resetUserPassword"))
	})
}
