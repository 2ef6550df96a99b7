package ospabpanel_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/ospabpanel"
	"github.com/hvpanels/hvpanels/ospabpanel/ospabpaneltest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// goodKey is 32 characters long and of no panel.
const goodKey = "0123456789abcdef0123456789ABCDEF"

func env(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestH03SettingsThatAreMissingOrWrongAreNamedWithoutTheirValue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		url, key, setting string
	}{
		"nothing set":                {"", "", ospabpanel.EnvSyncKey},
		"no key":                     {"https://panel.example", "", ospabpanel.EnvSyncKey},
		"a short key":                {"https://panel.example", "hush-hush-hush", ospabpanel.EnvSyncKey},
		"no address":                 {"", goodKey, ospabpanel.EnvPanelURL},
		"a bad address":              {"ftp://hush-hush-hush", goodKey, ospabpanel.EnvPanelURL},
		"an address with a password": {"https://user:hush-hush-hush@panel.example", goodKey, ospabpanel.EnvPanelURL},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := ospabpanel.NewFromEnv(env(map[string]string{"OSPAB_PANEL_URL": c.url, "VPS_SYNC_API_KEY": c.key}))
			assert.Nil(t, s)
			requireField(t, err, c.setting)
			assert.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), "hush")
			assert.NotContains(t, err.Error(), goodKey)
		})
	}
	s, err := ospabpanel.NewFromEnv(env(map[string]string{"OSPAB_PANEL_URL": "https://panel.example/", "VPS_SYNC_API_KEY": goodKey}))
	require.NoError(t, err)
	assert.Equal(t, "https://panel.example", s.BaseURL())
	good := map[string]string{"OSPAB_PANEL_URL": "https://panel.example/", "VPS_SYNC_API_KEY": goodKey}
	_, err = ospabpanel.NewFromEnv(env(good), ospabpanel.WithAttemptTimeout(-1))
	requireField(t, err, "attemptTimeout")
}

func TestH42AKeyHasAtLeast32Characters(t *testing.T) {
	t.Parallel()
	_, err := ospabpanel.New("https://panel.example", provisioning.Secret(goodKey[:31]))
	requireField(t, err, "key")
	_, err = ospabpanel.New("https://panel.example", goodKey)
	require.NoError(t, err)
}

func TestH43KeysThatNobodyMayUseAreRefusedWithAHint(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		key  provisioning.Secret
		hint string
	}{
		"the manual's placeholder":       {"your_secret_api_key_here_min_32_chars_change_this", "placeholder of the manual"},
		"the Cyrillic placeholder":       {"ваш_секретный_ключ_минимум_32_символа", "outside of ASCII"},
		"built like the manual's sample": {goodKey + provisioning.Secret(goodKey[:8]), "sample of the manual"},
		"in double quotes":               {`"` + goodKey + `"`, "quotes"},
		"in single quotes":               {"'" + goodKey + "'", "quotes"},
		"with a space before":            {" " + goodKey, "trim it"},
		"with a line break":              {goodKey + "\n", "trim it"},
		"with a space within":            {goodKey + " " + goodKey, "blank"},
		"with a control character":       {goodKey + "\x00x", "control character"},
		"with a letter outside of ASCII": {goodKey + "é", "outside of ASCII"},
		"with an invisible blank":        {"\u00a0" + goodKey, "trim it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ospabpanel.New("https://panel.example", c.key)
			requireField(t, err, "key")
			assert.ErrorContains(t, err, c.hint)
			assert.NotContains(t, err.Error(), c.key.Reveal())
			assert.NotContains(t, err.Error(), goodKey)
		})
	}
}

