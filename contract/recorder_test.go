package contract

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheRecorderNamesOperationAndFieldAndChangesNothing(t *testing.T) {
	t.Parallel()
	var arrived string
	rec := load(t, "virtfusion").Record(answering(func(r *http.Request) recorded {
		body, _ := io.ReadAll(r.Body)
		arrived = r.Method + " " + r.URL.String() + " " + string(body)
		return recorded{status: http.StatusOK, kind: "json", body: []byte(`{"data":{"vnc":{"port":"5900"},"queueId":null}}`)}
	}))
	resp, err := rec.RoundTrip(newRequest(t, "POST", "/api/v1/servers/7/vnc", `{"enabled":true}`))
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.JSONEq(t, `{"data":{"vnc":{"port":"5900"},"queueId":null}}`, string(body))
	assert.Equal(t, `POST https://panel.test/api/v1/servers/7/vnc {"enabled":true}`, arrived)
	require.Len(t, rec.Exchanges(), 1)
	x := rec.Exchanges()[0]
	assert.Equal(t, "setServerVnc", x.Operation)
	assert.Equal(t, http.StatusOK, x.Status)
	assert.Equal(t, []string{"/enabled is not documented", "the body at '': missing property 'action'"}, x.Request)
	assert.Contains(t, strings.Join(x.Answer, "\n"), "/data/vnc/port': got string, want integer")
}

func TestTheRecorderKeepsARequestThatHasNoAnswer(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection reset")
	rec := load(t, "virtfusion").Record(failing{broken})
	_, err := rec.RoundTrip(newRequest(t, "GET", "/api/v1/nowhere", ""))
	require.ErrorIs(t, err, broken)
	assert.Equal(t, []Exchange{{Method: "GET", Path: "/api/v1/nowhere", Request: []string{"no such operation: GET /api/v1/nowhere"}}}, rec.Exchanges())
}

type failing struct{ err error }

func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }
