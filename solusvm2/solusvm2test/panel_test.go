package solusvm2test

import (
	"context"
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

const aKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 ann@laptop"

func TestThePanelSaysNoInItsOwnWords(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	ann := a.p.AddUser(User{Email: "ann@example.com"})
	annsProject := a.p.Users()[1].ProjectID
	s := a.foreign(Server{Name: "web"})
	key := id(a.want(201, "POST", "/ssh_keys", obj{"name": "k", "body": aKey, "user_id": ann}))
	server, resource := serverPath(s.ID, ""), fmt.Sprintf("/compute_resources/%d", NodeAmsterdam1)
	tests := []struct {
		name, method, path string
		in                 any
		status             int
		contains           string
	}{
		{"record: server", "GET", "/servers/1", nil, 404, `{"message":"No query results for model [App\\Models\\ComputeResourceVm] 1"}`},
		{"record: not a number", "GET", "/servers/abc", nil, 404, "No query results"},
		{"record: power of a missing server", "POST", "/servers/1/start", nil, 404, "No query results"},
		{"record: task", "GET", "/tasks/1", nil, 404, "Task] 1"},
		{"record: plan", "GET", "/plans/99", nil, 404, "Plan] 99"},
		{"record: location", "GET", "/locations/99", nil, 404, "Location] 99"},
		{"record: a version is not an image", "GET", fmt.Sprintf("/os_images/%d", VersionDebian12), nil, 404, "OsImage]"},
		{"record: versions of a missing image", "GET", "/os_images/99/versions", nil, 404, "OsImage]"},
		{"record: user", "GET", "/users/99", nil, 404, "User] 99"},
		{"record: project", "GET", "/projects/1", nil, 404, "Project] 1"},
		{"record: key", "GET", "/ssh_keys/1", nil, 404, "SshKey] 1"},
		{"record: block", "GET", "/ip_blocks/1", nil, 404, "IpBlock] 1"},
		{"record: address", "DELETE", "/ips/1", nil, 404, "Ip] 1"},
		{"record: snapshot", "GET", "/snapshots/1", nil, 404, "Snapshot] 1"},
		{"record: backup", "POST", "/backups/1/restore", nil, 404, "Backup] 1"},
		{"record: role", "GET", "/roles/9", nil, 404, "Role] 9"},
		{"record: compute resource", "PATCH", "/compute_resources/1", obj{}, 404, "ComputeResource] 1"},
		{"record: usage of an unknown server", "GET", "/usage/cpu/00000000-0000-4000-8000-000000000000", nil, 404, "No query results"},
		{"record: usage of an unknown kind", "GET", "/usage/heat/" + s.UUID, nil, 404, "No query results"},
		{"route: unknown is the browser's page with 200", "GET", "/servers/1/nothing", nil, 200, "<!DOCTYPE html>"},
		{"route: event handlers have none", "GET", "/event_handlers", nil, 200, "<!DOCTYPE html>"},
		{"route: removing one address by path", "DELETE", server + "/ips/3001", nil, 200, "<!DOCTYPE html>"},
		{"route: other method", "PUT", server + "/start", nil, 405, "The PUT method is not supported for this route. Supported methods: POST."},

		{"create: no body", "POST", "/servers", nil, 422, `"name":["The name field is required."]`},
		{"create: not JSON", "POST", "/servers", "{", 422, `"message":"The given data was invalid."`},
		{"create: text for a number", "POST", "/servers", with(nodeOrder(), obj{"plan": "x"}), 422, `"plan":["The plan must be an integer."]`},
		{"create: plan missing", "POST", "/servers", with(nodeOrder(), obj{"plan": 99}), 422, `"plan":["The selected plan is invalid."]`},
		{"create: no plan at all", "POST", "/servers", with(nodeOrder(), obj{"plan": nil}), 422, "The plan field is required."},
		{"create: location missing", "POST", "/servers", with(nodeOrder(), obj{"location": 99}), 422, `"location":["The selected location is invalid."]`},
		{"create: an image is not a version", "POST", "/servers", with(nodeOrder(), obj{"os": ImageDebian}), 422, `"os":["The selected os is invalid."]`},
		{"create: neither system nor application", "POST", "/servers", with(nodeOrder(), obj{"os": nil}), 422, "The os field is required when application"},
		{"create: both", "POST", "/servers", with(nodeOrder(), obj{"application": ApplicationNginx}), 422, "prohibited"},
		{"create: application without its input", "POST", "/servers", with(nodeOrder(), obj{"os": nil, "application": ApplicationWordPress, "application_data": obj{}}), 422,
			`"application_data.admin_email"`},
		{"create: system of another virtualization", "POST", "/servers", with(nodeOrder(), obj{"os": VersionAlmaVZ}), 422, "not available for the plan"},
		{"create: keys on Windows", "POST", "/servers", with(nodeOrder(), obj{"os": VersionWindows, "user": ann, "ssh_keys": []int64{key}}), 422, "SSH keys"},
		{"create: key of somebody else", "POST", "/servers", with(nodeOrder(), obj{"ssh_keys": []int64{key}}), 422, "does not belong"},
		{"create: key of nobody", "POST", "/servers", with(nodeOrder(), obj{"ssh_keys": []int64{5}}), 422, `"ssh_keys.0"`},
		{"create: host name", "POST", "/servers", with(nodeOrder(), obj{"name": "a b"}), 422, "The name format is invalid."},
		{"create: line ends of user data", "POST", "/servers", with(nodeOrder(), obj{"user_data": "#cloud-config\r\n"}), 422, "user_data"},
		{"create: project of another user", "POST", "/servers", with(nodeOrder(), obj{"user": 1, "project": annsProject}), 422, "does not belong"},
		{"create: pinned where there is no room", "POST", "/servers", with(nodeOrder(), obj{"custom_plan": obj{"params": obj{"disk": 2_000_000}}}), 422, "no available"},
		{"create: more addresses than there are", "POST", "/servers", with(nodeOrder(), obj{"additional_ip_count": 9000}), 422, "not be greater than 1000"},
		{"create: a primary address that is taken", "POST", "/servers", with(nodeOrder(), obj{"primary_ip": "198.18.0.2"}), 422, "has already been reserved"},
		{"create: a primary address of another place", "POST", "/servers", with(nodeOrder(), obj{"primary_ip": "198.18.32.9"}), 422, "has already been reserved"},
		{"create: no addresses of IPv7", "POST", "/servers", with(nodeOrder(), obj{"ip_types": []string{"IPv7"}}), 422, "ip_types"},
		{"create: megabytes where bytes belong", "POST", "/servers", with(nodeOrder(), obj{"custom_plan": obj{"params": obj{"ram": 2048}}}), 422, `"custom_plan.params.ram"`},
		{"create: a schedule without time", "POST", "/servers", with(nodeOrder(), obj{"backup_settings": obj{"enabled": true, "schedule": obj{"type": "daily"}}}), 422,
			`"backup_settings.schedule.time"`},

		{"reinstall: the other vocabulary", "POST", server + "/reinstall", obj{"os_image_version_id": VersionDebian12}, 422, "The os field is required"},
		{"reinstall: unknown system", "POST", server + "/reinstall", obj{"os": 999}, 422, "The selected os is invalid."},
		{"resize: no plan", "POST", server + "/resize", obj{"preserve_disk": true}, 422, "plan id field is required"},
		{"resize: no word about the disk", "POST", server + "/resize", obj{"plan_id": PlanMedium}, 422, "preserve disk field is required"},
		{"resize: another virtualization", "POST", server + "/resize", obj{"plan_id": PlanStorage, "preserve_disk": true}, 422, "virtualization"},
		{"stop: switch", "POST", server + "/stop", obj{"force": "maybe"}, 422, "true or false"},
		{"snapshot: no name", "POST", server + "/snapshots", obj{}, 422, "required"},
		{"addresses: one and two at once", "POST", server + "/ips", obj{"ip": "198.18.0.9", "count": 2}, 422, "count"},
		{"addresses: of another place", "POST", server + "/ips", obj{"ip": "203.0.113.1"}, 422, "The IP address has already been reserved"},
		{"addresses: not one", "POST", server + "/ips", obj{"ip": "1.2.3"}, 422, "valid IP address"},
		{"patch: boot mode", "PATCH", server, obj{"boot_mode": "floppy"}, 422, "boot mode"},
		{"patch: no name", "PATCH", server, obj{"name": ""}, 422, "required"},
		{"patch: names", "PATCH", server, obj{"fqdns": []string{"a_b"}}, 422, `"fqdns.0"`},
		{"settings: cache", "PATCH", server + "/settings", obj{"disk_cache_mode": "fast"}, 422, "disk cache mode"},

		{"user: e-mail is taken", "POST", "/users", obj{"email": "ANN@example.com"}, 422, `"email":["The email has already been taken."]`},
		{"user: not an e-mail", "POST", "/users", obj{"email": "bob"}, 422, "valid email"},
		{"user: role", "POST", "/users", obj{"email": "bob@example.com", "roles": []int64{9}}, 422, `"roles.0"`},
		{"user: status", "PATCH", fmt.Sprintf("/users/%d", ann), obj{"status": "gone"}, 422, "status"},
		{"user: allowed addresses", "PATCH", fmt.Sprintf("/users/%d", ann), obj{"allowed_ips": []string{"x"}}, 422, `"allowed_ips.0"`},
		{"user: owner of servers", "DELETE", "/users/1", nil, 409, "has servers"},
		{"project: name", "POST", "/projects", obj{}, 422, "required"},
		{"project: the default one", "DELETE", fmt.Sprintf("/projects/%d", annsProject), nil, 409, "default"},
		{"key: not a key", "POST", "/ssh_keys", obj{"name": "k", "body": "nonsense", "user_id": 1}, 422, "SSH public key"},
		{"key: two lines", "POST", "/ssh_keys", obj{"name": "k", "body": aKey + "\n" + aKey, "user_id": 1}, 422, "SSH public key"},
		{"key: the other member", "POST", "/ssh_keys", obj{"name": "k", "public_key": aKey, "user_id": 1}, 422, `"body":["The body field is required."]`},
		{"key: no owner", "POST", "/ssh_keys", obj{"name": "k", "body": aKey}, 422, `"user_id"`},
		{"plan: megabytes where bytes belong", "POST", "/plans", obj{"name": "p", "virtualization_type": "kvm", "storage_type": "fb", "image_format": "qcow2",
			"params": obj{"disk": 10, "ram": 2048, "vcpu": 1}}, 422, `"params.ram":["The ram must be at least 134217728."]`},
		{"plan: a unit of the past", "POST", "/plans", obj{"name": "p", "virtualization_type": "kvm", "storage_type": "fb", "image_format": "qcow2",
			"params": obj{"disk": 10, "ram": 1 << 30, "vcpu": 1}, "limits": obj{"network_total_traffic": obj{"limit": 1, "unit": "GB"}}}, 422, `"limits.network_total_traffic.unit"`},
		{"plan: in use", "DELETE", fmt.Sprintf("/plans/%d", PlanSmall), nil, 409, "used"},
		{"plans: in use", "DELETE", "/plans", obj{"ids": []int64{PlanMedium, PlanSmall}}, 409, "used"},
		{"location: in use", "DELETE", fmt.Sprintf("/locations/%d", LocationAmsterdam), nil, 409, "servers"},
		{"compute resource: in use", "DELETE", resource, obj{"force": false}, 409, "servers"},
		{"compute resource: key is missing", "POST", "/compute_resources", obj{"name": "n", "host": "h", "login": "root", "type": "lkey"}, 422, `"key"`},
		{"block: no range", "POST", "/ip_blocks", obj{"name": "b", "type": "IPv4", "gateway": "192.0.2.1"}, 422, `"from"`},
		{"block: subnet", "POST", "/ip_blocks", obj{"name": "b", "type": "IPv6", "gateway": "2001:db8::1", "range": "2001:db8::/64", "subnet": 64}, 422, `"subnet"`},
		{"block: in use", "DELETE", "/ip_blocks/201", nil, 409, "in use"},
		{"application: schema", "POST", "/applications", obj{"name": "a", "json_schema": "{"}, 422, `"json_schema"`},
		{"role: name", "POST", "/roles", obj{"name": "ADMIN"}, 422, "taken"},
		{"invitation: not an e-mail", "POST", fmt.Sprintf("/projects/%d/members", annsProject), obj{"email": "x"}, 422, "valid email"},
		{"login: wrong", "POST", "/auth/login", obj{"email": "ann@example.com", "password": "x"}, 422, "do not match our records"},
		{"login: nothing", "POST", "/auth/login", obj{}, 422, "required"},
	}
	before := a.p.Servers()
	for _, tt := range tests {
		status, body := a.do(tt.method, tt.path, tt.in)
		assert.Equal(t, tt.status, status, "%s: %s", tt.name, body)
		assert.Contains(t, body, tt.contains, tt.name)
	}
	assert.Equal(t, before, a.p.Servers(), "a refusal changes nothing")
	assert.Empty(t, ids(a.get("/tasks")))
}

func TestEachCreateHasItsOwnVocabulary(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	ann := a.p.AddUser(User{Email: "ann@example.com"})
	project := a.p.Users()[1].ProjectID
	for _, tt := range []struct {
		path            string
		order           obj
		missing         []string // what a body of another vocabulary lacks
		user, project   int64
		keepsDescripton bool
	}{
		{"/servers", with(nodeOrder(), obj{"user": ann}), []string{"plan", "location", "os"}, ann, project, true},
		{"/servers", with(nodeOrder(), obj{"project": project}), nil, ann, project, true},
		{"/servers", nodeOrder(), nil, 1, a.p.Users()[0].ProjectID, true},
		{fmt.Sprintf("/projects/%d/servers", project), projectOrder(), []string{"plan_id", "location_id", "os_image_version_id"}, ann, project, false},
		{fmt.Sprintf("/compute_resources/%d/servers", NodeFrankfurt), resourceOrder(ann, project), []string{"plan_id", "os_image_version_id", "user_id", "project_id"}, ann, project, true},
	} {
		made := a.want(201, "POST", tt.path, with(tt.order, obj{"description": "order-1"}))
		s := a.truth(id(made))
		assert.Equal(t, []int64{tt.user, tt.project, PlanSmall}, []int64{s.UserID, s.ProjectID, s.PlanID}, tt.path)
		assert.Equal(t, tt.keepsDescripton, s.Description == "order-1", "%s: the project view has no description and drops it without a word", tt.path)
		assert.Equal(t, strings.HasPrefix(tt.path, "/compute"), s.ComputeResourceID == NodeFrankfurt)
		if tt.missing == nil {
			continue
		}
		foreign := obj{"name": "web", "plan": 1, "location": 1, "os": 1, "plan_id": 1, "location_id": 1, "os_image_version_id": 1, "user_id": 1, "project_id": 1}
		for _, name := range tt.missing {
			delete(foreign, name)
		}
		refused := a.want(422, "POST", tt.path, foreign)
		for _, name := range tt.missing {
			assert.Contains(t, refused["errors"], name, "%s takes nothing else for it", tt.path)
		}
	}
}

func TestAnOrderMayCarryEverythingThatThePanelKnows(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	ann := a.p.AddUser(User{Email: "ann@example.com"})
	key := id(a.want(201, "POST", "/ssh_keys", obj{"name": "k", "body": aKey, "user_id": ann}))
	made := a.want(201, "POST", "/servers", with(nodeOrder(), obj{
		"user": ann, "ssh_keys": []int64{key}, "compute_resource": NodeAmsterdam2, "primary_ip": "198.18.9.9", "additional_ip_count": 2, "additional_ipv6_count": 1,
		"ip_types": []string{"IPv4", "IPv6"}, "additional_disks": []obj{{"name": "data", "size": 100, "offer_id": 1}}, "boot_mode": "rescue", "firmware": "efi",
		"mac_address": "52:54:00:aa:bb:cc", "user_data": "#cloud-config\n", "custom_plan": obj{"params": obj{"ram": 4 << 30}},
		"backup_settings": obj{"enabled": true, "schedule": obj{"type": "daily", "time": obj{"hour": 1, "minutes": 30}}},
	}))
	s := a.truth(id(made))
	assert.Equal(t, []int64{NodeAmsterdam2, 4096, 20}, []int64{s.ComputeResourceID, s.MemoryMiB, s.DiskGiB})
	assert.Equal(t, []int64{100}, s.ExtraDisksGiB)
	assert.Equal(t, netip.MustParseAddr("198.18.9.9"), s.IPv4[0])
	assert.Len(t, s.IPv4, 3)
	assert.Len(t, s.IPv6, 2)
	assert.Equal(t, true, dig(made, "data", "backup_settings", "enabled"))
	disks := a.get(serverPath(s.ID, "/disks"))
	assert.NotContains(t, disks, "meta")
	assert.EqualValues(t, []any{20.0, 100.0}, []any{dig(disks, "data", 0, "size"), dig(disks, "data", 1, "size")})
	a.want(422, "POST", "/servers", with(nodeOrder(), obj{"additional_disks": []any{obj{"name": "x"}}}))
	a.want(422, "POST", "/servers", with(nodeOrder(), obj{"additional_disks": []any{7}}))
}

func TestAnOrderGoesWhereThereIsRoom(t *testing.T) {
	t.Parallel()
	a := newAPI(t, WithoutCatalogue())
	location, plan := a.p.AddLocation("Oslo"), a.p.AddPlan(Plan{Name: "S", MemoryMiB: 1024, DiskGiB: 10, VCPUs: 1})
	version := a.p.AddImageVersion(ImageVersion{Image: "Debian", Version: "12"})
	block := a.p.AddIPBlock(IPBlock{
		Name: "B", From: netip.MustParseAddr("203.0.113.1"), To: netip.MustParseAddr("203.0.113.6"), Gateway: netip.MustParseAddr("203.0.113.3"),
	})
	order := func(change obj) int {
		status, _ := a.do("POST", "/servers", with(obj{"name": "a", "plan": plan, "location": location, "os": version}, change))
		return status
	}
	assert.Equal(t, 422, order(nil), "no compute resource")
	big := a.p.AddComputeResource(ComputeResource{Name: "big", LocationID: location, BlockIDs: []int64{block}, MemoryMiB: 2048, DiskGiB: 1000})
	small := a.p.AddComputeResource(ComputeResource{Name: "small", LocationID: location, BlockIDs: []int64{block}, MemoryMiB: 1024})
	assert.Equal(t, 422, order(obj{"ip_types": []string{"IPv6"}}), "no such addresses")
	assert.Equal(t, []int{201, 201, 201, 422}, []int{order(nil), order(nil), order(nil), order(nil)})
	assert.Equal(t, []int64{big, small, big}, []int64{a.p.Servers()[0].ComputeResourceID, a.p.Servers()[1].ComputeResourceID, a.p.Servers()[2].ComputeResourceID})
	a.p.AddComputeResource(ComputeResource{Name: "third", LocationID: location, BlockIDs: []int64{block}})
	assert.Equal(t, []int{201, 201, 422}, []int{order(nil), order(nil), order(nil)}, "five addresses besides the gateway")
	assert.Equal(t, 422, order(obj{"compute_resource": big}))
	assert.Equal(t, 5.0, dig(a.get(fmt.Sprintf("/ip_blocks/%d/ips", block)), "meta", "total"))
}

func TestFaultsOfACreate(t *testing.T) {
	t.Parallel()
	tests := []struct { // the first look is right after the answer, the second 100 seconds later
		fault       provisioningtest.Fault
		status      int // 0: no answer
		made, later int
	}{
		{provisioningtest.Fault{Do: provisioningtest.Refuse}, 0, 0, 0},
		{provisioningtest.Fault{Do: provisioningtest.CutBefore}, 0, 0, 0},
		{provisioningtest.Fault{Do: provisioningtest.CutAfter}, 0, 1, 1},
		{provisioningtest.Fault{Do: provisioningtest.CommitLate, Late: 40 * time.Second}, 0, 0, 1},
		{provisioningtest.Fault{Do: provisioningtest.Answer, Status: 422, Body: `{"message":"no"}`}, 422, 0, 0},
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
				a.get("/plans") // another operation is not hit
				status, _, err := a.send(ctx, "POST", "/servers", nodeOrder())
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

func TestAHundredOrdersAtOnceMakeAHundredServers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		var clients sync.WaitGroup
		for range 100 {
			clients.Go(func() {
				status, body, err := a.send(t.Context(), "POST", "/servers", nodeOrder())
				assert.NoError(t, err)
				assert.Equal(t, 201, status, body)
			})
		}
		clients.Wait()
		time.Sleep(30 * time.Second)
		uuids, addresses := map[string]bool{}, map[netip.Addr]bool{}
		for _, s := range a.p.Servers() {
			assert.True(t, s.Running)
			uuids[s.UUID], addresses[s.IPv4[0]] = true, true
		}
		assert.Len(t, uuids, 100)
		assert.Len(t, addresses, 100)
		assert.Equal(t, 100, a.p.Count("createServer"))
		assert.Len(t, a.p.Requests(), 100)
		assert.NotContains(t, fmt.Sprint(a.p.Requests()), a.token.Reveal())
	})
}

