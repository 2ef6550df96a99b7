package virtfusiontest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
)

func TestThePanelSaysNoInItsOwnWords(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	owner := a.p.AddUser(User{Name: "Ann", Email: "ann@example.com", ExtRelationID: 77})
	foreign, err := a.p.AddServer(Server{OwnerID: owner, Built: true})
	require.NoError(t, err)
	id := a.create()
	order := func(change obj) obj {
		o := smallOrder()
		for name, value := range change {
			o[name] = value
		}
		return o
	}
	tests := []struct {
		name, method, path string
		in                 any
		status             int
		contains           string
	}{
		{"record: server", "GET", "/servers/1", nil, 404, `{"msg":"server not found"}`},
		{"record: not a number", "GET", "/servers/abc", nil, 404, `{"msg":"server not found"}`},
		{"record: power of a missing server", "POST", "/servers/1/power/boot", nil, 404, `{"msg":"server not found"}`},
		{"record: user", "GET", "/users/78/byExtRelation", nil, 404, `{"msg":"ext_relation_id not found"}`},
		{"record: the panel's own id is not the external one", "GET", fmt.Sprintf("/users/%d/byExtRelation", owner), nil, 404, `{"msg":"ext_relation_id not found"}`},
		{"record: queue", "GET", "/queue/1", nil, 404, `"msg"`},
		{"record: package", "GET", "/packages/99", nil, 404, `"msg"`},
		{"record: templates of a missing package", "GET", "/media/templates/fromServerPackageSpec/99", nil, 404, `"msg"`},
		{"record: hypervisor group", "GET", "/compute/hypervisors/groups/1", nil, 404, `"msg"`},
		{"record: group resources", "GET", "/compute/hypervisors/groups/1/resources", nil, 404, `"msg"`},
		{"record: hypervisor", "GET", "/compute/hypervisors/1", nil, 404, `"msg"`},
		{"record: key", "GET", "/ssh_keys/1", nil, 404, `"msg"`},
		{"record: keys of a missing user", "GET", "/ssh_keys/user/99", nil, 404, `"msg"`},
		{"record: servers of a missing user", "GET", "/servers/user/99", nil, 404, `"msg"`},
		{"route: unknown", "GET", "/servers/1/nothing", nil, 404, "<html>"},
		{"route: moved operation", "PATCH", "/servers/1/name", nil, 404, "<html>"},
		{"route: without id", "GET", "/servers/", nil, 404, "<html>"},
		{"route: other method", "PUT", "/servers/1", nil, 405, `"message":"The PUT method is not supported`},

		{"create: no body", "POST", "/servers", nil, 422, "The package id field is required."},
		{"create: not JSON", "POST", "/servers", "{", 422, "The hypervisor id field is required."},
		{"create: text for a number", "POST", "/servers", order(obj{"packageId": "x"}), 422, "The package id field must be an integer."},
		{"create: package missing", "POST", "/servers", order(obj{"packageId": 99}), 422, "package"},
		{"create: package disabled", "POST", "/servers", order(obj{"packageId": PackageDisabled}), 422, "package"},
		{"create: user missing", "POST", "/servers", order(obj{"userId": 77}), 422, "user"},
		{"create: a hypervisor is not a group", "POST", "/servers", order(obj{"hypervisorId": 11}), 422, "hypervisor group"},
		{"create: firewall ruleset", "POST", "/servers", order(obj{"firewallRulesets": []int{1}}), 422, `{"errors":["Invalid or disabled firewall ruleset"]}`},
		{"create: negative", "POST", "/servers", order(obj{"ipv4": -1}), 422, "at least 0"},
		{"create: no memory", "POST", "/servers", order(obj{"memory": 0}), 422, "at least 1"},
		{"create: more memory than any hypervisor has", "POST", "/servers", order(obj{"memory": 2 << 20}), 422, "free resources"},
		{"create: more addresses than there are", "POST", "/servers", order(obj{"ipv4": 9000}), 422, "free IPv4"},
		{"build: no system", "POST", serverPath(id, "/build"), obj{}, 422, "required"},
		{"build: unknown system", "POST", serverPath(id, "/build"), obj{"operatingSystemId": 999}, 422, "operating system"},
		{"build: a system the package is too small for", "POST", serverPath(id, "/build"), obj{"operatingSystemId": TemplateWindows}, 422, "operating system"},
		{"build: hostname", "POST", serverPath(id, "/build"), obj{"operatingSystemId": TemplateDebian, "hostname": "a b"}, 422, "hostname"},
		{"build: key of nobody", "POST", serverPath(id, "/build"), obj{"operatingSystemId": TemplateDebian, "sshKeys": []int{5}}, 422, "SSH key"},
		{"build: swap", "POST", serverPath(id, "/build"), obj{"operatingSystemId": TemplateDebian, "swap": 7}, 422, "swap"},
		{"build: switch", "POST", serverPath(id, "/build"), obj{"operatingSystemId": TemplateDebian, "ipv6": "maybe"}, 422, "true or false"},
		{"rename: empty", "PUT", serverPath(id, "/modify/name"), obj{"name": ""}, 422, "required"},
		{"rename: too long", "PUT", serverPath(id, "/modify/name"), obj{"name": strings.Repeat("x", 64)}, 422, "63"},
		{"key: not a key", "POST", "/ssh_keys", obj{"userId": 1, "name": "k", "publicKey": "nonsense"}, 422, "public key"},
		{"key: no owner", "POST", "/ssh_keys", obj{"userId": 99, "name": "k", "publicKey": "ssh-ed25519 AAAA"}, 422, "user"},
		{"user: e-mail is taken", "POST", "/users", obj{"name": "Bob", "email": "ANN@example.com"}, 422, "already been taken"},
		{"user: external id is taken", "POST", "/users", obj{"name": "Bob", "email": "bob@example.com", "extRelationId": 77}, 422, "already been taken"},
		{"user: not an e-mail", "POST", "/users", obj{"name": "Bob", "email": "bob"}, 422, "email"},
		{"user: self service", "POST", "/users", obj{"name": "Bob", "email": "bob@example.com", "selfService": 4}, 422, "self service"},
		{"user: owner of servers", "DELETE", "/users/77/byExtRelation", nil, 409, "errors"},
		{"page: too large", "GET", "/servers?results=201", nil, 422, "results"},
		{"page: zero", "GET", "/servers?page=0", nil, 422, "page"},
		{"vnc: no action", "POST", serverPath(id, "/vnc"), obj{"enabled": true}, 422, "action"},
		{"power of a server without a system", "POST", serverPath(id, "/power/boot"), nil, 423, `"msg"`},
		{"shutdown of a foreign server works", "POST", serverPath(foreign.ID, "/power/shutdown"), nil, 200, "queueId"},
		{"power while a queue item is unfinished", "POST", serverPath(foreign.ID, "/power/boot"), nil, 423, `{"msg":"pending tasks in queue"}`},
		{"build while a queue item is unfinished", "POST", serverPath(foreign.ID, "/build"), obj{"operatingSystemId": TemplateDebian}, 423, `"msg"`},
		{"suspend while a queue item is unfinished", "POST", serverPath(foreign.ID, "/suspend"), nil, 423, `"msg"`},
	}
	before := len(a.p.Servers())
	for _, tt := range tests { // in order: the last ones build on each other
		status, body := a.do(tt.method, tt.path, tt.in)
		assert.Equal(t, tt.status, status, "%s: %s", tt.name, body)
		assert.Contains(t, body, tt.contains, tt.name)
	}
	assert.Len(t, a.p.Servers(), before, "a refusal changes nothing")
}

