package solusvm2_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/solusvm2"
)

func addFixtures(f *testing.F) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join("..", "testdata", "solusvm2", "*.json"))
	require.NoError(f, err)
	require.NotEmpty(f, files)
	for _, name := range files {
		body, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(body)
	}
}

// Whatever a panel answers, a call ends in a result that was checked or in an error of ours, and never in a panic.
func FuzzAnswerToARead(f *testing.F) {
	addFixtures(f)
	f.Add([]byte(`{"data":{"id":42,"ip_addresses":{"ipv4":[{"ip":"1.2.3.4","netmask":"255.0.255.0"}],"ipv6":{"1":{"range":"::/0"}}},"progress":1e300}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		c, _ := newClient(t, answer{status: 200, body: body})
		s, err := c.Servers.Get(t.Context(), 42)
		if err != nil {
			var e *provisioning.Error
			require.ErrorAs(t, err, &e)
			require.False(t, e.MaybeApplied)
			return
		}
		require.Equal(t, solusvm2.ServerID(42), s.ID)
		_, _, _ = s.Phase(), s.Power(), s.Look()
		for _, a := range s.Addresses() {
			require.True(t, a.Prefix.IsValid())
		}
		if s.Specifications != nil {
			_ = s.Specifications.Disk.Bytes()
		}
		if s.Plan != nil {
			_ = s.Plan.Traffic()
		}
		again, err := json.Marshal(s)
		require.NoError(t, err, "what was read can be written")
		require.NoError(t, json.Unmarshal(again, new(solusvm2.Server)), "and read again")
	})
}

func FuzzAnswerToACreate(f *testing.F) {
	addFixtures(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		c, panel := newClient(t, answer{status: 201, body: body})
		s, err := c.Servers.Create(t.Context(), solusvm2.CreateServerRequest{Name: "a", Plan: 5, Location: 2, OS: 21})
		require.Len(t, panel.requests(), 1)
		if err != nil {
			require.ErrorIs(t, err, provisioning.ErrMaybeApplied, "a success that cannot be read is in doubt")
			return
		}
		require.Positive(t, s.ID)
	})
}

func FuzzAnswerToAnAction(f *testing.F) {
	addFixtures(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		c, _ := newClient(t, answer{status: 200, body: body})
		task, err := c.Servers.Suspend(t.Context(), 42)
		if err == nil && task != nil {
			require.Positive(t, task.ID)
			require.NotEmpty(t, task.Status)
			_, _ = task.Look()
		}
		_, _ = c.Servers.OpenVNC(t.Context(), 42)
		_, _ = c.Usage.Series(t.Context(), solusvm2.UsageCPU, uuid)
		_, _ = all(c.Servers.List(t.Context(), solusvm2.ServerFilter{}))
	})
}

func FuzzRefusal(f *testing.F) {
	addFixtures(f)
	f.Add([]byte(`{"errors":[[[[[["deep"]]]]]]}`))
	f.Add([]byte(`{"message":{"a":{"b":["c"]}},"errors":{"d":null}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for status, kinds := range map[int][]provisioning.Kind{
			404: {provisioning.NotFound, provisioning.NoRoute},
			422: {provisioning.Invalid, provisioning.Capacity, provisioning.Maintenance},
			409: {provisioning.Conflict, provisioning.Locked, provisioning.Capacity, provisioning.Maintenance},
			403: {provisioning.Forbidden, provisioning.Maintenance},
		} {
			c, _ := newClient(t, answer{status: status, body: body})
			_, err := c.Servers.Restart(t.Context(), 42, solusvm2.PowerOptions{})
			var e *provisioning.Error
			require.ErrorAs(t, err, &e)
			require.Contains(t, kinds, e.Kind)
			require.False(t, e.MaybeApplied)
			require.True(t, utf8.ValidString(e.Error()))
		}
	})
}

func FuzzTrafficLimit(f *testing.F) {
	for _, text := range []string{`{"is_enabled":true,"limit":2,"unit":"TiB"}`, `{"is_enabled":"1","limit":"2.0","unit":"PB"}`,
		`{"limit":9223372036854775807,"unit":"PiB","is_enabled":1}`, `[]`, `null`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var l solusvm2.TrafficLimit
		if json.Unmarshal(text, &l) != nil {
			return
		}
		b, ok := l.Allowance().Get()
		if !ok || b == 0 {
			return
		}
		require.Positive(t, b)
		size, known := l.Unit.Size()
		require.True(t, known)
		require.Equal(t, int64(l.Limit), int64(b/size))
		again, err := solusvm2.TrafficLimitOf(b)
		require.NoError(t, err)
		require.Equal(t, l.Allowance(), again.Allowance(), "the same amount, perhaps in a larger unit")
	})
}