func TestTheConsoleIsAnsweredWithoutAnEnvelope(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	s := a.foreign(Server{Name: "web"})
	got := a.want(200, "POST", serverPath(s.ID, "/vnc_up"), nil)
	assert.NotContains(t, got, "data")
	assert.Equal(t, fmt.Sprintf("%s:%v/%s", got["host"], got["port"], s.UUID), got["url"])
	assert.Equal(t, dig(a.get(serverPath(s.ID, "")), "data", "settings", "vnc_password"), dig(got, "vm", "settings", "vnc_password"))
	a.p.SetVNC(s.ID, false)
	a.want(409, "POST", serverPath(s.ID, "/vnc_up"), nil)
	assert.Equal(t, false, dig(a.get(serverPath(s.ID, "")), "data", "settings", "vnc_enabled"))
}

func TestUsageIsKeyedByTheUUID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		s := a.foreign(Server{Name: "web"})
		time.Sleep(time.Hour)
		for metric, member := range map[string]string{"cpu": "load_average", "memory": "memory", "disks": "derivative", "network": "derivative"} {
			got := a.get("/usage/" + metric + "/" + s.UUID)
			assert.Len(t, dig(got, "data", "items"), 13, metric)
			assert.Contains(t, dig(got, "data", "items", 0), member)
			assert.Equal(t, got, a.get("/usage/"+metric+"/"+s.UUID))
			a.want(404, "GET", "/usage/"+metric+"/"+itoa(s.ID), nil)
		}
	})
}

