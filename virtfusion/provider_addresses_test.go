package virtfusion_test

import (
	"net/http"
	"net/netip"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
	"github.com/hvpanels/hvpanels/virtfusion"
	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

// addressPanel is a panel with a provider and one server, which has the address 198.18.0.2 and the private address of a secondary interface.
type addressPanel struct {
	*virtfusiontest.Panel
	provider *virtfusion.Provider
	server   int64
	id       provisioning.ID
}

func newAddressPanel(t *testing.T) *addressPanel {
	t.Helper()
	p := virtfusiontest.New(t)
	c, err := virtfusion.New(p.URL(), p.Token(), virtfusion.WithHTTPClient(&http.Client{Transport: p.Transport()}))
	require.NoError(t, err)
	s, err := p.AddServer(virtfusiontest.Server{PackageID: virtfusiontest.PackageLarge, Built: true})
	require.NoError(t, err)
	return &addressPanel{Panel: p, provider: virtfusion.NewProvider(c, virtfusion.ProviderOptions{}), server: s.ID, id: provisioning.ID(text(s.ID))}
}

// has is what the panel knows of the server's primary interface.
func (p *addressPanel) has(t *testing.T) []netip.Addr {
	t.Helper()
	s, ok := p.Server(p.server)
	require.True(t, ok)
	return s.IPv4
}

func TestAddressesAreAddedListedAndRemoved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newAddressPanel(t)
		before, err := provisioning.Addresses(t.Context(), p.provider, p.id)
		require.NoError(t, err)
		added, err := provisioning.AddIPv4(t.Context(), p.provider, p.id, 2)
		require.NoError(t, err)
		assert.Equal(t, []provisioning.Address{
			{Prefix: netip.MustParsePrefix("198.18.0.3/32"), Kind: provisioning.AddressExtra}, {Prefix: netip.MustParsePrefix("198.18.0.4/32"), Kind: provisioning.AddressExtra},
		}, added)
		after, err := p.provider.Addresses(t.Context(), p.id)
		require.NoError(t, err)
		assert.Len(t, after, len(before)+2)
		assert.Subset(t, after, added)
		assert.Equal(t, provisioning.AddressPrimary, after[0].Kind)

		require.NoError(t, provisioning.RemoveAddresses(t.Context(), p.provider, p.id, []netip.Addr{ip("198.18.0.3"), ip("198.18.0.4")}))
		again, err := p.provider.Addresses(t.Context(), p.id)
		require.NoError(t, err)
		assert.Equal(t, before, again)
		assert.Equal(t, 1, p.Count("removeIPv4Addresses"), "one call for one interface")
		for _, r := range p.Requests() {
			assert.NotContains(t, r.RawQuery, "remoteState=true", "the hypervisor is not asked")
		}
	})
}

func TestRemovingWhatTheServerDoesNotHaveIsDone(t *testing.T) {
	t.Parallel()
	p := newAddressPanel(t)
	require.NoError(t, p.provider.RemoveAddresses(t.Context(), p.id, []netip.Addr{ip("198.18.7.7")}))
	assert.Zero(t, p.Count("removeIPv4Addresses"))
	assert.Len(t, p.has(t), 1)
}

func TestAddressesAreRemovedFromWhicheverInterfaceHasThem(t *testing.T) {
	t.Parallel()
	p := newAddressPanel(t)
	c := p.provider.Client()
	given, err := c.Servers.AddIPv4Quantity(t.Context(), virtfusion.ServerID(p.server), virtfusion.InterfaceSecondary, 1)
	require.NoError(t, err)
	require.NoError(t, p.provider.RemoveAddresses(t.Context(), p.id, []netip.Addr{given[0], ip("198.18.0.2")}))
	assert.Equal(t, 2, p.Count("removeIPv4Addresses"), "one call for each interface")
	all, err := p.provider.Addresses(t.Context(), p.id)
	require.NoError(t, err)
	for _, a := range all {
		assert.NotContains(t, []netip.Addr{given[0], ip("198.18.0.2")}, a.Prefix.Addr())
	}
}

func TestASecondRefusalAfterAFirstRemovalLeavesDoubt(t *testing.T) {
	t.Parallel()
	p := newAddressPanel(t)
	given, err := p.provider.Client().Servers.AddIPv4Quantity(t.Context(), virtfusion.ServerID(p.server), virtfusion.InterfaceSecondary, 1)
	require.NoError(t, err)
	p.Inject(provisioningtest.Fault{Op: "removeIPv4Addresses", Skip: 1, Do: provisioningtest.Answer, Status: http.StatusLocked})
	err = p.provider.RemoveAddresses(t.Context(), p.id, []netip.Addr{given[0], ip("198.18.0.2")})
	require.ErrorIs(t, err, provisioning.Locked)
	require.ErrorIs(t, err, provisioning.ErrMaybeApplied, "the first interface has lost its address")
	assert.Empty(t, p.has(t))
}