func TestDoNotDisturbAndMaintenanceRefuse(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	s, err := a.p.AddServer(Server{Built: true})
	require.NoError(t, err)
	a.p.SetDoNotDisturb(s.ID, true)
	a.want(423, "DELETE", serverPath(s.ID, "?delay=0"), nil)
	a.p.SetMaintenance(true)
	assert.Contains(t, a.want(503, "POST", serverPath(s.ID, "/power/restart"), nil), "msg")
	a.want(422, "POST", "/servers", smallOrder())
	a.p.SetMaintenance(false, s.HypervisorID)
	a.want(200, "POST", serverPath(s.ID, "/power/restart"), nil)
}

func TestTheTokenIsChecked(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{V62: "401 Unauthorized", V70: "401 Unauthorized", V71: ""} {
		a := newAPI(t, WithVersion(version), WithToken("the-token"))
		assert.Equal(t, provisioning.Secret("the-token"), a.p.Token())
		for _, header := range []string{"", "Bearer wrong", "the-token", "Basic the-token"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.p.URL()+"/api/v1/connect", nil)
			require.NoError(t, err)
			req.Header.Set("Authorization", header)
			resp, err := a.p.Transport().RoundTrip(req)
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			assert.Equal(t, 401, resp.StatusCode)
			assert.Equal(t, want, string(body))
		}
		status, body := a.do("GET", "/connect", nil)
		assert.Equal(t, 200, status)
		assert.Equal(t, "[]", body)
	}
}

