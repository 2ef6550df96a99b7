package main

import (
	"bytes"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/hvpanels/hvpanels/examples/internal/terminal"
	"github.com/hvpanels/hvpanels/provisioning"
)

func TestOnATerminalABarMovesBelowTheLines(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := &progress{screen: &screen{w: &out, live: true, start: time.Now(), width: 7}, key: "order-1"}
	p.building(provisioning.Progress{Look: provisioning.Look{Percent: 50, State: "building"}, Looks: 1})
	p.building(provisioning.Progress{Look: provisioning.Look{Percent: -1, State: "queued"}, Looks: 2})
	p.building(provisioning.Progress{Look: provisioning.Look{Percent: 100, Done: true}, Looks: 3})
	p.line("ready", "done")
	half := "[" + strings.Repeat("#", 16) + strings.Repeat("-", 16) + "]"
	block := "[----####" + strings.Repeat("-", 24) + "]"
	assert.Equal(t, "order-1    0.0s  building   "+half+" building 50 %"+
		"\r\x1b[Korder-1    0.0s  building   "+block+" queued"+
		"\r\x1b[Korder-1    0.0s  ready      done\n", out.String())
}

func TestABarStaysInItsFrame(t *testing.T) {
	t.Parallel()
	for percent := -1; percent <= 130; percent++ {
		for looks := range 40 {
			assert.Len(t, bar(provisioning.Progress{Look: provisioning.Look{Percent: percent}, Looks: looks}), barWidth)
		}
	}
}

func TestAFileIsNoTerminal(t *testing.T) {
	t.Parallel()
	f, err := os.Create(t.TempDir() + "/out")
	assert.NoError(t, err)
	defer func() { _ = f.Close() }()
	assert.False(t, terminal.Is(f, func(string) string { return "xterm" }))
	assert.False(t, terminal.Is(&bytes.Buffer{}, func(string) string { return "xterm" }))
}

func TestSizesAreWrittenAsPanelsDo(t *testing.T) {
	t.Parallel()
	for want, b := range map[string]provisioning.Bytes{
		"2 GB": 2 * provisioning.GiB, "512 MB": 512 * provisioning.MiB, "1536 MB": 1536 * provisioning.MiB, "1999.7 GB": 2000*provisioning.GiB - 314*provisioning.MiB, "0 GB": 0,
	} {
		assert.Equal(t, want, gb(b))
	}
}

func TestAddressesAreListedDownToSingleOnes(t *testing.T) {
	t.Parallel()
	i := provisioning.Instance{Addresses: []provisioning.Address{
		{Prefix: netip.MustParsePrefix("198.51.100.7/32"), Kind: provisioning.AddressPrimary},
		{Prefix: netip.MustParsePrefix("10.0.0.7/32"), Kind: provisioning.AddressNAT},
		{Prefix: netip.MustParsePrefix("2001:db8::/48"), Kind: provisioning.AddressPrimary},
		{Prefix: netip.MustParsePrefix("2001:db8:1::7/128"), Kind: provisioning.AddressExtra},
	}}
	v4, nat, v6 := addresses(i)
	assert.Equal(t, []string{"198.51.100.7"}, v4)
	assert.Equal(t, []string{"10.0.0.7"}, nat)
	assert.Equal(t, []string{"2001:db8::/48", "2001:db8:1::7/128"}, v6)
	assert.Equal(t, "2001:db8::/48", primary(i))
	assert.Empty(t, primary(provisioning.Instance{}))
}

func TestWhatThePanelDoesNotTellIsADash(t *testing.T) {
	t.Parallel()
	for _, r := range serverRows(result{server: provisioning.Instance{ID: "1", Phase: provisioning.PhaseUnknown, Hostname: "a", UUID: "u"}}) {
		if r.name != "Hostname" && r.name != "State" && r.name != "UUID" && r.name != "Root password" {
			assert.Equal(t, "-", r.value, r.name)
		}
	}
}