func TestALostAnswerToAddIPv4IsDoubtAndNeverTwoCalls(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault provisioningtest.Fault
		want  int // addresses of the server afterwards
	}{
		"cut before it was done":  {provisioningtest.Fault{Do: provisioningtest.CutBefore}, 1},
		"cut after it was done":   {provisioningtest.Fault{Do: provisioningtest.CutAfter}, 3},
		"half of the answer":      {provisioningtest.Fault{Do: provisioningtest.CutBody}, 3},
		"a gateway's error first": {provisioningtest.Fault{Do: provisioningtest.HTML}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newAddressPanel(t)
				c.fault.Op = "addIPv4Quantity"
				p.Inject(c.fault)
				_, err := p.provider.AddIPv4(t.Context(), p.id, 2)
				require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
				assert.Equal(t, 1, p.Count("addIPv4Quantity"))
				assert.Len(t, p.has(t), c.want)
				now, err := p.provider.Addresses(t.Context(), p.id)
				require.NoError(t, err)
				assert.Len(t, now, c.want+1, "Addresses tells which it was; one is private")
			})
		})
	}
}

func TestALostAnswerToRemoveAddressesIsLookedAfter(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]provisioningtest.Fault{
		"cut before it was done": {Do: provisioningtest.CutBefore}, "cut after it was done": {Do: provisioningtest.CutAfter},
		"a gateway's error": {Do: provisioningtest.HTML},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newAddressPanel(t)
				fault.Op = "removeIPv4Addresses"
				p.Inject(fault)
				require.NoError(t, p.provider.RemoveAddresses(t.Context(), p.id, []netip.Addr{ip("198.18.0.2")}))
				assert.Empty(t, p.has(t))
			})
		})
	}
	t.Run("what cannot be looked after stays in doubt", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := newAddressPanel(t)
			p.Inject(provisioningtest.Fault{Op: "removeIPv4Addresses", Do: provisioningtest.CutAfter})
			p.Inject(provisioningtest.Fault{Op: "getServer", Skip: 1, Do: provisioningtest.Answer, Status: http.StatusInternalServerError})
			err := p.provider.RemoveAddresses(t.Context(), p.id, []netip.Addr{ip("198.18.0.2")})
			require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
		})
	})
}

func TestAddressesThatCannotBeManagedAreRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	p := newAddressPanel(t)
	for _, bad := range [][]netip.Addr{nil, {{}}, {ip("198.18.0.2"), ip("198.18.0.2")}} {
		require.ErrorIs(t, p.provider.RemoveAddresses(t.Context(), p.id, bad), provisioning.Invalid)
	}
	require.ErrorIs(t, p.provider.RemoveAddresses(t.Context(), p.id, []netip.Addr{ip("2001:db8:a:1::")}), provisioning.Unsupported)
	require.ErrorIs(t, p.provider.RemoveAddresses(t.Context(), "x", []netip.Addr{ip("198.18.0.2")}), provisioning.Invalid)
	for _, count := range []int{0, -1} {
		_, err := p.provider.AddIPv4(t.Context(), p.id, count)
		require.ErrorIs(t, err, provisioning.Invalid)
	}
	_, err := p.provider.Addresses(t.Context(), "0")
	require.ErrorIs(t, err, provisioning.Invalid)
	_, err = p.provider.AddIPv4(t.Context(), "-3", 1)
	require.ErrorIs(t, err, provisioning.Invalid)
	assert.Empty(t, p.Requests())
}

func TestTheAddressesOfAMissingServerAreNotFound(t *testing.T) {
	t.Parallel()
	p := newAddressPanel(t)
	_, err := p.provider.Addresses(t.Context(), "999999")
	require.ErrorIs(t, err, provisioning.NotFound)
	_, err = p.provider.AddIPv4(t.Context(), "999999", 1)
	require.ErrorIs(t, err, provisioning.NotFound)
	require.NotErrorIs(t, err, provisioning.ErrMaybeApplied)
	require.ErrorIs(t, p.provider.RemoveAddresses(t.Context(), "999999", []netip.Addr{ip("198.18.0.2")}), provisioning.NotFound)
}

func TestMoreAddressesThanThereAreIsAMatterOfCapacity(t *testing.T) {
	t.Parallel()
	p := newAddressPanel(t)
	_, err := p.provider.AddIPv4(t.Context(), p.id, 100_000)
	require.ErrorIs(t, err, provisioning.Capacity)
	assert.Len(t, p.has(t), 1, "all or nothing")
}
