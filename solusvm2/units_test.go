package solusvm2_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/solusvm2"
)

func TestUnitsConvertExactlyOrRefuse(t *testing.T) {
	t.Parallel()
	ram, err := solusvm2.MemoryOf(512 * provisioning.MiB)
	require.NoError(t, err)
	assert.Equal(t, solusvm2.ByteCount(536870912), ram)
	for _, b := range []provisioning.Bytes{0, 8, 2048, 512 * provisioning.MB, -provisioning.MiB, provisioning.MiB + 1} {
		got, err := solusvm2.MemoryOf(b)
		require.ErrorIs(t, err, provisioning.Invalid, "%d", b)
		assert.Zero(t, got)
	}
	disk, err := solusvm2.GiBOf(40 * provisioning.GiB)
	require.NoError(t, err)
	assert.Equal(t, solusvm2.GiB(40), disk)
	assert.Equal(t, 40*provisioning.GiB, disk.Bytes())
	for _, b := range []provisioning.Bytes{40, provisioning.MiB, 20 * provisioning.GB, -provisioning.GiB} {
		_, err := solusvm2.GiBOf(b)
		require.ErrorIs(t, err, provisioning.Invalid, "%d", b)
	}
}

func TestTrafficLimitsAreOneTableOfPowersOf1024(t *testing.T) {
	t.Parallel()
	limit := func(n solusvm2.Int, unit solusvm2.TrafficUnit) solusvm2.TrafficLimit {
		return solusvm2.TrafficLimit{IsEnabled: true, Limit: n, Unit: unit}
	}
	for name, c := range map[string]struct {
		limit solusvm2.TrafficLimit
		want  provisioning.Opt[provisioning.Bytes]
	}{
		"KiB":                   {limit(3, "KiB"), provisioning.Some(3 * provisioning.KiB)},
		"MiB":                   {limit(3, "MiB"), provisioning.Some(3 * provisioning.MiB)},
		"GiB":                   {limit(500, "GiB"), provisioning.Some(500 * provisioning.GiB)},
		"TiB":                   {limit(2, "TiB"), provisioning.Some(2 * provisioning.TiB)},
		"PiB":                   {limit(1, "PiB"), provisioning.Some(1024 * provisioning.TiB)},
		"KB of old panels":      {limit(3, "KB"), provisioning.Some(3 * provisioning.KiB)},
		"PB of old panels":      {limit(3, "PB"), provisioning.Some(3 * 1024 * provisioning.TiB)},
		"nothing is a limit":    {limit(0, "GiB"), provisioning.Some(provisioning.Bytes(0))},
		"no limit":              {solusvm2.TrafficLimit{Limit: 2, Unit: "TiB"}, provisioning.Null[provisioning.Bytes]()},
		"an unknown unit":       {limit(3, "EiB"), provisioning.Opt[provisioning.Bytes]{}},
		"no unit":               {limit(3, ""), provisioning.Opt[provisioning.Bytes]{}},
		"more than 63 bits":     {limit(8192, "PiB"), provisioning.Opt[provisioning.Bytes]{}},
		"the most of 63 bits":   {limit(8191, "PiB"), provisioning.Some(8191 * 1024 * provisioning.TiB)},
		"below 0":               {limit(-1, "GiB"), provisioning.Opt[provisioning.Bytes]{}},
		"a number that is huge": {limit(math.MaxInt64, "KiB"), provisioning.Opt[provisioning.Bytes]{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, c.limit.Allowance())
		})
	}
	for b, want := range map[provisioning.Bytes]solusvm2.TrafficLimit{
		2 * provisioning.TiB: limit(2, "TiB"), 1536 * provisioning.GiB: limit(1536, "GiB"), 1024 * provisioning.TiB: limit(1, "PiB"), provisioning.KiB: limit(1, "KiB"),
		1500 * provisioning.MB: limit(1464843, "KiB"),
	} {
		got, err := solusvm2.TrafficLimitOf(b)
		if b%provisioning.KiB != 0 {
			require.ErrorIs(t, err, provisioning.Invalid, "%d", b)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	for _, b := range []provisioning.Bytes{0, -provisioning.KiB, 1, provisioning.KB} {
		_, err := solusvm2.TrafficLimitOf(b)
		require.ErrorIs(t, err, provisioning.Invalid, "%d", b)
	}
}

func TestTheTrafficOfAPlanIsOneNumberOrNotKnown(t *testing.T) {
	t.Parallel()
	some := func(n solusvm2.Int) *solusvm2.TrafficLimit {
		return &solusvm2.TrafficLimit{IsEnabled: true, Limit: n, Unit: solusvm2.TrafficTiB}
	}
	off := &solusvm2.TrafficLimit{}
	for name, c := range map[string]struct {
		plan solusvm2.Plan
		want provisioning.Opt[provisioning.Bytes]
	}{
		"limited together": {solusvm2.Plan{TrafficLimitType: solusvm2.TrafficTotal, Limits: solusvm2.PlanLimits{NetworkTotalTraffic: some(2)}},
			provisioning.Some(2 * provisioning.TiB)},
		"not limited": {solusvm2.Plan{TrafficLimitType: solusvm2.TrafficTotal, Limits: solusvm2.PlanLimits{NetworkTotalTraffic: off}},
			provisioning.Null[provisioning.Bytes]()},
		"limits that were not told": {solusvm2.Plan{TrafficLimitType: solusvm2.TrafficTotal}, provisioning.Opt[provisioning.Bytes]{}},
		"separate and both unlimited": {solusvm2.Plan{TrafficLimitType: solusvm2.TrafficSeparate, Limits: solusvm2.PlanLimits{NetworkIncomingTraffic: off,
			NetworkOutgoingTraffic: off}}, provisioning.Null[provisioning.Bytes]()},
		"separate and one limited": {solusvm2.Plan{TrafficLimitType: solusvm2.TrafficSeparate, Limits: solusvm2.PlanLimits{NetworkIncomingTraffic: off,
			NetworkOutgoingTraffic: some(1)}}, provisioning.Opt[provisioning.Bytes]{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, c.plan.Traffic())
		})
	}
}

func TestBandwidthIsInUnitsOf1000(t *testing.T) {
	t.Parallel()
	for unit, want := range map[solusvm2.BandwidthUnit]int64{"Kbps": 100_000, "Mbps": 100_000_000, "Gbps": 100_000_000_000} {
		got, ok := solusvm2.BandwidthLimit{IsEnabled: true, Limit: 100, Unit: unit}.BitsPerSecond()
		assert.True(t, ok)
		assert.Equal(t, want, got)
	}
	for name, l := range map[string]solusvm2.BandwidthLimit{
		"no limit": {Limit: 1, Unit: "Mbps"}, "an unknown unit": {IsEnabled: true, Limit: 1, Unit: "Tbps"}, "below 0": {IsEnabled: true, Limit: -1, Unit: "Mbps"},
		"too much": {IsEnabled: true, Limit: math.MaxInt64 / 10, Unit: "Gbps"},
	} {
		_, ok := l.BitsPerSecond()
		assert.False(t, ok, name)
	}
}

func TestAmountsThatDoNotFitAreNotDecoded(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`8589934592`, `-8589934592`, `1.5`, `"x"`, `{}`} {
		var g solusvm2.GiB
		require.Error(t, json.Unmarshal([]byte(text), &g), text)
	}
	var g solusvm2.GiB
	require.NoError(t, json.Unmarshal([]byte(`"40"`), &g))
	assert.Equal(t, solusvm2.GiB(40), g)
	var n solusvm2.ByteCount
	require.NoError(t, json.Unmarshal([]byte(`"4294967296"`), &n))
	assert.Equal(t, 4*provisioning.GiB, n.Bytes())
}

func TestEachIDReadsNumbersAndTextAndWritesNumbers(t *testing.T) {
	t.Parallel()
	var ids struct {
		A  solusvm2.ServerID
		B  solusvm2.UserID
		C  solusvm2.ComputeResourceID
		D  solusvm2.TaskID
		E  solusvm2.PlanID
		F  solusvm2.LocationID
		G  solusvm2.OSImageID
		H  solusvm2.OSImageVersionID
		I  solusvm2.ISOImageID
		J  solusvm2.ApplicationID
		K  solusvm2.ProjectID
		L  solusvm2.SSHKeyID
		M  solusvm2.SnapshotID
		N  solusvm2.BackupID
		O  solusvm2.BackupNodeID
		P  solusvm2.DiskID
		Q  solusvm2.OfferID
		R  solusvm2.StorageID
		S  solusvm2.IPBlockID
		T  solusvm2.IPAddressID
		U  solusvm2.VPCNetworkID
		V  solusvm2.RoleID
		W  solusvm2.PermissionID
		X  solusvm2.LimitGroupID
		Y  solusvm2.LanguageID
		Z  solusvm2.IconID
		M2 solusvm2.MigrationID
	}
	texts, numbers := map[string]any{}, map[string]any{}
	for _, name := range []string{"A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "N", "O", "P", "Q", "R", "S", "T", "U", "V", "W", "X", "Y", "Z", "M2"} {
		texts[name], numbers[name] = "7", 7
	}
	in, err := json.Marshal(texts)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(in, &ids))
	out, err := json.Marshal(ids)
	require.NoError(t, err)
	want, err := json.Marshal(numbers)
	require.NoError(t, err)
	assert.JSONEq(t, string(want), string(out))
	require.NoError(t, json.Unmarshal([]byte(`{"A":null}`), &ids))
	assert.Zero(t, ids.A)
}
