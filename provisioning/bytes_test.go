package provisioning_test

import (
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
)

func TestParseBytesIsExactOrRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]provisioning.Bytes{
		"0B": 0, "1B": 1, "8GiB": 8 << 30, "512MiB": 512 << 20, "1.5GiB": 3 << 29, "0.5KiB": 512, "20GB": 20e9, "1.25TB": 125e10, "2TiB": 2 << 40,
		"1KB": 1000, "1KiB": 1024,
		"512mib": 512 << 20, "512MIB": 512 << 20, "512 MiB": 512 << 20, "\t512 MiB\n": 512 << 20, "0.001KB": 1, "00512MiB": 512 << 20, ".5KiB": 512, "1.KiB": 1024,
		"9223372036854775807B": math.MaxInt64, "8388607TiB": 8388607 << 40,
		"0.0009765625KiB": 1, // 2^-10 KiB
	} {
		got, err := provisioning.ParseBytes(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for text, why := range map[string]string{
		"":                                     "write a number with its unit",
		"8":                                    "write a number with its unit", // the 8 MB of RAM that nobody ordered
		"8G":                                   "write a number with its unit",
		"8M":                                   "write a number with its unit",
		"GiB":                                  "write a number with its unit",
		"-1GiB":                                "write a number with its unit",
		"+1GiB":                                "write a number with its unit",
		"1e3MiB":                               "write a number with its unit",
		"1/2GiB":                               "write a number with its unit",
		"0x10MiB":                              "write a number with its unit",
		"1_000MiB":                             "write a number with its unit",
		"1,5GiB":                               "write a number with its unit",
		"1.2.3GiB":                             "write a number with its unit",
		".GiB":                                 "write a number with its unit",
		"1 2GiB":                               "write a number with its unit",
		"8GiBit":                               "write a number with its unit",
		"5MiBB":                                "write a number with its unit",
		"٨GiB":                                 "write a number with its unit",
		"1.5B":                                 "not a whole number of bytes",
		"0.0001KB":                             "not a whole number of bytes",
		"9223372036854775808B":                 "not a whole number of bytes below 2^63",
		"8388608TiB":                           "not a whole number of bytes below 2^63",
		"99999999999999999PiB":                 "write a number with its unit",
		"999999999999999999TiB":                "not a whole number of bytes below 2^63",
		strings.Repeat("9", 60) + "GiB":        "write a number with its unit",
		"1.5" + strings.Repeat(" ", 1e5) + "B": "not a whole number of bytes",
	} {
		_, err := provisioning.ParseBytes(text)
		require.ErrorIs(t, err, provisioning.Invalid, "%.80s", text)
		require.ErrorContains(t, err, why, "%.80s", text)
		assert.Less(t, len(err.Error()), 200, "long input is not repeated in full")
	}
}

func TestBytesPrintsWhatParseBytesReads(t *testing.T) {
	t.Parallel()
	for b, want := range map[provisioning.Bytes]string{
		0: "0B", 1: "1B", 1000: "1000B", 1023: "1023B", 1024: "1KiB", 1536 << 20: "1536MiB", 2 << 30: "2GiB", 20e9: "19531250KiB", 3 << 40: "3TiB",
		math.MaxInt64: "9223372036854775807B",
	} {
		assert.Equal(t, want, b.String())
		back, err := provisioning.ParseBytes(want)
		require.NoError(t, err)
		assert.Equal(t, b, back)
	}
	assert.Equal(t, "-2GiB", provisioning.Bytes(-2<<30).String())
	assert.Equal(t, "-8388608TiB", provisioning.Bytes(math.MinInt64).String())
}

func TestWholeNeverRounds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		b, unit provisioning.Bytes
		n       int64
		ok      bool
	}{
		{8 * provisioning.GiB, provisioning.MiB, 8192, true},
		{8 * provisioning.GiB, provisioning.GiB, 8, true},
		{8, provisioning.MiB, 0, false},
		{1536 * provisioning.MiB, provisioning.GiB, 0, false},
		{provisioning.GiB - 1, provisioning.GiB, 0, false},
		{provisioning.GiB + 1, provisioning.GiB, 0, false},
		{20 * provisioning.GB, provisioning.GiB, 0, false},
		{0, provisioning.GiB, 0, true},
		{math.MaxInt64, provisioning.Byte, math.MaxInt64, true},
		{5, 0, 0, false},
		{5, -1, 0, false},
	} {
		n, ok := c.b.Whole(c.unit)
		assert.Equal(t, c.ok, ok, "%v in %v", c.b, c.unit)
		assert.Equal(t, c.n, n, "%v in %v", c.b, c.unit)
	}
}

func TestOfRefusesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	got, err := provisioning.Of(8192, provisioning.MiB)
	require.NoError(t, err)
	assert.Equal(t, 8*provisioning.GiB, got)
	got, err = provisioning.Of(0, provisioning.GiB)
	require.NoError(t, err)
	assert.Zero(t, got)
	got, err = provisioning.Of(8388607, provisioning.TiB)
	require.NoError(t, err)
	assert.Equal(t, 8388607*provisioning.TiB, got)
	for _, c := range []struct {
		n    int64
		unit provisioning.Bytes
	}{{8388608, provisioning.TiB}, {math.MaxInt64, provisioning.KB}, {-1, provisioning.MiB}, {1, 0}, {1, -1}, {math.MinInt64, -1}} {
		_, err := provisioning.Of(c.n, c.unit)
		require.ErrorIs(t, err, provisioning.Invalid, "%d of %d", c.n, c.unit)
	}
}

func TestBytesInJSONCarryTheirUnit(t *testing.T) {
	t.Parallel()
	type spec struct {
		Memory provisioning.Bytes `json:"memory"`
	}
	b, err := json.Marshal(spec{8 * provisioning.GiB})
	require.NoError(t, err)
	assert.JSONEq(t, `{"memory":"8GiB"}`, string(b))
	var s spec
	require.NoError(t, json.Unmarshal([]byte(`{"memory":"20 gb"}`), &s))
	assert.Equal(t, 20*provisioning.GB, s.Memory)
	for _, bare := range []string{`{"memory":8}`, `{"memory":8589934592}`, `{"memory":"8"}`, `{"memory":"8.5B"}`, `{"memory":true}`} {
		require.Error(t, json.Unmarshal([]byte(bare), &s), bare)
		assert.Equal(t, 20*provisioning.GB, s.Memory, "unchanged")
	}
}

func FuzzParseBytes(f *testing.F) {
	for _, s := range []string{"512MiB", "1.5GiB", "20GB", "0B", " 8 gib ", "-1B", "1e9B", "9223372036854775807B", "9223372036854775808B", ".5KiB",
		"K\u212aB", "0.0009765625KiB"} {
		f.Add(s)
	}
	units := map[string]int64{"tib": 1 << 40, "gib": 1 << 30, "mib": 1 << 20, "kib": 1 << 10, "tb": 1e12, "gb": 1e9, "mb": 1e6, "kb": 1e3, "b": 1}
	f.Fuzz(func(t *testing.T, s string) {
		b, err := provisioning.ParseBytes(s)
		if err != nil {
			require.ErrorIs(t, err, provisioning.Invalid)
			require.Less(t, len(err.Error()), 400)
			return
		}
		require.GreaterOrEqual(t, b, provisioning.Bytes(0))
		back, err := provisioning.ParseBytes(b.String())
		require.NoError(t, err)
		require.Equal(t, b, back)
		// The number and the unit, read in another way, give the same.
		text := strings.TrimSpace(s)
		cut := strings.LastIndexAny(text, "0123456789. \t\n\r\v\f\u0085\u00a0") + 1
		for !strings.ContainsRune("bBkKmMgGtT", rune(text[cut])) {
			cut++
		}
		number, ok := new(big.Rat).SetString(strings.TrimSpace(text[:cut]))
		require.True(t, ok, "%q was taken for a number", text[:cut])
		unit, ok := units[strings.ToLower(text[cut:])]
		require.True(t, ok, "%q was taken for a unit", text[cut:])
		require.Zero(t, number.Mul(number, new(big.Rat).SetInt64(unit)).Cmp(new(big.Rat).SetInt64(int64(b))))
	})
}
