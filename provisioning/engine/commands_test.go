package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/engine"
	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
)

// do does a command and waits for its end.
func do(t *testing.T, e *engine.Engine, key string, c engine.Command) engine.CommandStatus {
	t.Helper()
	id, err := e.Do(t.Context(), key, c)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s, err := e.WaitCommand(ctx, id)
	require.NoError(t, err, "%+v", s)
	return s
}

func TestCommandsAreDoneOnceWithAResult(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		e, s := provisioned(t, config(db, newProvider(t, panel)), "order-1")
		server := func() (running bool, name string) {
			s, _ := panel.Server(serverID(t, s.Instance.ID))
			return s.Running, s.Name
		}
		for _, step := range []struct {
			verb    engine.Verb
			running bool
		}{{engine.PowerOff, false}, {engine.Start, true}, {engine.Restart, true}, {engine.Shutdown, false}} {
			c := do(t, e, "order-1", engine.Command{Verb: step.verb})
			assert.Equal(t, engine.CommandDone, c.State, c.Message)
			assert.False(t, c.Finished.IsZero())
			running, _ := server()
			assert.Equal(t, step.running, running, step.verb)
		}
		until(t, e, "order-1", engine.Ready)
		assert.Equal(t, engine.CommandDone, do(t, e, "order-1", engine.Command{Verb: engine.Rename, Name: "my first server"}).State)
		_, name := server()
		assert.Equal(t, "my first server", name)

		// Nothing of this is what the service should be: a look brings nothing back.
		require.NoError(t, e.Resync(t.Context(), "order-1"))
		until(t, e, "order-1", engine.Ready)
		running, name := server()
		assert.False(t, running)
		assert.Equal(t, "my first server", name)
		assert.Equal(t, map[string]int{"bootServer": 1, "restartServer": 1, "shutdownServer": 1, "poweroffServer": 1}, powers(operations(panel)))
	})
}

func powers(count map[string]int) map[string]int {
	all := map[string]int{}
	for op, n := range count {
		if strings.HasPrefix(op, "boot") || strings.HasPrefix(op, "restart") || strings.HasPrefix(op, "shutdown") || strings.HasPrefix(strings.ToLower(op), "poweroff") {
			all[op] = n
		}
	}
	return all
}

func TestTheSameCommandTwiceIsDoneOnce(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		e, _ := provisioned(t, config(db, newProvider(t, panel)), "order-1")
		for range 5 {
			c := do(t, e, "order-1", engine.Command{ID: "click-77", Verb: engine.Restart})
			assert.Equal(t, "click-77", c.ID)
		}
		assert.Equal(t, 1, panel.Count("restartServer"))
		require.NoError(t, e.Apply(t.Context(), ownOrder(2)))
		_, err := e.Do(t.Context(), ownOrder(2).Key, engine.Command{ID: "click-77", Verb: engine.Restart})
		require.ErrorIs(t, err, provisioning.Conflict)
	})
}

func TestACommandWhoseAnswerIsLostIsUnclearAndNotSentAgain(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		e, s := provisioned(t, config(db, newProvider(t, panel)), "order-1")
		panel.Inject(provisioningtest.Fault{Op: "restartServer", Do: provisioningtest.CutAfter})
		c := do(t, e, "order-1", engine.Command{Verb: engine.Restart})
		assert.Equal(t, engine.CommandUnclear, c.State)
		assert.Contains(t, c.Message, "may have been applied")
		notify(t, e, s.Instance.ID)
		untilStatus(t, e, "order-1", func(s engine.Status) bool { return s.AsDesired })
		assert.Equal(t, 1, panel.Count("restartServer"))
	})
}

func TestACommandThatIsRefusedFailsAndTheServiceIsAsBefore(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		e, _ := provisioned(t, config(db, newProvider(t, panel)), "order-1")
		panel.Forbid("restartServer")
		c := do(t, e, "order-1", engine.Command{Verb: engine.Restart})
		assert.Equal(t, engine.CommandFailed, c.State)
		assert.Contains(t, c.Message, "token lacks restart")
		untilStatus(t, e, "order-1", func(s engine.Status) bool { return s.AsDesired })
		c = do(t, e, "order-1", engine.Command{Verb: engine.Rebuild, Rebuild: provisioning.RebuildRequest{Image: "no-such-image", Hostname: "h.example.com"}})
		assert.Equal(t, engine.CommandFailed, c.State)
	})
}

