package ospabpaneltest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/ospabpanel/ospabpaneltest"
	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
)

// answer is what came back for one request.
type answer struct {
	status            int
	contentType, body string
}

// call sends one request the way curl does. header is "Name: value" or empty.
func call(panel http.Handler, method, path, header, body string) answer {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if name, value, ok := strings.Cut(header, ": "); ok {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	panel.ServeHTTP(w, r)
	return answer{w.Code, w.Header().Get("Content-Type"), strings.TrimSpace(w.Body.String())}
}

func keyHeader(panel *ospabpaneltest.Panel) string { return "X-API-Key: " + panel.Key().Reveal() }

func push(panel *ospabpaneltest.Panel, body string) answer {
	return call(panel, "POST", "/api/vps/sync", keyHeader(panel), body)
}

func bearer(panel *ospabpaneltest.Panel, user int64) string {
	return "Authorization: Bearer " + panel.Token(user).Reveal()
}

const createBody = `{"action":"create","vps":{
	"user_id":1,"name":"web-server-01","status":"creating","cpu":4,"ram":8192,"disk":100,"os":"Ubuntu 22.04 LTS","hypervisor":"proxmox"}}`

func TestTheManualsCurlCommandsGetTheDocumentedAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		panel := ospabpaneltest.New(t)
		panel.AddUser("alice")
		created := push(panel, createBody)
		assert.Equal(t, 200, created.status)
		assert.Equal(t, "application/json", created.contentType)
		at := time.Now().Format(time.RFC3339Nano)
		const success = `{"status":"success","message":"VPS synced successfully","vps":{"id":1,"name":"web-server-01","status":"%s","created_at":"%s"}}`
		assert.JSONEq(t, fmt.Sprintf(success, "creating", at), created.body)

		updated := push(panel, `{"action":"update","vps":{"id":1,"status":"running"}}`)
		assert.Equal(t, 200, updated.status)
		assert.JSONEq(t, fmt.Sprintf(success, "running", at), updated.body)

		deleted := push(panel, `{"action":"delete","vps":{"id":1}}`)
		assert.Equal(t, answer{200, "application/json", `{"status":"success","message":"VPS synced successfully"}`}, deleted)
		assert.Empty(t, panel.Records())
	})
}

func TestTheVariantsOfTheSyncAPI(t *testing.T) {
	t.Parallel()
	withUser := func(t *testing.T, o ospabpaneltest.Option) *ospabpaneltest.Panel {
		t.Helper()
		panel := ospabpaneltest.New(t, o)
		panel.AddUser("alice")
		return panel
	}
	t.Run("create answers 201", func(t *testing.T) {
		t.Parallel()
		panel := withUser(t, func(o *ospabpaneltest.Options) { o.CreateStatus = 201 })
		assert.Equal(t, 201, push(panel, createBody).status)
	})
	t.Run("all columns are answered", func(t *testing.T) {
		t.Parallel()
		panel := withUser(t, func(o *ospabpaneltest.Options) { o.FullAnswer = true })
		for _, column := range []string{`"user_id":1`, `"ram":8192`, `"disk":100`, `"ip_address":""`, `"hypervisor":"proxmox"`} {
			assert.Contains(t, push(panel, createBody).body, column)
		}
	})
	t.Run("a create fails after the row was made", func(t *testing.T) {
		t.Parallel()
		panel := withUser(t, func(o *ospabpaneltest.Options) { o.NullAddressBug = true })
		got := push(panel, createBody)
		assert.Equal(t, 500, got.status)
		assert.Contains(t, got.body, "converting NULL to string is unsupported")
		assert.Len(t, panel.Records(), 1)
	})
	t.Run("unknown ids succeed, or are refused", func(t *testing.T) {
		t.Parallel()
		for _, body := range []string{`{"action":"update","vps":{"id":9,"status":"running"}}`, `{"action":"delete","vps":{"id":9}}`} {
			panel := withUser(t, func(*ospabpaneltest.Options) {})
			assert.Equal(t, 200, push(panel, body).status)
			panel.Configure(func(o *ospabpaneltest.Options) { o.RefuseUnknownID = true })
			assert.Equal(t, answer{404, "application/json", `{"error":"Not Found","message":"VPS not found"}`}, push(panel, body))
		}
	})
	t.Run("unknown users fail, or get a row that nobody sees", func(t *testing.T) {
		t.Parallel()
		panel := ospabpaneltest.New(t)
		assert.Equal(t, 500, push(panel, createBody).status)
		assert.Empty(t, panel.Records())
		panel.Configure(func(o *ospabpaneltest.Options) { o.AcceptUnknownUser = true })
		assert.Equal(t, 200, push(panel, createBody).status)
		assert.Len(t, panel.Records(), 1)
	})
	t.Run("two equal creates make two rows", func(t *testing.T) {
		t.Parallel()
		panel := withUser(t, func(*ospabpaneltest.Options) {})
		push(panel, createBody)
		push(panel, createBody)
		assert.Len(t, panel.Records(), 2)
	})
	t.Run("the status of a create is not honoured, and a missing hypervisor is proxmox", func(t *testing.T) {
		t.Parallel()
		panel := withUser(t, func(*ospabpaneltest.Options) {})
		push(panel, `{"action":"create","vps":{"user_id":1,"name":"a","status":"running","cpu":1,"ram":512,"disk":10,"os":"Debian 12"}}`)
		assert.Equal(t, "creating", panel.Records()[0].Status)
		assert.Equal(t, "proxmox", panel.Records()[0].Hypervisor)
	})
}

