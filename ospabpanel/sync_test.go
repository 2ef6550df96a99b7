package ospabpanel_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
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

func TestARecordLivesFromCreateToDelete(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		panel := panelWithUsers(t, 5)
		s := newSync(t, panel)
		v, err := s.Create(t.Context(), order())
		require.NoError(t, err)
		assert.Equal(t, ospabpanel.VPS{ID: 1, Name: "order-1042", Status: ospabpanel.StatusCreating, CreatedAt: v.CreatedAt}, v)
		assert.WithinDuration(t, time.Now(), v.CreatedAt, time.Second)
		row := panel.Records()[0]
		assert.Equal(t, int64(5), row.UserID)
		assert.Equal(t, []int64{2, 8192, 40}, []int64{row.CPUCores, row.MemoryMB, row.DiskGB})

		_, err = s.UpdateStatus(t.Context(), v.ID, ospabpanel.StatusRunning)
		require.NoError(t, err)
		assert.Equal(t, "running", panel.Records()[0].Status)

		require.NoError(t, s.Delete(t.Context(), v.ID))
		assert.Empty(t, panel.Records())
		assert.Equal(t, 3, panel.Count("syncVPS"))
	})
}

func TestH04APanelThatNeverAnswersEndsInDoubtWithinTheAttemptTimeout(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		panel := panelWithUsers(t, 5)
		panel.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.Hang})
		start := time.Now()
		_, err := newSync(t, panel).Create(t.Context(), order())
		require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
		require.ErrorIs(t, err, provisioning.Unavailable)
		assert.NotErrorIs(t, err, context.DeadlineExceeded, "the caller's context has not ended")
		assert.Equal(t, ospabpanel.DefaultAttemptTimeout, time.Since(start))
		assert.Equal(t, 1, panel.Count("syncVPS"))
	})
}

func TestH07ATimeoutAfterTheCommitLeavesOneRecordAndDoubt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		panel := panelWithUsers(t, 5)
		panel.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.HangAfter})
		_, err := newSync(t, panel).Create(t.Context(), order())
		require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
		assert.Len(t, panel.Records(), 1)
		assert.Equal(t, 1, panel.Count("syncVPS"))
	})
}

func TestH10A500AfterTheCommitIsNotRepeated(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		panel := panelWithUsers(t, 5, func(o *ospabpaneltest.Options) { o.NullAddressBug = true })
		_, err := newSync(t, panel).Create(t.Context(), order())
		require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
		assert.Len(t, panel.Records(), 1)
		assert.Equal(t, 1, panel.Count("syncVPS"))
	})
}

func TestH11ASuccessThatNamesNoRecordIsDoubt(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"no vps":               `{"status":"success"}`,
		"vps null":             `{"status":"success","vps":null}`,
		"no id":                `{"status":"success","vps":{"name":"order-1042"}}`,
		"id zero":              `{"status":"success","vps":{"id":0}}`,
		"negative id":          `{"status":"success","vps":{"id":-4}}`,
		"another status":       `{"status":"error","vps":{"id":17}}`,
		"no status":            `{"vps":{"id":17}}`,
		"id of the wrong type": `{"status":"success","vps":{"id":{}}}`,
		"empty object":         `{}`,
		"null":                 `null`,
		"a list":               `[]`,
		"half an object":       `{"status":"success","vps":{"id":1`,
		"empty":                ``,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				panel := panelWithUsers(t, 5)
				panel.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.AnswerLate, Status: 200, Body: body})
				_, err := newSync(t, panel).Create(t.Context(), order())
				require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
				require.ErrorIs(t, err, provisioning.Unexpected)
				assert.Equal(t, 1, panel.Count("syncVPS"))
			})
		})
	}
}

func TestH12NoHeaderMakesNetHTTPRepeatACreate(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		panel := panelWithUsers(t, 5)
		s := newSync(t, panel)
		id := created(t, s) // the connection is kept alive now, which is when net/http repeats by itself
		panel.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.CutAfter})
		_, err := s.Create(t.Context(), order())
		require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
		assert.Equal(t, ospabpanel.VPSID(1), id)
		assert.Len(t, panel.Records(), 2)
		for _, r := range panel.Requests() {
			assert.Empty(t, r.Header.Get("Idempotency-Key"))
			assert.Empty(t, r.Header.Get("X-Idempotency-Key"))
		}
	})
}