func TestAPermissionCanBeMissing(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.create()
	a.p.Forbid("suspendServer", "listPackages")
	a.want(403, "POST", serverPath(id, "/suspend"), nil)
	a.want(403, "GET", "/packages", nil)
	a.want(204, "POST", serverPath(id, "/unsuspend"), nil)
}

func TestOlderPanelsLackTheNewRoutesAndAnswerDifferently(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		version             string
		status, actions     int
		change              int
		vncIgnored, hasName bool
	}{{V62, 404, 404, 204, true, false}, {V70, 404, 404, 200, true, true}, {V71, 200, 200, 200, false, true}} {
		a := newAPI(t, WithVersion(tt.version))
		s, err := a.p.AddServer(Server{Built: true})
		require.NoError(t, err)
		status, body := a.do("GET", "/status", nil)
		assert.Equal(t, tt.status, status)
		assert.NotContains(t, body, `"msg"`)
		status, _ = a.do("GET", serverPath(s.ID, "/actions"), nil)
		assert.Equal(t, tt.actions, status)
		status, body = a.do("PUT", serverPath(s.ID, fmt.Sprintf("/package/%d", PackageMedium)), nil)
		assert.Equal(t, tt.change, status)
		assert.Equal(t, tt.change == 204, body == "")
		got := a.want(200, "POST", serverPath(s.ID, "/vnc"), obj{"action": "enable"})
		assert.Equal(t, !tt.vncIgnored, dig(got, "data", "vnc", "enabled"))
		assert.Equal(t, tt.hasName, dig(a.get(serverPath(s.ID, "")), "data", "os", "templateName") == "Debian 12 (Bookworm) Minimal")
	}
}

func TestAnUnhealthyControlServerAnswers503WithTheSameBody(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	healthy := a.get("/status")
	a.p.SetControlHealthy(false)
	ill := a.want(503, "GET", "/status", nil)
	assert.Equal(t, true, dig(healthy, "data", "ok"))
	assert.Equal(t, false, dig(ill, "data", "ok"))
	assert.Equal(t, len(healthy["data"].(obj)), len(ill["data"].(obj)))
}

func TestEachVNCPostRotatesTheToken(t *testing.T) {
	t.Parallel()
	a := newAPI(t, WithVersion(V70))
	id := a.create()
	token := func(o obj) any { return dig(o, "data", "vnc", "wss", "token") }
	first := a.get(serverPath(id, "/vnc"))
	assert.Equal(t, token(first), token(a.get(serverPath(id, "/vnc"))))
	assert.NotContains(t, first["data"], "queueId")
	second := a.want(200, "POST", serverPath(id, "/vnc"), obj{"enabled": true})
	assert.NotEqual(t, token(first), token(second), "7.0 ignores what it does not know, and rotates")
	assert.Contains(t, second["data"], "queueId")
	assert.Equal(t, fmt.Sprintf("/vnc/?token=%s", token(second)), dig(second, "data", "vnc", "wss", "url"))
	assert.Equal(t, dig(first, "data", "vnc", "password"), dig(second, "data", "vnc", "password"))
}