func TestTheStylesOfRefusals(t *testing.T) {
	t.Parallel()
	for style, want := range map[ospabpaneltest.ErrorStyle]string{
		ospabpaneltest.ErrorAndMessage: `{"error":"Unauthorized","message":"Invalid or missing API key"}`,
		ospabpaneltest.ErrorOnly:       `{"error":"Invalid or missing API key"}`,
		ospabpaneltest.MessageOnly:     `{"message":"Invalid or missing API key"}`,
	} {
		panel := ospabpaneltest.New(t, func(o *ospabpaneltest.Options) { o.Errors = style })
		assert.Equal(t, answer{401, "application/json", want}, call(panel, "POST", "/api/vps/sync", "", createBody))
		assert.Equal(t, answer{401, "application/json", want}, call(panel, "POST", "/api/vps/sync", "X-API-Key: wrong", createBody))
	}
}

func TestBadSyncRequestsAreRefused(t *testing.T) {
	t.Parallel()
	panel := ospabpaneltest.New(t)
	panel.AddUser("alice")
	missing := `{"error":"Bad Request","message":"Missing required fields"}`
	for body, want := range map[string]string{
		`{}`:                                 missing,
		`{"action":"create"}`:                missing,
		`{"vps":{"id":1}}`:                   missing,
		`{"action":"create","vps":{}}`:       missing,
		`{"action":"update","vps":{"id":1}}`: missing,
		`{"action":"update","vps":{"status":"running"}}`:        missing,
		`{"action":"delete","vps":{}}`:                          missing,
		`{"action":"upsert","vps":{"id":1}}`:                    `{"error":"Bad Request","message":"Unknown action"}`,
		`{"action":"update","vps":{"id":1,"status":"deleted"}}`: `{"error":"Bad Request","message":"Invalid status"}`,
		`{"action":"create","vps":{"ram":"8192"}}`:              `{"error":"Bad Request","message":"Invalid request body"}`,
		`not JSON`: `{"error":"Bad Request","message":"Invalid request body"}`,
		strings.Replace(createBody, "web-server-01", strings.Repeat("я", 256), 1): `{"error":"Bad Request","message":"name is too long"}`,
	} {
		assert.Equal(t, answer{400, "application/json", want}, push(panel, body), body)
	}
	assert.Empty(t, panel.Records())
	assert.Equal(t, 200, push(panel, strings.Replace(createBody, "web-server-01", strings.Repeat("я", 255), 1)).status)
}