func TestH13AConnectionThatEndsAfterTheRequestIsOnePost(t *testing.T) {
	t.Parallel()
	for name, kept := range map[string]bool{"on a new connection": false, "on a kept connection": true} {
		for _, cut := range []provisioningtest.Action{provisioningtest.CutBefore, provisioningtest.CutAfter, provisioningtest.CutBody} {
			t.Run(string(cut)+" "+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					panel := panelWithUsers(t, 5)
					s := newSync(t, panel)
					before := 0
					if kept {
						created(t, s)
						before = 1
					}
					panel.Inject(provisioningtest.Fault{Op: "syncVPS", Do: cut})
					_, err := s.Create(t.Context(), order())
					require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
					assert.Equal(t, before+1, panel.Count("syncVPS"))
				})
			})
		}
	}
}

func TestACreateThatWasNotSentIsSentAgain(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		panel := panelWithUsers(t, 5)
		panel.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.Refuse, Times: 3})
		_, err := newSync(t, panel).Create(t.Context(), order())
		require.NoError(t, err)
		assert.Len(t, panel.Records(), 1)
	})
}

func TestAPanelThatIsDownIsNotDoubt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		panel := panelWithUsers(t, 5)
		panel.Inject(provisioningtest.Fault{Do: provisioningtest.Refuse, Times: -1})
		_, err := newSync(t, panel).Create(t.Context(), order())
		require.ErrorIs(t, err, provisioning.Unavailable)
		assert.NotErrorIs(t, err, provisioning.ErrMaybeApplied)
	})
}

func TestH14DeletingAnUnknownRecordIsDone(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]ospabpaneltest.Option{
		"where the panel reports success":  func(*ospabpaneltest.Options) {},
		"where the panel answers JSON 404": func(o *ospabpaneltest.Options) { o.RefuseUnknownID = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			panel := ospabpaneltest.New(t, option)
			require.NoError(t, newSync(t, panel).Delete(t.Context(), 17))
		})
	}
}

func TestH14ATextual404ToADeleteIsNotDone(t *testing.T) {
	t.Parallel()
	panel := ospabpaneltest.New(t)
	panel.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.Answer, Status: 404, Body: "404 page not found\n"})
	err := newSync(t, panel).Delete(t.Context(), 17)
	require.ErrorIs(t, err, provisioning.NoRoute)
	assert.NotErrorIs(t, err, provisioning.NotFound)
}

func TestH14ADeleteWhoseAnswerWasLostIsDoneWhenTheRecordIsGone(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		panel := panelWithUsers(t, 5, func(o *ospabpaneltest.Options) { o.RefuseUnknownID = true })
		s := newSync(t, panel)
		id := created(t, s)
		panel.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.CutAfter})
		require.NoError(t, s.Delete(t.Context(), id))
		assert.Empty(t, panel.Records())
		assert.Equal(t, 3, panel.Count("syncVPS"))
	})
}