func TestPagesHoldEveryServerOnceAndTheirLinksAreOfNoUse(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for range 45 {
		_, err := a.p.AddServer(Server{})
		require.NoError(t, err)
	}
	seen := map[any]bool{}
	for number := 1; number <= 3; number++ {
		got := a.get(fmt.Sprintf("/servers?page=%d", number))
		for _, row := range got["data"].([]any) {
			assert.False(t, seen[dig(row, "id")])
			seen[dig(row, "id")] = true
		}
		assert.EqualValues(t, []any{float64(number), 3.0, 20.0, 45.0}, []any{got["current_page"], got["last_page"], got["per_page"], got["total"]})
		for _, name := range []string{"first_page_url", "last_page_url", "path"} {
			assert.Contains(t, got[name], "https://10.20.0.5/api/v1/servers", "an address of the panel's own network")
		}
	}
	assert.Len(t, seen, 45)
	second := a.get("/servers?page=2&results=10")
	assert.Equal(t, "https://10.20.0.5/api/v1/servers?page=3", second["next_page_url"], "the page size is forgotten")
	assert.EqualValues(t, []any{11.0, 20.0}, []any{second["from"], second["to"]})
	assert.Contains(t, a.get("/compute/hypervisors/groups?results=1")["next_page_url"], "results=1&page=2")
	beyond := a.get("/servers?page=9")
	assert.Empty(t, beyond["data"])
	assert.Nil(t, beyond["from"])
	assert.Nil(t, beyond["next_page_url"])
	assert.Len(t, a.get("/servers?results=200")["data"], 45)
	assert.Len(t, dig(a.get("/servers?results=1"), "links"), 14, "long pagers are shortened")
	full := a.get("/servers?type=full&results=1")
	assert.Contains(t, dig(full, "data", 0), "network")
	for _, filter := range []string{"hypervisorId=13", "hypervisorId[]=13", "hypervisorId%5B%5D=13&hypervisorId%5B%5D=99"} {
		assert.EqualValues(t, 0, a.get("/servers?" + filter)["total"], filter)
	}
	assert.EqualValues(t, 45, a.get("/servers?hypervisorId[]=11&hypervisorId[]=12")["total"])
}

func TestADryRunChecksAndMakesNothing(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.want(200, "POST", "/servers?dryRun=true", smallOrder())
	a.want(422, "POST", "/servers?dryRun=true", obj{})
	assert.Empty(t, a.p.Servers())
	a.want(201, "POST", "/servers?dryRun=false", smallOrder())
	assert.Len(t, a.p.Servers(), 1)
}

func TestCapacityRunsOut(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	group := a.p.AddHypervisorGroup(HypervisorGroup{
		Name: "Tiny", IPv4: netip.MustParsePrefix("203.0.113.0/29"), Hypervisors: []Hypervisor{{Name: "t1", MemoryMB: 2048}, {Name: "t2", MemoryMB: 1024}},
	})
	order := func(memory, ipv4 int) int {
		status, _ := a.do("POST", "/servers", obj{"packageId": PackageSmall, "userId": 1, "hypervisorId": group, "memory": memory, "ipv4": ipv4})
		return status
	}
	assert.Equal(t, []int{201, 201, 201, 422}, []int{order(1024, 1), order(1024, 0), order(1024, 1), order(1, 0)})
	resources := a.get(fmt.Sprintf("/compute/hypervisors/groups/%d/resources", group))
	for i, free := range []float64{0, 0} {
		assert.Equal(t, free, dig(resources, "data", i, "resources", "memory", "free"))
		assert.EqualValues(t, 3, dig(resources, "data", i, "resources", "network", "total", "ipv4", "free"), "the same pool on each row")
		assert.Nil(t, dig(resources, "data", i, "resources", "cpuCores", "percent"), "without a limit")
		assert.Less(t, dig(resources, "data", i, "resources", "cpuCores", "free"), 0.0)
	}
	a.want(204, "DELETE", "/servers/101?delay=0", nil)
	assert.Equal(t, 422, order(1024, 1), "still there for two seconds")
}

