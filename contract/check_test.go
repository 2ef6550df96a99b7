package contract

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// specs are the files with the exceptions of exceptions_test.go, each read once.
var specs = map[string]func() (*Spec, error){
	"virtfusion": sync.OnceValues(func() (*Spec, error) { return Load(specFile("virtfusion"), exceptions["virtfusion"]...) }),
	"solusvm2":   sync.OnceValues(func() (*Spec, error) { return Load(specFile("solusvm2"), exceptions["solusvm2"]...) }),
	"ospab":      sync.OnceValues(func() (*Spec, error) { return Load(specFile("ospab"), exceptions["ospab"]...) }),
}

func specFile(panel string) string { return filepath.Join("..", "testdata", "openapi", panel+".yaml") }

func load(t testing.TB, panel string) *Spec {
	t.Helper()
	s, err := specs[panel]()
	require.NoError(t, err)
	return s
}

func newRequest(t testing.TB, method, path, body string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "https://panel.test"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer token")
	r.Header.Set("X-API-Key", "key")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

func TestEachOperationIsFoundByItsPath(t *testing.T) {
	t.Parallel()
	for panel := range specs {
		t.Run(panel, func(t *testing.T) {
			t.Parallel()
			s := load(t, panel)
			for _, op := range s.Operations() {
				path := s.prefix + strings.NewReplacer("{", "", "}", "").Replace(op.Path)
				rt, params := s.find(newRequest(t, op.Method, path, ""))
				if assert.NotNil(t, rt, "%s %s", op.Method, path) {
					assert.Equal(t, op.ID, rt.Operation.OperationID)
					for name, value := range params {
						assert.Equal(t, name, value)
					}
				}
			}
		})
	}
}

// TestWrongRequestsAreRefused feeds the checks mistakes of integrations that are in use, and some of our own.
func TestWrongRequestsAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ panel, method, path, body, want string }{
		"a stray brace in the path of suspend": {"virtfusion", "POST", "/api/v1/servers/12%7D/suspend", "", `path parameter "serverId"`},
		"the switch vnc instead of an action":  {"virtfusion", "POST", "/api/v1/servers/12/vnc", `{"vnc":true}`, `missing property 'action'`},
		"the switch vnc beside an action": {"virtfusion", "POST", "/api/v1/servers/12/vnc",
			`{"action":"enable","vnc":true}`, `/vnc is not documented`},
		"the switch enabled instead of an action": {"virtfusion", "POST", "/api/v1/servers/12/vnc",
			`{"enabled":true}`, `missing property 'action'`},
		"an action that nobody knows":                   {"virtfusion", "POST", "/api/v1/servers/12/vnc", `{"action":"rotate"}`, `/action`},
		"the name at its old place":                     {"virtfusion", "PATCH", "/api/v1/servers/12/name", `{"name":"a"}`, `no such operation`},
		"the name at its old place with the new method": {"virtfusion", "PUT", "/api/v1/servers/12/name", `{"name":"a"}`, `no such operation`},
		"members with underscores": {"virtfusion", "POST", "/api/v1/servers",
			`{"user_id":1,"package_id":2,"hypervisor_id":3}`, `missing properties 'packageId'`},
		"a member with an underscore beside the others": {"virtfusion", "POST", "/api/v1/servers",
			`{"packageId":1,"userId":1,"hypervisorId":1,"user_id":1}`, `/user_id is not documented`},
		"a build at the root": {"virtfusion", "POST", "/api/v1/build", `{}`, `no such operation`},
		"osid for the operating system": {"virtfusion", "POST", "/api/v1/servers/12/build",
			`{"osid":3}`, `missing property 'operatingSystemId'`},
		"a list of rules": {"virtfusion", "POST", "/api/v1/servers/12/firewall/primary/rules",
			`{"rules":[]}`, `/rules is not documented`},
		"a delay beyond the limit": {"virtfusion", "DELETE", "/api/v1/servers/12?delay=50000", "", `query parameter "delay"`},
		"a delay under another name": {"virtfusion", "DELETE", "/api/v1/servers/12?in=5",
			"", `query parameter "in" is not documented`},
		"text for a number": {"virtfusion", "POST", "/api/v1/servers",
			`{"packageId":"a","userId":1,"hypervisorId":1}`, `/packageId`},
		"a body that is not there": {"virtfusion", "POST", "/api/v1/servers", ``, `body`},
		"a body that is no JSON":   {"virtfusion", "POST", "/api/v1/servers", `{`, `body`},
		"a body where none is documented": {"virtfusion", "POST", "/api/v1/servers/12/suspend",
			`{"reason":"x"}`, `a body where the file has none`},
		"a path without the prefix":     {"virtfusion", "GET", "/servers", "", `no such operation`},
		"a slash at the end":            {"virtfusion", "GET", "/api/v1/servers/", "", `no such operation`},
		"quantity without an interface": {"virtfusion", "POST", "/api/v1/servers/12/ipv4Qty", `{"quantity":1}`, `interface`},
		"the image under the name of another create": {"solusvm2", "POST", "/api/v1/servers",
			`{"name":"a","plan":1,"location":1,"os_image_version_id":3}`, `/os_image_version_id is not documented`},
		"the plan under the name of another create": {"solusvm2", "POST", "/api/v1/projects/1/servers",
			`{"name":"a","plan":1,"location":1,"os":3}`, `/plan is not documented`},
		"reinstall with the name of a create": {"solusvm2", "POST", "/api/v1/servers/1/reinstall",
			`{"os_image_version_id":3}`, `/os_image_version_id is not documented`},
		"a list for an object": {"solusvm2", "POST", "/api/v1/servers/1/stop", `[]`, `body`},
		"a status that the panel does not know": {"ospab", "POST", "/api/vps/sync",
			`{"action":"update","vps":{"id":1,"status":"paused"}}`, `body`},
		"gigabytes as text": {"ospab", "POST", "/api/vps/sync",
			`{"action":"create","vps":{"user_id":5,"name":"a","status":"creating","cpu":2,"ram":"4G","disk":40,"os":"x","hypervisor":"kvm"}}`, `body`},
		"the address of a record": {"ospab", "POST", "/api/vps/sync",
			`{"action":"update","vps":{"id":1,"status":"running","ip_address":"192.0.2.1"}}`, `/vps/ip_address is not documented`},
		"three letters for the hypervisor": {"ospab", "POST", "/api/vps/sync",
			`{"action":"create","vps":{"user_id":5,"name":"a","status":"creating","cpu":2,"ram":4096,"disk":40,"os":"x","hypervisor":"prx"}}`, `body`},
		"the key in the body": {"ospab", "POST", "/api/vps/sync",
			`{"action":"delete","key":"k","vps":{"id":1}}`, `/key is not documented`},
		"a method of its own for each change of a record": {"ospab", "DELETE", "/api/vps/sync", `{"id":1}`, `no such operation`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, problems := load(t, c.panel).CheckRequest(newRequest(t, c.method, c.path, c.body), []byte(c.body))
			assert.Contains(t, strings.Join(problems, "\n"), c.want)
		})
	}
}

