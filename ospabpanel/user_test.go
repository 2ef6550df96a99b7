package ospabpanel_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/ospabpanel"
	"github.com/hvpanels/hvpanels/ospabpanel/ospabpaneltest"
	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
)

// newUser is a client of panel user id with a token that lasts.
func newUser(t *testing.T, panel *ospabpaneltest.Panel, id int64) *ospabpanel.UserClient {
	t.Helper()
	return newUserWith(t, panel, id, ospabpanel.StaticToken(panel.Token(id)))
}

func newUserWith(t *testing.T, panel *ospabpaneltest.Panel, id int64, source ospabpanel.TokenSource) *ospabpanel.UserClient {
	t.Helper()
	c, err := ospabpanel.NewUserClient(panel.URL(), ospabpanel.PanelUserID(id), source, ospabpanel.WithHTTPClient(panel.HTTPClient()))
	require.NoError(t, err)
	return c
}

// row is a stopped VPS of a user.
func row(userID int64) ospabpaneltest.Record {
	return ospabpaneltest.Record{
		UserID: userID, Name: "order-1042", Status: "stopped", CPUCores: 2, MemoryMB: 8192, DiskGB: 40, OS: "Debian 12", Hypervisor: "proxmox",
	}
}

func TestAUserSeesTheOwnVPSOnly(t *testing.T) {
	t.Parallel()
	panel := panelWithUsers(t, 2)
	own, foreign := panel.AddRecord(row(1)), panel.AddRecord(row(2))
	alice := newUser(t, panel, 1)
	list, err := alice.List(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 1)
	assert.Equal(t, ospabpanel.VPSID(own.ID), list[0].ID)
	_, err = alice.Get(t.Context(), ospabpanel.VPSID(foreign.ID))
	require.ErrorIs(t, err, provisioning.NotFound)
	require.ErrorIs(t, alice.Stop(t.Context(), ospabpanel.VPSID(foreign.ID)), provisioning.NotFound)
}

func TestActionsTakeTimeAndWaitStatusSeesTheEnd(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		panel := panelWithUsers(t, 1)
		id := ospabpanel.VPSID(panel.AddRecord(row(1)).ID)
		alice := newUser(t, panel, 1)
		for _, step := range []struct {
			act  func(context.Context, ospabpanel.VPSID, ...ospabpanel.CallOption) error
			want ospabpanel.Status
		}{{alice.Start, "running"}, {alice.Stop, "stopped"}, {alice.Restart, "running"}, {alice.Reboot, "running"}} {
			start := time.Now()
			require.NoError(t, step.act(t.Context(), id))
			v, err := alice.WaitStatus(t.Context(), id, step.want, provisioning.WaitOptions{})
			require.NoError(t, err)
			assert.Equal(t, step.want, v.Status)
			assert.Less(t, time.Since(start), 4*time.Second)
		}
		assert.Equal(t, []int{1, 1, 1, 1}, []int{panel.Count("startVPS"), panel.Count("stopVPS"), panel.Count("restartVPS"), panel.Count("rebootVPS")})
	})
}

func TestStatusAndVersionOfThePanel(t *testing.T) {
	t.Parallel()
	alice := newUser(t, panelWithUsers(t, 1), 1)
	s, err := alice.Status(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "ok", s.Status)
	v, err := alice.Version(t.Context())
	require.NoError(t, err)
	assert.Equal(t, s.Version, v.Version)
}

func TestH59AListThatCannotBeReadIsAnErrorNotAnEmptyList(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]provisioningtest.Fault{
		"500":            {Do: provisioningtest.Answer, Status: 500},
		"HTML":           {Do: provisioningtest.HTML, Status: 200},
		"empty":          {Do: provisioningtest.Answer, Status: 200},
		"no content":     {Do: provisioningtest.Answer, Status: 204},
		"missing route":  {Do: provisioningtest.Answer, Status: 404, Body: "404 page not found"},
		"unknown object": {Do: provisioningtest.Answer, Status: 200, Body: `{"foo":1}`},
		"two lists":      {Do: provisioningtest.Answer, Status: 200, Body: `{"vps":[],"data":[]}`},
		"an error":       {Do: provisioningtest.Answer, Status: 200, Body: `{"error":"database is away"}`},
		"half a list":    {Do: provisioningtest.Answer, Status: 200, Body: `[{"id":1,"user_id":1},`},
		"a row of nulls": {Do: provisioningtest.Answer, Status: 200, Body: `[{"id":1},null]`},
		"a number":       {Do: provisioningtest.Answer, Status: 200, Body: `7`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			panel := panelWithUsers(t, 1)
			panel.AddRecord(row(1))
			fault.Op = "listVPS"
			panel.Inject(fault)
			list, err := newUser(t, panel, 1).List(t.Context())
			require.Error(t, err)
			assert.Nil(t, list)
		})
	}
}

