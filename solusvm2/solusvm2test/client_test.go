package solusvm2test

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

	"github.com/hvpanels/hvpanels/provisioning"
)

// api is a plain HTTP client of a panel.
type api struct {
	t     testing.TB
	p     *Panel
	token provisioning.Secret
}

func newAPI(t testing.TB, opts ...Option) *api {
	p := New(t, opts...)
	return &api{t, p, p.Token()}
}

// as is the same client with the token of a user.
func (a *api) as(userID int64) *api { return &api{a.t, a.p, a.p.TokenFor(userID)} }

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
	req.Header.Set("Authorization", "Bearer "+a.token.Reveal())
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

// dig follows object members and array indexes: dig(o, "data", "ip_addresses", "ipv4", 0, "ip").
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

// id is the id of the record in an answer.
func id(answer obj) int64 {
	n, _ := dig(answer, "data", "id").(float64)
	return int64(n)
}

// ids are the ids of the rows of a list.
func ids(answer obj) []int64 {
	list := []int64{}
	rows, _ := answer["data"].([]any)
	for i := range rows {
		n, _ := dig(rows, i, "id").(float64)
		list = append(list, int64(n))
	}
	return list
}

// nodeOrder, projectOrder and resourceOrder are bodies of the three creates that work.
func nodeOrder() obj {
	return obj{"name": "web-1.example.com", "plan": PlanSmall, "location": LocationAmsterdam, "os": VersionDebian12, "description": "order-1"}
}

func projectOrder() obj {
	return obj{"name": "web-1.example.com", "plan_id": PlanSmall, "location_id": LocationAmsterdam, "os_image_version_id": VersionDebian12}
}

func resourceOrder(userID, projectID int64) obj {
	return obj{"name": "web-1.example.com", "plan_id": PlanSmall, "os_image_version_id": VersionDebian12, "user_id": userID, "project_id": projectID}
}

// with is an order with some members changed; nil takes one away.
func with(order, change obj) obj {
	for name, value := range change {
		if order[name] = value; value == nil {
			delete(order, name)
		}
	}
	return order
}

// create orders a server and returns its id.
func (a *api) create() int64 {
	a.t.Helper()
	return id(a.want(201, "POST", "/servers", nodeOrder()))
}

// ready orders a server and waits until it runs. It sleeps, so it needs a bubble.
func (a *api) ready() int64 {
	a.t.Helper()
	id := a.create()
	time.Sleep(30 * time.Second)
	require.Equal(a.t, "started", dig(a.get(serverPath(id, "")), "data", "status"))
	return id
}

// foreign adds a server that runs.
func (a *api) foreign(in Server) ServerState {
	a.t.Helper()
	s, err := a.p.AddServer(in)
	require.NoError(a.t, err)
	return s
}

// truth is what the panel itself says about a server.
func (a *api) truth(id int64) ServerState {
	a.t.Helper()
	s, known := a.p.Server(id)
	require.True(a.t, known)
	return s
}

// task sleeps until the task of an answer ends, and returns how it ended. It needs a bubble.
func (a *api) task(answer obj) obj {
	a.t.Helper()
	path := fmt.Sprintf("/tasks/%d", id(answer))
	for {
		got := a.get(path)
		switch dig(got, "data", "status") {
		case "pending", "queued", "running":
			time.Sleep(100 * time.Millisecond)
		default:
			return got
		}
	}
}

func serverPath(id int64, rest string) string { return fmt.Sprintf("/servers/%d%s", id, rest) }

// secret is text of an answer as a token.
func secret(v any) provisioning.Secret {
	s, _ := v.(string)
	return provisioning.Secret(s)
}
