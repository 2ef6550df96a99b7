package solusvm2_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/solusvm2"
)

// fullQuery is the vendor's complete set of parameters, without the secret.
const fullQuery = "crId=3&crHostname=node3.example.net&crStatus=active&crLicenseType=standard" +
	"&serverId=42&serverIps=%5B%22192.0.2.10%22%2C%22192.0.2.11%22%5D&serverHostname=vps42.example.net" +
	"&serverUuid=7b0c6f4e-5f5e-4c55-9d5f-0a4d6a2d6b11&serverStatus=started" +
	"&userId=7&billingUserId=1001&userEmail=a%40example.net&userStatus=active&userAllowedIps=%5B%5D"

func parse(t *testing.T, query string) solusvm2.Event {
	t.Helper()
	values, err := url.ParseQuery(query)
	require.NoError(t, err)
	return solusvm2.ParseEvent(values)
}

func addrs(texts ...string) []netip.Addr {
	all := []netip.Addr{}
	for _, t := range texts {
		all = append(all, netip.MustParseAddr(t))
	}
	return all
}

func nets(texts ...string) []netip.Prefix {
	all := []netip.Prefix{}
	for _, t := range texts {
		all = append(all, netip.MustParsePrefix(t))
	}
	return all
}

func TestParseEventDecodesEveryParameter(t *testing.T) {
	t.Parallel()
	e := parse(t, fullQuery+"&event=ip_changed&handler=prod-eu1")
	assert.Equal(t, provisioning.Some(solusvm2.ComputeResourceID(3)), e.ComputeResourceID)
	assert.Equal(t, "node3.example.net", e.ComputeResourceHostname)
	assert.Equal(t, solusvm2.ComputeResourceActive, e.ComputeResourceStatus)
	assert.Equal(t, solusvm2.LicenseStandard, e.ComputeResourceLicense)
	assert.Equal(t, provisioning.Some(solusvm2.ServerID(42)), e.ServerID)
	assert.Equal(t, provisioning.Some(addrs("192.0.2.10", "192.0.2.11")), e.ServerIPs)
	assert.Equal(t, "vps42.example.net", e.ServerHostname)
	assert.Equal(t, "7b0c6f4e-5f5e-4c55-9d5f-0a4d6a2d6b11", e.ServerUUID)
	assert.Equal(t, solusvm2.ServerStarted, e.ServerStatus)
	assert.Equal(t, provisioning.Some(solusvm2.UserID(7)), e.UserID)
	assert.Equal(t, "1001", e.BillingUserID)
	assert.Equal(t, "a@example.net", e.UserEmail)
	assert.Equal(t, solusvm2.UserActive, e.UserStatus)
	assert.Equal(t, provisioning.Some(nets()), e.UserAllowedIPs)
	assert.Equal(t, url.Values{"event": {"ip_changed"}, "handler": {"prod-eu1"}}, e.Extra)
	assert.Equal(t, "ip_changed", e.Tag())
	assert.Empty(t, e.Duplicates)
	assert.Empty(t, e.Problems)
}

func TestParseEventTakesAnyParameterAsOptional(t *testing.T) {
	t.Parallel()
	assert.Equal(t, solusvm2.Event{}, parse(t, ""))
	for name := range strings.SplitSeq(fullQuery, "&") {
		left := strings.Replace(fullQuery, name, "", 1)
		e := parse(t, left)
		assert.Empty(t, e.Problems, left)
	}
}

func TestParseEventKeepsUnknownWords(t *testing.T) {
	t.Parallel()
	e := parse(t, "crStatus=melting&crLicenseType=maxi&serverStatus=Beamed+Up&userStatus=vip&newInVersion9=x")
	assert.Equal(t, solusvm2.ComputeResourceStatus("melting"), e.ComputeResourceStatus)
	assert.Equal(t, solusvm2.LicenseType("maxi"), e.ComputeResourceLicense)
	assert.Equal(t, solusvm2.ServerStatus("Beamed Up"), e.ServerStatus)
	assert.Equal(t, solusvm2.UserStatus("vip"), e.UserStatus)
	assert.Equal(t, "x", e.Extra.Get("newInVersion9"))
	assert.False(t, e.ComputeResourceStatus.Known() || e.ComputeResourceLicense.Known() || e.ServerStatus.Known() || e.UserStatus.Known())
	assert.Empty(t, e.Problems)
}