func TestH15AnUpdateAnsweredForAnotherRecordIsAMismatch(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"another id":     `{"status":"success","vps":{"id":18,"status":"running"}}`,
		"another status": `{"status":"success","vps":{"id":17,"status":"stopped"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			panel := ospabpaneltest.New(t)
			panel.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.Answer, Status: 200, Body: body})
			_, err := newSync(t, panel).UpdateStatus(t.Context(), 17, ospabpanel.StatusRunning)
			require.ErrorIs(t, err, provisioning.Mismatch)
			require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
			assert.Equal(t, 1, panel.Count("syncVPS"))
		})
	}
}

func TestH15AnUpdateOfAnUnknownRecord(t *testing.T) {
	t.Parallel()
	t.Run("is reported as success by the older panel, and no record is returned", func(t *testing.T) {
		t.Parallel()
		v, err := newSync(t, ospabpaneltest.New(t)).UpdateStatus(t.Context(), 17, ospabpanel.StatusRunning)
		require.NoError(t, err)
		assert.Zero(t, v.ID)
	})
	t.Run("is NotFound where the panel says so, and makes no record", func(t *testing.T) {
		t.Parallel()
		panel := ospabpaneltest.New(t, func(o *ospabpaneltest.Options) { o.RefuseUnknownID = true })
		_, err := newSync(t, panel).UpdateStatus(t.Context(), 17, ospabpanel.StatusRunning)
		require.ErrorIs(t, err, provisioning.NotFound)
		assert.NotErrorIs(t, err, provisioning.ErrMaybeApplied)
		assert.Empty(t, panel.Records())
	})
}

func TestH15AnUpdateAnsweredWithAFailureIsNoSuccess(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func(*ospabpanel.Sync) error{
		"update": func(s *ospabpanel.Sync) error {
			_, err := s.UpdateStatus(t.Context(), 17, ospabpanel.StatusRunning)
			return err
		},
		"delete": func(s *ospabpanel.Sync) error { return s.Delete(t.Context(), 17) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := call(syncOver(t, answering(200, "application/json", `{"status":"error","message":"not today"}`)))
			require.ErrorIs(t, err, provisioning.Unexpected)
			require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
		})
	}
}

func TestH20AForeignRecordInTheAnswerIsAMismatch(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"another user": `{"status":"success","vps":{"id":17,"name":"order-1042","user_id":6}}`,
		"another name": `{"status":"success","vps":{"id":17,"name":"order-1043","user_id":5}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, err := syncOver(t, answering(201, "application/json", body)).Create(t.Context(), order())
			require.ErrorIs(t, err, provisioning.Mismatch)
			require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
			assert.Equal(t, ospabpanel.VPSID(17), v.ID, "the record is told, for whoever has to look at it")
		})
	}
}

func TestH20IdsBelowOneAreNeverSent(t *testing.T) {
	t.Parallel()
	panel := ospabpaneltest.New(t)
	s := newSync(t, panel)
	for _, id := range []ospabpanel.VPSID{0, -1, 1 << 31} {
		_, err := s.UpdateStatus(t.Context(), id, ospabpanel.StatusRunning)
		requireField(t, err, "id")
		requireField(t, s.Delete(t.Context(), id), "id")
	}
	assert.Empty(t, panel.Requests())
}

func TestH19ADeleteIsRepeatedUntilThePanelIsBack(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		panel := panelWithUsers(t, 5)
		s := newSync(t, panel)
		id := created(t, s)
		panel.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.HTML, Status: 503, Times: 2})
		require.NoError(t, s.Delete(t.Context(), id))
		assert.Empty(t, panel.Records())
		assert.Equal(t, 4, panel.Count("syncVPS"))
	})
}

func TestH36AnUpdateSendsIDAndStatusOnly(t *testing.T) {
	t.Parallel()
	panel := ospabpaneltest.New(t)
	_, err := newSync(t, panel).UpdateStatus(t.Context(), 1, ospabpanel.StatusRunning)
	require.NoError(t, err)
	assert.Equal(t, []string{`{"action":"update","vps":{"id":1,"status":"running"}}`}, bodies(panel))
}

func TestTheBodyOfADeleteIsTheID(t *testing.T) {
	t.Parallel()
	panel := ospabpaneltest.New(t)
	require.NoError(t, newSync(t, panel).Delete(t.Context(), 17))
	assert.Equal(t, []string{`{"action":"delete","vps":{"id":17}}`}, bodies(panel))
}

func TestH37NoRequestCarriesAnAddress(t *testing.T) {
	t.Parallel()
	panel := panelWithUsers(t, 5)
	s := newSync(t, panel)
	id := created(t, s)
	_, err := s.UpdateStatus(t.Context(), id, ospabpanel.StatusStopped)
	require.NoError(t, err)
	require.NoError(t, s.Delete(t.Context(), id))
	for _, body := range bodies(panel) {
		assert.NotContains(t, body, "ip")
	}
	assert.JSONEq(t, `{"action":"create","vps":{
		"user_id":5,"name":"order-1042","status":"creating","cpu":2,"ram":8192,"disk":40,"os":"Debian 12","hypervisor":"proxmox"
	}}`, bodies(panel)[0])
}