func TestH60TheShapesThatAListMayHave(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"", "vps", "data"} {
		t.Run("under "+key, func(t *testing.T) {
			t.Parallel()
			panel := panelWithUsers(t, 2, func(o *ospabpaneltest.Options) { o.ListKey = key; o.WrapVPS = key == "vps" })
			id := ospabpanel.VPSID(panel.AddRecord(row(1)).ID)
			list, err := newUser(t, panel, 1).List(t.Context())
			require.NoError(t, err)
			assert.Len(t, list, 1)
			none, err := newUser(t, panel, 2).List(t.Context())
			require.NoError(t, err)
			assert.Empty(t, none, "null is an empty list")
			v, err := newUser(t, panel, 1).Get(t.Context(), id)
			require.NoError(t, err)
			assert.Equal(t, list[0], v)
		})
	}
}

func TestH63ARefusedTokenIsReplacedOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		panel := panelWithUsers(t, 1)
		panel.AddRecord(row(1))
		var rejections []provisioning.Secret
		first := panel.Token(1)
		source := ospabpanel.TokenFunc(func(_ context.Context, rejected provisioning.Secret) (provisioning.Secret, error) {
			rejections = append(rejections, rejected)
			if rejected == "" {
				return first, nil
			}
			return panel.Token(1), nil
		})
		alice := newUserWith(t, panel, 1, source)
		_, err := alice.List(t.Context())
		require.NoError(t, err)
		time.Sleep(25 * time.Hour) // simulated: tokens last 24 hours
		list, err := alice.List(t.Context())
		require.NoError(t, err)
		assert.Len(t, list, 1)
		assert.Equal(t, []provisioning.Secret{"", first}, rejections)
		assert.Equal(t, 3, panel.Count("listVPS"))
	})
}

func TestH63ATokenOfAnotherUserIsNotSent(t *testing.T) {
	t.Parallel()
	panel := panelWithUsers(t, 2)
	_, err := newUserWith(t, panel, 1, ospabpanel.StaticToken(panel.Token(2))).List(t.Context())
	require.ErrorIs(t, err, provisioning.Mismatch)
	assert.Empty(t, panel.Requests())
}

func TestH63ARecordOfAnotherUserIsAMismatch(t *testing.T) {
	t.Parallel()
	panel := panelWithUsers(t, 2)
	id := ospabpanel.VPSID(panel.AddRecord(row(2)).ID)
	opaque := ospabpanel.StaticToken("opaque-token-of-user-2")
	serve := func(body string) *ospabpanel.UserClient {
		c, err := ospabpanel.NewUserClient(panel.URL(), 1, opaque, ospabpanel.WithHTTPClient(answering(200, "application/json", body)))
		require.NoError(t, err)
		return c
	}
	_, err := serve(`[{"id":1,"user_id":2}]`).List(t.Context())
	require.ErrorIs(t, err, provisioning.Mismatch)
	_, err = serve(`{"id":1,"user_id":2}`).Get(t.Context(), id)
	require.ErrorIs(t, err, provisioning.Mismatch)
	_, err = serve(`{"id":7,"user_id":1}`).Get(t.Context(), id)
	require.ErrorIs(t, err, provisioning.Mismatch)
}

func TestH63ManyCallsWithAnOldTokenAskForOneNewToken(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		panel := panelWithUsers(t, 1)
		asked := 0
		alice := newUserWith(t, panel, 1, ospabpanel.TokenFunc(func(ctx context.Context, _ provisioning.Secret) (provisioning.Secret, error) {
			asked++ // calls never overlap
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
			return panel.Token(1), nil
		}))
		_, err := alice.List(t.Context())
		require.NoError(t, err)
		panel.RevokeTokens()
		var calls sync.WaitGroup
		for range 50 {
			calls.Go(func() {
				_, err := alice.List(t.Context())
				assert.NoError(t, err)
			})
		}
		calls.Wait()
		assert.Equal(t, 2, asked)
	})
}