func TestH44ARedirectNeverCarriesTheKeyAway(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			thief := panelWithUsers(t, 5)
			visits := 0
			hc := &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				if r.URL.Host == "thief.example" {
					return thief.Transport().RoundTrip(r)
				}
				visits++
				_, _ = io.Copy(io.Discard, r.Body)
				resp := response(r, status, "text/html", "")
				resp.Header.Set("Location", "https://thief.example/api/vps/sync")
				return resp, nil
			})}
			s := syncOver(t, hc)
			_, err := s.Create(t.Context(), order())
			require.ErrorIs(t, err, provisioning.NoRoute)
			assert.NotErrorIs(t, err, provisioning.ErrMaybeApplied)
			require.ErrorIs(t, s.Delete(t.Context(), 17), provisioning.NoRoute)
			assert.Empty(t, thief.Requests())
			assert.Equal(t, 2, visits)
		})
	}
}

func TestH46PlainHTTPIsForThisMachineOnly(t *testing.T) {
	t.Parallel()
	_, err := ospabpanel.New("http://panel.example", goodKey)
	requireField(t, err, "baseURL")
	_, err = ospabpanel.New("http://panel.example", goodKey, ospabpanel.WithInsecureHTTP())
	require.NoError(t, err)
	for _, local := range []string{"http://127.0.0.1:5050", "http://localhost:5050", "http://[::1]:5050"} {
		_, err = ospabpanel.New(local, goodKey)
		require.NoError(t, err)
	}
}

func TestH47SlipsInTheAddress(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"https://panel.example", "https://panel.example/", "https://panel.example/api", "https://panel.example/api/", "https://PANEL.example:443//",
	} {
		var asked []*url.URL
		hc := &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			asked = append(asked, r.URL)
			return response(r, 200, "application/json", `{"status":"success"}`), nil
		})}
		s, err := ospabpanel.New(address, goodKey, ospabpanel.WithHTTPClient(hc))
		require.NoError(t, err)
		require.NoError(t, s.Delete(t.Context(), 17))
		require.Len(t, asked, 1)
		assert.Equal(t, "https://panel.example/api/vps/sync", asked[0].String())
		assert.Equal(t, "https://panel.example", s.BaseURL())
	}
	for _, address := range []string{
		"", "panel.example", "https://", "https://user:pass@panel.example", "https://panel.example?x=1", "https://panel.example#x", "https://panel .example",
	} {
		_, err := ospabpanel.New(address, goodKey)
		requireField(t, err, "baseURL")
	}
}

func TestH47APageIsNeverASuccess(t *testing.T) {
	t.Parallel()
	page := "<!doctype html><html><body>OSPAB</body></html>"
	for _, contentType := range []string{"text/html; charset=utf-8", "application/json", ""} {
		s := syncOver(t, answering(200, contentType, page))
		for _, err := range []error{
			second(s.Create(t.Context(), order())), second(s.UpdateStatus(t.Context(), 17, ospabpanel.StatusRunning)), s.Delete(t.Context(), 17),
		} {
			require.ErrorIs(t, err, provisioning.NoRoute)
			require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
		}
	}
}

func TestH54TheKeySourceIsAskedForEveryRequest(t *testing.T) {
	t.Parallel()
	panel := panelWithUsers(t, 5)
	key := panel.Key()
	source := func(context.Context) (provisioning.Secret, error) { return key, nil }
	s, err := ospabpanel.NewWithKeySource(panel.URL(), source, ospabpanel.WithHTTPClient(panel.HTTPClient()))
	require.NoError(t, err)
	created(t, s)
	panel.SetKey(goodKey)
	_, err = s.Create(t.Context(), order())
	require.ErrorIs(t, err, provisioning.Unauthorized)
	key = goodKey
	created(t, s)
	assert.Len(t, panel.Records(), 2)
}