func TestH41AWrongKeyIsUnauthorizedAndNothingIsApplied(t *testing.T) {
	t.Parallel()
	panel := panelWithUsers(t, 5)
	s := newSync(t, panel)
	panel.SetKey("another-key-another-key-another-key")
	_, err := s.Create(t.Context(), order())
	require.ErrorIs(t, err, provisioning.Unauthorized)
	assert.NotErrorIs(t, err, provisioning.ErrMaybeApplied)
	assert.ErrorContains(t, err, "Invalid or missing API key")
	assert.Equal(t, 1, panel.Count("syncVPS"), "a wrong key is not tried again")
	assert.Empty(t, panel.Records())
}

func TestH49AnySuccessStatusIsSuccess(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 201} {
		panel := panelWithUsers(t, 5, func(o *ospabpaneltest.Options) { o.CreateStatus = status })
		created(t, newSync(t, panel))
	}
	require.NoError(t, syncOver(t, answering(204, "", "")).Delete(t.Context(), 17))
	require.NoError(t, syncOver(t, answering(200, "application/json", "")).Delete(t.Context(), 17))
	_, err := syncOver(t, answering(204, "", "")).UpdateStatus(t.Context(), 17, ospabpanel.StatusRunning)
	require.NoError(t, err)
	_, err = syncOver(t, answering(204, "", "")).Create(t.Context(), order())
	require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
}

func TestH50AMissingRouteIsNotAMissingRecord(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]provisioningtest.Fault{
		"404 of the router":                   {Do: provisioningtest.Answer, Status: 404, Body: "404 page not found\n"},
		"405 of the router":                   {Do: provisioningtest.Answer, Status: 405},
		"404 of a proxy":                      {Do: provisioningtest.HTML, Status: 404},
		"404 in JSON that is not the panel's": {Do: provisioningtest.Answer, Status: 404, Body: `{"detail":"Not Found"}`},
		"404 without body":                    {Do: provisioningtest.Answer, Status: 404},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			panel := panelWithUsers(t, 5)
			s := newSync(t, panel)
			id := created(t, s)
			fault.Times = 3
			panel.Inject(fault)
			_, err := s.UpdateStatus(t.Context(), id, ospabpanel.StatusRunning)
			for _, err := range []error{err, s.Delete(t.Context(), id), second(s.Create(t.Context(), order()))} {
				require.ErrorIs(t, err, provisioning.NoRoute)
				assert.NotErrorIs(t, err, provisioning.ErrMaybeApplied)
			}
			assert.Len(t, panel.Records(), 1)
		})
	}
}

func TestH50A404WhoseJSONIsCalledTextIsNotThePanelsWord(t *testing.T) {
	t.Parallel()
	_, err := syncOver(t, answering(404, "text/plain; charset=utf-8", `{"error":"VPS not found"}`)).UpdateStatus(t.Context(), 17, ospabpanel.StatusRunning)
	require.ErrorIs(t, err, provisioning.NoRoute)
	assert.ErrorContains(t, err, "VPS not found")
	_, err = syncOver(t, answering(404, "application/problem+json", `{"error":"VPS not found"}`)).UpdateStatus(t.Context(), 17, ospabpanel.StatusRunning)
	require.ErrorIs(t, err, provisioning.NotFound)
}

func TestH51APermanentRefusalIsOneRequestWithThePanelsText(t *testing.T) {
	t.Parallel()
	panel := panelWithUsers(t, 5)
	panel.Inject(provisioningtest.Fault{Do: provisioningtest.Answer, Status: 400, Body: `{"error":"Bad Request","message":"Missing required fields"}`})
	s := newSync(t, panel)
	_, err := s.Create(t.Context(), order())
	require.ErrorIs(t, err, provisioning.Invalid)
	assert.ErrorContains(t, err, "Missing required fields")
	assert.Equal(t, 1, panel.Count("syncVPS"))
	created(t, s)
}

func TestH52RetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	soon := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
	for name, c := range map[string]struct {
		after string
		wait  time.Duration
	}{"in seconds": {"2", 2 * time.Second}, "as a date": {"", 5 * time.Second}} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				panel := panelWithUsers(t, 5)
				if c.after == "" {
					c.after = soon(c.wait)
				}
				panel.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.Answer, Status: 429, RetryAfter: c.after})
				created(t, newSync(t, panel))
				requests := panel.Requests()
				require.Len(t, requests, 2)
				assert.GreaterOrEqual(t, requests[1].Time.Sub(requests[0].Time), c.wait)
				assert.Len(t, panel.Records(), 1)
			})
		})
	}
}

func TestH52ARetryAfterBeyondTheLimitIsHandedToTheCaller(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		panel := panelWithUsers(t, 5)
		panel.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.Answer, Status: 429, RetryAfter: "86400"})
		start := time.Now()
		_, err := newSync(t, panel).Create(t.Context(), order())
		require.ErrorIs(t, err, provisioning.RateLimited)
		assert.NotErrorIs(t, err, provisioning.ErrMaybeApplied)
		var e *provisioning.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, 24*time.Hour, e.RetryAfter)
		assert.Zero(t, time.Since(start))
	})
}

func TestH53AnEndlessAnswerEndsInAnErrorWithBoundedMemory(t *testing.T) {
	t.Parallel()
	endless := &countingReader{left: 100 << 20}
	hc := &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		resp := response(r, 200, "application/json", "")
		resp.Body, resp.ContentLength = io.NopCloser(endless), -1
		return resp, nil
	})}
	_, err := syncOver(t, hc).Create(t.Context(), order())
	require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
	require.ErrorIs(t, err, provisioning.Unexpected)
	assert.ErrorContains(t, err, "larger than 1048576 bytes")
	assert.LessOrEqual(t, endless.read, int64(2<<20))
}

type countingReader struct{ left, read int64 }

func (c *countingReader) Read(p []byte) (int, error) {
	n := int64(len(p))
	if c.read+n > c.left {
		return 0, io.EOF
	}
	for i := range p {
		p[i] = ' '
	}
	c.read += n
	return int(n), nil
}

func TestDoReachesOperationsThatThePackageLacks(t *testing.T) {
	t.Parallel()
	panel := ospabpaneltest.New(t)
	s := newSync(t, panel)
	var out struct{ Status string }
	in := map[string]any{"action": "update", "vps": map[string]any{"id": 17, "status": "running"}}
	require.NoError(t, s.Do(t.Context(), http.MethodPost, "/vps/sync", in, &out))
	assert.Equal(t, "success", out.Status)
	require.ErrorIs(t, s.Do(t.Context(), http.MethodPost, "/vps/nothing", in, &out), provisioning.NoRoute)
	for _, bad := range []struct{ method, path string }{{"POST", "/vps/../x"}, {"POST", "/vps/sync#x"}, {"POST", ""}, {"TRACE", "/vps"}, {"GET", "/%zz"}} {
		require.ErrorIs(t, s.Do(t.Context(), bad.method, bad.path, nil, nil), provisioning.Invalid, "%s %s", bad.method, bad.path)
	}
	assert.Len(t, panel.Requests(), 2)
}

func second[T any](_ T, err error) error { return err }

// requireField checks that err refuses the input field before anything was sent.
func requireField(t *testing.T, err error, field string) {
	t.Helper()
	require.ErrorIs(t, err, provisioning.Invalid)
	assert.NotErrorIs(t, err, provisioning.ErrMaybeApplied)
	var e *provisioning.Error
	require.True(t, errors.As(err, &e))
	require.Contains(t, e.Fields, field, "%v", err)
	assert.NotEmpty(t, strings.Join(e.Fields[field], ""))
}
