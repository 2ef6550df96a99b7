package provisioning_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/hvpanels/hvpanels/provisioning"
)

const someNewPhase, somePower = provisioning.Phase("hibernating"), provisioning.PowerState("paused")

func TestStateFoldsEveryCombination(t *testing.T) {
	t.Parallel()
	const online, offline, making, failed, unknown = provisioning.StateOnline, provisioning.StateOffline, provisioning.StateProvisioning,
		provisioning.StateFailed, provisioning.StateUnknown
	powers := []provisioning.PowerState{provisioning.PowerRunning, provisioning.PowerStopped, provisioning.PowerUnknown, somePower, ""}
	for phase, want := range map[provisioning.Phase][5]provisioning.State{
		provisioning.PhaseAllocated: {making, making, making, making, making},
		provisioning.PhaseBuilding:  {making, making, making, making, making},
		provisioning.PhaseReady:     {online, offline, unknown, unknown, unknown},
		provisioning.PhaseFailed:    {failed, failed, failed, failed, failed},
		provisioning.PhaseUnknown:   {online, offline, unknown, unknown, unknown},
		someNewPhase:                {online, offline, unknown, unknown, unknown},
		"":                          {online, offline, unknown, unknown, unknown},
	} {
		for n, power := range powers {
			i := provisioning.Instance{Phase: phase, Power: power}
			assert.Equal(t, want[n], i.State(), "%q %q", phase, power)
			i.Suspended = true
			assert.Equal(t, provisioning.StateSuspended, i.State(), "%q %q suspended", phase, power)
		}
	}
}

func TestPrimaryAddressIsIPv6WhereThereIsOne(t *testing.T) {
	t.Parallel()
	address := func(prefix string, kind provisioning.AddressKind) provisioning.Address {
		return provisioning.Address{Prefix: netip.MustParsePrefix(prefix), Kind: kind}
	}
	const primary, extra, nat = provisioning.AddressPrimary, provisioning.AddressExtra, provisioning.AddressNAT
	for name, c := range map[string]struct {
		have []provisioning.Address
		want string
	}{
		"none":                                {nil, "invalid Prefix"},
		"one IPv4":                            {[]provisioning.Address{address("203.0.113.5/24", primary)}, "203.0.113.5/24"},
		"primary IPv4 after an extra one":     {[]provisioning.Address{address("203.0.113.6/32", extra), address("203.0.113.5/32", primary)}, "203.0.113.5/32"},
		"two primary IPv4":                    {[]provisioning.Address{address("203.0.113.5/32", primary), address("203.0.113.6/32", primary)}, "203.0.113.5/32"},
		"two extra IPv4":                      {[]provisioning.Address{address("203.0.113.6/32", extra), address("203.0.113.7/32", extra)}, "203.0.113.6/32"},
		"only NAT":                            {[]provisioning.Address{address("10.0.0.2/24", nat)}, "10.0.0.2/24"},
		"an IPv6 /64":                         {[]provisioning.Address{address("203.0.113.5/32", primary), address("2001:db8::/64", extra)}, "2001:db8::/64"},
		"an IPv6 /48":                         {[]provisioning.Address{address("2001:db8::/48", extra), address("203.0.113.5/32", primary)}, "2001:db8::/48"},
		"an IPv6 /128":                        {[]provisioning.Address{address("203.0.113.5/32", primary), address("2001:db8::5/128", primary)}, "2001:db8::5/128"},
		"two IPv6, the first counts":          {[]provisioning.Address{address("2001:db8:1::/64", primary), address("2001:db8:2::/64", extra)}, "2001:db8:1::/64"},
		"an invalid one is no address":        {[]provisioning.Address{address("203.0.113.5/32", extra), {Kind: primary}}, "203.0.113.5/32"},
		"an invalid one first is none either": {[]provisioning.Address{{Kind: primary}, address("203.0.113.5/32", extra)}, "203.0.113.5/32"},
	} {
		assert.Equal(t, c.want, provisioning.Instance{Addresses: c.have}.PrimaryAddress().String(), name)
	}
}

func TestTrafficLeft(t *testing.T) {
	t.Parallel()
	gb := func(n int64) provisioning.Opt[provisioning.Bytes] {
		return provisioning.Some(provisioning.Bytes(n) * provisioning.GiB)
	}
	var absent provisioning.Opt[provisioning.Bytes]
	for name, c := range map[string]struct {
		traffic provisioning.Traffic
		left    provisioning.Bytes
		ok      bool
	}{
		"some":                           {provisioning.Traffic{Allowance: gb(100), Used: gb(30)}, 70 * provisioning.GiB, true},
		"all":                            {provisioning.Traffic{Allowance: gb(100), Used: gb(0)}, 100 * provisioning.GiB, true},
		"nothing":                        {provisioning.Traffic{Allowance: gb(100), Used: gb(100)}, 0, true},
		"more than all was used":         {provisioning.Traffic{Allowance: gb(100), Used: gb(130)}, 0, true},
		"an allowance of nothing":        {provisioning.Traffic{Allowance: gb(0), Used: gb(1)}, 0, true},
		"no limit":                       {provisioning.Traffic{Unlimited: true, Used: gb(30)}, 0, false},
		"no limit, whatever is told":     {provisioning.Traffic{Unlimited: true, Allowance: gb(100), Used: gb(30)}, 0, false},
		"the allowance is not known":     {provisioning.Traffic{Used: gb(30)}, 0, false},
		"the allowance is null":          {provisioning.Traffic{Allowance: provisioning.Null[provisioning.Bytes](), Used: gb(30)}, 0, false},
		"what was used is not known":     {provisioning.Traffic{Allowance: gb(100), Used: absent}, 0, false},
		"nothing is known about traffic": {provisioning.Traffic{}, 0, false},
	} {
		left, ok := c.traffic.Left()
		assert.Equal(t, c.left, left, name)
		assert.Equal(t, c.ok, ok, name)
	}
}
