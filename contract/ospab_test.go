package contract

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/ospabpanel"
	"github.com/hvpanels/hvpanels/ospabpanel/ospabpaneltest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// ospab is a simulated panel with a user, and the three clients that speak to it through a recorder.
type ospab struct {
	panel *ospabpaneltest.Panel
	user  ospabpaneltest.User
	sync  *ospabpanel.Sync
	auth  *ospabpanel.Auth
	api   *ospabpanel.UserClient

	transport http.RoundTripper // with the recorder
}

func newOSPAB(t *testing.T, w *workload, opts ...ospabpaneltest.Option) *ospab {
	t.Helper()
	panel := ospabpaneltest.New(t, append(opts, func(o *ospabpaneltest.Options) { o.ActionTime = -1 })...)
	o := &ospab{panel: panel, user: panel.AddUser("alice"), transport: w.watch(t, panel.Transport())}
	through := ospabpanel.WithHTTPClient(&http.Client{Transport: o.transport})
	var err error
	o.sync, err = ospabpanel.New(panel.URL(), panel.Key(), through, ospabpanel.WithRetry(ospabpanel.RetryPolicy{MaxAttempts: 1}))
	require.NoError(t, err)
	o.auth, err = ospabpanel.NewAuth(panel.URL(), through)
	require.NoError(t, err)
	o.api, err = ospabpanel.NewUserClient(panel.URL(), ospabpanel.PanelUserID(o.user.ID), o.auth.Tokens("alice", o.user.Password), through)
	require.NoError(t, err)
	return o
}

func (o *ospab) create(t *testing.T) (ospabpanel.VPS, error) {
	t.Helper()
	return o.sync.Create(t.Context(), ospabpanel.CreateRequest{
		UserID: ospabpanel.PanelUserID(o.user.ID), Name: "order-1", CPUCores: 2, Memory: 4 * provisioning.GiB, Disk: 40 * provisioning.GiB, OS: "Debian 12",
	})
}

// everything makes each call once, in an order in which each succeeds.
func (o *ospab) everything(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	made, err := o.create(t)
	require.NoError(t, err)
	for _, status := range []ospabpanel.Status{ospabpanel.StatusCreating, ospabpanel.StatusRunning, ospabpanel.StatusStopped, ospabpanel.StatusRunning} {
		_, err := o.sync.UpdateStatus(ctx, made.ID, status)
		require.NoError(t, err)
	}
	_, err = o.auth.Register(ctx, ospabpanel.RegisterRequest{Username: "bob", Email: "bob@customer.example", Password: "password-of-bob"})
	require.NoError(t, err)
	rows, err := o.api.List(ctx)
	require.NoError(t, err)
	assert.Len(t, rows, 1)
	_, err = o.api.Get(ctx, made.ID)
	require.NoError(t, err)
	require.NoError(t, o.api.Stop(ctx, made.ID))
	require.NoError(t, o.api.Start(ctx, made.ID))
	require.NoError(t, o.api.Restart(ctx, made.ID))
	require.NoError(t, o.api.EnsureStopped(ctx, made.ID))
	require.NoError(t, o.api.EnsureRunning(ctx, made.ID))
	_, err = o.api.WaitStatus(ctx, made.ID, ospabpanel.StatusRunning, provisioning.WaitOptions{})
	require.NoError(t, err)
	require.NoError(t, o.api.Reboot(ctx, made.ID))
	_, err = o.api.Stats(ctx, made.ID)
	require.NoError(t, err)
	_, err = o.api.Status(ctx)
	require.NoError(t, err)
	_, err = o.api.Version(ctx)
	require.NoError(t, err)
	_, err = o.sync.UpdateStatus(ctx, made.ID, ospabpanel.StatusSuspended)
	require.NoError(t, err)
	require.NoError(t, o.sync.Delete(ctx, made.ID))
	rows, err = o.api.List(ctx) // null, or null in a wrapper
	require.NoError(t, err)
	assert.Empty(t, rows)
}

// refusals makes calls that the panel refuses.
func (o *ospab) refusals(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	const missing = 4711
	_, err := o.api.Get(ctx, missing)
	require.ErrorIs(t, err, provisioning.NotFound)
	_, err = o.api.Stats(ctx, missing)
	require.ErrorIs(t, err, provisioning.NotFound)
	for _, act := range []func() error{
		func() error { return o.api.Start(ctx, missing) }, func() error { return o.api.Stop(ctx, missing) },
		func() error { return o.api.Restart(ctx, missing) }, func() error { return o.api.Reboot(ctx, missing) },
	} {
		require.ErrorIs(t, act(), provisioning.NotFound)
	}
	_, err = o.auth.Login(ctx, "alice", "wrong password")
	require.ErrorIs(t, err, provisioning.Unauthorized)
	_, err = o.auth.Register(ctx, ospabpanel.RegisterRequest{Username: "alice", Email: "alice@customer.example", Password: "password-of-alice"})
	require.ErrorIs(t, err, provisioning.Invalid)
	o.panel.SetKey("another-sync-key-of-32-characters-")
	_, err = o.create(t)
	require.ErrorIs(t, err, provisioning.Unauthorized)
	o.panel.SetKey(ospabpaneltest.DefaultKey)

	through := ospabpanel.WithHTTPClient(&http.Client{Transport: o.transport})
	stranger, err := ospabpanel.NewUserClient(o.panel.URL(), 0, ospabpanel.StaticToken("no.such.token"), through)
	require.NoError(t, err)
	_, err = stranger.List(ctx)
	require.ErrorIs(t, err, provisioning.Unauthorized)
	_, err = stranger.Status(ctx)
	require.ErrorIs(t, err, provisioning.Unauthorized)
}

func TestOSPABClientAndSimulatedPanelKeepToTheFile(t *testing.T) {
	t.Parallel()
	w := newWorkload(t, "ospab")
	t.Run("panels", func(t *testing.T) {
		for name, configure := range map[string]ospabpaneltest.Option{
			"the panel of the manuals": func(*ospabpaneltest.Options) {},
			"one that answers more": func(o *ospabpaneltest.Options) {
				o.CreateStatus, o.FullAnswer, o.ListKey, o.WrapVPS, o.Errors = http.StatusCreated, true, "vps", true, ospabpaneltest.ErrorOnly
			},
			"one that checks ids": func(o *ospabpaneltest.Options) {
				o.RefuseUnknownID, o.ListKey, o.Errors, o.Stats = true, "data", ospabpaneltest.MessageOnly, []byte(`{"cpu":0.5}`)
			},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				newOSPAB(t, w, configure).everything(t)
				o := newOSPAB(t, w, configure)
				o.refusals(t)
				_, err := o.sync.UpdateStatus(t.Context(), 4711, ospabpanel.StatusRunning)
				if err != nil {
					require.ErrorIs(t, err, provisioning.NotFound)
				}
				require.NoError(t, o.sync.Delete(t.Context(), 4711), "it is gone, whether the panel checks ids or not")
			})
		}
		t.Run("one that fails after the commit", func(t *testing.T) {
			t.Parallel()
			o := newOSPAB(t, w, func(o *ospabpaneltest.Options) { o.NullAddressBug = true })
			_, err := o.create(t)
			require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
		})
		t.Run("one that does not know the user", func(t *testing.T) {
			t.Parallel()
			o := newOSPAB(t, w)
			o.user.ID = 4711
			_, err := o.create(t)
			require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
		})
	})
	w.summary(t, "ospabpanel")
}