func TestAKeySourceThatFailsSendsNothing(t *testing.T) {
	t.Parallel()
	panel := ospabpaneltest.New(t)
	sealed := errors.New("the vault is sealed")
	for name, source := range map[string]ospabpanel.KeySource{
		"failing":         func(context.Context) (provisioning.Secret, error) { return "", sealed },
		"with a bad key":  func(context.Context) (provisioning.Secret, error) { return "short", nil },
		"without any key": func(context.Context) (provisioning.Secret, error) { return "", nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := ospabpanel.NewWithKeySource(panel.URL(), source, ospabpanel.WithHTTPClient(panel.HTTPClient()))
			require.NoError(t, err)
			_, err = s.Create(t.Context(), order())
			require.Error(t, err)
			assert.NotErrorIs(t, err, provisioning.ErrMaybeApplied)
			if name == "failing" {
				require.ErrorIs(t, err, sealed)
				require.ErrorIs(t, err, provisioning.Unauthorized)
			} else {
				requireField(t, err, "key")
			}
			assert.Empty(t, panel.Requests())
		})
	}
	_, err := ospabpanel.NewWithKeySource(panel.URL(), nil)
	requireField(t, err, "key")
}

func TestH48ErrorAnswersOfEveryShape(t *testing.T) {
	t.Parallel()
	const jsonType = "application/json"
	for name, c := range map[string]struct {
		status            int
		contentType, body string
		kind              provisioning.Kind
		says              string
		maybe             bool
	}{
		"both texts":              {400, jsonType, `{"error":"Bad Request","message":"no name"}`, provisioning.Invalid, "Bad Request: no name", false},
		"message only":            {400, jsonType, `{"message":"Missing required fields"}`, provisioning.Invalid, "Missing required fields", false},
		"error only":              {400, jsonType, `{"error":"Missing required fields"}`, provisioning.Invalid, "Missing required fields", false},
		"the same text twice":     {400, jsonType, `{"error":"bad","message":"bad"}`, provisioning.Invalid, "(HTTP 400): bad", false},
		"in Russian":              {422, jsonType, `{"message":"Неверное имя"}`, provisioning.Invalid, "Неверное имя", false},
		"another type of text":    {400, jsonType, `{"error":{"code":7},"message":["x"]}`, provisioning.Invalid, "Bad Request", false},
		"a list":                  {400, jsonType, `[]`, provisioning.Invalid, "Bad Request", false},
		"text":                    {400, "text/plain", "bad request", provisioning.Invalid, "Bad Request", false},
		"JSON called text":        {400, "text/plain", `{"error":"VPS is bad"}`, provisioning.Invalid, "VPS is bad", false},
		"nothing":                 {400, "", "", provisioning.Invalid, "Bad Request", false},
		"forbidden":               {403, jsonType, `{"error":"no"}`, provisioning.Forbidden, "no", false},
		"conflict":                {409, jsonType, `{"error":"no"}`, provisioning.Conflict, "no", false},
		"too large":               {413, "text/html", "<h1>413</h1>", provisioning.Invalid, "Request Entity Too Large", false},
		"server error":            {500, jsonType, `{"error":"Internal Server Error","message":"sql: no rows"}`, provisioning.Unavailable, "sql: no rows", true},
		"server error in HTML":    {500, "text/html", "<h1>oops</h1>", provisioning.Unavailable, "an HTML page", true},
		"a proxy's page":          {502, "text/html", "<html><h1>502 Bad Gateway</h1></html>", provisioning.Unavailable, "an HTML page", true},
		"a proxy's empty answer":  {504, "", "", provisioning.Unavailable, "Gateway Timeout", true},
		"a status nobody expects": {418, "text/plain", "teapot", provisioning.Unexpected, "teapot", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := syncOver(t, answering(c.status, c.contentType, c.body)).Create(t.Context(), order())
			require.ErrorIs(t, err, c.kind)
			assert.Equal(t, c.maybe, errors.Is(err, provisioning.ErrMaybeApplied), "%v", err)
			var e *provisioning.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, c.status, e.Status)
			assert.Contains(t, err.Error(), c.says)
			assert.NotContains(t, err.Error(), "<")
			assert.True(t, strings.HasPrefix(err.Error(), "ospab: syncVPS.create: "), err.Error())
		})
	}
}
