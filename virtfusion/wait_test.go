package virtfusion_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
)

// queueItem is the answer of testdata with other members.
func queueItem(t testing.TB, change map[string]any) answer {
	t.Helper()
	return changed(t, "getQueueItem.200", change)
}

func changed(t testing.TB, name string, change map[string]any) answer {
	t.Helper()
	var body struct {
		Data map[string]any `json:"data"`
	}
	a := from(t, name)
	require.NoError(t, json.Unmarshal(a.body, &body))
	for k, v := range change {
		body.Data[k] = v
	}
	a.body = []byte(compact(t, body))
	return a
}

func failedWith(message any) map[string]any {
	return map[string]any{"failed": true, "errors": map[string]any{"exception": map[string]any{"message": message}}}
}

func TestWaitingForAQueueItem(t *testing.T) {
	t.Parallel()
	waiting := func(t testing.TB) answer { return queueItem(t, map[string]any{"finished": nil, "progress": 40}) }
	t.Run("ends well when the item does", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c, panel := newClient(t, queueItem(t, map[string]any{"finished": nil, "started": nil, "progress": 0}), waiting(t), from(t, "getQueueItem.200"))
			var seen []int
			start := time.Now()
			require.NoError(t, c.Queue.Wait(t.Context(), 2001, provisioning.WaitOptions{OnProgress: func(p provisioning.Progress) {
				seen = append(seen, p.Percent)
				assert.Equal(t, "boot_server", p.State)
			}}))
			assert.Equal(t, []int{0, 40, 100}, seen)
			assert.Len(t, panel.requests(), 3)
			assert.Equal(t, 750*time.Millisecond, time.Since(start))
		})
	})
	for name, item := range map[string]map[string]any{
		"with its end":     failedWith("the domain could not be started\n   on this host"),
		"without its end":  {"finished": nil, "failed": true, "errors": failedWith("the domain could not be started on this host")["errors"]},
		"with a 1 as flag": {"failed": 1, "errors": failedWith("the domain could not be started on this host")["errors"]},
	} {
		t.Run("fails with the panel's reason, "+name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, _ := newClient(t, waiting(t), queueItem(t, item))
				err := c.Queue.Wait(t.Context(), 2001, provisioning.WaitOptions{})
				require.ErrorIs(t, err, provisioning.ErrTaskFailed)
				assert.ErrorContains(t, err, "queue item 2001 (boot_server)")
				assert.ErrorContains(t, err, "the domain could not be started on this host")
				assert.NotContains(t, err.Error(), "\n")
			})
		})
	}
	t.Run("fails without a reason, and with a reason as long as a book", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c, _ := newClient(t, queueItem(t, failedWith(nil)))
			assert.ErrorContains(t, c.Queue.Wait(t.Context(), 2001, provisioning.WaitOptions{}), "no reason")
			c, _ = newClient(t, queueItem(t, failedWith(strings.Repeat("very ", 1000))))
			err := c.Queue.Wait(t.Context(), 2001, provisioning.WaitOptions{})
			require.ErrorIs(t, err, provisioning.ErrTaskFailed)
			assert.Less(t, len(err.Error()), 400)
		})
	})
	t.Run("a cancelled wait is no success", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c, _ := newClient(t, waiting(t))
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			err := c.Queue.Wait(ctx, 2001, provisioning.WaitOptions{})
			require.ErrorIs(t, err, provisioning.ErrStillRunning)
			require.ErrorIs(t, err, context.DeadlineExceeded)
		})
	})
	t.Run("an item that the panel does not know leaves the outcome open", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c, panel := newClient(t, answer{status: 404, body: []byte(`{"msg":"queue item not found"}`)})
			err := c.Queue.Wait(t.Context(), 2001, provisioning.WaitOptions{})
			require.ErrorIs(t, err, provisioning.ErrStillRunning)
			require.ErrorIs(t, err, provisioning.NotFound)
			assert.Len(t, panel.requests(), 1)
		})
	})
}

func TestWaitingForABuild(t *testing.T) {
	t.Parallel()
	build := func(t testing.TB, state string, status int, failed bool) answer {
		return changed(t, "getServer.200", map[string]any{"state": state, "commissionStatus": status, "buildFailed": failed})
	}
	t.Run("ends when the server is complete", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c, panel := newClient(t, build(t, "queued", 1, false), build(t, "building", 2, false), build(t, "newer word", 2, false), build(t, "complete", 3, false))
			require.NoError(t, c.Servers.WaitBuilt(t.Context(), 417, provisioning.WaitOptions{}))
			for _, r := range panel.requests() {
				assert.Empty(t, r.query, "a wait never asks the hypervisor")
			}
			assert.Len(t, panel.requests(), 4)
		})
	})
	for name, server := range map[string][3]any{
		"state failed and the flag false, as in the vendor's example": {"failed", 2, false},
		"the flag alone": {"building", 2, true},
	} {
		t.Run("ends with "+name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, panel := newClient(t, build(t, "queued", 1, false), build(t, server[0].(string), server[1].(int), server[2].(bool)))
				require.ErrorIs(t, c.Servers.WaitBuilt(t.Context(), 417, provisioning.WaitOptions{}), provisioning.ErrTaskFailed)
				assert.Len(t, panel.requests(), 2)
			})
		})
	}
	t.Run("survives two failed looks and not three", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			down := answer{status: 500}
			c, _ := newClient(t, down, down, build(t, "complete", 3, false))
			require.NoError(t, c.Servers.WaitBuilt(t.Context(), 417, provisioning.WaitOptions{}))
			c, _ = newClient(t, build(t, "queued", 1, false), down)
			err := c.Servers.WaitBuilt(t.Context(), 417, provisioning.WaitOptions{})
			require.ErrorIs(t, err, provisioning.ErrStillRunning)
			assert.ErrorContains(t, err, "queued")
		})
	})
}

func TestALookNeedsNoWait(t *testing.T) {
	t.Parallel()
	look, err := (&virtfusion.QueueItem{Action: "a", Progress: 12}).Look()
	require.NoError(t, err)
	assert.Equal(t, provisioning.Look{Percent: 12, State: "a"}, look)
	look, err = (&virtfusion.Server{State: "queued"}).BuildLook()
	require.NoError(t, err)
	assert.Equal(t, provisioning.Look{Percent: -1, State: "queued"}, look)
}
