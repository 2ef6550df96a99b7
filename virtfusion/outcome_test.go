package virtfusion_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
)

// writes says of every write whether repeating it gives the same end state. Reads are the GETs.
var writes = map[string]string{
	"POST /servers": "once", "POST /servers/417/build": "once", "POST /servers/417/power/restart": "once", "POST /servers/417/resetPassword": "once",
	"POST /servers/417/vnc": "once", "POST /users": "once", "POST /users/7001/byExtRelation/resetPassword": "once", "POST /ssh_keys": "once",

	"POST /servers/417/power/boot": "set", "POST /servers/417/power/shutdown": "set", "POST /servers/417/power/poweroff": "set",
	"PUT /servers/417/modify/name": "set",
	"DELETE /servers/417":          "set", "POST /servers/417/suspend": "set", "POST /servers/417/unsuspend": "set", "PUT /servers/417/package/4": "set",
	"PUT /users/7001/byExtRelation": "set", "DELETE /users/a/byExtRelation": "set", "DELETE /ssh_keys/5": "set",
}

func TestAnUnclearAnswerIsRepeatedOnlyWhereThatIsSafe(t *testing.T) {
	t.Parallel()
	classes := writeClasses()
	for _, group := range operationTables() {
		for _, op := range group {
			t.Run(op.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					c, panel := newClient(t, answer{status: 502, body: []byte("<html>Bad Gateway</html>"), header: http.Header{"Content-Type": {"text/html"}}})
					_, err := op.call(t.Context(), c)
					class, isWrite := classes[op.method+" "+op.path]
					require.Equal(t, op.method != http.MethodGet, isWrite, "%s %s has no class in this test", op.method, op.path)
					require.ErrorIs(t, err, provisioning.Unavailable)
					assert.Equal(t, isWrite, errors.Is(err, provisioning.ErrMaybeApplied))
					if class == "once" {
						assert.Len(t, panel.requests(), 1)
						return
					}
					asked := panel.requests()
					require.Len(t, asked, 4)
					assert.Equal(t, asked[0], asked[3], "each attempt sends the same")
				})
			})
		}
	}
}

func TestARefusalHasItsKind(t *testing.T) {
	t.Parallel()
	text := func(status int, body string) answer { return answer{status: status, body: []byte(body)} }
	octets := func(status int, body string) answer {
		return answer{status: status, body: []byte(body), header: http.Header{"Content-Type": {"application/octet-stream"}}}
	}
	for name, c := range map[string]struct {
		answer  answer
		kind    provisioning.Kind
		message string
	}{
		"a record that the panel says is gone":      {from(t, "getServer.404"), provisioning.NotFound, "server not found"},
		"a 404 with errors":                         {text(404, `{"errors":["server not found"]}`), provisioning.NotFound, "server not found"},
		"a 404 of the framework":                    {text(404, `{"message":"The route x could not be found."}`), provisioning.NoRoute, "could not be found"},
		"a 404 without a body":                      {text(404, ``), provisioning.NoRoute, ""},
		"a 404 with an empty message":               {text(404, `{"msg":""}`), provisioning.NoRoute, ""},
		"a 404 of a web server":                     {answer{status: 404, body: []byte(`<html><h1>Not Found</h1></html>`)}, provisioning.NoRoute, ""},
		"a 404 whose JSON is a list":                {text(404, `[]`), provisioning.NoRoute, ""},
		"a token without a body":                    {from(t, "testConnection.401"), provisioning.Unauthorized, ""},
		"a token with text instead of JSON":         {octets(401, "401 Unauthorized"), provisioning.Unauthorized, ""},
		"a missing permission":                      {text(403, `{"errors":["this token may not do that"]}`), provisioning.Forbidden, "may not do that"},
		"a conflict":                                {text(409, `{"errors":["custom ISO is disabled"]}`), provisioning.Conflict, "custom ISO"},
		"waiting tasks":                             {from(t, "bootServer.423"), provisioning.Locked, "other tasks"},
		"no room":                                   {from(t, "createServer.422"), provisioning.Capacity, "No available IPv4"},
		"not enough memory":                         {text(422, `{"errors":["Not enough memory on any hypervisor"]}`), provisioning.Capacity, "Not enough memory"},
		"no room, said by field":                    {text(422, `{"errors":{"ipv4":["Insufficient addresses"]}}`), provisioning.Capacity, "Insufficient"},
		"bad input":                                 {text(422, `{"errors":["Invalid or disabled firewall ruleset"]}`), provisioning.Invalid, "firewall ruleset"},
		"bad input as lists in a list":              {text(422, `{"errors":[["Too long.","Second."]]}`), provisioning.Invalid, "Too long.; Second."},
		"bad input as one text":                     {text(422, `{"errors":"nope"}`), provisioning.Invalid, "nope"},
		"bad input of a field":                      {from(t, "createUser.422"), provisioning.Invalid, "email: The email has already been taken."},
		"errors win over msg, and msg over message": {text(422, `{"errors":["first"],"msg":"second","message":"third"}`), provisioning.Invalid, "first"},
		"msg wins over message":                     {text(422, `{"errors":[],"msg":"second","message":"third"}`), provisioning.Invalid, "second"},
		"a failure of the panel":                    {text(500, `{"message":"Server Error"}`), provisioning.Unavailable, "Server Error"},
		"a redirect":                                {answer{status: 302, header: http.Header{"Location": {"https://elsewhere.example.com/"}}}, "", ""},
		"a page instead of an answer":               {answer{status: 200, body: []byte("<!doctype html><title>Login</title>")}, provisioning.NoRoute, ""},
		"an answer about another server":            {text(200, `{"data":{"id":418,"uuid":"x"}}`), provisioning.Mismatch, "another server"},
		"an answer without an id":                   {text(200, `{"data":[]}`), provisioning.Unexpected, ""},
		"an answer that has no data":                {text(200, `{}`), provisioning.Unexpected, "no server id"},
		"an empty answer":                           {text(200, ``), provisioning.Unexpected, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, panel := newClient(t, c.answer)
			_, err := client.Servers.Get(t.Context(), 417, virtfusion.GetServerOptions{})
			var e *provisioning.Error
			require.ErrorAs(t, err, &e)
			if c.kind != "" {
				assert.Equal(t, c.kind, e.Kind)
			}
			assert.Contains(t, err.Error(), c.message)
			assert.NotContains(t, err.Error(), "<")
			assert.Less(t, len(err.Error()), 300)
			assert.Equal(t, "virtfusion", e.Panel)
			assert.Equal(t, "getServer", e.Op)
			assert.False(t, e.MaybeApplied)
			assert.Len(t, panel.requests(), 1, "a definite answer is not asked for again")
		})
	}
}

