package ospabpanel_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/ospabpanel"
	"github.com/hvpanels/hvpanels/provisioning"
)

// The planted secrets. Each is of no panel.
const (
	plantedKey      = "PLANTED-key-0123456789-0123456789"
	plantedToken    = "PLANTED-header.PLANTED-payload.PLANTED-signature"
	plantedPassword = "PLANTED-password"
)

// echoing answers with everything that it was sent, as a careless panel or proxy does.
func echoing(status int, contentType string) *http.Client {
	return &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		var body []byte
		if r.Body != nil {
			body, _ = io.ReadAll(r.Body)
		}
		headers := fmt.Sprint(r.Header.Get("X-API-Key"), " ", r.Header.Get("Authorization"))
		if contentType != "application/json" {
			return response(r, status, contentType, headers), nil
		}
		text, err := json.Marshal(map[string]string{"error": "refused: " + headers, "message": "you sent " + headers, "body": string(body)})
		return response(r, status, contentType, string(text)), err
	})}
}

func TestH45NoSecretIsEverPrinted(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	var printed []string
	show := func(values ...any) {
		for _, v := range values {
			printed = append(printed, fmt.Sprintf("%v %+v %#v %s", v, v, v, v))
			slog.New(slog.NewJSONHandler(&log, nil)).Info("shown", "value", v)
		}
	}
	transports := []*http.Client{
		{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			return nil, errors.New("cannot send " + r.Header.Get("X-API-Key") + r.Header.Get("Authorization"))
		})},
	}
	for _, status := range []int{200, 302, 400, 401, 403, 404, 409, 429, 500, 502} {
		transports = append(transports, echoing(status, "application/json"), echoing(status, "text/plain"), echoing(status, "text/html"))
	}
	for _, hc := range transports {
		opts := []ospabpanel.Option{
			ospabpanel.WithHTTPClient(hc), ospabpanel.WithRetry(ospabpanel.RetryPolicy{MaxAttempts: 1}),
			ospabpanel.WithLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))),
		}
		s, err := ospabpanel.New("https://panel.example", plantedKey, opts...)
		require.NoError(t, err)
		u, err := ospabpanel.NewUserClient("https://panel.example", 5, ospabpanel.StaticToken(plantedToken), opts...)
		require.NoError(t, err)
		a, err := ospabpanel.NewAuth("https://panel.example", opts...)
		require.NoError(t, err)
		r, err := ospabpanel.NewRegistrar(s, table)
		require.NoError(t, err)
		f, err := ospabpanel.NewFindingRegistrar(r, func(context.Context, ospabpanel.PanelUserID) (*ospabpanel.UserClient, error) { return u, nil })
		require.NoError(t, err)

		_, createErr := s.Create(t.Context(), order())
		_, listErr := u.List(t.Context())
		_, registerErr := r.Register(t.Context(), record())
		_, findErr := f.FindRecords(t.Context(), record())
		session, loginErr := a.Login(t.Context(), "erin", plantedPassword)
		show(s, *s, u, *u, a, *a, r, *r, f, *f, opts, ospabpanel.StaticToken(plantedToken), a.Tokens("erin", plantedPassword), session,
			createErr, s.Delete(t.Context(), 17), listErr, u.Start(t.Context(), 17), registerErr, findErr, loginErr)
		require.Error(t, createErr)
		require.Error(t, listErr)
	}
	_, err := ospabpanel.New("https://panel.example", plantedKey+" ")
	show(err)
	_, err = ospabpanel.New("https://user:"+plantedPassword+"@panel.example", plantedKey)
	show(err)
	show(ospabpanel.Session{Token: plantedToken}, ospabpanel.RegisterRequest{Password: plantedPassword}, provisioning.Secret(plantedKey))

	for _, text := range append(printed, log.String()) {
		if i := strings.Index(text, "PLANTED"); i >= 0 {
			t.Errorf("a secret was printed: ...%s...", text[max(0, i-200):min(len(text), i+60)])
		}
	}
	assert.Contains(t, log.String(), "syncVPS.create", "the log was silent, so it proves nothing")
}