func TestTheRouterAnswersLikeTheOneOfThePanel(t *testing.T) {
	t.Parallel()
	panel := ospabpaneltest.New(t)
	assert.Equal(t, answer{404, "text/plain; charset=utf-8", "404 page not found"}, call(panel, "GET", "/api/nothing", "", ""))
	assert.Equal(t, answer{404, "text/plain; charset=utf-8", "404 page not found"}, call(panel, "GET", "/", "", ""))
	assert.Equal(t, answer{405, "", ""}, call(panel, "PUT", "/api/vps/sync", "", ""))
	assert.Equal(t, answer{405, "", ""}, call(panel, "DELETE", "/api/vps", "", ""))
	assert.Equal(t, 401, call(panel, "GET", "/api/vps/sync", "", "").status, "GET /api/vps/{id} takes it, with an id that is not a number")
}

func TestTokensAreCheckedLikeOnThePanel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		panel := ospabpaneltest.New(t)
		alice := panel.AddUser("alice")
		token := bearer(panel, alice.ID)
		foreign := ospabpaneltest.New(t)
		foreign.RevokeTokens() // another secret
		foreign.AddUser("alice")
		for header, message := range map[string]string{
			"":                                   "Authorization header required",
			"Authorization: Basic YTpi":          "Invalid authorization header format",
			"Authorization: Bearer x":            "Invalid token",
			"Authorization: Bearer a.b.c":        "Invalid token",
			bearer(foreign, 1):                   "Invalid token",
			strings.Replace(token, ".", ".x", 1): "Invalid token",
		} {
			assert.Equal(t, answer{401, "application/json", `{"error":"Unauthorized","message":"` + message + `"}`}, call(panel, "GET", "/api/vps", header, ""), header)
		}
		assert.Equal(t, answer{200, "application/json", "null"}, call(panel, "GET", "/api/vps", token, ""))
		time.Sleep(24*time.Hour - time.Second) // simulated
		assert.Equal(t, 200, call(panel, "GET", "/api/vps", token, "").status)
		time.Sleep(2 * time.Second)
		assert.Equal(t, 401, call(panel, "GET", "/api/vps", token, "").status)
		panel.RevokeTokens()
		assert.Equal(t, 200, call(panel, "GET", "/api/vps", bearer(panel, alice.ID), "").status)
	})
}

