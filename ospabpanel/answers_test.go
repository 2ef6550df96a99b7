package ospabpanel_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/ospabpanel"
	"github.com/hvpanels/hvpanels/provisioning"
)

const answersFolder = "../testdata/ospab"

// clients are all clients of the package over one transport.
type clients struct {
	sync *ospabpanel.Sync
	user *ospabpanel.UserClient
	auth *ospabpanel.Auth
}

func newClients(t testing.TB, rt http.RoundTripper) clients {
	t.Helper()
	opts := []ospabpanel.Option{ospabpanel.WithHTTPClient(&http.Client{Transport: rt}), ospabpanel.WithRetry(ospabpanel.RetryPolicy{MaxAttempts: 1})}
	var c clients
	var err error
	c.sync, err = ospabpanel.New("https://panel.example", goodKey, opts...)
	require.NoError(t, err)
	c.user, err = ospabpanel.NewUserClient("https://panel.example", 5, ospabpanel.StaticToken("a.b.c"), opts...)
	require.NoError(t, err)
	c.auth, err = ospabpanel.NewAuth("https://panel.example", opts...)
	require.NoError(t, err)
	return c
}

var (
	moscow   = time.Date(2025, 10, 27, 10, 30, 0, 500_000_000, time.UTC)
	wholeVPS = ospabpanel.VPS{
		ID: 17, UserID: 5, Name: "order-1042", Status: ospabpanel.StatusRunning, CPUCores: provisioning.Some(2), Memory: provisioning.Some(8 * gib),
		Disk: provisioning.Some(40 * gib), OS: "Debian 12", Hypervisor: ospabpanel.HypervisorProxmox,
		CreatedAt: moscow, UpdatedAt: time.Date(2025, 10, 27, 11, 0, 0, 0, time.UTC),
	}
	strangeVPS = ospabpanel.VPS{
		ID: 18, UserID: 5, Name: "order-1043", Status: "deleted", CPUCores: provisioning.Some(1), Memory: provisioning.Some(512 * provisioning.MiB),
		Disk: provisioning.Some(10 * gib), OS: "Ubuntu 22.04 LTS", Hypervisor: ospabpanel.HypervisorProxmox,
	}
)

// inUTC makes times comparable.
func inUTC(v ospabpanel.VPS) ospabpanel.VPS {
	v.CreatedAt, v.UpdatedAt = v.CreatedAt.UTC(), v.UpdatedAt.UTC()
	return v
}

func TestEveryStoredAnswerIsUnderstood(t *testing.T) {
	t.Parallel()
	create := func(c clients) (any, error) { v, err := c.sync.Create(t.Context(), order()); return inUTC(v), err }
	update := func(c clients) (any, error) {
		v, err := c.sync.UpdateStatus(t.Context(), 17, ospabpanel.StatusRunning)
		return inUTC(v), err
	}
	remove := func(c clients) (any, error) { return nil, c.sync.Delete(t.Context(), 17) }
	list := func(c clients) (any, error) {
		rows, err := c.user.List(t.Context())
		for i := range rows {
			rows[i] = inUTC(rows[i])
		}
		return rows, err
	}
	get := func(c clients) (any, error) { v, err := c.user.Get(t.Context(), 17); return inUTC(v), err }
	stats := func(c clients) (any, error) { s, err := c.user.Stats(t.Context(), 17); return string(s.Raw), err }
	both := []ospabpanel.VPS{wholeVPS, strangeVPS}
	synced := ospabpanel.VPS{ID: 17, Name: "order-1042", Status: ospabpanel.StatusCreating, CreatedAt: moscow.Truncate(time.Second)}
	running := synced
	running.Status = ospabpanel.StatusRunning
	whole := wholeVPS
	whole.Status, whole.UpdatedAt = ospabpanel.StatusCreating, time.Time{}
	var tested []string
	erin := ospabpanel.Account{ID: 5, Username: "erin", Email: "erin@customer.example", CreatedAt: day(1), UpdatedAt: day(2)}

	for file, c := range map[string]struct {
		call  func(clients) (any, error)
		want  any
		kind  provisioning.Kind
		maybe bool
	}{
		"syncVPS-create.200.json":        {call: create, want: synced},
		"syncVPS-create.201.json":        {call: create, want: whole},
		"syncVPS-update.200.json":        {call: update, want: running},
		"syncVPS-delete.200.json":        {call: remove},
		"syncVPS.400.json":               {call: create, want: ospabpanel.VPS{}, kind: provisioning.Invalid},
		"syncVPS.401.json":               {call: create, want: ospabpanel.VPS{}, kind: provisioning.Unauthorized},
		"syncVPS-create.500.json":        {call: create, want: ospabpanel.VPS{}, kind: provisioning.Unavailable, maybe: true},
		"syncVPS-create.502.html":        {call: create, want: ospabpanel.VPS{}, kind: provisioning.Unavailable, maybe: true},
		"syncVPS-update.404.json":        {call: update, want: ospabpanel.VPS{}, kind: provisioning.NotFound},
		"syncVPS-update-noroute.404.txt": {call: update, want: ospabpanel.VPS{}, kind: provisioning.NoRoute},
		"listVPS.200.json":               {call: list, want: both},
		"listVPS-vps.200.json":           {call: list, want: both},
		"listVPS-data.200.json":          {call: list, want: both},
		"listVPS-null.200.json":          {call: list, want: []ospabpanel.VPS{}},
		"listVPS-vps-null.200.json":      {call: list, want: []ospabpanel.VPS{}},
		"listVPS-empty.200.json":         {call: list, want: []ospabpanel.VPS{}},
		"listVPS-foo.200.json":           {call: list, want: []ospabpanel.VPS(nil), kind: provisioning.Unexpected},
		"getVPS.200.json":                {call: get, want: wholeVPS},
		"getVPS-wrapped.200.json":        {call: get, want: wholeVPS},
		"getVPS.404.json":                {call: get, want: ospabpanel.VPS{}, kind: provisioning.NotFound},
		"startVPS.200.json":              {call: func(c clients) (any, error) { return nil, c.user.Start(t.Context(), 17) }},
		"getVPSStats.200.json":           {call: stats, want: fileText(t, "getVPSStats.200.json")},
		"login.200.json": {
			call: func(c clients) (any, error) {
				s, err := c.auth.Login(t.Context(), "erin", "the right one")
				s.Token = ""
				return s, err
			},
			want: ospabpanel.Session{User: erin, Expires: time.Unix(1761647400, 0)},
		},
		"login.401.json": {
			call: func(c clients) (any, error) { return c.auth.Login(t.Context(), "erin", "a wrong one") }, want: ospabpanel.Session{}, kind: provisioning.Unauthorized,
		},
		"register.201.json": {
			call: func(c clients) (any, error) {
				s, err := c.auth.Register(t.Context(), ospabpanel.RegisterRequest{Username: "erin", Email: "erin@customer.example", Password: "long enough"})
				return s.User.ID, err
			},
			want: ospabpanel.PanelUserID(5),
		},
		"getStatus.200.json": {
			call: func(c clients) (any, error) { return c.user.Status(t.Context()) },
			want: ospabpanel.PanelStatus{Status: "ok", Message: "OSPAB panel is running", Version: "0.1-alpha"},
		},
		"getVersion.200.json": {
			call: func(c clients) (any, error) { return c.user.Version(t.Context()) },
			want: ospabpanel.PanelVersion{Version: "0.1-alpha", BuildDate: "2025-10-04", Environment: "production"},
		},
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			got, err := c.call(newClients(t, storedAnswer(t, file)))
			assert.Equal(t, c.want, got)
			assert.Equal(t, c.maybe, errors.Is(err, provisioning.ErrMaybeApplied), "%v", err)
			if c.kind == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, c.kind)
		})
		tested = append(tested, file)
	}
	assert.ElementsMatch(t, storedAnswers(t), tested, "every stored answer has a line in this table")
}

func day(n int) time.Time { return time.Date(2025, 10, n, 0, 0, 0, 0, time.UTC) }

func fileText(t testing.TB, file string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(answersFolder, file))
	require.NoError(t, err)
	return strings.TrimSpace(string(b))
}

// storedAnswers lists the answers, and checks that each says where it comes from.
func storedAnswers(t testing.TB) []string {
	t.Helper()
	entries, err := os.ReadDir(answersFolder)
	require.NoError(t, err)
	var answers []string
	for _, e := range entries {
		if filepath.Ext(e.Name()) == ".source" {
			continue
		}
		answers = append(answers, e.Name())
		source := fileText(t, strings.TrimSuffix(e.Name(), filepath.Ext(e.Name()))+".source")
		assert.Regexp(t, `^(manual|constructed): [^\n]+$`, source, e.Name())
	}
	return answers
}

// storedAnswer serves one stored answer to every request.
func storedAnswer(t *testing.T, file string) *httpmock.MockTransport {
	t.Helper()
	parts := strings.Split(file, ".")
	status, err := strconv.Atoi(parts[1])
	require.NoError(t, err)
	header := http.Header{"Content-Type": {map[string]string{"json": "application/json", "html": "text/html", "txt": "text/plain; charset=utf-8"}[parts[2]]}}
	mock := httpmock.NewMockTransport()
	mock.RegisterNoResponder(httpmock.NewStringResponder(status, fileText(t, file)).HeaderSet(header))
	return mock
}

// FuzzAnswers feeds any answer to every client. Nothing may panic, and a success must hold what it promises.
func FuzzAnswers(f *testing.F) {
	for _, file := range storedAnswers(f) {
		f.Add(200, "application/json", fileText(f, file))
	}
	f.Add(404, "text/plain", "404 page not found")
	f.Add(500, "application/json", `{"error":null,"message":7}`)
	f.Fuzz(func(t *testing.T, status int, contentType, body string) {
		if status < 200 || status > 599 || strings.ContainsFunc(contentType, func(r rune) bool { return r < ' ' || r > '~' }) {
			return // no panel can send that
		}
		c := newClients(t, answering(status, contentType, body).Transport)
		v, err := c.sync.Create(t.Context(), order())
		switch {
		case err == nil && (status/100 != 2 || v.ID < 1):
			t.Errorf("create: %d %q became %+v", status, body, v)
		case err != nil && (status/100 == 2 || status/100 == 5) && !errors.Is(err, provisioning.ErrMaybeApplied):
			t.Errorf("create: %d %q leaves no doubt: %v", status, body, err)
		}
		rows, err := c.user.List(t.Context())
		if err == nil && !json.Valid([]byte(body)) {
			t.Errorf("list: %q became %+v", body, rows)
		}
		for _, row := range rows {
			if row.ID < 1 || row.UserID != 0 && row.UserID != 5 {
				t.Errorf("list: %q became %+v", body, row)
			}
		}
		if v, err := c.user.Get(t.Context(), 17); err == nil && v.ID != 17 {
			t.Errorf("get: %q became %+v", body, v)
		}
		if s, err := c.auth.Login(t.Context(), "erin", "password"); err == nil && (s.Token == "" || s.User.ID < 1) {
			t.Errorf("login: %q became %+v", body, s)
		}
	})
}