func TestUsersAreFoundByTheCallersOwnIDs(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	const big = int64(9_007_199_254_740_993) // not a float64
	status, body := a.do("POST", "/users", obj{"name": "Ann", "email": "ann@example.com", "extRelationId": big, "relStr": "cust-7", "sendMail": true})
	require.Equal(t, 201, status)
	assert.Contains(t, body, fmt.Sprintf(`"extRelationId":%d`, big))
	var made struct{ Data struct{ Password string } }
	require.NoError(t, json.Unmarshal([]byte(body), &made))
	assert.NotEmpty(t, made.Data.Password)
	assert.Len(t, a.p.Mails(), 1)
	path := fmt.Sprintf("/users/%d/byExtRelation", big)
	got := a.get(path)
	assert.NotContains(t, got["data"], "password")
	assert.Equal(t, got, a.get("/users/cust-7/byExtRelation?relStr=true"))
	a.want(404, "GET", "/users/cust-7/byExtRelation", nil)

	changed := a.want(201, "PUT", path, obj{"name": "Anna"})
	assert.Equal(t, obj{"name": "Anna", "email": "ann@example.com", "selfService": 0.0, "enabled": true}, changed["data"])
	reset := a.want(201, "POST", path+"/resetPassword", nil)
	assert.Equal(t, "ann@example.com", dig(reset, "data", "email"))
	assert.NotEqual(t, made.Data.Password, dig(reset, "data", "password"))
	assert.Len(t, a.p.Mails(), 1, "a reset sends none")
	a.want(204, "DELETE", path, nil)
	a.want(404, "GET", path, nil)
}