func TestACommandThatCannotBeSentInTimeFails(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		c := config(db, newProvider(t, panel))
		c.Timings.Expiry = 3 * time.Minute
		e, _ := provisioned(t, c, "order-1")
		require.NoError(t, e.Pause(t.Context(), "alpha", "maintenance"))
		id, err := e.Do(t.Context(), "order-1", engine.Command{Verb: engine.Restart})
		require.NoError(t, err)
		raw := rawDB(t, db)
		assert.Equal(t, (3 * time.Minute).Milliseconds(), number(t, raw, `SELECT expires_at-created_at FROM hvpanels_command`))
		_, err = raw.ExecContext(t.Context(), `UPDATE hvpanels_command SET expires_at=expires_at-200000`) // as if the time were over
		require.NoError(t, err)
		require.NoError(t, e.Resume(t.Context(), "alpha"))
		s, err := e.WaitCommand(t.Context(), id)
		require.NoError(t, err)
		assert.Equal(t, engine.CommandFailed, s.State)
		assert.Contains(t, s.Message, "in time")
		assert.Zero(t, panel.Count("restartServer"))
	})
}

func TestABadCommandIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	e := open(t, config(sqliteURL(t), newProvider(t, newPanel(t))))
	for _, c := range []engine.Command{{}, {Verb: "explode"}, {Verb: engine.Rename}, {Verb: engine.Rebuild}, {Verb: engine.Start, ID: strings.Repeat("x", 61)}} {
		_, err := e.Do(t.Context(), "order-1", c)
		require.ErrorIs(t, err, provisioning.Invalid, "%+v", c)
	}
	_, err := e.Do(t.Context(), "order-1", engine.Command{Verb: engine.Start})
	require.ErrorIs(t, err, provisioning.NotFound)
	_, err = e.Command(t.Context(), "nope")
	require.ErrorIs(t, err, provisioning.NotFound)
}

// lines collects a log.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestPasswordsAreHandedOutOnceAndShownNowhere(t *testing.T) {
	for name, key := range map[string]provisioning.Secret{"encrypted": "a key of more than sixteen characters", "without a key": ""} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, db provisioning.Secret) {
				panel := newPanel(t)
				var log lines
				c := config(db, newProvider(t, panel))
				c.PasswordKey, c.Logger = key, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
				var said []string
				var mu sync.Mutex
				c.Metrics.Step = func(s engine.Step) {
					mu.Lock()
					defer mu.Unlock()
					said = append(said, fmt.Sprintf("%+v", s))
				}
				e, s := provisioned(t, c, "order-1")
				first := panel.Servers()[0].RootPassword.Reveal()
				require.NotEmpty(t, first)
				assert.True(t, s.PasswordWaits)
				raw := rawDB(t, db)
				var stored string
				require.NoError(t, raw.QueryRowContext(t.Context(), `SELECT secret FROM hvpanels_password`).Scan(&stored))
				assert.Equal(t, key == "", strings.Contains(stored, first))

				command := do(t, e, "order-1", engine.Command{Verb: engine.ResetRootPassword})
				require.Equal(t, engine.CommandDone, command.State, command.Message)
				second, err := e.TakePassword(t.Context(), "order-1")
				require.NoError(t, err)
				assert.NotEqual(t, first, second.Reveal())
				assert.Equal(t, panel.Servers()[0].RootPassword, second)
				_, err = e.TakePassword(t.Context(), "order-1")
				require.ErrorIs(t, err, provisioning.NotFound)
				assert.Zero(t, number(t, raw, `SELECT count(*) FROM hvpanels_password`))
				assert.Zero(t, number(t, raw, `SELECT count(*) FROM hvpanels_command WHERE secret<>''`))

				mu.Lock()
				defer mu.Unlock()
				status, err := e.Status(t.Context(), "order-1")
				require.NoError(t, err)
				everything := strings.Join(said, "\n") + log.String() + fmt.Sprintf("%+v %#v %+v %#v %v", status, status, command, c, e)
				for _, secret := range []string{first, second.Reveal(), panel.Token().Reveal()} {
					assert.NotContains(t, everything, secret)
				}
				if key != "" {
					assert.NotContains(t, everything, key.Reveal())
				}
			})
		})
	}
}

func TestAnotherPasswordKeyOpensNothing(t *testing.T) {
	t.Parallel()
	db, panel := sqliteURL(t), newPanel(t)
	c := config(db, newProvider(t, panel))
	c.PasswordKey = "a key of more than sixteen characters"
	provisioned(t, c, "order-1")
	c.PasswordKey = "another key of more than sixteen characters"
	other := open(t, c)
	_, err := other.TakePassword(t.Context(), "order-1")
	require.ErrorIs(t, err, provisioning.Invalid)
}