func TestMaintenanceIsARefusalOfPowerCallsAndNoDoubt(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func(*virtfusion.ServersService, context.Context, virtfusion.ServerID, ...virtfusion.CallOption) (virtfusion.QueueID, error){
		"boot": (*virtfusion.ServersService).Boot, "shutdown": (*virtfusion.ServersService).Shutdown,
		"restart": (*virtfusion.ServersService).Restart, "poweroff": (*virtfusion.ServersService).PowerOff,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, panel := newClient(t, from(t, "bootServer.503"))
			_, err := call(c.Servers, t.Context(), 417)
			require.ErrorIs(t, err, provisioning.Maintenance)
			require.NotErrorIs(t, err, provisioning.ErrMaybeApplied)
			assert.Len(t, panel.requests(), 1)
		})
	}
	t.Run("a 503 of a proxy is repeated", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c, panel := newClient(t, answer{status: 503, body: []byte(`{"message":"Service Unavailable"}`)}, from(t, "bootServer.200"))
			id, err := c.Servers.Boot(t.Context(), 417)
			require.NoError(t, err)
			assert.Equal(t, virtfusion.QueueID(2001), id)
			assert.Len(t, panel.requests(), 2)
		})
	})
	t.Run("a 503 of a proxy is no ailing control server", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c, panel := newClient(t, answer{status: 503, body: []byte(`{"message":"Service Unavailable"}`)})
			_, err := c.General.ControlStatus(t.Context())
			require.ErrorIs(t, err, provisioning.Unavailable)
			assert.Len(t, panel.requests(), 4)
		})
	})
}