func TestOlderNodesAnswerInOtherShapes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, WithOldShapes())
		server := id(a.want(201, "POST", "/servers", with(nodeOrder(), obj{"ip_types": []string{"IPv4", "IPv6"}})))
		time.Sleep(2 * time.Second)
		got := a.get(serverPath(server, ""))
		assert.Equal(t, "not exists", dig(got, "data", "real_status"))
		assert.Equal(t, "2000-01-01 00:00:00", dig(got, "data", "created_at"))
		assert.NotEmpty(t, dig(got, "data", "ip_addresses", "ipv6", "primary_ip"), "an object")
		assert.Len(t, dig(got, "data", "ips"), 2)
		assert.NotContains(t, dig(got, "data", "settings"), "vnc_password")
		assert.NotEmpty(t, dig(got, "data", "settings", "vnc", "password"))
		assert.Equal(t, "GB", dig(got, "data", "plan", "limits", "network_total_traffic", "unit"))
		key := a.want(201, "POST", "/ssh_keys", obj{"name": "k", "body": aKey, "user_id": 1})
		assert.Equal(t, aKey, dig(key, "data", "public_key"))
		task := a.get("/tasks")
		assert.NotContains(t, dig(task, "data", 0), "compute_resource_vm_id")
		assert.Nil(t, dig(a.get(serverPath(a.foreign(Server{}).ID, "")), "data", "ip_addresses", "ipv6"))
	})
}