func TestH64ATokenThatThePanelNeverTakesIsTwoRequests(t *testing.T) {
	t.Parallel()
	panel := panelWithUsers(t, 1)
	mainSite := 0
	alice := newUserWith(t, panel, 1, ospabpanel.TokenFunc(func(context.Context, provisioning.Secret) (provisioning.Secret, error) {
		mainSite++
		return "token.of-the.mainsite", nil
	}))
	_, err := alice.List(t.Context())
	require.ErrorIs(t, err, provisioning.Unauthorized)
	assert.ErrorContains(t, err, "Invalid token")
	assert.Equal(t, 2, panel.Count("listVPS"))
	assert.Equal(t, 2, mainSite)
}

func TestAStaticTokenThatIsRefusedIsOneRequest(t *testing.T) {
	t.Parallel()
	panel := panelWithUsers(t, 1)
	alice := newUser(t, panel, 1)
	panel.RevokeTokens()
	require.ErrorIs(t, alice.Start(t.Context(), 1), provisioning.Unauthorized)
	assert.Equal(t, 1, panel.Count("startVPS"))
}

func TestATokenSourceThatFailsOrReturnsNoTokenSendsNothing(t *testing.T) {
	t.Parallel()
	panel := panelWithUsers(t, 1)
	away := errors.New("the vault is sealed")
	failing := ospabpanel.TokenFunc(func(context.Context, provisioning.Secret) (provisioning.Secret, error) { return "", away })
	_, err := newUserWith(t, panel, 1, failing).List(t.Context())
	require.ErrorIs(t, err, away)
	for _, token := range []provisioning.Secret{"", "with blank", "line\nbreak"} {
		_, err = newUserWith(t, panel, 1, ospabpanel.StaticToken(token)).List(t.Context())
		requireField(t, err, "token")
	}
	assert.Empty(t, panel.Requests())
}

func TestALoginWorksUntilThePasswordChanges(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		panel := ospabpaneltest.New(t)
		auth, err := ospabpanel.NewAuth(panel.URL(), ospabpanel.WithHTTPClient(panel.HTTPClient()))
		require.NoError(t, err)
		s, err := auth.Register(t.Context(), ospabpanel.RegisterRequest{Username: "erin", Email: "erin@customer.example", Password: "correct horse"})
		require.NoError(t, err)
		assert.Equal(t, ospabpanel.PanelUserID(1), s.User.ID)
		assert.Equal(t, time.Now().Add(24*time.Hour).Unix(), s.Expires.Unix())

		erin := newUserWith(t, panel, 1, auth.Tokens("erin", "correct horse"))
		for range 3 { // one login a day
			_, err = erin.List(t.Context())
			require.NoError(t, err)
			time.Sleep(25 * time.Hour) // simulated
		}
		assert.Equal(t, 3, panel.Count("login"))

		_, err = auth.Login(t.Context(), "erin", "battery staple")
		require.ErrorIs(t, err, provisioning.Unauthorized)
		assert.ErrorContains(t, err, "Неверное имя пользователя или пароль")
		_, err = newUserWith(t, panel, 1, auth.Tokens("erin", "battery staple")).List(t.Context())
		require.ErrorIs(t, err, provisioning.Unauthorized)
		_, err = auth.Register(t.Context(), ospabpanel.RegisterRequest{Username: "erin", Email: "erin@customer.example", Password: "correct horse"})
		require.ErrorIs(t, err, provisioning.Invalid)
	})
}

func TestALoginIsRepeatedAndARegistrationIsNot(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		panel := panelWithUsers(t, 1)
		auth, err := ospabpanel.NewAuth(panel.URL(), ospabpanel.WithHTTPClient(panel.HTTPClient()))
		require.NoError(t, err)
		panel.Inject(provisioningtest.Fault{Op: "login", Do: provisioningtest.CutAfter})
		_, err = auth.Login(t.Context(), "alice", "password-of-alice")
		require.NoError(t, err)
		panel.Inject(provisioningtest.Fault{Op: "register", Do: provisioningtest.CutAfter})
		_, err = auth.Register(t.Context(), ospabpanel.RegisterRequest{Username: "bob", Email: "bob@customer.example", Password: "correct horse"})
		require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
		assert.Equal(t, 1, panel.Count("register"))
	})
}