func TestTheUserAPI(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		panel := ospabpaneltest.New(t)
		alice, bob := panel.AddUser("alice"), panel.AddUser("bob")
		own := panel.AddRecord(ospabpaneltest.Record{
			UserID: alice.ID, Name: "a", Status: "stopped", CPUCores: 1, MemoryMB: 512, DiskGB: 10, OS: "Debian 12", Hypervisor: "proxmox",
		})
		foreign := panel.AddRecord(ospabpaneltest.Record{UserID: bob.ID, Name: "b", Status: "stopped"})
		token := bearer(panel, alice.ID)
		at := time.Now().Format(time.RFC3339Nano)
		vps := `{"id":1,"name":"a","status":"stopped","ip_address":"","cpu":1,"ram":512,"disk":10,"os":"Debian 12","user_id":1,"hypervisor":"proxmox",
			"created_at":"` + at + `","updated_at":"` + at + `"}`
		assert.JSONEq(t, "["+vps+"]", call(panel, "GET", "/api/vps", token, "").body)
		assert.JSONEq(t, vps, call(panel, "GET", "/api/vps/1", token, "").body)
		notFound := answer{404, "application/json", `{"error":"Not Found","message":"VPS not found"}`}
		for _, id := range []string{fmt.Sprint(foreign.ID), "99", "abc", "0"} {
			assert.Equal(t, notFound, call(panel, "GET", "/api/vps/"+id, token, ""))
			assert.Equal(t, notFound, call(panel, "POST", "/api/vps/"+id+"/start", token, ""))
			assert.Equal(t, notFound, call(panel, "GET", "/api/vps/"+id+"/stats", token, ""))
		}
		assert.Equal(t, answer{200, "application/json", "{}"}, call(panel, "GET", "/api/vps/1/stats", token, ""))

		for _, step := range []struct{ verb, after string }{{"start", "running"}, {"stop", "stopped"}, {"restart", "running"}, {"reboot", "running"}} {
			before := panel.Records()[0].Status
			assert.Equal(t, answer{200, "application/json", `{"result":"ok"}`}, call(panel, "POST", "/api/vps/1/"+step.verb, token, ""))
			assert.Equal(t, before, panel.Records()[0].Status)
			time.Sleep(2 * time.Second) // simulated
			assert.Equal(t, step.after, panel.Records()[0].Status)
		}
		panel.Configure(func(o *ospabpaneltest.Options) { o.ActionTime = -1 })
		call(panel, "POST", "/api/vps/1/stop", token, "")
		assert.Equal(t, "stopped", panel.Records()[0].Status)

		push(panel, fmt.Sprintf(`{"action":"update","vps":{"id":%d,"status":"suspended"}}`, own.ID))
		call(panel, "POST", "/api/vps/1/start", token, "")
		assert.Equal(t, "suspended", panel.Records()[0].Status)
	})
}

func TestASyncWinsOverAnActionThatIsStillRunning(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		panel := ospabpaneltest.New(t)
		alice := panel.AddUser("alice")
		panel.AddRecord(ospabpaneltest.Record{UserID: alice.ID, Status: "stopped"})
		call(panel, "POST", "/api/vps/1/start", bearer(panel, alice.ID), "")
		push(panel, `{"action":"update","vps":{"id":1,"status":"suspended"}}`)
		time.Sleep(time.Hour) // simulated
		assert.Equal(t, "suspended", panel.Records()[0].Status)
	})
}

func TestLoginAndRegistration(t *testing.T) {
	t.Parallel()
	panel := ospabpaneltest.New(t)
	registered := call(panel, "POST", "/api/auth/register", "", `{"username":"erin","email":"erin@customer.example","password":"correct horse"}`)
	assert.Equal(t, 201, registered.status)
	assert.Contains(t, registered.body, `"token":"`)
	assert.Contains(t, registered.body, `"email":"erin@customer.example"`)
	assert.NotContains(t, registered.body, "correct horse")
	assert.Equal(t, 200, call(panel, "POST", "/api/auth/login", "", `{"username":"erin","password":"correct horse"}`).status)
	for body, want := range map[string]int{`{"username":"erin","password":"wrong"}`: 401, `{"username":"erin"}`: 400, `no`: 400} {
		assert.Equal(t, want, call(panel, "POST", "/api/auth/login", "", body).status, body)
	}
	for _, body := range []string{
		`{"username":"erin","email":"other@customer.example","password":"correct horse"}`,
		`{"username":"other","email":"erin@customer.example","password":"correct horse"}`,
		`{"username":"new","email":"new@customer.example","password":"short"}`, `{"username":"new","password":"correct horse"}`, `no`,
	} {
		assert.Equal(t, 400, call(panel, "POST", "/api/auth/register", "", body).status, body)
	}
}

