package solusvm2_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/solusvm2"
)

func taskIn(status, more string) answer {
	return json200(`{"data":{"id":9001,"action":"vm-create","status":"` + status + `"` + more + `}}`)
}

func TestWaitingForATask(t *testing.T) {
	t.Parallel()
	t.Run("ends well only when the task is done", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c, panel := newClient(t, taskIn("pending", ""), taskIn("queued", `,"progress":0`), taskIn("running", `,"progress":"40.5"`), taskIn("thawing",
				`,"progress":200`), from(t, "getTask.200"))
			var seen []string
			require.NoError(t, c.Tasks.Wait(t.Context(), 9001, provisioning.WaitOptions{OnProgress: func(p provisioning.Progress) {
				seen = append(seen, fmt.Sprint(p.State, " ", p.Percent))
			}}))
			assert.Equal(t, []string{"pending -1", "queued 0", "running 40", "thawing 100", "done 100"}, seen, "what is not known is running")
			assert.Len(t, panel.requests(), 5)
		})
	})
	for name, c := range map[string]struct {
		answer answer
		says   string
	}{
		"that failed":                     {taskIn("failed", `,"output":"  no space left on node-4\n"`), "(failed): no space left on node-4"},
		"that was canceled":               {taskIn("canceled", ""), "(canceled): the panel gives no reason"},
		"that is done, but with errors":   {from(t, "getTask-done_with_errors.200"), "(done_with_errors): cloud-init: ssh keys were not installed"},
		"that failed without any output":  {taskIn("failed", `,"output":null`), "the panel gives no reason"},
		"that failed with a lot to print": {taskIn("failed", `,"output":"`+strings.Repeat("x", 5000)+`"`), "xxx"},
	} {
		t.Run("ends at once for a task "+name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, panel := newClient(t, taskIn("running", ""), c.answer)
				err := client.Tasks.Wait(t.Context(), 9001, provisioning.WaitOptions{})
				require.ErrorIs(t, err, provisioning.ErrTaskFailed)
				require.NotErrorIs(t, err, provisioning.ErrStillRunning)
				require.ErrorContains(t, err, "task 9001 (vm-create)")
				require.ErrorContains(t, err, c.says)
				assert.Less(t, len(err.Error()), 400)
				assert.Len(t, panel.requests(), 2)
			})
		})
	}
	t.Run("is not success when it is given up", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c, _ := newClient(t, taskIn("running", ""))
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			err := c.Tasks.Wait(ctx, 9001, provisioning.WaitOptions{})
			require.ErrorIs(t, err, provisioning.ErrStillRunning)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.ErrorContains(t, err, "running")
		})
	})
	t.Run("tells at once that the token may not read tasks", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c, panel := newClient(t, from(t, "listServers.403"))
			err := c.Tasks.Wait(t.Context(), 9001, provisioning.WaitOptions{})
			require.ErrorIs(t, err, provisioning.Forbidden)
			assert.Len(t, panel.requests(), 1)
		})
	})
}

func TestWaitingForAServerThatIsBusy(t *testing.T) {
	t.Parallel()
	server := func(more string) answer { return json200(`{"data":{"id":42,` + more + `}}`) }
	t.Run("ends when no task is running", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c, panel := newClient(t, server(`"status":"processing","is_processing":true,"progress":30`), server(`"status":"started","is_processing":true`),
				server(`"status":"started"`))
			s, err := c.Servers.WaitIdle(t.Context(), 42, provisioning.WaitOptions{})
			require.NoError(t, err)
			assert.Equal(t, provisioning.PowerRunning, s.Power())
			assert.Len(t, panel.requests(), 3)
		})
	})
	t.Run("ends when the server is gone", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c, panel := newClient(t, server(`"is_processing":true`), from(t, "getServer.404"))
			s, err := c.Servers.WaitIdle(t.Context(), 42, provisioning.WaitOptions{})
			require.ErrorIs(t, err, provisioning.NotFound)
			require.NotErrorIs(t, err, provisioning.ErrStillRunning)
			assert.Nil(t, s)
			assert.Len(t, panel.requests(), 2)
		})
	})
	t.Run("does not take a page for a server that is gone", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c, _ := newClient(t, server(`"is_processing":true`), page(404))
			s, err := c.Servers.WaitIdle(t.Context(), 42, provisioning.WaitOptions{})
			require.ErrorIs(t, err, provisioning.ErrStillRunning)
			require.ErrorIs(t, err, provisioning.NoRoute)
			assert.Equal(t, solusvm2.ServerID(42), s.ID, "as it was last seen")
		})
	})
}
