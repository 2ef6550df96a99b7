package solusvm2_test

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/internal/opdoc"
	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/solusvm2"
)

// onceOperations are the calls that are never repeated when their fate is unclear. All other writes give the same end state when repeated.
var onceOperations = []string{
	"POST /servers", "POST /projects/3/servers", "POST /compute_resources/4/servers", "POST /servers/42/restart", "POST /servers/42/reinstall", "POST /servers/42/resize",
	"POST /servers/42/reset_password", "POST /servers/42/vnc_up", "POST /servers/start", "POST /servers/restart", "POST /servers/42/ips", "POST /servers/42/snapshots",
	"POST /snapshots/71/revert", "POST /servers/42/backups", "POST /backups/81/restore", "POST /servers_migrations", "POST /plans", "POST /locations", "POST /os_images",
	"POST /os_images/11/versions", "POST /applications", "POST /projects", "POST /users", "POST /users/7/tokens", "POST /ssh_keys", "POST /compute_resources",
	"POST /compute_resources/4/setup_network", "POST /compute_resources/4/storages", "POST /ip_blocks", "POST /ip_blocks/101/ips", "POST /roles",
}

// badGateway is the answer of a proxy that does not tell what became of the call.
var badGateway = answer{status: 502, body: []byte("<html>Bad Gateway</html>"), header: http.Header{"Content-Type": {"text/html"}}}

// classOf is the class of an operation. TestAnUnclearAnswerIsRepeatedOnlyWhereThatIsSafe proves it.
func classOf(op operation) string {
	switch {
	case op.method == http.MethodGet:
		return "read"
	case slices.Contains(onceOperations, op.method+" "+op.path):
		return "once"
	}
	return "set"
}

func TestAnUnclearAnswerIsRepeatedOnlyWhereThatIsSafe(t *testing.T) {
	t.Parallel()
	for _, op := range operations() {
		t.Run(op.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, panel := newClient(t, badGateway)
				_, err := op.call(t.Context(), c)
				require.ErrorIs(t, err, provisioning.Unavailable)
				assert.Equal(t, classOf(op) != "read", errors.Is(err, provisioning.ErrMaybeApplied))
				asked := panel.requests()
				if classOf(op) == "once" {
					assert.Len(t, asked, 1)
					return
				}
				require.Len(t, asked, 4)
				assert.Equal(t, asked[0], asked[3], "each attempt sends the same")
			})
		})
	}
}

// TestTheCommentOfEachMethodTellsItsClass holds the comments against the classes that TestAnUnclearAnswerIsRepeatedOnlyWhereThatIsSafe proves, and
// TestALoginIsRepeatedAfterAnUnclearAnswer.
func TestTheCommentOfEachMethodTellsItsClass(t *testing.T) {
	t.Parallel()
	documented, err := opdoc.Read(".")
	require.NoError(t, err)
	proven := map[string]string{"POST /auth/login": "set"} // or read: the error is that of the call that needed the token, so a doubt does not show
	for _, op := range operations() {
		proven[op.method+" "+op.path] = classOf(op)
	}
	for _, name := range onceOperations {
		assert.Contains(t, proven, name, "it is not an operation")
	}
	assert.Empty(t, opdoc.Wrong(documented, proven))
}

