package virtfusion_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
)

var states = []virtfusion.ServerState{virtfusion.ServerAllocated, virtfusion.ServerQueued, virtfusion.ServerBuilding, virtfusion.ServerComplete,
	virtfusion.ServerFailed, virtfusion.ServerSuspended}

func TestTheStateTable(t *testing.T) {
	t.Parallel()
	const (
		allocated = provisioning.PhaseAllocated
		building  = provisioning.PhaseBuilding
		ready     = provisioning.PhaseReady
		failed    = provisioning.PhaseFailed
		unknown   = provisioning.PhaseUnknown
	)
	// By commission status 0, 1, 2, 3, and 9, which nobody knows.
	table := map[virtfusion.ServerState][5]provisioning.Phase{
		virtfusion.ServerAllocated: {allocated, allocated, allocated, allocated, allocated},
		virtfusion.ServerQueued:    {building, building, building, building, building},
		virtfusion.ServerBuilding:  {building, building, building, building, building},
		virtfusion.ServerComplete:  {ready, ready, ready, ready, ready},
		virtfusion.ServerFailed:    {failed, failed, failed, failed, failed},
		virtfusion.ServerSuspended: {allocated, building, unknown, ready, unknown},
		"migrating":                {allocated, building, unknown, ready, unknown},
		"":                         {allocated, building, unknown, ready, unknown},
	}
	for _, s := range states {
		require.Contains(t, table, s)
		assert.True(t, s.Known())
	}
	assert.False(t, virtfusion.ServerState("migrating").Known())
	for state, phases := range table {
		for i, status := range []virtfusion.CommissionStatus{0, 1, 2, 3, 9} {
			s := virtfusion.Server{State: state, CommissionStatus: status}
			u := virtfusion.UserServer{State: state, CommissionStatus: status}
			assert.Equal(t, phases[i], s.Phase(), "%s %d", state, status)
			assert.Equal(t, phases[i], u.Phase(), "%s %d", state, status)
			s.BuildFailed, u.BuildFailed = true, true
			assert.Equal(t, failed, s.Phase(), "the flag alone says that a build failed")
			assert.Equal(t, failed, u.Phase())
			assert.Equal(t, status <= 3, status.Known())
		}
	}
	for status, phase := range map[virtfusion.CommissionStatus]provisioning.Phase{0: allocated, 1: building, 2: unknown, 3: ready, 9: unknown, -1: unknown} {
		row := virtfusion.ServerRow{Commissioned: status}
		assert.Equal(t, phase, row.Phase(), "a row has only the number, and 2 stands for two things")
	}
}

func TestAnUnknownStateSurvivesDecodingAndEncoding(t *testing.T) {
	t.Parallel()
	var s virtfusion.Server
	require.NoError(t, json.Unmarshal([]byte(`{"state":"hibernating","commissionStatus":"3"}`), &s))
	assert.Equal(t, provisioning.PhaseReady, s.Phase())
	assert.Contains(t, compact(t, &s), `"state":"hibernating"`)
}

func TestPowerIsWhatTheHypervisorSaysAndNothingElse(t *testing.T) {
	t.Parallel()
	const running, stopped, unknown = provisioning.PowerRunning, provisioning.PowerStopped, provisioning.PowerUnknown
	for remote, want := range map[string]provisioning.PowerState{
		`{"running":true,"state":"running"}`:   running,
		`{"running":1}`:                        running,
		`{"state":"running"}`:                  running,
		`{"running":false,"state":"shutoff"}`:  stopped,
		`{"running":false,"state":"shut off"}`: stopped,
		`{"state":"crashed"}`:                  stopped,
		`{"running":false}`:                    stopped,
		`{"running":true,"state":"paused"}`:    unknown,
		`{"running":true,"state":"odd"}`:       running,
		`{"running":false,"state":"odd"}`:      stopped,
		`{"running":null}`:                     unknown,
		`{"state":"odd"}`:                      unknown,
		`{}`:                                   unknown,
		`false`:                                unknown,
		`true`:                                 unknown,
		`null`:                                 unknown,
		`[]`:                                   unknown,
		`""`:                                   unknown,
		`"timeout"`:                            unknown,
		`{"running":{}}`:                       unknown,
	} {
		t.Run(remote, func(t *testing.T) {
			t.Parallel()
			var s virtfusion.Server
			require.NoError(t, json.Unmarshal([]byte(`{"id":7,"state":"complete","remoteState":`+remote+`}`), &s), "a live figure never makes a server unreadable")
			assert.Equal(t, virtfusion.ServerID(7), s.ID)
			assert.Equal(t, want, s.RemoteState.Power())
			assert.Equal(t, provisioning.PhaseReady, s.Phase())
		})
	}
}

