package virtfusiontest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// api is a plain HTTP client of a panel.
type api struct {
	t testing.TB
	p *Panel
}

func newAPI(t testing.TB, opts ...Option) *api { return &api{t, New(t, opts...)} }

// send returns the status and the body. in is text as it is, or a value that becomes JSON.
func (a *api) send(ctx context.Context, method, path string, in any) (int, string, error) {
	var body io.Reader
	switch v := in.(type) {
	case nil:
	case string:
		body = bytes.NewReader([]byte(v))
	default:
		b, err := json.Marshal(v)
		if err != nil {
			return 0, "", err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, a.p.URL()+prefix+path, body)
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Authorization", "Bearer "+a.p.Token().Reveal())
	req.Header.Set("Accept", "application/json")
	resp, err := (&http.Client{Transport: a.p.Transport()}).Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

// do is send for requests that must be answered.
func (a *api) do(method, path string, in any) (int, string) {
	a.t.Helper()
	status, body, err := a.send(a.t.Context(), method, path, in)
	require.NoError(a.t, err)
	return status, body
}

// want is do with the expected status; it decodes the body, if any.
func (a *api) want(status int, method, path string, in any) obj {
	a.t.Helper()
	got, body := a.do(method, path, in)
	require.Equal(a.t, status, got, "%s %s: %s", method, path, body)
	if body == "" {
		return nil
	}
	var out obj
	require.NoError(a.t, json.Unmarshal([]byte(body), &out), body)
	return out
}

func (a *api) get(path string) obj {
	a.t.Helper()
	return a.want(http.StatusOK, http.MethodGet, path, nil)
}

// dig follows object members and array indexes: dig(o, "data", "network", "interfaces", 0, "tag").
func dig(v any, path ...any) any {
	for _, step := range path {
		switch s := step.(type) {
		case string:
			o, _ := v.(obj)
			v = o[s]
		case int:
			l, _ := v.([]any)
			if s >= len(l) {
				return nil
			}
			v = l[s]
		}
	}
	return v
}

// smallOrder is the body of a create that works.
func smallOrder() obj {
	return obj{"packageId": PackageSmall, "userId": 1, "hypervisorId": GroupAmsterdam}
}

// create allocates a server and returns its id.
func (a *api) create() int64 {
	a.t.Helper()
	return int64(dig(a.want(201, "POST", "/servers", smallOrder()), "data", "id").(float64))
}

// built allocates and builds a server and waits until it is usable. It sleeps, so it needs a bubble.
func (a *api) built() int64 {
	a.t.Helper()
	id := a.create()
	a.want(200, "POST", serverPath(id, "/build"), obj{"operatingSystemId": TemplateDebian})
	time.Sleep(23 * time.Second)
	s, _ := a.p.Server(id)
	require.Equal(a.t, "complete", s.State)
	return id
}

func serverPath(id int64, rest string) string { return fmt.Sprintf("/servers/%d%s", id, rest) }