func TestDoubtStaysUntilSuccess(t *testing.T) {
	t.Parallel()
	lost := answer{status: 504}
	t.Run("a boot that is locked by its own first attempt", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c, _ := newClient(t, lost, from(t, "bootServer.423"))
			_, err := c.Servers.Boot(t.Context(), 417)
			require.ErrorIs(t, err, provisioning.Locked)
			require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
		})
	})
	t.Run("a deletion whose second attempt finds nothing is done", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c, _ := newClient(t, lost, from(t, "getServer.404"))
			require.NoError(t, c.Servers.Delete(t.Context(), 417, virtfusion.DeleteServerOptions{}))
		})
	})
	t.Run("a deletion whose first attempt finds nothing is not", func(t *testing.T) {
		t.Parallel()
		c, _ := newClient(t, from(t, "getServer.404"))
		err := c.Servers.Delete(t.Context(), 417, virtfusion.DeleteServerOptions{})
		require.ErrorIs(t, err, provisioning.NotFound)
		require.NotErrorIs(t, err, provisioning.ErrMaybeApplied)
	})
	t.Run("a deletion whose second attempt meets a missing route is not done", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c, _ := newClient(t, lost, answer{status: 404, body: []byte("404 page not found")})
			err := c.Servers.Delete(t.Context(), 417, virtfusion.DeleteServerOptions{})
			require.ErrorIs(t, err, provisioning.NoRoute)
			require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
		})
	})
	for name, a := range map[string]answer{
		"no queue id":        {status: 200, body: []byte(`{"data":{"queueId":null}}`)},
		"no data":            {status: 200, body: []byte(`[]`)},
		"no body":            {status: 200},
		"not JSON":           {status: 200, body: []byte(`OK`)},
		"a failing panel":    {status: 500, body: []byte(`{"message":"Server Error"}`)},
		"a page of a proxy":  {status: 200, body: []byte(`<html></html>`)},
		"a connection reset": {err: errors.New("connection reset by peer")},
	} {
		t.Run("a restart answered with "+name, func(t *testing.T) {
			t.Parallel()
			c, panel := newClient(t, a)
			_, err := c.Servers.Restart(t.Context(), 417)
			require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
			assert.Len(t, panel.requests(), 1)
		})
	}
}

func TestAnswersAboutSomethingElseAreRefused(t *testing.T) {
	t.Parallel()
	swap := func(name, was, is string) answer {
		a := from(t, name)
		body := strings.Replace(string(a.body), was, is, 1)
		require.NotEqual(t, string(a.body), body)
		a.body = []byte(body)
		return a
	}
	for name, c := range map[string]struct {
		answer answer
		call   func(context.Context, *virtfusion.Client) error
	}{
		"a created server of another user": {swap("createServer.201", `"ownerId": 23`, `"ownerId": 24`), func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.Servers.Create(ctx, virtfusion.CreateServerRequest{PackageID: 3, UserID: 23, HypervisorGroupID: 2})
			return err
		}},
		"a build of another server": {from(t, "buildServer.200"), func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.Servers.Build(ctx, 418, virtfusion.BuildServerRequest{OperatingSystemID: 1})
			return err
		}},
		"another user": {from(t, "getUserByExtRelation.200"), func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.Users.GetByExtRelation(ctx, virtfusion.ExtRelationID(7002))
			return err
		}},
		"another queue item": {from(t, "getQueueItem.200"), func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.Queue.Get(ctx, 1)
			return err
		}},
		"another package": {from(t, "getPackage.200"), func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.Packages.Get(ctx, 4)
			return err
		}},
		"another key": {from(t, "getSshKey.200"), func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.SSHKeys.Get(ctx, 6)
			return err
		}},
		"another group": {from(t, "getHypervisorGroup.200"), func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.HypervisorGroups.Get(ctx, 3)
			return err
		}},
		"another hypervisor": {from(t, "getHypervisor.200"), func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.Hypervisors.Get(ctx, 3)
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := newClient(t, c.answer)
			require.ErrorIs(t, c.call(t.Context(), client), provisioning.Mismatch)
		})
	}
}

func TestAListThatIsMissingIsNotAnEmptyList(t *testing.T) {
	t.Parallel()
	lists := map[string]func(context.Context, *virtfusion.Client) error{
		"packages": func(ctx context.Context, c *virtfusion.Client) error { _, err := c.Packages.List(ctx); return err },
		"user's servers": func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.Servers.ListByUser(ctx, 23)
			return err
		},
		"user's keys": func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.SSHKeys.ListByUser(ctx, 23)
			return err
		},
		"templates": func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.Media.PackageTemplates(ctx, 3)
			return err
		},
	}
	for name, list := range lists {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, missing := range []string{`{}`, `[]`, `{"data":null}`} {
				c, _ := newClient(t, answer{status: 200, body: []byte(missing)})
				require.ErrorIs(t, list(t.Context(), c), provisioning.Unexpected, missing)
			}
			c, _ := newClient(t, answer{status: 200, body: []byte(`{"data":[]}`)})
			require.NoError(t, list(t.Context(), c))
		})
	}
}

func TestBadInputIsRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	order := virtfusion.CreateServerRequest{PackageID: 3, UserID: 23, HypervisorGroupID: 2}
	create := func(change func(*virtfusion.CreateServerRequest)) func(context.Context, *virtfusion.Client) error {
		return func(ctx context.Context, c *virtfusion.Client) error {
			r := order
			change(&r)
			_, err := c.Servers.Create(ctx, r)
			return err
		}
	}
	build := func(r virtfusion.BuildServerRequest) func(context.Context, *virtfusion.Client) error {
		return func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.Servers.Build(ctx, 417, r)
			return err
		}
	}
	user := func(r virtfusion.CreateUserRequest) func(context.Context, *virtfusion.Client) error {
		return func(ctx context.Context, c *virtfusion.Client) error { _, err := c.Users.Create(ctx, r); return err }
	}
	key := func(r virtfusion.CreateSSHKeyRequest) func(context.Context, *virtfusion.Client) error {
		return func(ctx context.Context, c *virtfusion.Client) error { _, err := c.SSHKeys.Create(ctx, r); return err }
	}
	for field, calls := range map[string][]func(context.Context, *virtfusion.Client) error{
		"serverId": {
			func(ctx context.Context, c *virtfusion.Client) error {
				_, err := c.Servers.Get(ctx, 0, virtfusion.GetServerOptions{})
				return err
			},
			func(ctx context.Context, c *virtfusion.Client) error { _, err := c.Servers.Boot(ctx, -1); return err },
			func(ctx context.Context, c *virtfusion.Client) error {
				return c.Servers.Delete(ctx, 0, virtfusion.DeleteServerOptions{})
			},
			func(ctx context.Context, c *virtfusion.Client) error { return c.Servers.Suspend(ctx, 0) },
			func(ctx context.Context, c *virtfusion.Client) error {
				return c.Servers.WaitBuilt(ctx, 0, provisioning.WaitOptions{})
			},
			func(ctx context.Context, c *virtfusion.Client) error { _, err := c.Servers.GetVNC(ctx, 0); return err },
			func(ctx context.Context, c *virtfusion.Client) error { _, err := c.Servers.Traffic(ctx, 0); return err },
			func(ctx context.Context, c *virtfusion.Client) error { return c.Servers.Rename(ctx, 0, "a") },
			func(ctx context.Context, c *virtfusion.Client) error {
				_, err := c.Servers.Build(ctx, 0, virtfusion.BuildServerRequest{OperatingSystemID: 1})
				return err
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				_, err := c.Servers.ResetPassword(ctx, 0, virtfusion.ResetServerPasswordRequest{User: virtfusion.GuestRoot})
				return err
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				_, err := c.Servers.ChangePackage(ctx, 0, 3, virtfusion.AllPackageParts())
				return err
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				_, err := c.Media.ServerTemplates(ctx, 0)
				return err
			},
		},
		"packageId": {
			create(func(r *virtfusion.CreateServerRequest) { r.PackageID = 0 }),
			func(ctx context.Context, c *virtfusion.Client) error { _, err := c.Packages.Get(ctx, 0); return err },
			func(ctx context.Context, c *virtfusion.Client) error {
				_, err := c.Servers.ChangePackage(ctx, 417, 0, virtfusion.AllPackageParts())
				return err
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				return c.Servers.DryRunCreate(ctx, virtfusion.CreateServerRequest{UserID: 23, HypervisorGroupID: 2})
			},
		},
		"serverPackageId": {func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.Media.PackageTemplates(ctx, 0)
			return err
		}},
		"userId": {
			create(func(r *virtfusion.CreateServerRequest) { r.UserID = 0 }), key(virtfusion.CreateSSHKeyRequest{Name: "a", PublicKey: publicKey}),
			func(ctx context.Context, c *virtfusion.Client) error {
				_, err := c.Servers.ListByUser(ctx, 0)
				return err
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				_, err := c.SSHKeys.ListByUser(ctx, 0)
				return err
			},
		},
		"hypervisorGroupId": {
			create(func(r *virtfusion.CreateServerRequest) { r.HypervisorGroupID = 0 }),
			func(ctx context.Context, c *virtfusion.Client) error {
				_, err := c.HypervisorGroups.Get(ctx, 0)
				return err
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				_, err := collect(c.HypervisorGroups.Resources(ctx, 0, virtfusion.ListOptions{}))
				return err
			},
		},
		"hypervisorId": {func(ctx context.Context, c *virtfusion.Client) error { _, err := c.Hypervisors.Get(ctx, 0); return err }},
		"keyId": {
			func(ctx context.Context, c *virtfusion.Client) error { _, err := c.SSHKeys.Get(ctx, 0); return err },
			func(ctx context.Context, c *virtfusion.Client) error { return c.SSHKeys.Delete(ctx, 0) },
		},
		"memory":            {create(func(r *virtfusion.CreateServerRequest) { r.Memory = -1 })},
		"ipv4":              {create(func(r *virtfusion.CreateServerRequest) { r.IPv4 = ptr(-1) })},
		"traffic":           {create(func(r *virtfusion.CreateServerRequest) { r.Traffic = ptr(virtfusion.TrafficGB(-1)) })},
		"operatingSystemId": {build(virtfusion.BuildServerRequest{})},
		"sshKeys":           {build(virtfusion.BuildServerRequest{OperatingSystemID: 1, SSHKeys: []virtfusion.SSHKeyID{1, 0}})},
		"swap":              {build(virtfusion.BuildServerRequest{OperatingSystemID: 1, Swap: 7})},
		"name": {
			func(ctx context.Context, c *virtfusion.Client) error { return c.Servers.Rename(ctx, 417, " ") },
			user(virtfusion.CreateUserRequest{Email: "a@example.com"}), key(virtfusion.CreateSSHKeyRequest{UserID: 1, PublicKey: publicKey}),
		},
		"email": {user(virtfusion.CreateUserRequest{Name: "Erika Muster", Email: "erika"})},
		"delayMinutes": {
			func(ctx context.Context, c *virtfusion.Client) error {
				return c.Servers.Delete(ctx, 417, virtfusion.DeleteServerOptions{DelayMinutes: 43800})
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				return c.Servers.Delete(ctx, 417, virtfusion.DeleteServerOptions{DelayMinutes: -1})
			},
		},
		"user": {func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.Servers.ResetPassword(ctx, 417, virtfusion.ResetServerPasswordRequest{})
			return err
		}},
		"parts": {func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.Servers.ChangePackage(ctx, 417, 3, virtfusion.PackageParts{})
			return err
		}},
		"action": {func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.Servers.SetVNC(ctx, 417, "open")
			return err
		}},
		"extRelationId": {
			func(ctx context.Context, c *virtfusion.Client) error {
				_, err := c.Users.GetByExtRelation(ctx, nil)
				return err
			},
			func(ctx context.Context, c *virtfusion.Client) error {
				return c.Users.Delete(ctx, virtfusion.ExtRelationID(0))
			},
			user(virtfusion.CreateUserRequest{Name: "Erika", Email: "a@example.com", ExtRelationID: -1}),
		},
		"relStr": {func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.Users.ResetPassword(ctx, virtfusion.RelStr(""))
			return err
		}},
		"path": {
			func(ctx context.Context, c *virtfusion.Client) error {
				_, err := c.Users.GetByExtRelation(ctx, virtfusion.RelStr(".."))
				return err
			},
		},
		"publicKey": {
			key(virtfusion.CreateSSHKeyRequest{UserID: 1, Name: "a"}), key(virtfusion.CreateSSHKeyRequest{UserID: 1, Name: "a", PublicKey: "ssh-rsa A\nssh-rsa B"}),
			key(virtfusion.CreateSSHKeyRequest{UserID: 1, Name: "a", PublicKey: "-----BEGIN OPENSSH PRIVATE KEY-----"}),
		},
		"queueId": {
			func(ctx context.Context, c *virtfusion.Client) error { _, err := c.Queue.Get(ctx, 0); return err },
			func(ctx context.Context, c *virtfusion.Client) error {
				return c.Queue.Wait(ctx, 0, provisioning.WaitOptions{})
			}},
		"results": {func(ctx context.Context, c *virtfusion.Client) error {
			_, err := collect(c.Hypervisors.List(ctx, virtfusion.ListOptions{Results: 201}))
			return err
		}},
	} {
		for i, call := range calls {
			t.Run(field+" "+string(rune('a'+i)), func(t *testing.T) {
				t.Parallel()
				c, panel := newClient(t, answer{status: 500})
				err := call(t.Context(), c)
				var e *provisioning.Error
				require.ErrorAs(t, err, &e)
				assert.Equal(t, provisioning.Invalid, e.Kind)
				assert.Contains(t, e.Fields, field)
				assert.False(t, e.MaybeApplied)
				assert.Empty(t, panel.requests())
			})
		}
	}
}