func TestALiveStateKeepsWhatDependsOnTheGuest(t *testing.T) {
	t.Parallel()
	const live = `{"running":true,"state":"running","cpu":"17.4","memory":{"actual":"1048576","rss":400000},
		"disk":{"vda":{"rd.bytes":5,"capacity":"16106127360"}},"agent":{"fsinfo":[]}}`
	var r virtfusion.RemoteState
	require.NoError(t, json.Unmarshal([]byte(live), &r))
	assert.True(t, r.Answered)
	assert.InDelta(t, 17.4, float64(r.CPU), 0.001)
	assert.JSONEq(t, `{"actual":"1048576","rss":400000}`, string(r.Memory))
	require.NoError(t, json.Unmarshal([]byte(`false`), &r))
	assert.Equal(t, virtfusion.RemoteState{}, r, "nothing of an earlier answer stays")
	assert.Equal(t, "false", compact(t, r))
}

func TestOtherOpenSetsKnowTheirMembers(t *testing.T) {
	t.Parallel()
	for _, n := range []virtfusion.NetworkType{virtfusion.NetworkSimpleBridge, virtfusion.NetworkLVBridgeOVS, virtfusion.NetworkLV, virtfusion.NetworkLVBridge,
		virtfusion.NetworkLVNATv1, virtfusion.NetworkMacVTap} {
		assert.True(t, n.Known())
	}
	assert.False(t, virtfusion.NetworkType("wireless").Known())
	for _, tt := range []virtfusion.TemplateType{virtfusion.TemplateLinux, virtfusion.TemplateUnix, virtfusion.TemplateWindows} {
		assert.True(t, tt.Known())
	}
	assert.False(t, virtfusion.TemplateType("plan9").Known())
	assert.True(t, virtfusion.NetFilterNativePrivacy.Known())
	assert.False(t, virtfusion.NetFilter(6).Known())
	assert.True(t, virtfusion.SelfServiceBoth.Known())
	assert.False(t, virtfusion.SelfServiceMode(4).Known())
}

func TestAddressesBecomePrefixesOrSayThatTheyCannot(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ address, mask, want string }{
		{"198.51.100.7", "255.255.254.0", "198.51.100.7/23"}, {"198.51.100.7", "", "198.51.100.7/32"}, {"198.51.100.7", "255.0.255.0", "198.51.100.7/32"},
		{"198.51.100.7", "0.0.0.0", "198.51.100.7/0"}, {"198.51.100.7", "::", "198.51.100.7/32"},
		{"", "255.255.255.0", "invalid Prefix"}, {"x", "", "invalid Prefix"},
	} {
		a := virtfusion.ServerIPv4{Address: c.address, Netmask: c.mask}
		assert.Equal(t, c.want, a.Prefix().String())
	}
	for _, c := range []struct {
		subnet string
		cidr   virtfusion.Int
		want   string
	}{
		{"2001:db8::", 80, "2001:db8::/80"}, {"2001:db8::1", 128, "2001:db8::1/128"}, {"2001:db8::", 129, "invalid Prefix"},
		{"2001:db8::", -1, "invalid Prefix"}, {"", 64, "invalid Prefix"},
	} {
		a := virtfusion.ServerIPv6{Subnet: c.subnet, CIDR: c.cidr}
		assert.Equal(t, c.want, a.Prefix().String())
	}
}

func TestTheInstalledTemplateIsNamedWhereThePanelNamesIt(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{`{"templateName":"Debian 12"}`: "Debian 12", `[]`: "", `null`: "", `false`: "", `{}`: ""} {
		var s virtfusion.Server
		require.NoError(t, json.Unmarshal([]byte(`{"os":`+in+`}`), &s), in)
		assert.Equal(t, want, s.OS.TemplateName)
	}
	var s virtfusion.Server
	require.Error(t, json.Unmarshal([]byte(`{"os":{"templateName":{}}}`), &s))
}