func TestARefusalHasItsKind(t *testing.T) {
	t.Parallel()
	text := func(status int, body string) answer { return answer{status: status, body: []byte(body)} }
	for name, c := range map[string]struct {
		answer  answer
		kind    provisioning.Kind
		message string
	}{
		"a server that the panel says is gone":    {from(t, "getServer.404"), provisioning.NotFound, "No query results"},
		"the panel's page for an unknown address": {page(200), provisioning.NoRoute, ""},
		"the page with a 404":                     {page(404), provisioning.NoRoute, ""},
		"a 404 of a web server in words":          {text(404, "404 page not found"), provisioning.NoRoute, ""},
		"a 404 without a body":                    {text(404, ""), provisioning.NoRoute, ""},
		"a 404 of the framework for an unknown path": {text(404, `{"message":"The route api/v1/servers/42 could not be found."}`), provisioning.NoRoute,
			"could not be found"},
		"a 404 of the framework without words":  {text(404, `{"message":""}`), provisioning.NoRoute, ""},
		"a 404 of a gateway":                    {text(404, `{"message":"no Route matched with those values"}`), provisioning.NoRoute, ""},
		"a 404 of another program":              {text(404, `{"error":"not found"}`), provisioning.NoRoute, ""},
		"a dead token":                          {from(t, "getAccount.401"), provisioning.Unauthorized, "Unauthenticated."},
		"a role that may not do it":             {from(t, "listServers.403"), provisioning.Forbidden, "This action is unauthorized."},
		"a method that the panel does not have": {text(405, `{"message":"The PUT method is not supported for this route."}`), provisioning.NoRoute, "not supported"},
		"a conflict":                            {text(409, `{"message":"The server already exists."}`), provisioning.Conflict, "already exists"},
		"a busy server":                         {from(t, "startServer.409"), provisioning.Locked, "processing another task"},
		"a conflict whose words were cut off":   {text(409, `{"mess`), provisioning.Locked, ""},
		"a locked server":                       {text(423, `{"message":"Locked"}`), provisioning.Locked, ""},
		"a node in maintenance":                 {text(403, `{"message":"The compute resource is in maintenance mode."}`), provisioning.Maintenance, "maintenance"},
		"bad input":                             {from(t, "createServer.422"), provisioning.Invalid, "os: The selected os is invalid."},
		"a reserved address":                    {from(t, "addServerIPs.422"), provisioning.Invalid, "already been reserved"},
		"no room":                               {text(422, `{"message":"There are no available IP addresses"}`), provisioning.Capacity, "no available"},
		"no room, said by field":                {text(422, `{"message":"x","errors":{"location":["There is not enough memory"]}}`), provisioning.Capacity, ""},
		"errors as a list":                      {text(422, `{"message":"first","errors":["second",["third"]]}`), provisioning.Invalid, "first: second; third"},
		"errors as text":                        {text(422, `{"errors":"nope"}`), provisioning.Invalid, "nope"},
		"errors by field that are text":         {text(422, `{"message":"m","errors":{"name":"too long"}}`), provisioning.Invalid, "name: too long"},
		"a failure of the panel":                {text(500, `{"message":"Server Error"}`), provisioning.Unavailable, "Server Error"},
		"a redirect": {answer{status: 302, header: http.Header{"Location": {"https://elsewhere.example.com/"}}},
			provisioning.NoRoute, "elsewhere.example.com"},
		"an answer about another server": {text(200, `{"data":{"id":43}}`), provisioning.Mismatch, "another server"},
		"an answer without an id":        {text(200, `{"data":{}}`), provisioning.Unexpected, "no server id"},
		"an answer that has no data":     {text(200, `{}`), provisioning.Unexpected, "no server id"},
		"a list instead of a server":     {text(200, `{"data":[]}`), provisioning.Unexpected, ""},
		"an empty answer":                {text(200, ``), provisioning.Unexpected, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, panel := newClient(t, c.answer)
			_, err := client.Servers.Get(t.Context(), 42)
			var e *provisioning.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, c.kind, e.Kind)
			assert.Contains(t, err.Error(), c.message)
			assert.NotContains(t, err.Error(), "<")
			assert.Less(t, len(err.Error()), 400)
			assert.Equal(t, "solusvm2", e.Panel)
			assert.Equal(t, "getServer", e.Op)
			assert.Equal(t, "/servers/42", e.Path)
			assert.False(t, e.MaybeApplied)
			assert.Len(t, panel.requests(), 1)
		})
	}
}

func TestAWriteThatWasNotAnsweredByThePanelIsInDoubt(t *testing.T) {
	t.Parallel()
	for name, a := range map[string]answer{"the panel's page": page(200), "no answer": {status: 200}, "a cut answer": json200(`{"data":{"id":42`),
		"a server without an id": json200(`{"data":{}}`)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, panel := newClient(t, a)
			_, err := c.Servers.CreateInProject(t.Context(), 3, solusvm2.CreateServerRequest{Name: "a", Plan: 5, Location: 2, OS: 21})
			require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
			assert.Len(t, panel.requests(), 1)
		})
	}
}