func TestTheStateIsPlainData(t *testing.T) {
	t.Parallel()
	panel := ospabpaneltest.New(t)
	alice := panel.AddUser("alice")
	push(panel, createBody)
	token := bearer(panel, alice.ID)
	snapshot, err := panel.Snapshot()
	require.NoError(t, err)
	before := panel.Records()

	push(panel, createBody)
	panel.SetKey("another-key-another-key-another-key")
	panel.RevokeTokens()
	require.NoError(t, panel.Restore(snapshot))
	restored := panel.Records()
	require.Len(t, restored, 1)
	assert.True(t, before[0].CreatedAt.Equal(restored[0].CreatedAt))
	assert.Equal(t, ospabpaneltest.DefaultKey, panel.Key())
	assert.Equal(t, 200, call(panel, "GET", "/api/vps/1", token, "").status)
	assert.Contains(t, push(panel, createBody).body, `"id":2`, "ids are given out again after a restore")

	other := ospabpaneltest.New(t)
	require.NoError(t, other.Restore(snapshot))
	assert.Len(t, other.Records(), 1)
	require.Error(t, other.Restore([]byte("{")))
	assert.Len(t, other.Records(), 1)
}

func TestTheKeyCanBeChosenAndChanged(t *testing.T) {
	t.Parallel()
	panel := ospabpaneltest.New(t, func(o *ospabpaneltest.Options) { o.Key = "chosen-key-chosen-key-chosen-key-1" })
	old := keyHeader(panel)
	assert.Equal(t, "X-API-Key: chosen-key-chosen-key-chosen-key-1", old)
	panel.SetKey("changed-key-changed-key-changed-key")
	assert.Equal(t, 401, call(panel, "POST", "/api/vps/sync", old, `{"action":"delete","vps":{"id":1}}`).status)
	assert.Equal(t, 200, push(panel, `{"action":"delete","vps":{"id":1}}`).status)
	for _, printed := range []any{panel, panel.Requests(), panel.Records()} {
		assert.NotRegexp(t, "chosen-key|changed-key|jwt-secret", fmt.Sprintf("%v %+v %#v", printed, printed, printed))
	}
}

func TestFaultsAndTheLogWorkThroughTheTransport(t *testing.T) {
	t.Parallel()
	panel := ospabpaneltest.New(t)
	panel.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.HTML, Status: 502})
	post := func() (*http.Response, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, panel.URL()+"/api/vps/sync", strings.NewReader(`{"action":"delete","vps":{"id":1}}`))
		require.NoError(t, err)
		r.Header.Set("X-API-Key", panel.Key().Reveal())
		resp, err := panel.HTTPClient().Do(r)
		require.NoError(t, err)
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp, string(body)
	}
	resp, body := post()
	assert.Equal(t, 502, resp.StatusCode)
	assert.Contains(t, body, "nginx")
	resp, _ = post()
	assert.Equal(t, 200, resp.StatusCode)
	require.Len(t, panel.Requests(), 2)
	assert.Equal(t, 2, panel.Count("syncVPS"))
	assert.Equal(t, `{"action":"delete","vps":{"id":1}}`, string(panel.Requests()[1].Body))
}

// recorder is a test that only remembers.
type recorder struct {
	cleanups []func()
	errors   []string
}

func (*recorder) Helper()                     {}
func (r *recorder) Cleanup(f func())          { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Errorf(f string, a ...any) { r.errors = append(r.errors, fmt.Sprintf(f, a...)) }

func TestAFaultThatNeverHappensFailsTheTest(t *testing.T) {
	t.Parallel()
	var fake recorder
	panel := ospabpaneltest.New(&fake)
	panel.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.CutAfter})
	for _, f := range fake.cleanups {
		f()
	}
	require.Len(t, fake.errors, 1)
	assert.Contains(t, fake.errors[0], "syncVPS")
}

func TestManyRequestsAtOnceMakeThatManyRows(t *testing.T) {
	t.Parallel()
	panel := ospabpaneltest.New(t)
	panel.AddUser("alice")
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			push(panel, createBody)
			panel.Records()
			panel.Requests()
			call(panel, "GET", "/api/vps", bearer(panel, 1), "")
		})
	}
	all.Wait()
	rows := panel.Records()
	require.Len(t, rows, 100)
	ids := map[int64]bool{}
	for _, row := range rows {
		ids[row.ID] = true
	}
	assert.Len(t, ids, 100)
}