func TestAuthRefusesBadInputBeforeSending(t *testing.T) {
	t.Parallel()
	panel := ospabpaneltest.New(t)
	auth, err := ospabpanel.NewAuth(panel.URL(), ospabpanel.WithHTTPClient(panel.HTTPClient()))
	require.NoError(t, err)
	requireField(t, second(auth.Login(t.Context(), "", "password")), "username")
	requireField(t, second(auth.Login(t.Context(), "erin", "")), "password")
	good := ospabpanel.RegisterRequest{Username: "erin", Email: "erin@customer.example", Password: "correct horse"}
	for field, change := range map[string]func(*ospabpanel.RegisterRequest){
		"username": func(r *ospabpanel.RegisterRequest) {
			r.Username = "a name that is much longer than the sixty-four characters of the panel"
		},
		"email":    func(r *ospabpanel.RegisterRequest) { r.Email = "" },
		"password": func(r *ospabpanel.RegisterRequest) { r.Password = "пароль7" },
	} {
		r := good
		change(&r)
		requireField(t, second(auth.Register(t.Context(), r)), field)
	}
	assert.Empty(t, panel.Requests())
}

func TestH65AnActionWhoseAnswerWasLostIsOnePost(t *testing.T) {
	t.Parallel()
	for op, act := range map[string]func(*ospabpanel.UserClient, context.Context, ospabpanel.VPSID) error{
		"startVPS": func(c *ospabpanel.UserClient, ctx context.Context, id ospabpanel.VPSID) error {
			return c.Start(ctx, id)
		},
		"stopVPS": func(c *ospabpanel.UserClient, ctx context.Context, id ospabpanel.VPSID) error { return c.Stop(ctx, id) },
		"restartVPS": func(c *ospabpanel.UserClient, ctx context.Context, id ospabpanel.VPSID) error {
			return c.Restart(ctx, id)
		},
		"rebootVPS": func(c *ospabpanel.UserClient, ctx context.Context, id ospabpanel.VPSID) error {
			return c.Reboot(ctx, id)
		},
	} {
		for _, fault := range []provisioningtest.Fault{
			{Do: provisioningtest.CutAfter}, {Do: provisioningtest.HangAfter}, {Do: provisioningtest.HTML, Status: 502},
			{Do: provisioningtest.AnswerLate, Status: 502, Body: `{"error":"hypervisor did not answer"}`},
		} {
			t.Run(op+" "+string(fault.Do), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					panel := panelWithUsers(t, 1)
					id := ospabpanel.VPSID(panel.AddRecord(row(1)).ID)
					fault.Op = op
					panel.Inject(fault)
					require.ErrorIs(t, act(newUser(t, panel, 1), t.Context(), id), provisioning.ErrMaybeApplied)
					assert.Equal(t, 1, panel.Count(op))
				})
			})
		}
	}
}

