package virtfusion_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
)

func addFixtures(f *testing.F) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join("..", "testdata", "virtfusion", "*.json"))
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
	f.Add([]byte(`{"data":{"id":417,"remoteState":{"running":"x"},"os":[],"network":{"interfaces":[{"ipv4":[{"address":"1.2.3.4","netmask":"x"}]}]}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		c, _ := newClient(t, answer{status: 200, body: body})
		s, err := c.Servers.Get(t.Context(), 417, virtfusion.GetServerOptions{})
		if err != nil {
			var e *provisioning.Error
			require.ErrorAs(t, err, &e)
			require.False(t, e.MaybeApplied)
			return
		}
		require.Equal(t, virtfusion.ServerID(417), s.ID)
		_, _, _ = s.Phase(), s.RemoteState.Power(), s.Hypervisor.Resources.Memory.Free.Bytes()
		for _, i := range s.Network.Interfaces {
			for _, a := range i.IPv4 {
				_ = a.Prefix()
			}
			for _, a := range i.IPv6 {
				_ = a.Prefix()
			}
		}
		_, err = json.Marshal(s)
		require.NoError(t, err, "what was read can be written")
	})
}

func FuzzAnswerToACreate(f *testing.F) {
	addFixtures(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		c, panel := newClient(t, answer{status: 201, body: body})
		s, err := c.Servers.Create(t.Context(), virtfusion.CreateServerRequest{PackageID: 3, UserID: 23, HypervisorGroupID: 2})
		require.Len(t, panel.requests(), 1)
		if err != nil {
			require.ErrorIs(t, err, provisioning.ErrMaybeApplied, "a success that cannot be read is in doubt")
			return
		}
		require.Positive(t, s.ID)
	})
}

func FuzzRefusal(f *testing.F) {
	addFixtures(f)
	f.Add([]byte(`{"errors":[[[[[["deep"]]]]]]}`))
	f.Add([]byte(`{"errors":{"a":{"b":["c"]},"d":null}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for status, kinds := range map[int][]provisioning.Kind{
			404: {provisioning.NotFound, provisioning.NoRoute}, 422: {provisioning.Invalid, provisioning.Capacity},
			423: {provisioning.Locked}, 403: {provisioning.Forbidden},
		} {
			c, _ := newClient(t, answer{status: status, body: body})
			_, err := c.Servers.Restart(t.Context(), 417)
			var e *provisioning.Error
			require.ErrorAs(t, err, &e)
			require.Contains(t, kinds, e.Kind)
			require.False(t, e.MaybeApplied)
			require.True(t, utf8.ValidString(e.Error()))
		}
	})
}

// What is only partly known is read as far as it goes: a write that the panel has accepted is done, and nothing that it answers is a panic.
func FuzzAnswerToAWriteThatWasNeverSeen(f *testing.F) {
	addFixtures(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		c, _ := newClient(t, answer{status: 201, body: body})
		_, vlanErr := c.Interfaces.AddVLAN(t.Context(), 417, virtfusion.InterfacePrimary, virtfusion.AddVLANRequest{Number: 7})
		_, blockErr := c.IPBlocks.Create(t.Context(), virtfusion.IPBlockRequest{Name: "block", Type: virtfusion.FamilyIPv4})
		change, nameErr := c.ReverseDNS.SetIPv4(t.Context(), ip("198.51.100.17"), provisioning.Some("a.example.com"))
		if change != nil {
			_ = change.NeedsRebuild()
		}
		for _, err := range []error{vlanErr, blockErr, nameErr} {
			if json.Valid(body) {
				require.NoError(t, err)
			} else if err != nil {
				require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
			}
		}
	})
}