func TestStatusWordsHaveOneSpelling(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]solusvm2.ServerStatus{
		"not exist": solusvm2.ServerNotExist, "not exists": solusvm2.ServerNotExist, "não existe": solusvm2.ServerNotExist, "Não existe": solusvm2.ServerNotExist,
		"started": solusvm2.ServerStarted, "Started": solusvm2.ServerStarted, "iniciado": solusvm2.ServerStarted,
		"stopped": solusvm2.ServerStopped, "parado": solusvm2.ServerStopped,
		"unavailable": solusvm2.ServerUnavailable, "indisponível": solusvm2.ServerUnavailable,
		"processing": solusvm2.ServerProcessing, "paused": solusvm2.ServerPaused, "reinstalling": solusvm2.ServerReinstalling, "restarting": solusvm2.ServerRestarting,
	} {
		for _, escape := range []func(string) string{url.QueryEscape, url.PathEscape} { // blanks as + and as %20
			e := parse(t, "serverStatus="+escape(word))
			assert.Equal(t, want, e.ServerStatus, word)
			assert.True(t, e.ServerStatus.Known(), word)
		}
	}
	for word, want := range map[string]solusvm2.UserStatus{
		"active": solusvm2.UserActive, "ativo": solusvm2.UserActive, "locked": solusvm2.UserLocked, "bloqueado": solusvm2.UserLocked,
		"suspended": solusvm2.UserSuspended, "suspenso": solusvm2.UserSuspended, //nolint:misspell // Portuguese
	} {
		e := parse(t, "userStatus="+url.QueryEscape(word))
		assert.Equal(t, want, e.UserStatus, word)
		assert.True(t, e.UserStatus.Known(), word)
	}
	for _, word := range []solusvm2.ComputeResourceStatus{"commissioning", "configure_network", "active", "failed", "unavailable"} {
		assert.True(t, word.Known(), word)
	}
	for _, word := range []solusvm2.LicenseType{"micro", "mini", "standard"} {
		assert.True(t, word.Known(), word)
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		query   string
		want    provisioning.Opt[solusvm2.ServerID]
		problem bool
	}{
		{"", provisioning.Opt[solusvm2.ServerID]{}, false},
		{"serverId=", provisioning.Null[solusvm2.ServerID](), false},
		{"serverId", provisioning.Null[solusvm2.ServerID](), false},
		{"serverId=null", provisioning.Null[solusvm2.ServerID](), false},
		{"serverId=+42+", provisioning.Some(solusvm2.ServerID(42)), false},
		{"serverId=9223372036854775807", provisioning.Some(solusvm2.ServerID(1<<63 - 1)), false},
		{"serverId=9223372036854775808", provisioning.Opt[solusvm2.ServerID]{}, true},
		{"serverId=0", provisioning.Opt[solusvm2.ServerID]{}, true},
		{"serverId=-1", provisioning.Opt[solusvm2.ServerID]{}, true},
		{"serverId=4.2", provisioning.Opt[solusvm2.ServerID]{}, true},
		{"serverId=abc", provisioning.Opt[solusvm2.ServerID]{}, true},
	} {
		e := parse(t, tc.query)
		assert.Equal(t, tc.want, e.ServerID, tc.query)
		assert.Equal(t, tc.problem, len(e.Problems) == 1, tc.query)
		if tc.problem {
			assert.Equal(t, "serverId", e.Problems[0].Param)
			assert.Equal(t, "serverId="+e.Problems[0].Value, tc.query)
		}
	}
}

func TestAddressLists(t *testing.T) {
	t.Parallel()
	two := provisioning.Some(addrs("192.0.2.10", "2001:db8::1"))
	none := provisioning.Opt[[]netip.Addr]{}
	for _, tc := range []struct {
		name, query string
		want        provisioning.Opt[[]netip.Addr]
		problem     string
	}{
		{"JSON text", `serverIps=["192.0.2.10","2001:db8::1"]`, two, ""},
		{"JSON text with blanks", `serverIps=+[+"192.0.2.10"+,+"2001:db8::1"+]+`, two, ""},
		{"JSON with null and empty elements", `serverIps=["192.0.2.10",null,"","null","2001:db8::1"]`, two, ""},
		{"JSON objects with ip", `serverIps=[{"ip":"192.0.2.10","id":1},{"ip":"2001:db8::1"}]`, two, ""},
		{"JSON with addresses of a network", `serverIps=["192.0.2.10/24","2001:db8::1/128"]`, two, ""},
		{"JSON with a mapped address", `serverIps=["::ffff:192.0.2.10","2001:db8::1"]`, two, ""},
		{"an empty JSON array", `serverIps=[]`, provisioning.Some(addrs()), ""},
		{"PHP style", `serverIps[]=192.0.2.10&serverIps[]=2001:db8::1`, two, ""},
		{"PHP style with numbers out of order", `serverIps[10]=2001:db8::1&serverIps[9]=192.0.2.10`, two, ""},
		{"PHP style escaped", `serverIps%5B0%5D=192.0.2.10&serverIps%5B1%5D=2001:db8::1`, two, ""},
		{"PHP style with an empty element", `serverIps[]=`, provisioning.Some(addrs()), ""},
		{"JSON text wins over PHP style", `serverIps[]=192.0.2.99&serverIps=["192.0.2.10","2001:db8::1"]`, two, ""},
		{"a repeated key", `serverIps=192.0.2.10&serverIps=2001:db8::1`, two, ""},
		{"commas", `serverIps=192.0.2.10,2001:db8::1`, two, ""},
		{"commas and blanks", `serverIps=192.0.2.10,+2001:db8::1`, two, ""},
		{"blanks", `serverIps=192.0.2.10+2001:db8::1`, two, ""},
		{"one bare address", `serverIps=192.0.2.10`, provisioning.Some(addrs("192.0.2.10")), ""},
		{"an empty text", `serverIps=`, provisioning.Null[[]netip.Addr](), ""},
		{"the word null", `serverIps=null`, provisioning.Null[[]netip.Addr](), ""},
		{"an absent key", ``, none, ""},
		{"broken JSON", `serverIps=["192.0.2.10",`, none, "not a JSON array"},
		{"JSON with text after it", `serverIps=["192.0.2.10"]x`, none, "not a JSON array"},
		{"a number in JSON", `serverIps=["192.0.2.10",3221225994]`, none, "element 2 is not an address"},
		{"an array in JSON", `serverIps=[["192.0.2.10"]]`, none, "element 1 is not an address"},
		{"an object without ip", `serverIps=[{"address":"192.0.2.10"}]`, none, "element 1 is not an address"},
		{"a network is no address", `serverIps=["192.0.2.10","2001:db8::/64"]`, none, "element 2 is not an address"},
		{"a word", `serverIps=192.0.2.10,none`, none, "element 2 is not an address"},
		{"PHP style with a word", `serverIps[]=none`, none, "element 1 is not an address"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			e := parse(t, tc.query+"&serverId=42")
			assert.Equal(t, tc.want, e.ServerIPs)
			assert.Equal(t, provisioning.Some(solusvm2.ServerID(42)), e.ServerID, "a bad list must not harm the rest")
			assert.Empty(t, e.Extra)
			assert.Empty(t, e.Duplicates)
			if tc.problem == "" {
				assert.Empty(t, e.Problems)
				return
			}
			require.Len(t, e.Problems, 1)
			assert.Equal(t, "serverIps", e.Problems[0].Param)
			assert.Equal(t, tc.problem, e.Problems[0].Reason)
			assert.NotEmpty(t, e.Problems[0].Value)
		})
	}
}