func TestAnEmptyPanelHasOnlyItsAdministrator(t *testing.T) {
	t.Parallel()
	a := newAPI(t, WithoutCatalogue())
	for _, list := range []string{"/servers", "/plans", "/locations", "/os_images", "/applications", "/compute_resources", "/ip_blocks", "/ssh_keys", "/tasks", "/activity_logs"} {
		assert.Empty(t, ids(a.get(list)), list)
	}
	assert.Equal(t, []int64{1}, ids(a.get("/users")))
	assert.Equal(t, []int64{RoleAdmin, RoleClient}, ids(a.get("/roles")))
	_, err := a.p.AddServer(Server{})
	require.Error(t, err)
	a.want(422, "POST", "/servers", nodeOrder())
}

func TestTheCatalogueIsWhatItSays(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for path, name := range map[string]string{
		fmt.Sprintf("/plans/%d", PlanSmall): "VPS S", fmt.Sprintf("/plans/%d", PlanMedium): "VPS M", fmt.Sprintf("/plans/%d", PlanLarge): "VPS L",
		fmt.Sprintf("/plans/%d", PlanHidden): "VPS 2019", fmt.Sprintf("/plans/%d", PlanStorage): "Container",
		fmt.Sprintf("/locations/%d", LocationAmsterdam): "Amsterdam", fmt.Sprintf("/locations/%d", LocationFrankfurt): "Frankfurt",
		fmt.Sprintf("/os_images/%d", ImageUbuntu): "Ubuntu", fmt.Sprintf("/os_images/%d", ImageDebian): "Debian",
		fmt.Sprintf("/compute_resources/%d", NodeAmsterdam1): "ams-1", fmt.Sprintf("/compute_resources/%d", NodeAmsterdam2): "ams-2",
		fmt.Sprintf("/compute_resources/%d", NodeFrankfurt): "fra-1",
	} {
		assert.Equal(t, name, dig(a.get(path), "data", "name"))
	}
	for version, want := range map[int64]string{
		VersionUbuntu2404: "24.04", VersionUbuntu2204: "22.04", VersionDebian12: "12", VersionDebian11: "11", VersionWindows: "2022", VersionAlmaVZ: "9",
	} {
		assert.Equal(t, want, dig(a.get(fmt.Sprintf("/os_image_versions/%d", version)), "data", "version"))
	}
	apps := a.get("/applications")
	assert.Equal(t, []int64{ApplicationNginx, ApplicationWordPress}, ids(apps))
	assert.Contains(t, dig(apps, "data", 1, "json_schema"), "admin_email", "a schema as text")
	assert.Equal(t, true, dig(a.get(fmt.Sprintf("/os_image_versions/%d", VersionDebian11)), "data", "is_deprecated"))
}