func TestKeysBelongToUsers(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	ann := a.p.AddUser(User{Name: "Ann", Email: "ann@example.com"})
	made := a.want(201, "POST", "/ssh_keys", obj{"userId": ann, "name": "laptop", "publicKey": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 ann@laptop"})
	key := int64(dig(made, "data", "id").(float64))
	assert.Contains(t, made["data"], "createdAt")
	assert.Contains(t, a.get(fmt.Sprintf("/ssh_keys/%d", key))["data"], "created")
	assert.Len(t, a.get(fmt.Sprintf("/ssh_keys/user/%d", ann))["data"], 1)
	assert.Empty(t, a.get("/ssh_keys/user/1")["data"])

	a.want(422, "POST", serverPath(a.create(), "/build"), obj{"operatingSystemId": TemplateDebian, "sshKeys": []int64{key}})
	s, err := a.p.AddServer(Server{OwnerID: ann})
	require.NoError(t, err)
	got := a.want(200, "POST", serverPath(s.ID, "/build"), obj{"operatingSystemId": TemplateDebian, "sshKeys": []int64{key}})
	assert.Contains(t, dig(got, "data", "sshKeys", 0), "public")
	a.want(204, "DELETE", fmt.Sprintf("/ssh_keys/%d", key), nil)
	a.want(404, "DELETE", fmt.Sprintf("/ssh_keys/%d", key), nil)
}

func TestTheCatalogueIsWhatItSays(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	assert.Equal(t, "VPS S", dig(a.get(fmt.Sprintf("/packages/%d", PackageSmall)), "data", "name"))
	assert.Equal(t, false, dig(a.get(fmt.Sprintf("/packages/%d", PackageDisabled)), "data", "enabled"))
	assert.Len(t, a.get("/packages")["data"], 4)
	assert.Equal(t, "Amsterdam", dig(a.get(fmt.Sprintf("/compute/hypervisors/groups/%d", GroupAmsterdam)), "data", "name"))
	assert.Equal(t, "Frankfurt", dig(a.get(fmt.Sprintf("/compute/hypervisors/groups/%d", GroupFrankfurt)), "data", "name"))
	assert.EqualValues(t, 3, a.get("/compute/hypervisors")["total"])
	ids := func(path string) map[int64]string {
		found := map[int64]string{}
		for _, g := range a.get(path)["data"].([]any) {
			for _, tpl := range dig(g, "templates").([]any) {
				found[int64(dig(tpl, "id").(float64))] = dig(g, "name").(string)
			}
		}
		return found
	}
	small, large := ids(fmt.Sprintf("/media/templates/fromServerPackageSpec/%d", PackageSmall)), ids(fmt.Sprintf("/media/templates/fromServerPackageSpec/%d", PackageLarge))
	assert.Equal(t, []string{"Ubuntu", "Debian", "FreeBSD", "Other", ""},
		[]string{small[TemplateUbuntu], small[TemplateDebian], small[TemplateFreeBSD], small[TemplateAlpine], small[TemplateWindows]})
	assert.Equal(t, "Windows", large[TemplateWindows])
	assert.Equal(t, small, ids(serverPath(a.create(), "/templates")))
	own := a.p.AddTemplate(Template{Group: "Debian", Name: "Debian", Version: "13"})
	assert.Equal(t, "Debian", ids(fmt.Sprintf("/media/templates/fromServerPackageSpec/%d", PackageSmall))[own])
	assert.Equal(t, "XL", dig(a.get(fmt.Sprintf("/packages/%d", a.p.AddPackage(Package{Name: "XL", MemoryMB: 1, DiskGB: 1, Cores: 1}))), "data", "name"))
}

func TestBackupsAreListed(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.create()
	path := fmt.Sprintf("/backups/server/%d", id)
	assert.Empty(t, a.get(path)["data"])
	a.p.AddBackup(id)
	assert.EqualValues(t, id, dig(a.get(path), "data", 0, "serverId"))
}

func TestAnEmptyPanelHasOnlyItsAdministrator(t *testing.T) {
	t.Parallel()
	a := newAPI(t, WithoutCatalogue())
	assert.Empty(t, a.get("/packages")["data"])
	_, err := a.p.AddServer(Server{})
	require.Error(t, err)
	a.want(422, "POST", "/servers", smallOrder())
	assert.Empty(t, a.get("/servers/user/1")["data"])
}

// TestFaultsOfACreate shows what each action leaves behind; the first look is right after the answer, the second 100 seconds later.
func TestFaultsOfACreate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		fault       provisioningtest.Fault
		status      int // 0: no answer
		made, later int
	}{
		{provisioningtest.Fault{Do: provisioningtest.Refuse}, 0, 0, 0},
		{provisioningtest.Fault{Do: provisioningtest.CutBefore}, 0, 0, 0},
		{provisioningtest.Fault{Do: provisioningtest.CutAfter}, 0, 1, 1},
		{provisioningtest.Fault{Do: provisioningtest.CommitLate, Late: 40 * time.Second}, 0, 0, 1},
		{provisioningtest.Fault{Do: provisioningtest.Answer, Status: 422, Body: `{"errors":["no"]}`}, 422, 0, 0},
		{provisioningtest.Fault{Do: provisioningtest.AnswerLate, Status: 504}, 504, 1, 1},
		{provisioningtest.Fault{Do: provisioningtest.HTML}, 502, 0, 0},
		{provisioningtest.Fault{Do: provisioningtest.CutBody}, 0, 1, 1},
		{provisioningtest.Fault{Do: provisioningtest.Hang}, 0, 0, 0},
		{provisioningtest.Fault{Do: provisioningtest.HangAfter}, 0, 1, 1},
		{provisioningtest.Fault{Do: provisioningtest.Slow, Delay: 20 * time.Second}, 201, 1, 1},
	}
	for _, tt := range tests {
		t.Run(string(tt.fault.Do), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := newAPI(t)
				tt.fault.Op = "createServer"
				a.p.Inject(tt.fault)
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				a.get("/packages") // another operation is not hit
				status, _, err := a.send(ctx, "POST", "/servers", smallOrder())
				if tt.status == 0 {
					require.Error(t, err)
				} else {
					require.NoError(t, err)
					assert.Equal(t, tt.status, status)
				}
				assert.Len(t, a.p.Servers(), tt.made)
				time.Sleep(100 * time.Second)
				assert.Len(t, a.p.Servers(), tt.later)
				assert.Empty(t, a.p.Faults().Unused())
			})
		})
	}
}

func TestAServerOfALateCommitCarriesTheTimeOfTheCommit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		a.p.Inject(provisioningtest.Fault{Op: "createServer", Do: provisioningtest.CommitLate, Late: 40 * time.Second})
		start := time.Now()
		_, _, err := a.send(t.Context(), "POST", "/servers", smallOrder())
		require.Error(t, err)
		time.Sleep(40*time.Second - time.Nanosecond)
		assert.Empty(t, a.get("/servers/user/1")["data"])
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		assert.Len(t, a.get("/servers/user/1")["data"], 1)
		assert.Equal(t, start.Add(40*time.Second).UTC(), a.p.Servers()[0].Created)
	})
}

