package solusvm2test

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheTokenIsChecked(t *testing.T) {
	t.Parallel()
	a := newAPI(t, WithToken("the-token"))
	for _, header := range []string{"", "Bearer wrong", "the-token", "Basic the-token", "Bearer "} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.p.URL()+"/api/v1/account", nil)
		require.NoError(t, err)
		req.Header.Set("Authorization", header)
		resp, err := a.p.Transport().RoundTrip(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, 401, resp.StatusCode, header)
	}
	a.want(204, "GET", "/auth", nil)
	assert.Equal(t, "ADMIN", dig(a.get("/account"), "data", "roles", 0, "name"))
	a.token = "wrong"
	assert.Equal(t, "Unauthenticated.", a.want(401, "GET", "/auth", nil)["message"])
	assert.Empty(t, a.p.TokenFor(99))
}

func TestALoginGivesATokenThatExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, WithTokenLife(time.Hour))
		ann := a.p.AddUser(User{Email: "ann@example.com", Password: "geheim"})
		a.p.AddUser(User{Email: "nopassword@example.com"})
		a.want(422, "POST", "/auth/login", obj{"email": "nopassword@example.com", "password": ""})
		a.token = ""
		login := func(password string) {
			got := a.want(200, "POST", "/auth/login", obj{"email": "ann@example.com", "password": password})
			a.token = secret(dig(got, "data", "credentials", "access_token"))
			assert.Equal(t, "Bearer", dig(got, "data", "credentials", "token_type"))
			assert.Equal(t, time.Now().Add(time.Hour).UTC().Format("2006-01-02T15:04:05.000000Z"), dig(got, "data", "credentials", "expires_at"))
		}
		login("geheim")
		time.Sleep(time.Hour - time.Nanosecond)
		assert.Equal(t, "ann@example.com", dig(a.get("/account"), "data", "email"))
		time.Sleep(time.Nanosecond)
		a.want(401, "GET", "/account", nil)
		login("geheim")
		a.get("/account")
		a.p.EndLogins()
		a.want(401, "GET", "/account", nil)
		login("geheim")
		admin := &api{t, a.p, a.p.Token()}
		admin.want(200, "PATCH", fmt.Sprintf("/users/%d", ann), obj{"password": "anders"})
		a.want(401, "GET", "/account", nil)
		login("anders")
		time.Sleep(100 * 24 * time.Hour)
		admin.get("/account")
		a.as(ann).get("/account")
	})
}

func TestACustomerSeesTheProjectViewsAndNotTheNode(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	ann := a.p.AddUser(User{Email: "ann@example.com"})
	bob := a.p.AddUser(User{Email: "bob@example.com"})
	mine, foreign := a.foreign(Server{UserID: ann, Name: "mine"}), a.foreign(Server{UserID: bob, Name: "foreign"})
	customer := a.as(ann)
	project := fmt.Sprintf("/projects/%d", mine.ProjectID)
	assert.Equal(t, "CLIENT", dig(customer.get("/account"), "data", "roles", 0, "name"))
	for _, path := range []string{
		"/servers", "/plans", "/ssh_keys", "/tasks", "/users", "/compute_resources", "/ip_blocks", "/roles", "/limit_groups", "/activity_logs", "/settings", "/permissions",
	} {
		assert.Equal(t, "This action is unauthorized.", customer.want(403, "GET", path, nil)["message"], path)
	}
	customer.want(403, "POST", "/servers", nodeOrder())
	customer.want(403, "POST", serverPath(mine.ID, "/suspend"), nil)
	assert.Equal(t, []int64{mine.ID}, ids(customer.get(project+"/servers")))
	assert.NotContains(t, ids(customer.get(project+"/plans")), PlanHidden)
	assert.Equal(t, []int64{mine.ProjectID}, ids(customer.get("/projects")))
	assert.Len(t, ids(a.get("/projects")), 3, "the administrator sees all")
	customer.want(201, "POST", project+"/ssh_keys", obj{"name": "k", "public_key": aKey})
	customer.want(201, "POST", project+"/ssh_keys", obj{"name": "k", "body": aKey})
	assert.Len(t, ids(customer.get(project+"/ssh_keys")), 2)
	assert.Empty(t, ids(a.get(fmt.Sprintf("/projects/%d/ssh_keys", foreign.ProjectID))))
	for _, path := range []string{"/locations", "/os_images", "/applications", "/languages", "/iso_images"} {
		assert.NotEmpty(t, ids(customer.get(path)), path)
	}
	customer.get(serverPath(mine.ID, ""))
	customer.get("/usage/cpu/" + mine.UUID)
	customer.want(200, "POST", serverPath(mine.ID, "/restart"), nil)
	customer.want(422, "POST", project+"/servers", with(projectOrder(), obj{"plan_id": PlanHidden}))
	for _, path := range []string{
		serverPath(foreign.ID, ""), fmt.Sprintf("/projects/%d", foreign.ProjectID), fmt.Sprintf("/projects/%d/servers", foreign.ProjectID), "/usage/cpu/" + foreign.UUID,
	} {
		customer.want(403, "GET", path, nil)
	}
	customer.want(403, "DELETE", serverPath(foreign.ID, ""), nil)
	customer.want(403, "POST", "/servers/start", obj{"ids": []int64{mine.ID, foreign.ID}})
}