func TestAProgramServesThePanel(t *testing.T) {
	t.Parallel()
	p := NewPanel(Options{URL: "http://panel.example", Token: "the-token"})
	defer p.Close()
	web := httptest.NewServer(p)
	defer web.Close()
	assert.Equal(t, "http://panel.example", p.URL())
	assert.Equal(t, provisioning.Secret("the-token"), p.Token())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, web.URL+"/api/v1/plans", nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer the-token")
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

// TestThePanelHasEveryDocumentedOperation leaves out the event handlers, whose path nobody knows.
func TestThePanelHasEveryDocumentedOperation(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../testdata/operations/solusvm2.tsv")
	require.NoError(t, err)
	documented := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n")[1:] {
		cells := strings.Split(line, "\t")
		if cells[3] != "Event handlers" {
			documented[cells[2]] = cells[0] + " " + cells[1]
		}
	}
	have := map[string]string{}
	for _, op := range operations() {
		have[op.id] = op.route
	}
	assert.Equal(t, documented, have)
}

func TestAnUnknownStatusCanBeReported(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	s := a.foreign(Server{Name: "web"})
	a.p.SetState(s.ID, "hibernating")
	got := a.get(serverPath(s.ID, ""))
	assert.Equal(t, []any{"hibernating", "hibernating"}, []any{dig(got, "data", "status"), dig(got, "data", "real_status")})
	assert.Equal(t, []int64{s.ID}, ids(a.get("/servers?filter[status]=hibernating")))
	a.p.SetState(s.ID, "")
	assert.Equal(t, "started", dig(a.get(serverPath(s.ID, "")), "data", "status"))
}