func TestRightRequestsPass(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ panel, method, path, body string }{
		"suspend":                 {"virtfusion", "POST", "/api/v1/servers/12/suspend", ""},
		"an action for VNC":       {"virtfusion", "POST", "/api/v1/servers/12/vnc", `{"action":"enable"}`},
		"the name at its place":   {"virtfusion", "PUT", "/api/v1/servers/12/modify/name", `{"name":"a"}`},
		"the smallest server":     {"virtfusion", "POST", "/api/v1/servers", `{"packageId":1,"userId":1,"hypervisorId":1}`},
		"a delay":                 {"virtfusion", "DELETE", "/api/v1/servers/12?delay=5", ""},
		"two hypervisors":         {"virtfusion", "GET", "/api/v1/servers?hypervisorId%5B%5D=1&hypervisorId%5B%5D=2", ""},
		"a status":                {"ospab", "POST", "/api/vps/sync", `{"action":"update","vps":{"id":1,"status":"running"}}`},
		"a version of an image":   {"solusvm2", "POST", "/api/v1/projects/1/servers", `{"name":"a","plan_id":1,"location_id":1,"os_image_version_id":3}`},
		"an escaped path element": {"virtfusion", "GET", "/api/v1/users/a%2Fb/byExtRelation?relStr=true", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			op, problems := load(t, c.panel).CheckRequest(newRequest(t, c.method, c.path, c.body), []byte(c.body))
			assert.NotEmpty(t, op)
			assert.Empty(t, problems)
		})
	}
}

func TestWrongAnswersAreReported(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		panel, method, path string
		status              int
		kind, body, want    string
	}{
		"a status that nobody has seen": {"virtfusion", "GET", "/api/v1/servers/1", 418, "application/json", `{}`, "the status is not documented"},
		"a member that nobody has seen": {"virtfusion", "GET", "/api/v1/packages/1", 200, "application/json",
			`{"data":{"id":1,"price":3}}`, "/data/price is not documented"},
		"a page without its counts":         {"virtfusion", "GET", "/api/v1/servers", 200, "application/json", `{"data":[]}`, "current_page"},
		"text for a number":                 {"virtfusion", "GET", "/api/v1/queue/1", 200, "application/json", `{"data":{"id":"x"}}`, "/data/id"},
		"a page of HTML":                    {"virtfusion", "GET", "/api/v1/servers/1", 200, "text/html", `<html>`, "the content type"},
		"an empty body where one is needed": {"virtfusion", "GET", "/api/v1/servers/1", 200, "", ``, "the content type"},
		"a body where there is none": {"virtfusion", "POST", "/api/v1/servers/1/suspend", 204, "application/json",
			`{}`, "a body where the file has none"},
		"half of a body":         {"virtfusion", "GET", "/api/v1/servers/1", 200, "application/json", `{"data":`, "body"},
		"a record without an id": {"ospab", "POST", "/api/vps/sync", 200, "application/json", `{"status":"success","vps":{"name":"a"}}`, "id"},
		"no envelope":            {"solusvm2", "GET", "/api/v1/servers/1", 200, "application/json", `{"id":1}`, "data"},
		"memory of a server that is no size": {"solusvm2", "GET", "/api/v1/servers/1", 200, "application/json",
			`{"data":{"id":1,"specifications":{"ram":"4G"}}}`, "ram"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			problems := load(t, c.panel).CheckAnswer(newRequest(t, c.method, c.path, ""), c.status, http.Header{"Content-Type": {c.kind}}, []byte(c.body))
			assert.Contains(t, strings.Join(problems, "\n"), c.want)
		})
	}
}
