package virtfusion_test

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
)

func TestUnitsConvertExactlyOrRefuse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		convert func(provisioning.Bytes) (int64, provisioning.Bytes, error)
		unit    provisioning.Bytes
	}{
		{"memory", func(b provisioning.Bytes) (int64, provisioning.Bytes, error) {
			v, err := virtfusion.MBOf(b)
			return int64(v), v.Bytes(), err
		}, provisioning.MiB},
		{"storage", func(b provisioning.Bytes) (int64, provisioning.Bytes, error) {
			v, err := virtfusion.GBOf(b)
			return int64(v), v.Bytes(), err
		}, provisioning.GiB},
		{"traffic", func(b provisioning.Bytes) (int64, provisioning.Bytes, error) {
			v, err := virtfusion.TrafficGBOf(b)
			return int64(v), v.Bytes(), err
		}, virtfusion.BytesPerTrafficGB},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, n := range []int64{1, 8, 4096, math.MaxInt64 / int64(c.unit)} {
				got, back, err := c.convert(provisioning.Bytes(n) * c.unit)
				require.NoError(t, err)
				assert.Equal(t, n, got)
				assert.Equal(t, provisioning.Bytes(n)*c.unit, back)
			}
			for _, bad := range []provisioning.Bytes{8, c.unit - 1, c.unit + 1, -c.unit} {
				_, _, err := c.convert(bad)
				require.ErrorIs(t, err, provisioning.Invalid, "%v", bad)
				assert.ErrorContains(t, err, c.name)
			}
		})
	}
	_, err := virtfusion.TrafficGBOf(0)
	require.ErrorIs(t, err, provisioning.Invalid, "0 would be unlimited")
	zero, err := virtfusion.MBOf(0)
	require.NoError(t, err)
	assert.Zero(t, zero)
}

func TestAmountsWhoseBytesDoNotFitAreNotDecoded(t *testing.T) {
	t.Parallel()
	var m virtfusion.MB
	require.NoError(t, json.Unmarshal([]byte(`-5`), &m), "what is free may be negative")
	assert.Equal(t, -5*provisioning.MiB, m.Bytes())
	require.NoError(t, json.Unmarshal([]byte(`"8192"`), &m))
	assert.Equal(t, 8*provisioning.GiB, m.Bytes())
	require.Error(t, json.Unmarshal([]byte(`9000000000000000000`), &m))
	require.Error(t, json.Unmarshal([]byte(`-9000000000000000000`), &m))
	require.Error(t, json.Unmarshal([]byte(`1.5`), &m), "nothing is rounded")
	var g virtfusion.GB
	require.Error(t, json.Unmarshal([]byte(`8589934592`), &g))
	require.NoError(t, json.Unmarshal([]byte(`8589934591`), &g))
	assert.Equal(t, 8589934591*provisioning.GiB, g.Bytes())
	var traffic virtfusion.TrafficGB
	require.Error(t, json.Unmarshal([]byte(`8589934592`), &traffic))
	var rate virtfusion.KBps
	require.NoError(t, json.Unmarshal([]byte(`null`), &rate))
}

func TestSwapGoesOutInThePanelsMixedUnits(t *testing.T) {
	t.Parallel()
	for swap, want := range map[virtfusion.Swap]string{
		virtfusion.Swap256MB: "256", virtfusion.Swap512MB: "512", virtfusion.Swap768MB: "768", virtfusion.Swap1GB: "1",
		virtfusion.Swap1536MB: "1.5", virtfusion.Swap2GB: "2",
		virtfusion.Swap3GB: "3", virtfusion.Swap4GB: "4", virtfusion.Swap5GB: "5", virtfusion.Swap6GB: "6", virtfusion.Swap8GB: "8",
	} {
		assert.Equal(t, want, compact(t, swap))
		assert.True(t, swap.Known())
	}
	assert.False(t, virtfusion.Swap(7).Known())
	assert.False(t, virtfusion.Swap(0).Known())
}

func TestEachIDReadsNumbersAndTextAndWritesNumbers(t *testing.T) {
	t.Parallel()
	for _, id := range []any{
		new(virtfusion.ServerID), new(virtfusion.UserID), new(virtfusion.PackageID), new(virtfusion.HypervisorGroupID), new(virtfusion.HypervisorID),
		new(virtfusion.OperatingSystemID), new(virtfusion.TemplateGroupID), new(virtfusion.SSHKeyID), new(virtfusion.QueueID), new(virtfusion.IPBlockID),
		new(virtfusion.FirewallRulesetID), new(virtfusion.HypervisorAssetGroupID), new(virtfusion.BackupPlanID), new(virtfusion.HourlyGroupProfileID),
		new(virtfusion.ResourceGroupProfileID), new(virtfusion.ResourcePackID), new(virtfusion.ExtRelationID),
		new(virtfusion.StorageType), new(virtfusion.NetFilter),
		new(virtfusion.SelfServiceMode), new(virtfusion.CommissionStatus), new(virtfusion.Arch),
	} {
		t.Run(fmt.Sprintf("%T", id)[len("*virtfusion."):], func(t *testing.T) {
			t.Parallel()
			for in, want := range map[string]string{`7`: "7", `"8"`: "8", `9.0`: "9", `null`: "0", `9223372036854775807`: "9223372036854775807", `"-1"`: "-1"} {
				require.NoError(t, json.Unmarshal([]byte(in), id), in)
				assert.Equal(t, want, compact(t, id), in)
			}
			for _, bad := range []string{`"seven"`, `{}`, `7.5`, `9223372036854775808`} {
				require.Error(t, json.Unmarshal([]byte(bad), id), bad)
			}
		})
	}
}