// FuzzRequests sends odd bodies to every operation: each is answered, whatever comes.
func FuzzRequests(f *testing.F) {
	bodies := []string{
		`{}`, `[]`, `null`, `{"name":"a","plan":11,"location":21,"os":43,"additional_disks":[{"name":"x","size":1,"offer_id":1}]}`, `{"servers":[101],"ids":[101,3001]}`,
		`{"name":"p","virtualization_type":"kvm","storage_type":"fb","image_format":"raw","params":{"disk":1,"ram":1073741824,"vcpu":1},"limits":{"disk_iops":[]}}`,
		`{"name":"b","type":"IPv6","gateway":"::1","range":"2001:db8::/64","subnet":120,"ip":"::ffff:1.2.3.4"}`, `{"custom_plan":{"params":{"ram":"x"}},"plan_id":12}`,
		`{"application":82,"application_data":"{}","email":"a@b","roles":[1],"force":1,"mode":"iso","from":"1.2.3.4","to":"1.2.3.4","list_type":"set"}`,
	}
	for op := range operations() {
		f.Add(op, bodies[op%len(bodies)])
	}
	f.Fuzz(func(t *testing.T, n int, body string) {
		a := newAPI(t, WithTiming(Timing{Create: -1}), WithWebhooks(brokenTransport{}))
		a.foreign(Server{IPv6: true})
		ops := operations()
		op := ops[(n%len(ops)+len(ops))%len(ops)]
		method, path, _ := strings.Cut(op.route, " ")
		id := map[string]string{"users": "1", "projects": "501", "roles": "1", "plans": "11", "locations": "21", "os_images": "31", "os_image_versions": "41",
			"compute_resources": "6", "ip_blocks": "201", "ips": "3001"}[strings.Split(path, "/")[1]]
		if id == "" {
			id = "101"
		}
		path = strings.NewReplacer("{id}", id, "{memberId}", "701", "{metric}", "cpu", "{uuid}", a.p.Servers()[0].UUID).Replace(path)
		for range 2 {
			status, answer := a.do(method, path, body)
			assert.Contains(t, []int{200, 201, 204, 401, 403, 404, 409, 422}, status, answer)
		}
		b, err := a.p.Snapshot()
		require.NoError(t, err)
		require.NoError(t, a.p.Restore(b), "what a request left behind is whole")
	})
}

func TestThePageOfTheBrowserIsNotJSON(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.p.URL()+"/", nil)
	require.NoError(t, err)
	resp, err := a.p.Transport().RoundTrip(req)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, 200, resp.StatusCode)
	assert.Equal(t, "text/html; charset=UTF-8", resp.Header.Get("Content-Type"))
	assert.Contains(t, string(body), "<div id=\"app\">")
}