func TestAllowedIPsAreNetworksAndAddresses(t *testing.T) {
	t.Parallel()
	e := parse(t, `userAllowedIps=["10.0.0.1","192.0.2.77/24","2001:db8::/32","::ffff:10.0.0.2","::ffff:10.1.0.0/112"]`)
	assert.Equal(t, provisioning.Some(nets("10.0.0.1/32", "192.0.2.0/24", "2001:db8::/32", "10.0.0.2/32", "10.1.0.0/16")), e.UserAllowedIPs)
	e = parse(t, `userAllowedIps=everywhere`)
	assert.Equal(t, provisioning.Opt[[]netip.Prefix]{}, e.UserAllowedIPs)
	assert.Equal(t, []solusvm2.ParamProblem{{Param: "userAllowedIps", Value: "everywhere", Reason: "element 1 is not an address"}}, e.Problems)
}

func TestDuplicatesAreFlaggedAndTheFirstCounts(t *testing.T) {
	t.Parallel()
	e := parse(t, `serverId=42&serverId=43&serverHostname=a&serverHostname=b&event=x&event=y&serverIps=["192.0.2.1"]&serverIps=["192.0.2.2"]&secret=1&secret=2`)
	assert.Equal(t, []string{"event", "secret", "serverHostname", "serverId", "serverIps"}, e.Duplicates)
	assert.Equal(t, provisioning.Some(solusvm2.ServerID(42)), e.ServerID)
	assert.Equal(t, "a", e.ServerHostname)
	assert.Equal(t, "x", e.Tag())
	assert.Equal(t, provisioning.Some(addrs("192.0.2.1")), e.ServerIPs)
	assert.Equal(t, url.Values{"event": {"x", "y"}}, e.Extra)
}

func TestUnreadListKeysStayInExtra(t *testing.T) {
	t.Parallel()
	e := parse(t, `serverIps[0][ip]=192.0.2.1&serverIps[x]=192.0.2.2&serverIps[-1]=192.0.2.3&serverIps[=192.0.2.4`)
	assert.True(t, e.ServerIPs.IsZero())
	assert.Len(t, e.Extra, 4)
}

func TestParseEventDropsTheSecretAndLeavesItsInputAlone(t *testing.T) {
	t.Parallel()
	values := url.Values{"secret": {"planted"}, "Secret[0]": {"planted"}, "serverId": {"42"}}
	e := solusvm2.ParseEvent(values)
	text, err := json.Marshal(e)
	require.NoError(t, err)
	assert.NotContains(t, string(text)+fmt.Sprintf("%v %+v %#v", e, e, e), "planted")
	assert.Empty(t, e.Extra)
	assert.Equal(t, "planted", values.Get("secret"))
}

func TestEventsSurviveJSON(t *testing.T) {
	t.Parallel()
	for _, query := range []string{
		"", fullQuery + "&event=x&other=y&other=z", "serverId=&serverIps=&userAllowedIps=null", "serverIps=[]&userAllowedIps=[]", "serverId=x&serverIps=[",
	} {
		before := parse(t, query)
		text, err := json.Marshal(before)
		require.NoError(t, err)
		var after solusvm2.Event
		require.NoError(t, json.Unmarshal(text, &after))
		assert.Equal(t, before, after, string(text))
	}
}