func TestH65EnsureRunningReadsTheStatusBeforeItRepeats(t *testing.T) {
	t.Parallel()
	ensure := func(t *testing.T, prepare func(*ospabpaneltest.Panel)) (*ospabpaneltest.Panel, error) {
		t.Helper()
		panel := panelWithUsers(t, 1)
		id := ospabpanel.VPSID(panel.AddRecord(row(1)).ID)
		prepare(panel)
		return panel, newUser(t, panel, 1).EnsureRunning(t.Context(), id)
	}
	t.Run("a running VPS is not started", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			panel := panelWithUsers(t, 1)
			r := row(1)
			r.Status = "running"
			require.NoError(t, newUser(t, panel, 1).EnsureRunning(t.Context(), ospabpanel.VPSID(panel.AddRecord(r).ID)))
			assert.Zero(t, panel.Count("startVPS"))
		})
	})
	t.Run("an applied start whose answer was lost is not sent again", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			panel, err := ensure(t, func(p *ospabpaneltest.Panel) {
				p.Inject(provisioningtest.Fault{Op: "startVPS", Do: provisioningtest.CutAfter})
			})
			require.NoError(t, err)
			assert.Equal(t, 1, panel.Count("startVPS"))
			assert.Equal(t, "running", panel.Records()[0].Status)
		})
	})
	t.Run("a start that was not applied is sent again", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			panel, err := ensure(t, func(p *ospabpaneltest.Panel) {
				p.Inject(provisioningtest.Fault{Op: "startVPS", Do: provisioningtest.CutBefore})
			})
			require.NoError(t, err)
			assert.Equal(t, 2, panel.Count("startVPS"))
		})
	})
	t.Run("three lost starts are enough", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			panel, err := ensure(t, func(p *ospabpaneltest.Panel) {
				p.Inject(provisioningtest.Fault{Op: "startVPS", Do: provisioningtest.CutBefore, Times: 3})
			})
			require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
			assert.Equal(t, 3, panel.Count("startVPS"))
		})
	})
	t.Run("nothing is repeated when the status cannot be read", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			panel, err := ensure(t, func(p *ospabpaneltest.Panel) {
				p.Inject(provisioningtest.Fault{Op: "startVPS", Do: provisioningtest.CutBefore})
				p.Inject(provisioningtest.Fault{Op: "getVPS", Do: provisioningtest.Answer, Status: 404, Body: `{"error":"VPS not found"}`, Skip: 1})
			})
			require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
			assert.Equal(t, 1, panel.Count("startVPS"))
		})
	})
	t.Run("the doubt about a lost start outlives a refusal of the next", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			panel, err := ensure(t, func(p *ospabpaneltest.Panel) {
				p.Inject(provisioningtest.Fault{Op: "startVPS", Do: provisioningtest.CutBefore})
				p.Inject(provisioningtest.Fault{Op: "startVPS", Do: provisioningtest.Answer, Status: 403, Body: `{"error":"not now"}`})
			})
			require.ErrorIs(t, err, provisioning.Forbidden)
			require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
			assert.Equal(t, 2, panel.Count("startVPS"))
		})
	})
	t.Run("a refused start is not repeated", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			panel, err := ensure(t, func(p *ospabpaneltest.Panel) {
				p.Inject(provisioningtest.Fault{Op: "startVPS", Do: provisioningtest.Answer, Status: 400, Body: `{"error":"unsupported action"}`})
			})
			require.ErrorIs(t, err, provisioning.Invalid)
			assert.NotErrorIs(t, err, provisioning.ErrMaybeApplied)
			assert.Equal(t, 1, panel.Count("startVPS"))
		})
	})
	t.Run("and EnsureStopped stops", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			panel := panelWithUsers(t, 1)
			r := row(1)
			r.Status = "running"
			id := ospabpanel.VPSID(panel.AddRecord(r).ID)
			require.NoError(t, newUser(t, panel, 1).EnsureStopped(t.Context(), id))
			assert.Equal(t, 1, panel.Count("stopVPS"))
			_, err := newUser(t, panel, 1).WaitStatus(t.Context(), id, ospabpanel.StatusStopped, provisioning.WaitOptions{})
			require.NoError(t, err)
		})
	})
}

func TestH66AnAcceptedActionIsNotAReachedState(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		panel := panelWithUsers(t, 1, func(o *ospabpaneltest.Options) { o.ActionTime = time.Hour })
		id := ospabpanel.VPSID(panel.AddRecord(row(1)).ID)
		alice := newUser(t, panel, 1)
		require.NoError(t, alice.Start(t.Context(), id))
		v, err := alice.WaitStatus(within(t, time.Minute), id, ospabpanel.StatusRunning, provisioning.WaitOptions{})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, provisioning.ErrStillRunning)
		assert.Equal(t, ospabpanel.StatusStopped, v.Status)
	})
}

func TestH66AWaitEndsWhenTheRecordIsGone(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		_, err := newUser(t, panelWithUsers(t, 1), 1).WaitStatus(t.Context(), 17, ospabpanel.StatusRunning, provisioning.WaitOptions{})
		require.ErrorIs(t, err, provisioning.NotFound)
	})
}

func TestH67AnIDThatCannotBeOneFailsLocally(t *testing.T) {
	t.Parallel()
	panel := panelWithUsers(t, 1)
	alice := newUser(t, panel, 1)
	for _, id := range []ospabpanel.VPSID{0, -1, 1 << 31} {
		requireField(t, second(alice.Get(t.Context(), id)), "id")
		requireField(t, second(alice.Stats(t.Context(), id)), "id")
		requireField(t, alice.Start(t.Context(), id), "id")
		requireField(t, alice.Reboot(t.Context(), id), "id")
		requireField(t, alice.EnsureStopped(t.Context(), id), "id")
	}
	assert.Empty(t, panel.Requests())
	require.ErrorIs(t, second(alice.Get(t.Context(), 17)), provisioning.NotFound)
}

func TestH68StatisticsComeThroughUnchanged(t *testing.T) {
	t.Parallel()
	const stats = `{"cpu":{"load":[0.5,12345678901234567890]},"memory":null}`
	panel := panelWithUsers(t, 1, func(o *ospabpaneltest.Options) { o.Stats = json.RawMessage(stats) })
	s, err := newUser(t, panel, 1).Stats(t.Context(), ospabpanel.VPSID(panel.AddRecord(row(1)).ID))
	require.NoError(t, err)
	assert.Equal(t, stats, string(s.Raw))
	fields, err := s.Fields()
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"cpu": map[string]any{"load": []any{json.Number("0.5"), json.Number("12345678901234567890")}}, "memory": nil}, fields)
	_, err = ospabpanel.Stats{Raw: json.RawMessage(`[1]`)}.Fields()
	require.Error(t, err)
}

func TestH69TimesWithOffsetFractionOrNothing(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Time{
		`"2025-10-27T13:30:00.5+03:00"`: moscow, `"2025-10-27T10:30:00.5Z"`: moscow, `null`: {}, `""`: {},
		`"0001-01-01T00:00:00Z"`: {}, `"yesterday"`: {}, `7`: {}, `{}`: {},
	} {
		c := newClients(t, answering(200, "application/json", `{"id":17,"created_at":`+text+`}`).Transport)
		v, err := c.user.Get(t.Context(), 17)
		require.NoError(t, err, text)
		assert.True(t, want.Equal(v.CreatedAt), "%s became %v", text, v.CreatedAt)
	}
}

func TestH70FieldsThatNobodyKnowsAreIgnored(t *testing.T) {
	t.Parallel()
	c := newClients(t, answering(200, "application/json", `{"id":17,"user_id":5,"node":{"name":"pve-3"},"tags":["a"],"ram":"8192","status":"migrating"}`).Transport)
	v, err := c.user.Get(t.Context(), 17)
	require.NoError(t, err)
	assert.Equal(t, provisioning.Some(8*gib), v.Memory)
	assert.Equal(t, ospabpanel.Status("migrating"), v.Status)
	assert.False(t, v.Status.Known())
}

func TestWhatThePanelDoesNotTellIsAbsent(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"id":17}`, `{"id":17,"cpu":null,"ram":0,"disk":-1}`, `{"id":17,"ram":9223372036854775807}`} {
		v, err := newClients(t, answering(200, "application/json", body).Transport).user.Get(t.Context(), 17)
		require.NoError(t, err)
		assert.Equal(t, ospabpanel.VPS{ID: 17}, v)
	}
}

func TestNewUserClientChecksItsInput(t *testing.T) {
	t.Parallel()
	requireField(t, second(ospabpanel.NewUserClient("https://panel.example", 5, nil)), "source")
	requireField(t, second(ospabpanel.NewUserClient("https://panel.example", -1, ospabpanel.StaticToken("x"))), "user")
	requireField(t, second(ospabpanel.NewUserClient("panel.example", 5, ospabpanel.StaticToken("x"))), "baseURL")
	requireField(t, second(ospabpanel.NewAuth("http://panel.example")), "baseURL")
}

func TestAUserReachesOperationsThatThePackageLacks(t *testing.T) {
	t.Parallel()
	alice := newUser(t, panelWithUsers(t, 1), 1)
	var out struct{ Version string }
	require.NoError(t, alice.Do(t.Context(), http.MethodGet, "version", nil, &out))
	assert.NotEmpty(t, out.Version)
	requireField(t, alice.Do(t.Context(), "PROPFIND", "version", nil, &out), "method")
}