func TestMembersShareAProject(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	ann, bob := a.p.AddUser(User{Email: "ann@example.com"}), a.p.AddUser(User{Email: "bob@example.com"})
	s := a.foreign(Server{UserID: ann, ProjectID: a.p.AddProject(ann, "shop")})
	project := fmt.Sprintf("/projects/%d", s.ProjectID)
	a.as(bob).want(403, "GET", project, nil)
	a.as(ann).want(201, "POST", project+"/members", obj{"email": "bob@example.com"})
	members := a.as(bob).get(project + "/members")
	assert.Equal(t, "bob@example.com", dig(members, "data", 1, "email"))
	a.as(bob).get(serverPath(s.ID, ""))
	a.as(bob).want(403, "PUT", project, obj{"name": "mine"})
	a.as(ann).want(200, "PUT", project, obj{"name": "shop 2", "description": "d"})
	path := fmt.Sprintf("%s/members/%v", project, dig(members, "data", 1, "id"))
	a.as(ann).want(204, "POST", path+"/resend_invite", nil)
	assert.Len(t, a.p.Mails(), 2)
	a.as(ann).want(204, "DELETE", path, nil)
	a.as(ann).want(404, "DELETE", path, nil)
	a.as(bob).want(403, "GET", serverPath(s.ID, ""), nil)
	a.as(ann).want(409, "DELETE", project, nil)
	empty := fmt.Sprintf("/projects/%d", a.p.AddProject(ann, "empty"))
	a.as(ann).want(204, "DELETE", empty, nil)
	assert.Equal(t, "shop 2", dig(a.get(fmt.Sprintf("/users/%d/projects", ann)), "data", 1, "name"))
}

func TestAUserMayBeBoundToAddresses(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	here := a.p.AddUser(User{Email: "here@example.com", Password: "x", AllowedIPs: []string{"10.0.0.1", "127.0.0.0/8"}})
	there := a.p.AddUser(User{Email: "there@example.com", Password: "x", AllowedIPs: []string{"10.0.0.1"}})
	a.as(here).get("/account")
	a.as(there).want(403, "GET", "/account", nil)
	a.want(200, "POST", "/auth/login", obj{"email": "here@example.com", "password": "x"})
	a.want(403, "POST", "/auth/login", obj{"email": "there@example.com", "password": "x"})
}

func TestMaintenanceBindsEverybodyWithoutThePermission(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	role := id(a.want(201, "POST", "/roles", obj{"name": "support", "permissions": []int64{PermissionMaintenance}}))
	ann := a.p.AddUser(User{Email: "ann@example.com"})
	s := a.foreign(Server{UserID: ann})
	a.p.SetMaintenance(s.ComputeResourceID, true)
	assert.Contains(t, a.as(ann).want(403, "POST", serverPath(s.ID, "/restart"), nil)["message"], "maintenance")
	a.as(ann).want(403, "PATCH", serverPath(s.ID, ""), obj{"boot_mode": "rescue"})
	a.as(ann).want(403, "POST", "/servers/restart", obj{"ids": []int64{s.ID}})
	a.as(ann).get(serverPath(s.ID, ""))
	made := a.as(ann).want(201, "POST", fmt.Sprintf("/projects/%d/servers", s.ProjectID), projectOrder())
	assert.Equal(t, NodeAmsterdam2, a.truth(id(made)).ComputeResourceID, "the other one")
	a.want(200, "PATCH", fmt.Sprintf("/users/%d", ann), obj{"roles": []int64{RoleClient, role}})
	a.as(ann).want(200, "POST", serverPath(s.ID, "/restart"), nil)
	assert.Equal(t, "support", dig(a.get(fmt.Sprintf("/roles/%d", role)), "data", "name"))
	a.p.SetMaintenance(s.ComputeResourceID, false)
	a.as(ann).want(200, "PATCH", serverPath(s.ID, ""), obj{"description": "x"})
}

func TestLimitsBindCustomers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		group := a.p.AddLimitGroup(LimitGroup{Name: "small", Servers: 1, RunningServers: -1, AdditionalIPs: 1})
		ann := a.p.AddUser(User{Email: "ann@example.com"})
		got := a.want(200, "PUT", fmt.Sprintf("/users/%d", ann), obj{"limit_group_id": group})
		assert.Equal(t, obj{"limit": 1.0, "is_enabled": true}, dig(got, "data", "limit_group", "vms"))
		assert.Equal(t, false, dig(a.get("/limit_groups"), "data", 0, "running_vms", "is_enabled"))
		project := fmt.Sprintf("/projects/%d/servers", a.p.Users()[1].ProjectID)
		server := id(a.as(ann).want(201, "POST", project, projectOrder()))
		a.as(ann).want(422, "POST", project, projectOrder())
		a.want(201, "POST", project, projectOrder())
		time.Sleep(30 * time.Second)
		a.as(ann).want(422, "POST", serverPath(server, "/ips"), obj{"count": 2})
		a.as(ann).want(200, "POST", serverPath(server, "/ips"), nil)
		time.Sleep(30 * time.Second)
		a.as(ann).want(422, "POST", serverPath(server, "/ips"), nil)
		a.want(200, "POST", serverPath(server, "/ips"), nil)
	})
}

func TestAnOperationCanBeForbiddenToAll(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	s := a.foreign(Server{})
	a.p.Forbid("listTasks", "suspendServer")
	a.want(403, "GET", "/tasks", nil)
	a.want(403, "POST", serverPath(s.ID, "/suspend"), nil)
	a.want(200, "POST", serverPath(s.ID, "/restart"), nil)
}