func TestAServerThatWasMadeKeepsItsIDWhenTheAnswerHasAnUnknownShape(t *testing.T) {
	t.Parallel()
	c, _ := newClient(t, answer{status: 201, body: []byte(`{"data":{"id":"42","uuid":"` + uuid + `","name":"a","specifications":"soon","plan":[]}}`)})
	s, err := c.Servers.Create(t.Context(), solusvm2.CreateServerRequest{Name: "a", Plan: 5, Location: 2, OS: 21})
	require.NoError(t, err)
	assert.Equal(t, solusvm2.ServerID(42), s.ID)
	assert.Equal(t, uuid, s.UUID)
	assert.Equal(t, "a", s.Name)
}

func TestADeletionWhoseAnswerWasLostIsDoneWhenThePanelKnowsNothingOfIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, panel := newClient(t, answer{status: 504}, from(t, "getServer.404"))
		task, err := c.Servers.Delete(t.Context(), 42)
		require.NoError(t, err)
		assert.Nil(t, task)
		assert.Len(t, panel.requests(), 2)

		c, _ = newClient(t, from(t, "getServer.404"))
		_, err = c.Servers.Delete(t.Context(), 42)
		require.ErrorIs(t, err, provisioning.NotFound, "it was never there")

		c, _ = newClient(t, answer{status: 504}, page(404))
		_, err = c.Servers.Delete(t.Context(), 42)
		require.ErrorIs(t, err, provisioning.NoRoute)
		require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
	})
}

func TestAnActionTakesOnlyATaskForATask(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body string
		id   solusvm2.TaskID
	}{
		"a task":                  {`{"data":{"id":9001,"action":"vm-suspend","status":"queued"}}`, 9001},
		"a task with text as id":  {`{"data":{"id":"9001","action":"vm-suspend","status":"queued"}}`, 9001},
		"an empty body":           {``, 0},
		"no data":                 {`{}`, 0},
		"null":                    {`{"data":null}`, 0},
		"an empty list":           {`{"data":[]}`, 0},
		"the server":              {`{"data":{"id":42,"uuid":"` + uuid + `","status":"started","action":"x"}}`, 0},
		"a task without a number": {`{"data":{"action":"vm-suspend","status":"queued"}}`, 0},
		"text":                    {`"ok"`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := newClient(t, json200(c.body))
			task, err := client.Servers.Suspend(t.Context(), 42)
			require.NoError(t, err)
			if c.id == 0 {
				assert.Nil(t, task)
				return
			}
			assert.Equal(t, c.id, task.ID)
		})
	}
	client, _ := newClient(t, page(200))
	_, err := client.Servers.Suspend(t.Context(), 42)
	require.ErrorIs(t, err, provisioning.NoRoute, "a page is no success")
}