func TestAHundredOrdersAtOnceMakeAHundredServers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		var clients sync.WaitGroup
		for range 100 {
			clients.Go(func() {
				status, body, err := a.send(t.Context(), "POST", "/servers", smallOrder())
				assert.NoError(t, err)
				assert.Equal(t, 201, status, body)
			})
		}
		clients.Wait()
		uuids, addresses := map[string]bool{}, map[netip.Addr]bool{}
		for _, s := range a.p.Servers() {
			uuids[s.UUID], addresses[s.IPv4[0]] = true, true
		}
		assert.Len(t, uuids, 100)
		assert.Len(t, addresses, 100)
		assert.Equal(t, 100, a.p.Count("createServer"))
		assert.Len(t, a.p.Requests(), 100)
	})
}

func TestAProgramServesThePanel(t *testing.T) {
	t.Parallel()
	p := NewPanel(Options{URL: "http://panel.example", Timing: Timing{Build: -1}})
	defer p.Close()
	web := httptest.NewServer(p)
	defer web.Close()
	assert.Equal(t, "http://panel.example", p.URL())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, web.URL+"/api/v1/packages", nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+p.Token().Reveal())
	resp, err := web.Client().Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	assert.Equal(t, 200, resp.StatusCode)
	assert.Equal(t, "nginx", resp.Header.Get("Server"))
	assert.Equal(t, "application/json", resp.Header.Get("Content-Type"))
}

// fakeT records what New reports.
type fakeT struct {
	testing.TB
	errors   []string
	cleanups []func()
}

func (f *fakeT) Helper()           {}
func (f *fakeT) Cleanup(fn func()) { f.cleanups = append(f.cleanups, fn) }
func (f *fakeT) Errorf(format string, args ...any) {
	f.errors = append(f.errors, fmt.Sprintf(format, args...))
}

func TestAFaultThatNeverHappensFailsTheTest(t *testing.T) {
	t.Parallel()
	f := &fakeT{TB: t}
	p := New(f)
	p.Inject(provisioningtest.Fault{Op: "createServer", Do: provisioningtest.Hang})
	require.Len(t, f.cleanups, 1)
	f.cleanups[0]()
	require.Len(t, f.errors, 1)
	assert.Contains(t, f.errors[0], "createServer")
}

func TestEveryOperationOfThePanelIsADocumentedOne(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../testdata/operations/virtfusion.tsv")
	require.NoError(t, err)
	documented := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n")[1:] {
		cells := strings.Split(line, "\t")
		documented[cells[2]] = cells[0] + " " + cells[1]
	}
	for _, op := range operations() {
		assert.Equal(t, documented[op.id], op.route, op.id)
	}
}

func TestAGroupHandsOutOnlyTheSubnetsItHas(t *testing.T) {
	t.Parallel()
	a := newAPI(t, WithTiming(Timing{Build: -1}))
	for prefix, want := range map[string]int{"2001:db8:1::/62": 3, "2001:db8:2::/64": 0, "2001:db8:3::/80": 0, "": 0} {
		g := HypervisorGroup{Name: "G", IPv4: netip.MustParsePrefix("203.0.113.0/24"), Hypervisors: []Hypervisor{{Name: "h"}}}
		if prefix != "" {
			g.IPv6 = netip.MustParsePrefix(prefix)
		}
		group := a.p.AddHypervisorGroup(g)
		got := map[netip.Prefix]bool{}
		for range 5 {
			s, err := a.p.AddServer(Server{GroupID: group})
			require.NoError(t, err)
			a.want(200, "POST", serverPath(s.ID, "/build"), obj{"operatingSystemId": TemplateDebian, "ipv6": true})
			s, _ = a.p.Server(s.ID)
			assert.Equal(t, "complete", s.State)
			for _, subnet := range s.IPv6 {
				got[subnet] = true
			}
		}
		assert.Len(t, got, want, prefix)
	}
}