func TestAPasswordIsToldOrMailedOrInDoubt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		mail   bool
		answer answer
		want   *solusvm2.PasswordReset
	}{
		"told":                       {false, from(t, "resetServerPassword.200"), &solusvm2.PasswordReset{Password: "fixture-root-password"}},
		"mailed, without a body":     {true, answer{status: 204}, &solusvm2.PasswordReset{}},
		"mailed, with an empty list": {true, json200(`{"data":[]}`), &solusvm2.PasswordReset{}},
		"neither told nor mailed":    {false, json200(`{"data":[]}`), nil},
		"neither, without a body":    {false, answer{status: 200}, nil},
		"told together with the task": {false, json200(`{"data":{"id":9,"action":"vm-password-change","status":"queued","password":"p"}}`),
			&solusvm2.PasswordReset{Password: "p", Task: &solusvm2.Task{ID: 9, Action: solusvm2.TaskServerPasswordChange, Status: solusvm2.TaskQueued}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, panel := newClient(t, c.answer)
			got, err := client.Servers.ResetPassword(t.Context(), 42, solusvm2.ResetPasswordOptions{MailTokenOwner: c.mail})
			assert.Len(t, panel.requests(), 1)
			if c.want == nil {
				require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestAConsoleAnswerMayBeWrappedAndItsAddressMayBeASocketAlready(t *testing.T) {
	t.Parallel()
	c, _ := newClient(t, json200(`{"data":{"url":"wss://solus.example.com/vnc?token=t","host":"","port":null,"vm":{"id":42,"settings":{"vnc":{"password":"p"}}}}}`))
	v, err := c.Servers.OpenVNC(t.Context(), 42)
	require.NoError(t, err)
	assert.Equal(t, "p", v.Password().Reveal(), "where older panels keep it")
	socket, err := v.WebSocketURL(c.BaseURL())
	require.NoError(t, err)
	assert.Equal(t, "wss://solus.example.com/vnc?token=t", socket.Reveal())

	for name, body := range map[string]string{"no address": `{"host":"a"}`, "another server": `{"url":"a:1/x","vm":{"id":43}}`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := newClient(t, json200(body))
			_, err := c.Servers.OpenVNC(t.Context(), 42)
			require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
		})
	}
	plain := solusvm2.VNC{URL: "n:5901/u"}
	for base, want := range map[string]string{
		"https://solus.example.com": "wss://solus.example.com/vnc?url=n%3A5901%2Fu", "http://127.0.0.1:8080": "ws://127.0.0.1:8080/vnc?url=n%3A5901%2Fu",
		"https://example.com/panel/": "wss://example.com/panel/vnc?url=n%3A5901%2Fu",
	} {
		got, err := plain.WebSocketURL(base)
		require.NoError(t, err)
		assert.Equal(t, want, got.Reveal())
	}
	_, err = plain.WebSocketURL("solus.example.com")
	require.ErrorIs(t, err, provisioning.Invalid)
}

func TestTheShapesOfOlderPanelsAreRead(t *testing.T) {
	t.Parallel()
	c, _ := newClient(t, from(t, "getServer-legacy.200"))
	s, err := c.Servers.Get(t.Context(), 44)
	require.NoError(t, err)
	assert.Equal(t, solusvm2.ServerNotExist, s.Status, "one spelling of two")
	assert.Equal(t, provisioning.PhaseFailed, s.Phase())
	assert.True(t, bool(s.IsSuspended))
	assert.Equal(t, provisioning.GiB, s.Specifications.RAM.Bytes())
	assert.Equal(t, "fixture-old-vnc-password", s.Settings.ConsolePassword().Reveal())
	assert.Equal(t, time.Date(2021, 6, 1, 10, 20, 30, 0, time.UTC), s.CreatedAt.Time)
	assert.Equal(t, []provisioning.Address{
		{Prefix: netip.MustParsePrefix("192.0.2.44/24"), Kind: provisioning.AddressPrimary}, {Prefix: netip.MustParsePrefix("192.0.2.45/24"),
			Kind: provisioning.AddressExtra},
	}, s.Addresses(), "the first one counts as the primary one")
}

func TestAddressesAreReadInEveryKnownShape(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body string
		want []string
	}{
		"nothing":                           {`{}`, nil},
		"null":                              {`{"ip_addresses":null}`, nil},
		"an empty PHP array":                {`{"ip_addresses":[]}`, nil},
		"empty lists":                       {`{"ip_addresses":{"ipv4":[],"ipv6":[]}}`, nil},
		"one object for IPv6":               {`{"ip_addresses":{"ipv6":{"id":1,"primary_ip":"2001:db8::2","range":"2001:db8::/64"}}}`, []string{"2001:db8::2/64 primary"}},
		"an object without any address":     {`{"ip_addresses":{"ipv6":{"id":null,"range":null}}}`, nil},
		"a range without an address in use": {`{"ip_addresses":{"ipv6":[{"range":"2001:db8:5::/48"}]}}`, []string{"2001:db8:5::/48 primary"}},
		"an address outside of the range":   {`{"ip_addresses":{"ipv6":[{"range":"2001:db8:5::/48","ip":"2001:db8:6::1"}]}}`, []string{"2001:db8:6::1/128 primary"}},
		"no mask": {`{"ip_addresses":{"ipv4":[{"ip":"192.0.2.1"},{"ip":"192.0.2.2","netmask":"nonsense"}]}}`,
			[]string{"192.0.2.1/32 primary", "192.0.2.2/32 extra"}},
		"the primary one is not the first": {`{"ip_addresses":{"ipv4":[{"ip":"192.0.2.1"},{"ip":"192.0.2.2","is_primary":1}]}}`, []string{"192.0.2.1/32 extra",
			"192.0.2.2/32 primary"}},
		"text that is no address":      {`{"ip_addresses":{"ipv4":[{"ip":""},{"ip":"192.0.2.2"}]}}`, []string{"192.0.2.2/32 primary"}},
		"the old list with both kinds": {`{"ips":[{"ip":"192.0.2.1"},{"ip":"2001:db8::1"}]}`, []string{"192.0.2.1/32 primary", "2001:db8::1/128 primary"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := newClient(t, json200(`{"data":{"id":42,`+c.body[1:]+`}`))
			if c.body == `{}` {
				client, _ = newClient(t, json200(`{"data":{"id":42}}`))
			}
			s, err := client.Servers.Get(t.Context(), 42)
			require.NoError(t, err)
			var got []string
			for _, a := range s.Addresses() {
				got = append(got, a.Prefix.String()+" "+string(a.Kind))
			}
			assert.Equal(t, c.want, got)
		})
	}
}

func TestDoReachesOperationsThatAreNotHere(t *testing.T) {
	t.Parallel()
	c, panel := newClient(t, json200(`{"data":[{"id":1,"name":"English"}]}`))
	var out struct{ Data []solusvm2.Ref }
	require.NoError(t, c.Do(t.Context(), "GET", "/languages?page=2", nil, &out))
	assert.Equal(t, []solusvm2.Ref{{ID: 1, Name: "English"}}, out.Data)
	require.NoError(t, c.Do(t.Context(), "POST", "projects/3/members", map[string]string{"email": "a@example.com"}, nil))
	asked := panel.requests()
	assert.Equal(t, "/api/v1/languages", asked[0].path)
	assert.Equal(t, "page=2", asked[0].query)
	assert.Equal(t, "/api/v1/projects/3/members", asked[1].path)
	assert.JSONEq(t, `{"email":"a@example.com"}`, asked[1].body)

	for name, call := range map[string][2]string{"a method": {"HEAD", "/x"}, "a fragment": {"GET", "/x#y"}, "a bad escape": {"GET", "/%zz"}, "dots": {"GET",
		"/a/../b"}, "nothing": {"GET", ""},
		"a bad query": {"GET", "/a?%zz"}} {
		err := c.Do(t.Context(), call[0], call[1], nil, nil)
		require.ErrorIs(t, err, provisioning.Invalid, name)
	}
	assert.Len(t, panel.requests(), 2)
}

func TestCallOptionsReachTheCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, panel := newClient(t, answer{status: 503}, from(t, "restartServer.200"))
		var info solusvm2.ResponseInfo
		task, err := c.Servers.Restart(t.Context(), 42, solusvm2.PowerOptions{}, solusvm2.Repeatable(), solusvm2.CaptureResponse(&info),
			solusvm2.AttemptTimeout(time.Second))
		require.NoError(t, err)
		assert.Equal(t, solusvm2.TaskID(9004), task.ID)
		assert.Equal(t, 2, info.Attempts)
		_, err = c.Servers.Start(t.Context(), 42, solusvm2.NotAfter(time.Now().Add(-time.Second)))
		require.Error(t, err)
		assert.NotErrorIs(t, err, provisioning.ErrMaybeApplied)
		assert.Len(t, panel.requests(), 2)
	})
}

func TestBadInputIsRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	order := func(change func(*solusvm2.CreateServerRequest)) solusvm2.CreateServerRequest {
		r := solusvm2.CreateServerRequest{Name: "a", Plan: 5, Location: 2, OS: 21}
		change(&r)
		return r
	}
	onNode := func(change func(*solusvm2.CreateServerRequest)) func(context.Context, *solusvm2.Client) error {
		return func(ctx context.Context, c *solusvm2.Client) error {
			_, err := c.Servers.Create(ctx, order(change))
			return err
		}
	}
	inProject := func(change func(*solusvm2.CreateServerRequest)) func(context.Context, *solusvm2.Client) error {
		return func(ctx context.Context, c *solusvm2.Client) error {
			_, err := c.Servers.CreateInProject(ctx, 3, order(change))
			return err
		}
	}
	onResource := func(change func(*solusvm2.CreateServerRequest)) func(context.Context, *solusvm2.Client) error {
		return func(ctx context.Context, c *solusvm2.Client) error {
			r := order(func(r *solusvm2.CreateServerRequest) { r.Location, r.User, r.Project = 0, 7, 3 })
			change(&r)
			_, err := c.Servers.CreateOnComputeResource(ctx, 4, r)
			return err
		}
	}
	for name, c := range map[string]struct {
		field string
		call  func(context.Context, *solusvm2.Client) error
	}{
		"a create without a name":          {"name", onNode(func(r *solusvm2.CreateServerRequest) { r.Name = "" })},
		"a create without a location":      {"location", onNode(func(r *solusvm2.CreateServerRequest) { r.Location = 0 })},
		"a create without a plan":          {"plan", onNode(func(r *solusvm2.CreateServerRequest) { r.Plan = 0 })},
		"a create with a plan below 0":     {"plan", onNode(func(r *solusvm2.CreateServerRequest) { r.Plan = -1 })},
		"a create with nothing to install": {"os", onNode(func(r *solusvm2.CreateServerRequest) { r.OS = 0 })},
		"a create with two things":         {"os", onNode(func(r *solusvm2.CreateServerRequest) { r.Application = 31 })},
		"data without an application":      {"applicationData", onNode(func(r *solusvm2.CreateServerRequest) { r.ApplicationData = map[string]any{} })},
		"user data with CR":                {"userData", onNode(func(r *solusvm2.CreateServerRequest) { r.UserData = "#cloud-config\r\n" })},
		"memory in MiB instead of bytes": {"params.ram", onNode(func(r *solusvm2.CreateServerRequest) {
			r.CustomPlan = &solusvm2.CustomPlan{Params: &solusvm2.PlanParamsRequest{RAM: 2048}}
		})},
		"swap in MiB instead of bytes": {"params.swap", onNode(func(r *solusvm2.CreateServerRequest) {
			r.CustomPlan = &solusvm2.CustomPlan{Params: &solusvm2.PlanParamsRequest{Swap: ptr(solusvm2.ByteCount(512))}}
		})},
		"a disk below 0": {"params", onNode(func(r *solusvm2.CreateServerRequest) {
			r.CustomPlan = &solusvm2.CustomPlan{Params: &solusvm2.PlanParamsRequest{Disk: -1}}
		})},
		"an additional disk without a size": {"additionalDisks", onNode(func(r *solusvm2.CreateServerRequest) {
			r.AdditionalDisks = []solusvm2.AdditionalDisk{{Name: "a", Offer: 1}}
		})},
		"a key that is no id": {"sshKeys", onNode(func(r *solusvm2.CreateServerRequest) { r.SSHKeys = []solusvm2.SSHKeyID{0} })},

		"an owner in a project":             {"user", inProject(func(r *solusvm2.CreateServerRequest) { r.User = 7 })},
		"another project in a project":      {"project", inProject(func(r *solusvm2.CreateServerRequest) { r.Project = 4 })},
		"a description in a project":        {"description", inProject(func(r *solusvm2.CreateServerRequest) { r.Description = "x" })},
		"a custom plan in a project":        {"customPlan", inProject(func(r *solusvm2.CreateServerRequest) { r.CustomPlan = &solusvm2.CustomPlan{} })},
		"a node in a project":               {"computeResource", inProject(func(r *solusvm2.CreateServerRequest) { r.ComputeResource = 4 })},
		"a particular address in a project": {"primaryIP", inProject(func(r *solusvm2.CreateServerRequest) { r.PrimaryIP = netip.MustParseAddr("192.0.2.1") })},
		"more addresses in a project":       {"additionalIPCount", inProject(func(r *solusvm2.CreateServerRequest) { r.AdditionalIPCount = 1 })},
		"a boot mode in a project":          {"bootMode", inProject(func(r *solusvm2.CreateServerRequest) { r.BootMode = solusvm2.BootDisk })},
		"no plan in a project":              {"plan", inProject(func(r *solusvm2.CreateServerRequest) { r.Plan = 0 })},
		"a location on a compute resource":  {"location", onResource(func(r *solusvm2.CreateServerRequest) { r.Location = 2 })},
		"no owner on a compute resource":    {"user", onResource(func(r *solusvm2.CreateServerRequest) { r.User = 0 })},
		"no project on a compute resource":  {"project", onResource(func(r *solusvm2.CreateServerRequest) { r.Project = 0 })},
		"disks on a compute resource": {"additionalDisks", onResource(func(r *solusvm2.CreateServerRequest) {
			r.AdditionalDisks = []solusvm2.AdditionalDisk{{Name: "a", Size: 1, Offer: 1}}
		})},
		"address kinds on a resource": {"ipTypes", onResource(func(r *solusvm2.CreateServerRequest) { r.IPTypes = []solusvm2.IPVersion{solusvm2.IPv4} })},

		"a server that is none": {"id", func(ctx context.Context, c *solusvm2.Client) error { _, err := c.Servers.Get(ctx, 0); return err }},
		"a list of no project": {"id", func(ctx context.Context, c *solusvm2.Client) error {
			_, err := all(c.Servers.ListByProject(ctx, 0, solusvm2.ListOptions{}))
			return err
		}},
		"a filter below 0": {"filter[user_id]", func(ctx context.Context, c *solusvm2.Client) error {
			_, err := all(c.Servers.List(ctx, solusvm2.ServerFilter{UserID: -1}))
			return err
		}},
		"a page below 0": {"per_page", func(ctx context.Context, c *solusvm2.Client) error {
			_, err := all(c.Roles.List(ctx, solusvm2.ListOptions{PerPage: -1}))
			return err
		}},
		"a wait for no server": {"id", func(ctx context.Context, c *solusvm2.Client) error {
			_, err := c.Servers.WaitIdle(ctx, 0, provisioning.WaitOptions{})
			return err
		}},
		"a wait for no task": {"id", func(ctx context.Context, c *solusvm2.Client) error {
			return c.Tasks.Wait(ctx, 0, provisioning.WaitOptions{})
		}},
		"no addresses to add": {"count", func(ctx context.Context, c *solusvm2.Client) error {
			_, err := c.Servers.AddIPs(ctx, 42, solusvm2.AddIPsRequest{})
			return err
		}},
		"an address twice": {"count", func(ctx context.Context, c *solusvm2.Client) error {
			_, err := c.Servers.AddIPs(ctx, 42, solusvm2.AddIPsRequest{Count: 2, IP: netip.MustParseAddr("192.0.2.1")})
			return err
		}},
		"no addresses to remove": {"ids", func(ctx context.Context, c *solusvm2.Client) error {
			_, err := c.Servers.RemoveIPs(ctx, 42, solusvm2.RemoveIPsRequest{})
			return err
		}},
		"a resize to no plan": {"plan_id", func(ctx context.Context, c *solusvm2.Client) error {
			_, err := c.Servers.Resize(ctx, 42, solusvm2.ResizeServerRequest{})
			return err
		}},
		"a reinstallation of nothing": {"os", func(ctx context.Context, c *solusvm2.Client) error {
			_, err := c.Servers.Reinstall(ctx, 42, solusvm2.ReinstallServerRequest{})
			return err
		}},
		"a series of a number": {"uuid", func(ctx context.Context, c *solusvm2.Client) error {
			_, err := c.Usage.Series(ctx, solusvm2.UsageCPU, "42")
			return err
		}},
		"a private key": {"body", func(ctx context.Context, c *solusvm2.Client) error {
			_, err := c.SSHKeys.Create(ctx, solusvm2.CreateSSHKeyRequest{Name: "a", Body: "-----BEGIN PRIVATE KEY-----", UserID: 7})
			return err
		}},
		"a key of nobody": {"user_id", func(ctx context.Context, c *solusvm2.Client) error {
			_, err := c.SSHKeys.Create(ctx, solusvm2.CreateSSHKeyRequest{Name: "a", Body: publicKey})
			return err
		}},
		"a user without an address": {"email", func(ctx context.Context, c *solusvm2.Client) error {
			_, err := c.Users.Create(ctx, solusvm2.CreateUserRequest{Email: "erika"})
			return err
		}},
		"a plan without sizes": {"params", func(ctx context.Context, c *solusvm2.Client) error {
			_, err := c.Plans.Create(ctx, solusvm2.CreatePlanRequest{Name: "a", VirtualizationType: "kvm", StorageType: "fb", ImageFormat: "raw"})
			return err
		}},
		"a snapshot without a name": {"name", func(ctx context.Context, c *solusvm2.Client) error {
			_, err := c.Snapshots.Create(ctx, 42, " ")
			return err
		}},
		"a migration of nothing": {"servers", func(ctx context.Context, c *solusvm2.Client) error {
			_, err := c.Migrations.Create(ctx, solusvm2.MigrateServersRequest{DestinationComputeResourceID: 4})
			return err
		}},
		"a migration to nowhere": {"destination_compute_resource_id", func(ctx context.Context, c *solusvm2.Client) error {
			_, err := c.Migrations.Create(ctx, solusvm2.MigrateServersRequest{Servers: []solusvm2.ServerID{42}})
			return err
		}},
		"a subnet that is too large": {"subnet", func(ctx context.Context, c *solusvm2.Client) error {
			_, err := c.IPBlocks.Create(ctx, solusvm2.IPBlockRequest{Name: "a", Type: solusvm2.IPv6, Gateway: "2001:db8::1", Subnet: 64})
			return err
		}},
		"a port beyond the last one": {"port", func(ctx context.Context, c *solusvm2.Client) error {
			_, err := c.ComputeResources.Create(ctx, solusvm2.CreateComputeResourceRequest{Name: "a", Host: "b", Port: 70000})
			return err
		}},
		"settings that are nothing": {"in", func(ctx context.Context, c *solusvm2.Client) error { _, err := c.Settings.Update(ctx, nil); return err }},
		"a role without a name": {"name", func(ctx context.Context, c *solusvm2.Client) error {
			_, err := c.Roles.Create(ctx, solusvm2.CreateRoleRequest{})
			return err
		}},
		"a location without a name": {"name", func(ctx context.Context, c *solusvm2.Client) error {
			_, err := c.Locations.Create(ctx, solusvm2.LocationRequest{})
			return err
		}},
		"a project without a name": {"name", func(ctx context.Context, c *solusvm2.Client) error {
			_, err := c.Projects.Create(ctx, solusvm2.ProjectRequest{})
			return err
		}},
		"a version without an address": {"url", func(ctx context.Context, c *solusvm2.Client) error {
			_, err := c.OSImages.CreateVersion(ctx, 11, solusvm2.OSImageVersionRequest{Version: "12"})
			return err
		}},
		"a storage without a path": {"path", func(ctx context.Context, c *solusvm2.Client) error {
			_, err := c.ComputeResources.CreateStorage(ctx, 4, solusvm2.CreateStorageRequest{Type: "fb"})
			return err
		}},
		"a boot mode that is none": {"mode", func(ctx context.Context, c *solusvm2.Client) error {
			return c.Servers.SetBoot(ctx, 42, solusvm2.ServerBoot{})
		}},
		"a change with CR in user data": {"userData", func(ctx context.Context, c *solusvm2.Client) error {
			_, err := c.Servers.Update(ctx, 42, solusvm2.UpdateServerRequest{UserData: ptr("a\r\n")})
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, panel := newClient(t, answer{status: 500})
			err := c.call(t.Context(), client)
			var e *provisioning.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, provisioning.Invalid, e.Kind)
			assert.Contains(t, e.Fields, c.field, "%v", e.Fields)
			assert.Empty(t, panel.requests())
		})
	}
}
